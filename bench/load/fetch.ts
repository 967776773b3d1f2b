/**
 * Owns the check before the timing: one whole reply by a door, as bytes to compare with the file.
 * Blocks the caller, bounded by the socket's timeout for each read and by a deadline for the whole.
 * Never counts or times anything.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Door } from "./door.ts";
import { HEAD_BYTES_MAX } from "./reply.ts";
import * as sys from "./sys.ts";

const READ_MS_MAX = 5_000;
const FETCH_MS_MAX = 60_000;
const READ_BYTES = 65_536;

/**
 * Asks for `path` twice, on one connection where the door keeps it, and throws unless both bodies
 * are the file's bytes.
 */
export function verify(door: Door, port: number, path: string, file: string): void {
  let fd = -1;
  try {
    for (let round = 1; round <= 2; round++) {
      if (fd < 0) fd = sys.connectLoopback(port, READ_MS_MAX);
      const body = fetchBody(door, fd, path);
      if (!equalsFile(body, file)) throw new Error(`${path} is not what is on the disk`);
      if (door.closes !== true) continue;
      sys.closeSocket(fd);
      fd = -1;
    }
  } finally {
    sys.closeSocket(fd);
  }
}

/**
 * One request and its reply on an open connection, on which nothing else is under way; taken no
 * faster than `bytesPerSecond`.
 */
export function fetchBody(
  door: Door,
  fd: number,
  path: string,
  bytesPerSecond = Number.POSITIVE_INFINITY,
): Uint8Array {
  send(fd, door.request(path));
  const deadline = Date.now() + FETCH_MS_MAX;
  if (door.closes === true) return readToEnd(fd, deadline);
  const first = readHead(door, fd, deadline);
  const body = new Uint8Array(new ArrayBuffer(door.bodyLength(first.head)));
  if (first.rest.length > body.length) throw new Error("more bytes than the reply announced");
  body.set(first.rest);
  const began = Date.now();
  let length = first.rest.length;
  while (length < body.length) {
    length += readSome(fd, body.subarray(length), deadline);
    const earlyMs = (length / bytesPerSecond) * 1000 - (Date.now() - began);
    if (earlyMs > 0) Bun.sleepSync(earlyMs);
  }
  return body;
}

/** One ping and its reply on an open connection. */
export function ping(door: Door, fd: number): void {
  send(fd, door.ping());
  const { head, rest } = readHead(door, fd, Date.now() + FETCH_MS_MAX);
  if (door.bodyLength(head) !== rest.length) throw new Error("a ping was answered with a body");
}

// --- internal ---

function send(fd: number, bytes: Uint8Array): void {
  if (sys.transmit(fd, bytes, bytes.length) !== bytes.length) throw new Error("send: short");
}

function readHead(door: Door, fd: number, deadline: number): { head: string; rest: Uint8Array } {
  const bytes = Buffer.from(new ArrayBuffer(HEAD_BYTES_MAX));
  let length = 0;
  while (length < HEAD_BYTES_MAX) {
    length += readSome(fd, bytes.subarray(length), deadline);
    const at = bytes.subarray(0, length).indexOf(door.terminator);
    if (at < 0) continue;
    const end = at + door.terminator.length;
    return { head: bytes.toString("latin1", 0, end), rest: bytes.subarray(end, length) };
  }
  throw new Error("a head without an end");
}

function readToEnd(fd: number, deadline: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  const block = new Uint8Array(new ArrayBuffer(READ_BYTES));
  for (;;) {
    const n = sys.receiveWaiting(fd, block);
    if (n === 0) return Buffer.concat(pieces);
    if (n < 0 || Date.now() > deadline) throw new Error("the server is too slow");
    pieces.push(block.slice(0, n));
  }
}

function readSome(fd: number, into: Uint8Array, deadline: number): number {
  const n = sys.receiveWaiting(fd, into);
  if (n > 0 && Date.now() < deadline) return n;
  throw new Error(n === 0 ? "the server closed the connection" : "the server is too slow");
}

function equalsFile(body: Uint8Array, file: string): boolean {
  const fd = openSync(file, "r");
  const block = Buffer.alloc(1024 * 1024);
  try {
    for (let at = 0; ;) {
      const n = readSync(fd, block, 0, block.length, null);
      if (n === 0) return at === body.length;
      if (at + n > body.length) return false;
      if (block.compare(body, at, at + n, 0, n) !== 0) return false;
      at += n;
    }
  } finally {
    closeSync(fd);
  }
}
