/**
 * The digests of HASH: their names, their lengths in hex, and how many fit one reply. A digest
 * covers one chunk; chunks are counted from the request's offset, and the last one may be short. An
 * empty range has one digest, that of no bytes. Nothing is computed here (digest/ does).
 */

/** Digests by name: hex digits of each. xxh3 is XXH3 with 64 bits, seed 0, highest digit first. */
export const DIGESTS = { xxh3: 16, sha256: 64 } as const;

/** A kind of digest. */
export type Algo = keyof typeof DIGESTS;

/** True for a name of DIGESTS. */
export function isAlgo(word: string): word is Algo {
  return Object.hasOwn(DIGESTS, word);
}

/** Bytes of an xxh3 chunk when the request names none; sha256 then covers the whole range. */
export const CHUNK_BYTES_DEFAULT = 4 * 1024 * 1024;

/** Most bytes under one xxh3 digest: it is computed in one call, over bytes in memory. */
export const XXH3_CHUNK_BYTES_MAX = 16 * 1024 * 1024;

/** Most digests in one reply: 16 GiB in chunks of 4 MiB. */
export const DIGESTS_MAX = 4096;

/** How many digests cover `length` bytes. Both in bytes, `chunk` > 0. */
export function digestCount(length: bigint, chunk: bigint): bigint {
  return length === 0n ? 1n : (length + chunk - 1n) / chunk;
}
