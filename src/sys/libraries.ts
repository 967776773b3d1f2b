/** The names that a Linux libc has: glibc first, then musl under the names Alpine gives it. */
const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"] as const;

/**
 * What `make` makes of the first library that it does not throw for: this system's. Null where
 * there is none of them, or it lacks something for `make`.
 */
export function ofLibc<T>(make: (name: string) => T): T | null {
  for (const name of LIBRARIES) {
    try {
      return make(name);
    } catch {
      // Not this libc; the next name decides.
    }
  }
  return null;
}
