/** READ of the framed door: a file, a range of it, or why not. */
import type { OpenFile } from "../store/store.ts";
import { readFacts } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { okLine } from "../wire/reply.ts";
import { type Request, wholeFile } from "../wire/request.ts";
import type { Connection } from "./connection.ts";
import { jobOf, NO_HEAD } from "./job.ts";
import { rangeOf } from "./range.ts";
import type { ByteString } from "../wire/bytes.ts";
import { fileWait } from "./state.ts";

/** Whole files over this go the long way, which refuses them. */
const SIZE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Answers READ of the whole of `path`, without keys. */
export function readWhole(connection: Connection, path: ByteString): void {
  const file = connection.service.store.open(path, connection);
  if (file === null || file instanceof Refusal || file.entry.size > SIZE_MAX) {
    readOpened(connection, wholeFile("READ", path), file);
    return;
  }
  const length = Number(file.entry.size);
  if (file.body === null && length > 0) {
    const job = jobOf("READ", path, length);
    const head = file.reply ?? (file.reply = headOf(file));
    const at = file.replyAt;
    if (at === null) connection.sendFile(head, file, file.base, length, job);
    else connection.sendFile(NO_HEAD, file, at, head.length + length, job);
    return;
  }
  connection.sendBytes(
    file.reply ?? (file.body === null ? headOf(file) : prependHead(file, file.body)),
  );
  const { log, counters } = connection.service;
  // A job only for those who read it: this is the path of a million requests a second.
  if (log.on) connection.record(jobOf("READ", path, length), "OK", length);
  else counters.requests += 1;
}

/** Answers READ. */
export function read(connection: Connection, request: Request): void {
  readOpened(connection, request, lookUp(connection, request));
}

/** The file that `request` names, a refusal, or null: the connection will be answered. */
export function lookUp(connection: Connection, request: Request): OpenFile | Refusal | null {
  const { store } = connection.service;
  const file = store.open(request.path, connection);
  if (file === null || file instanceof Refusal || !namesAnother(request, file)) return file;
  // STAT asks the disk each time: the version that it has told must not be refused for an older
  // one in the cache.
  file.expire();
  return store.open(request.path, connection);
}

// --- internal ---

function headOf(file: OpenFile): Buffer {
  return Buffer.from(okLine(file.entry.size, readFacts(file.entry, 0n)), "latin1");
}

/** Writes the head right in front of the held body: from then on the whole reply is one piece. */
function prependHead(file: OpenFile, body: Uint8Array): Uint8Array {
  const head = okLine(body.length, readFacts(file.entry, 0n));
  const whole = Buffer.from(body.buffer, body.byteOffset - head.length, head.length + body.length);
  whole.write(head, "latin1");
  file.reply = whole;
  return whole;
}

/** True when `request` was made for another version of the file than the cached one. */
function namesAnother({ etag, offset }: Request, { entry }: OpenFile): boolean {
  return (etag !== "" && etag !== entry.etag) || offset > entry.size;
}

function readOpened(
  connection: Connection,
  request: Request,
  file: OpenFile | Refusal | null,
): void {
  if (file === null) {
    connection.awaitStore(fileWait((result) => readOpened(connection, request, result)));
    return;
  }
  const job = jobOf("READ", request.path, 0);
  if (file instanceof Refusal) {
    connection.refuse(job, file);
    return;
  }
  if (request.etag !== "" && request.etag !== file.entry.etag) {
    connection.refuse(job, new Refusal("ESTALE", `its etag is ${file.entry.etag}`));
    return;
  }
  const range = rangeOf(file.entry, request.offset, request.length);
  if (range instanceof Refusal) {
    connection.refuse(job, range);
    return;
  }
  const { start, length } = range;
  const head = okLine(length, readFacts(file.entry, start));
  if (length > 0 && file.body === null) {
    const at = file.base + start;
    connection.sendFile(Buffer.from(head), file, at, length, { ...job, length });
    return;
  }
  connection.sendText(head);
  const from = Number(start);
  if (file.body !== null) connection.sendBytes(file.body.subarray(from, from + length));
  connection.record(job, "OK", length);
}
