/** HASH of the framed door: the digests of a range, chunk by chunk, a line each. */
import { digestOf } from "../digest/digest.ts";
import type { DigestRange, OpenFile } from "../store/store.ts";
import { CHUNK_BYTES_DEFAULT, digestCount, DIGESTS, DIGESTS_MAX } from "../wire/digest.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { okLine } from "../wire/reply.ts";
import { type Request, wholeFile } from "../wire/request.ts";
import type { Connection } from "./connection.ts";
import { type Job, jobOf } from "./job.ts";
import { rangeOf } from "./range.ts";
import { lookUp } from "./read.ts";
import { digestWait, fileWait, type Promised } from "./state.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";

/** Digests that cost a turn as much as one usual request: about 1 us. */
const LINES_PER_REQUEST = 32;

/** Bytes of one xxh3 digest and its LF. */
const WHOLE_BYTES = DIGESTS.xxh3 + 1;

/**
 * Answers HASH of the whole of `path`, without keys. The reply of a file that is held in memory is
 * kept beside it: a mirror of many small files asks READ and HASH of each.
 */
export function hashWhole(connection: Connection, path: ByteString): void {
  const { store, log, counters } = connection.service;
  const file = store.open(path, connection);
  if (file === null || file instanceof Refusal || file.body === null) {
    hashOpened(connection, wholeFile("HASH", path), file);
    return;
  }
  file.digest ??= wholeReply(file, file.body);
  connection.sendBytes(file.digest);
  if (log.on) connection.record(jobOf("HASH", path, 0), "OK", WHOLE_BYTES);
  else counters.requests += 1;
}

/** Answers HASH. */
export function hash(connection: Connection, request: Request): void {
  hashOpened(connection, request, lookUp(connection, request));
}

// --- internal ---

/** Computed on the loop: 64 KiB at most take 5 us, less than a message to the thread. */
function wholeReply({ entry }: OpenFile, body: Uint8Array): Uint8Array {
  const facts = `etag=${entry.etag} algo=xxh3 chunk=${CHUNK_BYTES_DEFAULT}`;
  const head = okLine(WHOLE_BYTES, ` size=${entry.size} ${facts}`);
  return bufferOf(`${head}${digestOf("xxh3", body)}\n`);
}

function hashOpened(
  connection: Connection,
  request: Request,
  file: OpenFile | Refusal | null,
): void {
  if (file === null) {
    connection.awaitStore(fileWait((result) => hashOpened(connection, request, result)));
    return;
  }
  const job = jobOf("HASH", request.path, 0);
  if (file instanceof Refusal) {
    connection.refuse(job, file);
    return;
  }
  const range = digestRangeOf(file.entry, request);
  if (range instanceof Refusal) {
    connection.refuse(job, range);
    return;
  }
  // Looking up or copying so many lines takes as long as a usual request.
  connection.charge(digestLinesOf(range) / LINES_PER_REQUEST);
  const reply = new HashReply(connection, job, headOf(file.entry, request, range));
  const digests = connection.service.store.digests(file, range, connection);
  if (digests === null) connection.awaitStore(digestWait((lines) => reply.finish(lines), reply));
  else reply.finish(digests);
}

/** The reply to one HASH: its head is known before the digests are. */
class HashReply implements Promised {
  made = false;
  readonly #connection: Connection;
  readonly #job: Job;
  readonly #head: string;

  constructor(connection: Connection, job: Job, head: string) {
    this.#connection = connection;
    this.#job = job;
    this.#head = head;
  }

  make(): void {
    this.made = true;
    this.#connection.sendText(this.#head);
  }

  /** Sends the digests, or why there are none: once a head has promised them, only RST can. */
  finish(digests: Uint8Array | Refusal): void {
    if (digests instanceof Refusal) {
      if (!this.made) {
        this.#connection.refuse(this.#job, digests);
        return;
      }
      this.#connection.record(this.#job, "RESET", 0);
      this.#connection.terminate();
      return;
    }
    if (!this.made) this.make();
    this.#connection.sendBytes(digests);
    this.#connection.record(this.#job, "OK", digests.length);
  }
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

function digestLinesOf({ length, chunk }: DigestRange): number {
  return Number(digestCount(BigInt(length), BigInt(chunk)));
}

function headOf(entry: Entry, request: Request, range: DigestRange): string {
  const { size, etag } = entry;
  const { length } = range;
  const chunk = chunkOf(request, length);
  const bytes = digestLinesOf(range) * (DIGESTS[range.algo] + 1);
  return okLine(bytes, ` size=${size} etag=${etag} algo=${request.algo} chunk=${chunk}`);
}
