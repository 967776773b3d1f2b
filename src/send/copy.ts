/**
 * The portable branch: windows of the file are read off the loop and written with backpressure, two
 * in flight so that disk and socket work at once. For TLS, other systems, and files that can't be
 * sent by sendfile.
 *
 * The windows are read from the confined descriptor itself (store/diskread.ts): opening
 * /proc/self/fd/N anew fails for a file whose mode was changed meanwhile. They are reused, which
 * makes this 1.6-2.3 times as fast as new ones.
 */
import type { StreamSocket } from "../sys/socket.ts";
import { type DiskRead, windows } from "../store/diskread.ts";
import type { OpenFile } from "../store/store.ts";
import { type Awaiter, STEP, type Step, type Transfer } from "./transfer.ts";

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
  /** What fills it; null until it is asked for. */
  read: DiskRead | null;
}

/**
 * Sends `length` bytes of `file` from `start` through user space; tells `owner` when a window it
 * waited for is in.
 */
export class CopyTransfer implements Transfer {
  readonly file: OpenFile;
  readonly zeroCopy = false;
  readonly length: number;
  sent = 0;
  readonly #start: bigint;
  readonly #owner: Awaiter;
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
  constructor(file: OpenFile, start: bigint, length: number, owner: Awaiter) {
    file.retain();
    this.file = file;
    this.#start = start;
    this.length = length;
    this.#owner = owner;
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
    // A window that the disk is still filling is given back by #filled().
    for (const { filled, bytes, read } of this.#windows) {
      if (filled >= 0) giveBack(bytes);
      else if (read?.drop()) {
        giveBack(bytes);
        this.file.release();
      }
    }
    this.file.release();
  }

  // --- internal ---

  /** Asks for the next window, if one is left. */
  #read(): void {
    const wanted = Math.min(WINDOW_BYTES, this.length - this.#asked);
    if (wanted === 0) return;
    const window: Window = { bytes: spare.pop() ?? newWindow(), filled: -1, taken: 0, read: null };
    const at = this.#start + BigInt(this.#asked);
    this.#asked += wanted;
    this.#reading += 1;
    this.#windows.push(window);
    this.file.retain();
    window.read = windows.read(
      this.#owner.peer,
      this.file,
      window.bytes,
      wanted,
      at,
      (count, failed) => {
        this.#filled(window, count, failed ? STEP.failed : count < wanted ? STEP.changed : null);
      },
    );
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
    this.#owner.windowReady();
  }
}

function newWindow(): Buffer {
  return Buffer.allocUnsafeSlow(WINDOW_BYTES);
}

function giveBack(bytes: Buffer): void {
  if (spare.length < SPARE_WINDOWS_MAX) spare.push(bytes);
}
