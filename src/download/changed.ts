/** The failure of a file that has become another one while it was fetched. */
import { type ClientError, refusedError } from "../client/error.ts";
import type { ByteString } from "../wire/bytes.ts";
import { printable } from "../wire/printable.ts";

/** The file has become another one while it was fetched. */
export function changed(path: ByteString): ClientError {
  return refusedError("ESTALE", `the file has changed: ${printable(path)}`);
}
