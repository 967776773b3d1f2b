/** What a status of HTTP says in errno names, for a client: the reverse of status.ts. */
import type { WireCode } from "../errors.ts";

const CODES: ReadonlyMap<number, WireCode> = new Map([
  [401, "EACCES"],
  [402, "EACCES"],
  [403, "EACCES"],
  [404, "ENOENT"],
  [405, "ENOSYS"],
  [407, "EACCES"],
  [408, "ETIMEDOUT"],
  [410, "ENOENT"],
  [412, "ESTALE"],
  [416, "ERANGE"],
  [425, "EBUSY"],
  [429, "EBUSY"],
  [451, "EACCES"],
  [500, "EIO"],
  [501, "ENOSYS"],
  [505, "ENOSYS"],
]);

/**
 * The errno name of `status`, which is 400 to 599. Of those that the table does not have, 4xx is a
 * request that is wrong and stays so, 5xx a server, or one behind it, that may be back soon.
 */
export function codeOfStatus(status: number): WireCode {
  return CODES.get(status) ?? (status < 500 ? "EINVAL" : "EBUSY");
}
