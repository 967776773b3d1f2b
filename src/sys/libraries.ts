/** The names that a Linux libc has: glibc first, then musl under the names Alpine gives it. */
export const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"] as const;
