/**
 * One sendfile transfer alone: a file whose pages are in memory where the test says so, a disk that
 * answers when it says so, and a socket that takes what it says. What happened is kept in words.
 */
import fs from "node:fs";
import { SendfileTransfer } from "../../src/send/sendfile.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { clock } from "../../src/sys/clock.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { clockSays, replaceCall } from "./faults.ts";

type ReadDone = (error: Error | null, count: number) => void;

/** A read that the disk has not answered. */
interface Pending {
  readonly at: number;
  readonly count: number;
  readonly done: ReadDone;
}

/** Everything below a transfer (`using`). */
export class Sendfiling implements Disposable {
  /** Whether the byte of the file there is in memory. */
  resident: (at: number) => boolean = () => true;
  /** What sendfile(2) answers; all that it was asked for where this is empty. */
  readonly answers: number[] = [];
  /** What a write of one byte is answered with, and a read of one. */
  write = 1;
  pread = 1;
  /** [from, bytes] of each sendfile(2), each look's place, each value of the cork, bytes read. */
  sent: [number, number][] = [];
  looks: number[] = [];
  corks: number[] = [];
  peeked: number[] = [];
  readonly reads: Pending[] = [];
  /** Holders of the file, how often it was revalidated, and how often its owner was woken. */
  users = 0;
  revalidated = 0;
  woken = 0;
  state = "same";
  /** Milliseconds. */
  now = 5000;
  readonly file: OpenFile;
  readonly socket: StreamSocket;
  readonly #undo: Disposable[];

  constructor(size: number) {
    clock.now = this.now;
    const { read } = fs;
    Object.assign(fs, {
      read: (
        _fd: number,
        _into: unknown,
        _from: number,
        count: number,
        at: bigint,
        done: ReadDone,
      ) => void this.reads.push({ at: Number(at), count, done }),
    });
    this.#undo = [
      clockSays(() => this.now),
      replaceCall("sendfile", () => (_out, _in, offset, count) => {
        const answer = this.answers.shift() ?? count;
        this.sent.push([Number(offset), count]);
        return answer;
      }),
      replaceCall("resident", () => (_fd, at) => {
        this.looks.push(Number(at));
        return Number(this.resident(Number(at)));
      }),
      replaceCall("setsockopt", () => (_fd, _level, _name, on) => {
        this.corks.push(on);
        return 0;
      }),
      replaceCall("pread", () => (_fd, _into, count, at) => {
        if (count !== 1) throw new Error("not one byte");
        this.peeked.push(Number(at));
        return this.pread;
      }),
      { [Symbol.dispose]: () => void Object.assign(fs, { read }) },
    ];
    this.file = {
      fd: 9,
      entry: { size: BigInt(size) },
      residentUntil: 0,
      retain: () => void (this.users += 1),
      release: () => void (this.users -= 1),
      revalidate: () => {
        this.revalidated += 1;
        return this.state;
      },
    } as unknown as OpenFile;
    this.socket = { fd: 8, write: this.#writeOne } as unknown as StreamSocket;
  }

  /** The only write that there is: of the next byte. */
  readonly #writeOne = (bytes: Uint8Array, from: number, count: number): number => {
    if (bytes.length !== 1 || from !== 0 || count !== 1) throw new Error("not one byte");
    return this.write;
  };

  /** A transfer of `length` bytes from `start`. */
  transfer(start: number, length: number): SendfileTransfer {
    const owner = { peer: "", windowReady: () => void (this.woken += 1) };
    return new SendfileTransfer(this.socket, this.file, BigInt(start), length, owner);
  }

  /** The clock of the next event is `ms` on. */
  pass(ms: number): void {
    this.now += ms;
    clock.now = this.now;
  }

  /** The disk answers its oldest read, with all that it was asked for. */
  answer(): void {
    const { count, done } = this.reads.shift()!;
    done(null, count);
  }

  [Symbol.dispose](): void {
    while (this.reads.length > 0) this.answer();
    for (const undo of this.#undo) undo[Symbol.dispose]();
  }
}
