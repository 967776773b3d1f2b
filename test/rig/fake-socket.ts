/**
 * Sockets without a network. Each behaves as Bun's and the kernel's do where they are at their
 * worst: takes part of a write, refuses one though there is room, says `drain` late or without
 * cause, is reset. A fake descriptor is good for the calls of the kernel that the server makes on a
 * socket; any other use of one, and whatever must never happen, is noted in `violations`.
 */
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { SOCKET } from "../../src/sys/types.ts";
import type { Connection } from "../../src/server/connection.ts";
import type { Random } from "../fuzz/random.ts";
import { replaceCall } from "./faults.ts";

/** Descriptors from here on are fake: no process has so many. */
const FD_FIRST = 1_000_000;

/** How a socket misbehaves. A number is one in so many calls; 0 is never. */
export interface Temper {
  /** Bytes it holds that the peer has not read. */
  readonly room: number;
  /** Takes fewer bytes than it has room for. */
  readonly short: number;
  /** Takes nothing though it has room. */
  readonly refuse: number;
  /** sendfile says EINTR. */
  readonly interrupt: number;
  /** sendfile says EINVAL from this byte of the connection on. */
  readonly unfitAt: number;
  /** sendfile says EIO from this byte of the connection on. */
  readonly failAt: number;
  /** `close` is told at once when both sides have said FIN, else later. */
  readonly closesAtOnce: boolean;
}

/** Takes everything, at once. */
export const CALM: Temper = {
  room: Infinity,
  short: 0,
  refuse: 0,
  interrupt: 0,
  unfitAt: Infinity,
  failAt: Infinity,
  closesAtOnce: true,
};

/** How it ended, as the peer sees it. */
export type FakeEnding = "fin" | "reset" | "closed";

/** A socket. The test hands its events to `connection`. */
export class FakeSocket implements StreamSocket {
  readonly remoteAddress: string;
  readonly remotePort = 1;
  connection: Connection | null = null;
  temper: Temper;
  /** Bytes that it took and the peer has not read. */
  queued = 0;
  /** Bytes that it took. */
  taken = 0;
  /** A write was refused: drain() will come. */
  armed = false;
  /** A write was refused and no drain() was told since: another one is wasted. */
  refused = false;
  paused = false;
  corked = false;
  /** FIN or RST that we sent, or a plain close(2). */
  ending: FakeEnding | null = null;
  /** The errno of writing to a peer that is gone, or 0. */
  gone = 0;
  /** The peer has sent its FIN, and it was told to the connection. */
  finished = false;
  fd: number;
  readonly #kernel: FakeKernel;
  readonly #sink: (bytes: Uint8Array) => void;

  /** `sink` gets every byte that it takes, in order. `address` is the peer's. */
  constructor(
    kernel: FakeKernel,
    temper: Temper,
    sink: (bytes: Uint8Array) => void,
    address = "10.0.0.1",
  ) {
    this.remoteAddress = address;
    this.#kernel = kernel;
    this.temper = temper;
    this.#sink = sink;
    this.fd = kernel.add(this);
  }

  get closed(): boolean {
    return this.fd < 0;
  }

  /** Room that a drain could tell of. */
  get free(): number {
    return Math.max(0, this.temper.room - this.queued);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (offset + length > bytes.length) this.violate(`write past the end of its buffer`);
    if (this.closed || this.ending !== null) this.violate(`write after ${this.ending}`);
    if (this.closed || this.ending !== null || this.gone !== 0) return -1;
    if (this.refused) this.violate("write before drain");
    const taken = this.portion(length);
    if (taken < length) this.armed = this.refused = true;
    this.take(bytes.subarray(offset, offset + taken));
    return taken;
  }

  shutdown(): void {
    if (this.closed) this.violate("FIN after close");
    if (this.ending !== null || this.gone !== 0) return;
    this.ending = "fin";
    if (this.finished && this.temper.closesAtOnce) this.close();
  }

  end(): void {
    this.ending ??= "closed";
    this.close();
  }

  terminate(): void {
    if (this.closed) this.violate("RST after close");
    this.ending = "reset";
    this.close();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** close(2), and Bun's event for it. */
  close(): void {
    if (this.closed) return;
    this.#kernel.remove(this);
    this.fd = -1;
    this.connection?.closed();
  }

  // --- for the kernel ---

  /** How many of `length` bytes it takes now. */
  portion(length: number): number {
    const most = Math.min(length, this.free);
    if (most === 0 || this.#kernel.oneIn(this.temper.refuse)) return 0;
    return this.#kernel.oneIn(this.temper.short) ? 1 + this.#kernel.below(most) : most;
  }

  take(bytes: Uint8Array): void {
    this.queued += bytes.length;
    this.taken += bytes.length;
    if (bytes.length > 0) this.#sink(bytes);
  }

  violate(what: string): void {
    this.#kernel.violations.push(what);
  }
}

/** The kernel's side of fake sockets, until it is disposed of. */
export class FakeKernel implements Disposable {
  readonly violations: string[] = [];
  random: Random | null = null;
  readonly #sockets = new Map<number, FakeSocket>();
  readonly #rows: Disposable[];
  #next = FD_FIRST;
  readonly #page = Buffer.alloc(65_536);

  constructor() {
    this.#rows = [
      replaceCall("sendfile", (real) => (socket, file, offset, count) => {
        if (!(socket >= FD_FIRST)) return real(socket, file, offset, count);
        const fake = this.#of(socket);
        return fake === null ? -ERRNO.EBADF : this.#sendfile(fake, file, offset, count);
      }),
      replaceCall("sendMore", (real) => (socket, bytes, count) => {
        if (!(socket >= FD_FIRST)) return real(socket, bytes, count);
        const fake = this.#of(socket);
        if (fake === null) return -ERRNO.EBADF;
        if (fake.gone !== 0) return -fake.gone;
        // Unlike write(), a refusal arms nothing.
        const taken = fake.portion(count);
        fake.take(bytes.subarray(0, taken));
        return taken === 0 ? -ERRNO.EAGAIN : taken;
      }),
      replaceCall("setsockopt", (real) => (fd, level, option, value) => {
        if (!(fd >= FD_FIRST)) return real(fd, level, option, value);
        const fake = this.#of(fd);
        if (fake !== null && level === SOCKET.tcpLevel && option === SOCKET.tcpCork)
          fake.corked = value !== 0;
        return fake === null ? -ERRNO.EBADF : 0;
      }),
      replaceCall("unacked", (real) => (fd) => {
        if (!(fd >= FD_FIRST)) return real(fd);
        return this.#of(fd)?.queued ?? -ERRNO.EBADF;
      }),
      replaceCall("pread", (real) => (fd, into, count, offset) => {
        if (fd >= FD_FIRST) this.violations.push("pread from a socket");
        const { random } = this;
        if (random === null) return real(fd, into, count, offset);
        if (random.below(16) === 0) return -ERRNO.EINTR;
        const most = count > 1 && random.below(4) === 0 ? 1 + random.below(count) : count;
        return real(fd, into, most, offset);
      }),
    ];
  }

  /** Fake sockets that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  oneIn(count: number): boolean {
    return count > 0 && this.below(count) === 0;
  }

  below(end: number): number {
    return this.random?.below(end) ?? 0;
  }

  add(socket: FakeSocket): number {
    // The lowest free number, as the kernel gives them: a closed one means another socket at once.
    for (let fd = FD_FIRST; fd < this.#next; fd++) {
      if (!this.#sockets.has(fd)) return (this.#sockets.set(fd, socket), fd);
    }
    this.#sockets.set(this.#next, socket);
    return this.#next++;
  }

  remove(socket: FakeSocket): void {
    this.#sockets.delete(socket.fd);
  }

  [Symbol.dispose](): void {
    for (const row of this.#rows) row[Symbol.dispose]();
  }

  // --- internal ---

  #of(fd: number): FakeSocket | null {
    const socket = this.#sockets.get(fd);
    if (socket === undefined) this.violations.push(`descriptor ${fd} used after close`);
    return socket ?? null;
  }

  #sendfile(socket: FakeSocket, file: number, offset: bigint, count: number): number {
    const { temper } = socket;
    if (socket.ending !== null) socket.violate("sendfile after the end");
    if (socket.gone !== 0) return -socket.gone;
    if (socket.taken >= temper.failAt) return -ERRNO.EIO;
    if (socket.taken >= temper.unfitAt) return -ERRNO.EINVAL;
    if (this.oneIn(temper.interrupt)) return -ERRNO.EINTR;
    const most = socket.portion(count);
    if (most === 0) return -ERRNO.EAGAIN;
    return this.#move(socket, file, offset, most);
  }

  #move(socket: FakeSocket, file: number, offset: bigint, count: number): number {
    let moved = 0;
    while (moved < count) {
      const wanted = Math.min(this.#page.length, count - moved);
      const got = realPread(file, this.#page, wanted, offset + BigInt(moved));
      if (got < 0) return moved > 0 ? moved : got;
      if (got === 0) break;
      socket.take(this.#page.subarray(0, got));
      moved += got;
    }
    return moved;
  }
}

const realPread = kernel.pread.bind(kernel);
