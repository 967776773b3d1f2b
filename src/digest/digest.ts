/** Digests of bytes in memory, in the form of HASH. It reads no file and keeps no state. */
import { type Algo, DIGESTS } from "../wire/digest.ts";

/** The digest of `bytes` in lower-case hex. */
export function digestOf(algo: Algo, bytes: Uint8Array): string {
  if (algo === "sha256") return Bun.CryptoHasher.hash("sha256", bytes, "hex");
  return Bun.hash.xxHash3(bytes).toString(16).padStart(DIGESTS.xxh3, "0");
}

/**
 * A line for each `chunk` bytes of `bytes`; the last may cover fewer, and no bytes have one line.
 */
export function digestLines(algo: Algo, bytes: Uint8Array, chunk: number): string {
  let lines = "";
  let from = 0;
  do {
    lines += `${digestOf(algo, bytes.subarray(from, from + chunk))}\n`;
    from += chunk;
  } while (from < bytes.length);
  return lines;
}
