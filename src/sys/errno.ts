/**
 * Error numbers of Linux on x86-64 and arm64 (asm-generic/errno.h). The calls of kernel.ts answer
 * like the kernel itself: a result >= 0, or the negative of one of these.
 */

/** The errors that this program tells apart. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNRESET: 104,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(ERRNO).map(([name, number]) => [number, name]),
);

/** The errno name in what node:fs and Bun throw, or `unknown` where there is none. */
export function codeOf(error: unknown, unknown = "EIO"): string {
  return error instanceof Error && "code" in error ? String(error.code) : unknown;
}

/**
 * What was wrong with the records that a peer sent by TLS, in OpenSSL's words
 * ("bad packet length"); null when `error` is something else. Bun tells them as the error of a
 * socket, where errors of our own arrive too.
 */
export function tlsFaultOf(error: Error): string | null {
  const [, reason] = /^error:[0-9a-f]+:SSL routines:[^:]*:([A-Z0-9_]+)/.exec(error.message) ?? [];
  return reason?.replaceAll("_", " ").toLowerCase() ?? null;
}

/** The name of an errno (positive), or `errno N` for one that is not in the table. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}
