/** The kernel's errors as the wire's: what a client may know of why a file could not be had. */
import { ERRNO } from "../sys/errno.ts";
import { Refusal, type WireCode } from "../wire/errors.ts";
import { printable } from "../wire/printable.ts";
import type { ByteString } from "../wire/bytes.ts";

const CODES = new Map<number, WireCode>([
  [ERRNO.ENOENT, "ENOENT"],
  [ERRNO.ENOTDIR, "ENOTDIR"],
  [ERRNO.EISDIR, "EISDIR"],
  [ERRNO.ENAMETOOLONG, "ENAMETOOLONG"],
  [ERRNO.EOVERFLOW, "EOVERFLOW"],
  // A link out of the root (EXDEV), a loop of links, a socket or device: not to be had, and no
  // detail why.
  [ERRNO.EACCES, "EACCES"],
  [ERRNO.EPERM, "EACCES"],
  [ERRNO.EXDEV, "EACCES"],
  [ERRNO.ELOOP, "EACCES"],
  [ERRNO.ENXIO, "EACCES"],
  [ERRNO.ENODEV, "EACCES"],
  // What passes by itself.
  [ERRNO.EMFILE, "EBUSY"],
  [ERRNO.ENFILE, "EBUSY"],
  [ERRNO.ENOMEM, "EBUSY"],
  [ERRNO.EAGAIN, "EBUSY"],
  [ERRNO.EBUSY, "EBUSY"],
]);

/** The refusal for a negative errno met on the way to `path`. What is not in the table is EIO. */
export function refusalOf(failed: number, path: ByteString): Refusal {
  return new Refusal(CODES.get(-failed) ?? "EIO", printable(path));
}
