/** A digester whose thread the test plays, and who asks it for digests of which files. */
import type { Dropped, Portion, PortionAnswer } from "../../src/digest/worker.ts";
import { Digester } from "../../src/store/digester.ts";
import type { DigestRange, OpenFile, Waiter } from "../../src/store/store.ts";
import { Refusal } from "../../src/wire/errors.ts";

export const MIB = 1024 * 1024;

/** A thread that does nothing of its own. */
class Thread {
  readonly portions: Portion[] = [];
  readonly dropped: number[] = [];
  terminated = false;
  onmessage: (event: { data: PortionAnswer }) => void = () => {};
  #close: () => void = () => {};

  addEventListener(_close: string, call: () => void): void {
    this.#close = call;
  }

  postMessage(message: Portion | Dropped): void {
    if ("dropped" in message) this.dropped.push(message.dropped);
    else this.portions.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  /** Answers what it has had for longest. */
  answer(data: PortionAnswer): void {
    this.portions.shift();
    this.onmessage({ data });
  }

  /** It is gone, by terminate() or by an error. */
  crash(): void {
    this.#close();
  }
}

/** A digester, and its threads, the last one first. */
export function startDigester() {
  const threads: Thread[] = [];
  const { Worker } = globalThis;
  const made = function made(): Thread {
    threads.unshift(new Thread());
    return threads[0]!;
  };
  Object.assign(globalThis, { Worker: made });
  return {
    digester: new Digester(),
    threads,
    get thread(): Thread {
      return threads[0]!;
    },
    [Symbol.dispose]() {
      Object.assign(globalThis, { Worker });
    },
  };
}

/** A file of which the thread reads; `users` counts who holds it. */
export function fileOf(facts: { etag?: string; mtime?: bigint; body?: Uint8Array | null } = {}) {
  const { etag = "v1", mtime = 0n, body = null } = facts;
  const file = {
    entry: { type: "file", size: 2n ** 60n, mtime, etag },
    body,
    fd: 77,
    source: null,
    base: 5_001_000n,
    residentUntil: 0,
    users: 0,
    expired: false,
    state: "same",
    retain: () => void (file.users += 1),
    release: () => void (file.users -= 1),
    revalidate: () => file.state,
    expire: () => void (file.expired = true),
  };
  return file as typeof file & OpenFile;
}

export function rangeOf(range: Partial<DigestRange>): DigestRange {
  return { start: 0n, length: MIB, chunk: MIB, algo: "xxh3", ...range };
}

/** Who asks: what was answered, and how much was charged. */
export function askerOf(peer = "one") {
  const asker = {
    gone: false as boolean,
    peer,
    heard: [] as string[],
    crashes: [] as unknown[],
    charged: [] as number[],
    charge: (requests: number) => void asker.charged.push(requests),
    opened() {},
    looked() {},
    listed() {},
    digested: (lines: Uint8Array | Refusal) => void asker.heard.push(told(lines)),
    crash: (error: unknown) => void asker.crashes.push(error),
  } satisfies Waiter & Record<string, unknown>;
  return asker;
}

export function told(answer: Uint8Array | Refusal | null): string {
  if (answer === null) return "later";
  if (answer instanceof Refusal) return `${answer.code} ${answer.message}`;
  return Buffer.from(answer).toString();
}

export const EIO = "EIO the server could not read the file";
export const BUSY = "EBUSY server is busy, try again: too many files are being hashed";

/** A line of xxh3: 16 digits. */
export const line = (digit: string): string => `${digit.repeat(16)}\n`;
