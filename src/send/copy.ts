/**
 * The portable branch: windows of the file are read off the loop and written with backpressure, two
 * in flight so that disk and socket work at once. For TLS, other systems, and files that can't be
 * sent by sendfile.
 *
 * It reads by position from the confined descriptor itself (fs.read on Bun's thread pool):
 * `Bun.file(fd).slice` shares the file position and mixes bytes (seen in 41 of 200 concurrent
 * slices), and opening /proc/self/fd/N anew fails for a file whose mode was changed meanwhile; this
 * is also 1.6-2.3 times as fast, because the windows are reused.
 */
import fs from "node:fs";
import type { StreamSocket } from "../sys/socket.ts";
import type { OpenFile } from "../store/store.ts";
import { STEP, type Step, type Transfer } from "./transfer.ts";

/** Bytes of one window. Two of them are what a stalled peer of this branch costs. */
export const WINDOW_BYTES = 262_144;

/** Windows kept for the next transfer: 8 MiB. */
const SPARE_WINDOWS_MAX = 32;

const spare: Buffer[] = [];

/** A window's content: `filled` < 0 while it is being read. */
interface Window {
  readonly bytes: Buffer;
  filled: number;
  /** Bytes already written to the socket. */
  taken: number;
}

/**
 * Sends `length` bytes of `file` from `start` through user space; calls `ready` when a window it
 * waited for is in.
 */
export class CopyTransfer implements Transfer {
  readonly file: OpenFile;
  readonly zeroCopy = false;
  readonly length: number;
  sent = 0;
  readonly #start: bigint;
  readonly #ready: () => void;
  /** Windows in file order: the first is being written, the second read. */
  readonly #windows: Window[] = [];
  /** Bytes asked of the disk so far. */
  #asked = 0;
  /** Windows that the disk is filling. */
  #reading = 0;
  #waiting = false;
  #closed = false;
  #error: Step | null = null;

  /** Retains `file` until close() and the last read that is under way. `length` > 0. */
  constructor(file: OpenFile, start: bigint, length: number, ready: () => void) {
    file.retain();
    this.file = file;
    this.#start = start;
    this.length = length;
    this.#ready = ready;
    this.#read();
    this.#read();
  }

  get position(): bigint {
    return this.#start + BigInt(this.sent);
  }

  step(socket: StreamSocket): Step {
    const window = this.#windows[0];
    if (this.#error !== null) return this.#error;
    if (window === undefined || window.filled < 0) {
      this.#waiting = true;
      return STEP.wait;
    }
    const count = window.filled - window.taken;
    const taken = socket.write(window.bytes, window.taken, count);
    if (taken < 0) return STEP.dead;
    window.taken += taken;
    this.sent += taken;
    if (taken < count) return STEP.full;
    this.#windows.shift();
    giveBack(window.bytes);
    if (this.sent === this.length) return STEP.done;
    this.#read();
    return STEP.more;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A window that the disk is still filling is given back by its own completion.
    for (const window of this.#windows) if (window.filled >= 0) giveBack(window.bytes);
    this.file.release();
  }

  // --- internal ---

  /** Asks for the next window, if one is left. */
  #read(): void {
    const wanted = Math.min(WINDOW_BYTES, this.length - this.#asked);
    if (wanted === 0) return;
    const window: Window = { bytes: spare.pop() ?? newWindow(), filled: -1, taken: 0 };
    const at = this.#start + BigInt(this.#asked);
    this.#asked += wanted;
    this.#reading += 1;
    this.#windows.push(window);
    this.file.retain();
    this.#fill(window, wanted, 0, at);
  }

  /** Reads until the window is full: a short count alone is not the end of a file. */
  #fill(window: Window, wanted: number, got: number, at: bigint): void {
    fs.read(this.file.fd, window.bytes, got, wanted - got, at, (error, count) => {
      const total = got + (error === null ? count : 0);
      if (error === null && count > 0 && total < wanted && !this.#closed) {
        this.#fill(window, wanted, total, at + BigInt(count));
        return;
      }
      this.#filled(
        window,
        total,
        error === null ? (total < wanted ? STEP.changed : null) : STEP.failed,
      );
    });
  }

  #filled(window: Window, filled: number, error: Step | null): void {
    window.filled = filled;
    if (this.#closed) {
      giveBack(window.bytes);
      this.file.release();
      return;
    }
    this.#reading -= 1;
    this.#error ??= error;
    // All of it is in memory now: was it one version?
    const last = this.#reading === 0 && this.#asked === this.length;
    if (last && this.file.revalidate() === "changed") this.#error ??= STEP.changed;
    this.file.release();
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#ready();
  }
}

function newWindow(): Buffer {
  return Buffer.allocUnsafeSlow(WINDOW_BYTES);
}

function giveBack(bytes: Buffer): void {
  if (spare.length < SPARE_WINDOWS_MAX) spare.push(bytes);
}
