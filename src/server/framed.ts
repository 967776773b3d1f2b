/**
 * The S6/1 door: any number of requests on one connection, answered in order. Errors are replies
 * like others; the connection stays in step after each.
 */
import type { Listing, OpenFile } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import { readFacts, statFacts } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { parseRequest, type Request, wholeFile } from "../wire/request.ts";
import { errLine, okLine } from "../wire/reply.ts";
import { type ByteString, PROTOCOL } from "../wire/vocabulary.ts";
import type { Connection, Job } from "./connection.ts";
import { rangeOf } from "./range.ts";
import type { Door } from "./service.ts";
import { VERSION } from "./version.ts";

/** Whole files over this go the long way, which refuses them. */
const SIZE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

const PONG = okLine(0, ` server=serv6 version=${VERSION} protocol=${PROTOCOL}`);

/** The door of the framed protocol. */
export const framedDoor: Door = { name: "s6", answer, refusal: errLine };

// --- internal ---

function answer(connection: Connection, line: ByteString): void {
  // By far the commonest line: a whole file whose name needs no escape.
  if (line.startsWith("READ /") && !line.includes("%")) {
    readWhole(connection, line.slice(5));
    return;
  }
  const request = parseRequest(line);
  if (request instanceof Refusal) {
    refuse(connection, jobOf(line.slice(0, line.indexOf(" ") >>> 0), "", 0), request);
    return;
  }
  switch (request.verb) {
    case "READ":
      read(connection, request);
      break;
    case "STAT":
      stat(connection, request);
      break;
    case "LIST":
      list(connection, request);
      break;
    default:
      connection.sendText(PONG);
      connection.record(jobOf("PING", "", 0), "OK", 0);
  }
}

function readWhole(connection: Connection, path: ByteString): void {
  const file = connection.service.store.open(path, connection);
  if (file === null || file instanceof Refusal || file.entry.size > SIZE_MAX) {
    readOpened(connection, wholeFile(path), file);
    return;
  }
  const length = Number(file.entry.size);
  if (file.body === null && length > 0) {
    const head = file.reply ?? (file.reply = headOf(file));
    connection.sendFile(head, file, 0n, length, jobOf("READ", path, length));
    return;
  }
  connection.sendBytes(file.reply ?? (file.body === null ? headOf(file) : dress(file, file.body)));
  const { log, counters } = connection.service;
  // A job only for those who read it: this is the path of a million requests a second.
  if (log.on) connection.record(jobOf("READ", path, length), "OK", length);
  else counters.requests += 1;
}

function headOf(file: OpenFile): Buffer {
  return Buffer.from(okLine(file.entry.size, readFacts(file.entry, 0n)), "latin1");
}

/** Writes the head right in front of the held body: from then on the whole reply is one piece. */
function dress(file: OpenFile, body: Uint8Array): Uint8Array {
  const head = okLine(body.length, readFacts(file.entry, 0n));
  const whole = Buffer.from(body.buffer, body.byteOffset - head.length, head.length + body.length);
  whole.write(head, "latin1");
  file.reply = whole;
  return whole;
}

function read(connection: Connection, request: Request): void {
  const { store } = connection.service;
  let file = store.open(request.path, connection);
  if (file !== null && !(file instanceof Refusal) && doubts(request, file)) {
    // STAT looks anew each time: what it just told must not be refused for what READ remembers.
    file.distrust();
    file = store.open(request.path, connection);
  }
  readOpened(connection, request, file);
}

/** True when `request` knows another version of the file than the cache does. */
function doubts({ etag, offset }: Request, { entry }: OpenFile): boolean {
  return (etag !== "" && etag !== entry.etag) || offset > entry.size;
}

function readOpened(
  connection: Connection,
  request: Request,
  file: OpenFile | Refusal | null,
): void {
  if (file === null) {
    connection.await({ opened: (result) => readOpened(connection, request, result) });
    return;
  }
  const job = jobOf("READ", request.path, 0);
  if (file instanceof Refusal) {
    refuse(connection, job, file);
    return;
  }
  if (request.etag !== "" && request.etag !== file.entry.etag) {
    refuse(connection, job, new Refusal("ESTALE", `its etag is ${file.entry.etag}`));
    return;
  }
  const range = rangeOf(file.entry, request.offset, request.length);
  if (range instanceof Refusal) {
    refuse(connection, job, range);
    return;
  }
  const { start, length } = range;
  const head = okLine(length, readFacts(file.entry, start));
  if (length > 0 && file.body === null) {
    connection.sendFile(Buffer.from(head), file, start, length, { ...job, length });
    return;
  }
  connection.sendText(head);
  const from = Number(start);
  if (file.body !== null) connection.sendBytes(file.body.subarray(from, from + length));
  connection.record(job, "OK", length);
}

function stat(connection: Connection, request: Request): void {
  const entry = connection.service.store.stat(request.path);
  const job = jobOf("STAT", request.path, 0);
  if (entry instanceof Refusal) {
    refuse(connection, job, entry);
    return;
  }
  connection.sendText(okLine(0, statFacts(entry)));
  connection.record(job, "OK", 0);
}

function list(connection: Connection, request: Request): void {
  const { path, limit, after } = request;
  const job = jobOf("LIST", path, 0);
  const listed = (page: Listing | Refusal): void => {
    if (page instanceof Refusal) {
      refuse(connection, job, page);
      return;
    }
    const { text, count, more } = page;
    connection.sendText(okLine(text.length, ` count=${count} more=${more ? 1 : 0}`));
    connection.sendBytes(text);
    connection.record(job, "OK", text.length);
  };
  const refused = connection.service.store.list(path, limit, after, connection);
  if (refused === null) connection.await({ listed });
  else refuse(connection, job, refused);
}

function refuse(connection: Connection, job: Job, refusal: Refusal): void {
  connection.sendText(errLine(refusal));
  connection.record(job, refusal.code, 0);
}

function jobOf(verb: string, path: ByteString, length: number): Job {
  return { verb, path, began: clock.now, length };
}
