/** HASH of the framed door: the digests of a range, chunk by chunk, a line each. */
import { digestOf } from "../digest/digest.ts";
import type { DigestRange, OpenFile, Store, Waiter } from "../store/store.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";
import { CHUNK_BYTES_DEFAULT, digestCount, DIGESTS, DIGESTS_MAX } from "../wire/digest.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { okLine, type Reply } from "../wire/reply.ts";
import { type Request, wholeFile } from "../wire/request.ts";
import { type Answer, digestWait, fileWait } from "./answer.ts";
import { rangeOf } from "./range.ts";
import { lookUp } from "./read.ts";

/** Bytes of one xxh3 digest and its LF. */
const WHOLE_BYTES = DIGESTS.xxh3 + 1;

/**
 * Answers HASH of the whole of `path`, without keys. The reply of a file that is held in memory is
 * kept beside it: a mirror of many small files asks READ and HASH of each.
 */
export function hashWhole(store: Store, path: ByteString, waiter: Waiter): Answer {
  const file = store.open(path, waiter);
  if (file === null || file instanceof Refusal || file.body === null) {
    return hashOpened(store, wholeFile("HASH", path), file, waiter);
  }
  return (file.digest ??= wholeReply(file, file.body));
}

/** Answers HASH. */
export function hash(store: Store, request: Request, waiter: Waiter): Answer {
  return hashOpened(store, request, lookUp(store, request, waiter), waiter);
}

// --- internal ---

/** Computed on the loop: 64 KiB at most take 5 us, less than a message to the thread. */
function wholeReply({ entry }: OpenFile, body: Uint8Array): Reply {
  const facts = `etag=${entry.etag} algo=xxh3 chunk=${CHUNK_BYTES_DEFAULT}`;
  const head = okLine(WHOLE_BYTES, ` size=${entry.size} ${facts}`);
  const bytes = bufferOf(`${head}${digestOf("xxh3", body)}\n`);
  return { kind: "reply", head: "", bytes, content: WHOLE_BYTES };
}

function hashOpened(
  store: Store,
  request: Request,
  file: OpenFile | Refusal | null,
  waiter: Waiter,
): Answer {
  if (file === null) return fileWait((opened) => hashOpened(store, request, opened, waiter));
  if (file instanceof Refusal) return file;
  const range = digestRangeOf(file.entry, request);
  if (range instanceof Refusal) return range;
  const head = headOf(file.entry, request, range);
  const hashed = (lines: Uint8Array | Refusal): Answer =>
    lines instanceof Refusal ? lines : { kind: "reply", head, bytes: lines, content: lines.length };
  const lines = store.digests(file, range, waiter);
  return lines === null ? digestWait(head, hashed) : hashed(lines);
}

/** What is digested; or ERANGE, EOVERFLOW, or EINVAL for more digests than one reply holds. */
function digestRangeOf(entry: Entry, request: Request): DigestRange | Refusal {
  const { offset, algo } = request;
  const range = rangeOf(entry, offset, request.length);
  if (range instanceof Refusal) return range;
  const { start, length } = range;
  const chunk = chunkOf(request, length);
  const count = digestCount(BigInt(length), chunk);
  if (count > BigInt(DIGESTS_MAX)) {
    const detail = `${count} digests, at most ${DIGESTS_MAX} in one reply: ask for ranges`;
    return new Refusal("EINVAL", detail);
  }
  const most = BigInt(Math.max(1, length));
  return { start, length, chunk: Number(chunk < most ? chunk : most), algo };
}

/** Bytes under one digest, as the reply tells them: also where the range has fewer. */
function chunkOf({ chunk, algo }: Request, length: number): bigint {
  if (chunk > 0n) return chunk;
  return BigInt(algo === "xxh3" ? CHUNK_BYTES_DEFAULT : Math.max(1, length));
}

/** The reply's head: it is known before the digests are. */
function headOf(entry: Entry, request: Request, range: DigestRange): string {
  const { size, etag } = entry;
  const { length, algo } = range;
  const count = digestCount(BigInt(length), BigInt(range.chunk));
  const bytes = Number(count) * (DIGESTS[algo] + 1);
  const chunk = chunkOf(request, length);
  return okLine(bytes, ` size=${size} etag=${etag} algo=${algo} chunk=${chunk}`);
}
