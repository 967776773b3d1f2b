/**
 * The digest thread: takes portions of files and answers each with its lines of digests, in order.
 * It reads by position from descriptors that the sender keeps open until the answer, so that a slow
 * disk or hash delays nothing but its own answers.
 *
 * It reads into its own buffer instead of mapping the file. That halves the speed of xxh3 (4.6 GB/s
 * instead of 10 GB/s, measured), but a file truncated while it is mapped raises SIGBUS, which ends
 * the whole server.
 */
import { ERRNO } from "../sys/errno.ts";
import type { Algo } from "../wire/digest.ts";
import { readFully } from "../sys/shortcount.ts";
import { digestLines } from "./digest.ts";

/** The work of one message: whole chunks (the last may be short), or a piece of one chunk. */
export interface Portion {
  /** The request that it belongs to: pieces with the same number are one chunk. */
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
  /** "whole" chunks; or a piece of a sha256 chunk: "more" pieces follow, or it is the "last". */
  readonly piece: "whole" | "more" | "last";
}

/** A job ended between two pieces of a chunk: its state is freed. Has no answer. */
export interface Dropped {
  readonly dropped: number;
}

/** A line for each digest that is complete, or -errno. */
export type PortionAnswer = string | number;

// --- internal ---

declare const self: Worker;

/** As large as the largest portion so far: 4 MiB, up to 16 MiB after a request for such chunks. */
let buffer = new Uint8Array(0);

/** The unfinished digests of chunks that come in pieces, by job. */
const unfinished = new Map<number, Bun.CryptoHasher>();

self.onmessage = ({ data }: MessageEvent<Portion | Dropped>) => {
  if ("dropped" in data) unfinished.delete(data.dropped);
  else self.postMessage(answerTo(data));
};

function answerTo(portion: Portion): PortionAnswer {
  const { job, algo, chunk, piece } = portion;
  const bytes = contentOf(portion);
  if (typeof bytes === "number") {
    unfinished.delete(job);
    return bytes;
  }
  if (piece === "whole") return digestLines(algo, bytes, chunk);
  const hasher = unfinished.get(job) ?? new Bun.CryptoHasher("sha256");
  hasher.update(bytes);
  if (piece === "more") {
    unfinished.set(job, hasher);
    return "";
  }
  unfinished.delete(job);
  return `${hasher.digest("hex")}\n`;
}

function contentOf({ source, at, count }: Portion): Uint8Array | number {
  if (typeof source !== "number") return source.subarray(Number(at), Number(at) + count);
  if (buffer.length < count) buffer = new Uint8Array(count);
  const got = readFully(source, buffer, count, at);
  if (got < 0) return got;
  // The file is shorter than its size was: the sender finds out whether it was truncated.
  return got < count ? -ERRNO.EIO : buffer.subarray(0, count);
}
