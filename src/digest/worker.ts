/**
 * The thread that computes digests: a portion comes, its lines go back, in order. It reads by
 * position from descriptors that the other side keeps open until it has answered; a cold disk or a
 * slow hash blocks nobody but those who wait for it.
 *
 * It reads into a buffer of its own instead of mapping the file: that costs half the speed of xxh3
 * (measured: 4.6 GB/s against 10), but a file that is cut short while it is mapped is SIGBUS, the
 * end of the whole server.
 */
import { ERRNO } from "../sys/errno.ts";
import type { Algo } from "../wire/digest.ts";
import { readFully } from "../sys/shortcount.ts";
import { digestLines } from "./digest.ts";

/** What the thread is given: whole chunks (the last may be short), or a piece of one. */
export interface Portion {
  /** Who it is for: the pieces of a chunk are put together by this. */
  readonly job: number;
  readonly algo: Algo;
  /** A descriptor, or the content itself where that is held in memory. */
  readonly source: number | Uint8Array;
  /** First byte. */
  readonly at: bigint;
  /** Bytes, > 0. */
  readonly count: number;
  /** Bytes under one digest. */
  readonly chunk: number;
  /** "whole" chunks; or a piece of one, which is of sha256: "more" pieces follow, or none. */
  readonly piece: "whole" | "more" | "last";
}

/** Forgets the pieces of a job that was dropped between two of them. Not answered. */
export interface Dropped {
  readonly dropped: number;
}

/** A line for each digest that is complete, or -errno. */
export type PortionAnswer = string | number;

// --- internal ---

declare const self: Worker;

/** The largest portion so far: 4 MiB, or up to 16 MiB where somebody asked for such chunks. */
let buffer = new Uint8Array(0);

/** Digests of chunks of which a part has come. */
const begun = new Map<number, Bun.CryptoHasher>();

self.onmessage = ({ data }: MessageEvent<Portion | Dropped>) => {
  if ("dropped" in data) begun.delete(data.dropped);
  else self.postMessage(answerTo(data));
};

function answerTo(portion: Portion): PortionAnswer {
  const { job, algo, chunk, piece } = portion;
  const bytes = bytesOf(portion);
  if (typeof bytes === "number") {
    begun.delete(job);
    return bytes;
  }
  if (piece === "whole") return digestLines(algo, bytes, chunk);
  const hasher = begun.get(job) ?? new Bun.CryptoHasher("sha256");
  hasher.update(bytes);
  if (piece === "more") {
    begun.set(job, hasher);
    return "";
  }
  begun.delete(job);
  return `${hasher.digest("hex")}\n`;
}

function bytesOf({ source, at, count }: Portion): Uint8Array | number {
  if (typeof source !== "number") return source.subarray(Number(at), Number(at) + count);
  if (buffer.length < count) buffer = new Uint8Array(count);
  const got = readFully(source, buffer, count, at);
  if (got < 0) return got;
  // It ends before its size says: the other side looks whether it was cut.
  return got < count ? -ERRNO.EIO : buffer.subarray(0, count);
}
