/** Digests of bytes in memory, as HASH writes them. It reads nothing and keeps nothing. */
import type { Algo } from "../wire/digest.ts";

/** XXH3 with 64 bits, in hex. */
const XXH3_DIGITS = 16;

/** The digest of `bytes` in lower-case hex. */
export function digestOf(algo: Algo, bytes: Uint8Array): string {
  if (algo === "sha256") return Bun.CryptoHasher.hash("sha256", bytes, "hex");
  return Bun.hash.xxHash3(bytes).toString(16).padStart(XXH3_DIGITS, "0");
}

/** A line for each `chunk` bytes of `bytes`, the last maybe of fewer; no bytes have one line. */
export function digestLines(algo: Algo, bytes: Uint8Array, chunk: number): string {
  let lines = "";
  let from = 0;
  do {
    lines += `${digestOf(algo, bytes.subarray(from, from + chunk))}\n`;
    from += chunk;
  } while (from < bytes.length);
  return lines;
}
