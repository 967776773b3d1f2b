/**
 * Owns the framing of replies on one connection: it is told what was received or discarded, in
 * pieces of any size, and counts complete replies. Never sees a socket or a clock.
 * Invariant: each reply has a valid head and exactly the expected body length, or `feed` throws.
 * The usual head is compared byte by byte with the last valid one (the door parses it only when it
 * differs: the first time, when split, or when an HTTP Date moved on), which keeps it cheap.
 */
import type { Door } from "./door.ts";

/** Bytes of the longest head that is accepted. */
export const HEAD_BYTES_MAX = 16_384;

/** What all connections of one load process share: the expected reply and its last valid head. */
export class Expected {
  readonly door: Door;
  readonly bodyLength: number;
  head: Uint8Array = new Uint8Array(0);

  constructor(door: Door, bodyLength: number) {
    this.door = door;
    this.bodyLength = bodyLength;
  }

  /** Accepts a head the door finds valid and of the right length, and remembers it. */
  learn(head: Uint8Array): void {
    const length = this.door.bodyLength(new TextDecoder("latin1").decode(head));
    if (length !== this.bodyLength) {
      throw new Error(`a body of ${length} bytes was announced, not ${this.bodyLength}`);
    }
    this.head = head.slice();
  }
}

export class ReplyReader {
  /** Bytes of the current body still to come; 0 while a head is awaited. */
  bodyLeft = 0;
  private readonly expected: Expected;
  private partial = new Uint8Array(0);

  constructor(expected: Expected) {
    this.expected = expected;
  }

  /** Bytes of the current body that have come; 0 while a head is awaited. */
  get bodyTaken(): number {
    return this.bodyLeft === 0 ? 0 : this.expected.bodyLength - this.bodyLeft;
  }

  /** Takes the first `length` bytes; returns how many replies they completed. */
  feed(bytes: Uint8Array, length: number): number {
    let at = 0;
    let completed = 0;
    while (at < length) {
      if (this.bodyLeft > 0) {
        const part = Math.min(this.bodyLeft, length - at);
        this.bodyLeft -= part;
        at += part;
        if (this.bodyLeft === 0) completed++;
        continue;
      }
      const headLength = this.matchHead(bytes, at, length);
      at = headLength > 0 ? at + headLength : this.takeHead(bytes, at, length);
      if (at < 0) return completed;
      this.bodyLeft = this.expected.bodyLength;
      if (this.bodyLeft === 0) completed++;
    }
    return completed;
  }

  /** Counts `length` bytes of the body that were discarded unseen; returns replies completed. */
  skip(length: number): number {
    if (length > this.bodyLeft) throw new Error("discarded past the end of a body");
    this.bodyLeft -= length;
    return this.bodyLeft === 0 && length > 0 ? 1 : 0;
  }

  // --- internal ---

  /** Length of the head at `at` when it is whole and equals the known one, else 0. */
  private matchHead(bytes: Uint8Array, at: number, end: number): number {
    const head = this.expected.head;
    if (this.partial.length > 0 || end - at < head.length) return 0;
    for (let i = 0; i < head.length; i++) if (bytes[at + i] !== head[i]) return 0;
    return head.length;
  }

  /** Adds bytes to the partial head until it ends; returns where, or -1 when more must come. */
  private takeHead(bytes: Uint8Array, from: number, end: number): number {
    const terminator = this.expected.door.terminator;
    const before = this.partial.length;
    const room = Math.min(end, from + HEAD_BYTES_MAX - before);
    const head = new Uint8Array(before + room - from);
    head.set(this.partial);
    head.set(bytes.subarray(from, room), before);
    const found = indexOf(head, terminator, Math.max(0, before - terminator.length + 1));
    if (found < 0) {
      if (head.length >= HEAD_BYTES_MAX) throw new Error("a head without an end");
      this.partial = head;
      return -1;
    }
    const headLength = found + terminator.length;
    this.partial = new Uint8Array(0);
    this.expected.learn(head.subarray(0, headLength));
    return from + headLength - before;
  }
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(wanted, from);
}
