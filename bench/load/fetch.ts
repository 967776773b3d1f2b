/**
 * Owns the check before the timing: one whole reply by a door, as bytes to compare with the file.
 * Blocks the caller, bounded by the socket's timeout for each read and by a deadline for the whole.
 * Never counts or times anything.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Door } from "./door.ts";
import { HEAD_BYTES_MAX } from "./reply.ts";
import { dialWaiting, type Link, WaitingLink } from "./link.ts";

const READ_MS_MAX = 5_000;
const FETCH_MS_MAX = 60_000;
const READ_BYTES = 65_536;

/**
 * Asks for `path` twice, on one connection where the door keeps it, and throws unless both bodies
 * are the file's bytes.
 */
export function verify(door: Door, port: number, path: string, file: string): void {
  let link: Link | null = null;
  try {
    for (let round = 1; round <= 2; round++) {
      link ??= dialWaiting(door, port, READ_MS_MAX);
      const body = fetchBody(door, link, path);
      if (!equalsFile(body, file)) throw new Error(`${path} is not what is on the disk`);
      if (door.closes !== true && door.fresh !== true) continue;
      link.close();
      link = null;
    }
  } finally {
    link?.close();
  }
}

/**
 * One request and its reply on an open connection that waits, on which nothing else is under way;
 * taken no faster than `bytesPerSecond`.
 */
export function fetchBody(
  door: Door,
  link: Link,
  path: string,
  bytesPerSecond = Number.POSITIVE_INFINITY,
): Uint8Array {
  send(link, door.request(path));
  const deadline = Date.now() + FETCH_MS_MAX;
  if (door.closes === true) return readToEnd(link, deadline);
  const first = readHead(door, link, deadline);
  const body = new Uint8Array(new ArrayBuffer(door.bodyLength(first.head)));
  if (first.rest.length > body.length) throw new Error("more bytes than the reply announced");
  body.set(first.rest);
  const began = Date.now();
  let length = first.rest.length;
  while (length < body.length) {
    length += readSome(link, body.subarray(length), deadline);
    const earlyMs = (length / bytesPerSecond) * 1000 - (Date.now() - began);
    if (earlyMs > 0) Bun.sleepSync(earlyMs);
  }
  return body;
}

/** One ping and its reply on an open connection. */
export function ping(door: Door, fd: number): void {
  const link = new WaitingLink(fd);
  send(link, door.ping());
  const { head, rest } = readHead(door, link, Date.now() + FETCH_MS_MAX);
  if (door.bodyLength(head) !== rest.length) throw new Error("a ping was answered with a body");
}

// --- internal ---

function send(link: Link, bytes: Uint8Array): void {
  if (link.transmit(bytes, bytes.length) !== bytes.length) throw new Error("send: short");
}

function readHead(door: Door, link: Link, deadline: number): { head: string; rest: Uint8Array } {
  const bytes = Buffer.from(new ArrayBuffer(HEAD_BYTES_MAX));
  let length = 0;
  while (length < HEAD_BYTES_MAX) {
    length += readSome(link, bytes.subarray(length), deadline);
    const at = bytes.subarray(0, length).indexOf(door.terminator);
    if (at < 0) continue;
    const end = at + door.terminator.length;
    return { head: bytes.toString("latin1", 0, end), rest: bytes.subarray(end, length) };
  }
  throw new Error("a head without an end");
}

function readToEnd(link: Link, deadline: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  const block = new Uint8Array(new ArrayBuffer(READ_BYTES));
  for (;;) {
    const n = link.receive(block, block.length);
    if (n === 0) return Buffer.concat(pieces);
    if (n < 0 || Date.now() > deadline) throw new Error("the server is too slow");
    pieces.push(block.slice(0, n));
  }
}

function readSome(link: Link, into: Uint8Array, deadline: number): number {
  const n = link.receive(into, into.length);
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
