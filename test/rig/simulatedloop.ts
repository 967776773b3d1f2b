/**
 * The loop under a test's control: time stands still, and turns, timers and reads of the disk wait,
 * until the test lets one of them come. All of it is synchronous, so that one seed always gives one
 * course of events. Nothing here knows what is tested.
 */
import fs from "node:fs";
import type { Random } from "../fuzz/random.ts";

type Callback = (...args: unknown[]) => void;
type ReadDone = (error: NodeJS.ErrnoException | null, count: number) => void;

interface Timer {
  readonly call: Callback;
  readonly at: number;
  /** Milliseconds between two calls, or 0 for one call. */
  readonly every: number;
}

interface Read {
  readonly fd: number;
  readonly into: Uint8Array;
  readonly from: number;
  readonly count: number;
  readonly at: bigint | number;
  readonly done: ReadDone;
}

/** What setTimeout() gives back, as far as the code under test uses it. */
interface Handle {
  unref(): Handle;
}

/** The loop, until it is disposed of: then the real one is back. */
export class SimulatedLoop implements Disposable {
  /** What performance.now() says. */
  now = 1000;
  #immediates: (() => void)[] = [];
  readonly #timers = new Map<Handle, Timer>();
  readonly #reads: Read[] = [];
  readonly #restore: () => void;

  constructor() {
    const { setImmediate, setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
    const real = { setImmediate, setTimeout, setInterval, clearTimeout, clearInterval };
    const realNow = performance.now;
    const realRead = fs.read;
    const forget = (handle?: Handle): void => void (handle && this.#timers.delete(handle));
    const add = (call: Callback, ms: number, every: number, args: unknown[]): Handle => {
      const handle: Handle = { unref: () => handle };
      this.#timers.set(handle, { call: () => call(...args), at: this.now + ms, every });
      return handle;
    };
    Object.assign(globalThis, {
      setImmediate: (call: Callback, ...args: unknown[]) =>
        void this.#immediates.push(() => call(...args)),
      setTimeout: (call: Callback, ms = 0, ...args: unknown[]) => add(call, ms, 0, args),
      setInterval: (call: Callback, ms = 0, ...args: unknown[]) => add(call, ms, ms, args),
      clearTimeout: forget,
      clearInterval: forget,
    });
    Object.assign(performance, { now: () => this.now });
    const read = (...args: [number, Uint8Array, number, number, bigint | number, ReadDone]) => {
      const [fd, into, from, count, at, done] = args;
      this.#reads.push({ fd, into, from, count, at, done });
    };
    Object.assign(fs, { read });
    this.#restore = () => {
      Object.assign(globalThis, real);
      Object.assign(performance, { now: realNow });
      Object.assign(fs, { read: realRead });
    };
  }

  /** Turns that wait. */
  get immediates(): number {
    return this.#immediates.length;
  }

  /** Reads of the disk that wait. */
  get reads(): number {
    return this.#reads.length;
  }

  /** Lets the turns that wait come; those they ask for wait for the next time. */
  turn(): void {
    const calls = this.#immediates;
    this.#immediates = [];
    for (const call of calls) call();
  }

  /**
   * Lets one read come, any of them, now and then with fewer bytes than there are; `errno` fails
   * it.
   */
  read(random?: Random, errno?: string): void {
    const index = random === undefined ? 0 : random.below(this.#reads.length);
    const [read] = this.#reads.splice(index, 1);
    if (read === undefined) throw new Error("no read waits");
    if (errno !== undefined) {
      // As the real one calls back: without a count.
      read.done(Object.assign(new Error(errno), { code: errno }), undefined as unknown as number);
      return;
    }
    const cut = random !== undefined && random.below(4) === 0;
    const count = cut ? 1 + random.below(read.count) : read.count;
    read.done(null, fs.readSync(read.fd, read.into, read.from, count, read.at));
  }

  /** Turns and reads until none waits. */
  settle(): void {
    for (let rounds = 0; this.immediates + this.reads > 0; rounds++) {
      if (rounds > 100_000) throw new Error("the loop never comes to rest");
      if (this.immediates > 0) this.turn();
      if (this.reads > 0) this.read();
    }
  }

  /** Lets `ms` pass: every timer that is due comes at its own time. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      let due: [Handle, Timer] | null = null;
      for (const entry of this.#timers) {
        if (entry[1].at <= end && (due === null || entry[1].at < due[1].at)) due = entry;
      }
      if (due === null) break;
      const [handle, timer] = due;
      this.now = Math.max(this.now, timer.at);
      if (timer.every === 0) this.#timers.delete(handle);
      else this.#timers.set(handle, { ...timer, at: this.now + timer.every });
      timer.call();
    }
    this.now = end;
  }

  [Symbol.dispose](): void {
    this.#restore();
  }
}
