/** A transfer out of a cache step by step: which branch sends which bytes, and who is told what. */
import { expect, test } from "bun:test";
import { type CachedTransfer, fromSource } from "../../src/send/cached.ts";
import { SourceTransfer } from "../../src/send/source.ts";
import { STEP } from "../../src/send/transfer.ts";
import { BLOCK_BYTES } from "../../src/store/blocks/layout.ts";
import type { BlockReader, Unread } from "../../src/store/blocks/reader.ts";
import type { ByteStream, OpenFile, Source } from "../../src/store/store.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Sendfiling } from "../rig/sendfiling.ts";

/** What next() finds: a block at `base` of the cache's file with so many bytes, or a word. */
type Found = Unread | { readonly base: bigint; readonly available: number };

/** An object from `START` on, each range of it read from a cache that finds what the test says. */
class Cached implements Disposable {
  readonly system = new Sendfiling(10 * BLOCK_BYTES);
  readonly found: Found[] = [];
  /** What the reader was told, in order. */
  told: string[] = [];
  /** Who holds the object, and who its blocks. */
  users = 0;
  expired = 0;
  /** What the source was asked for, and what it has. */
  asked: unknown[] = [];
  ready: Uint8Array | null = null;
  state: ByteStream["state"] = "flowing";
  woken = 0;
  writes: number[] = [];
  awake = (): void => {};
  readonly reader;
  readonly transfer: CachedTransfer;

  constructor(start: number, length: number, zeroCopy: boolean, ...found: Found[]) {
    this.found.push(...found);
    this.reader = this.#readerFrom(start);
    const file = {
      retain: () => void (this.users += 1),
      release: () => void (this.users -= 1),
      expire: () => void (this.expired += 1),
    } as Partial<OpenFile> as OpenFile;
    const wanted = { file, source: this.#source(), start: BigInt(start), length };
    const owner = { peer: "a peer", windowReady: () => void (this.woken += 1) };
    this.transfer = fromSource(this.socket, wanted, zeroCopy, owner) as CachedTransfer;
  }

  /** It takes all that it is given. */
  readonly socket = {
    fd: 8,
    write: (_bytes: Uint8Array, _from: number, count: number): number => {
      this.writes.push(count);
      return count;
    },
  } as Partial<StreamSocket> as StreamSocket;

  step(): number {
    return this.transfer.step(this.socket);
  }

  #readerFrom(start: number) {
    const reader = {
      ...{ position: start, available: 0, diskSince: 0, stuck: false },
      view: null as OpenFile | null,
      next: (): Unread | null => {
        const found = this.found.shift();
        if (found === undefined) throw new Error("asked once too often");
        if (typeof found === "string") return found;
        reader.available = found.available;
        reader.view = Object.assign(Object.create(this.system.file), { base: found.base });
        return null;
      },
      take: (count: number): void => {
        reader.position += count;
        this.told.push(`took ${count}`);
      },
      unreadable: () => void this.told.push("unreadable"),
      close: () => void this.told.push("closed"),
    };
    return reader;
  }

  #source(): Source {
    const stream = {
      take: () => void (this.ready = null),
      want() {},
      close: () => void this.told.push("stream closed"),
    };
    Object.defineProperties(stream, {
      ready: { get: () => this.ready },
      state: { get: () => this.state },
    });
    return {
      stream: (...asked) => {
        this.asked.push(...asked.slice(0, 3));
        return stream as unknown as ByteStream;
      },
      blocks: (at, length, peer, awake) => {
        this.told.push(`${at}+${length} of ${peer}`);
        this.awake = awake;
        return this.reader as unknown as BlockReader;
      },
    };
  }

  [Symbol.dispose](): void {
    this.system[Symbol.dispose]();
  }
}

const MIB = 1024 * 1024;
const A = BigInt(7 * BLOCK_BYTES);
const B = BigInt(3 * BLOCK_BYTES);

test("each block's bytes leave from their place in it, and then the next block is asked for", () => {
  const start = BLOCK_BYTES - 100;
  using it = new Cached(start, 300, true, { base: A, available: 100 });
  const { transfer } = it;
  expect([it.users, transfer.length, transfer.zeroCopy]).toEqual([1, 300, true]);
  expect(it.told.splice(0)).toEqual([`${start}+300 of a peer`]);
  expect([it.step(), transfer.position]).toEqual([STEP.more, BigInt(BLOCK_BYTES)]);
  // The first block is let go of.
  expect([transfer.zeroCopy, it.system.users]).toEqual([false, 0]);
  it.found.push({ base: B, available: 200 });
  it.system.answers.push(150);
  const steps = [it.step(), it.step(), it.step()];
  expect([steps, transfer.sent]).toEqual([[STEP.more, STEP.more, STEP.done], 300]);
  expect(it.system.sent).toEqual([
    [Number(A) + BLOCK_BYTES - 100, 100],
    [Number(B), 200],
    [Number(B) + 150, 49],
    [Number(B) + 199, 1],
  ]);
  expect(it.told.splice(0)).toEqual(["took 100", "took 150", "took 49", "took 1"]);
  transfer.close();
  expect([it.users, it.system.users, it.told, it.asked]).toEqual([0, 0, ["closed"], []]);
});

test("who leaves in the middle of a block lets go of it", () => {
  using it = new Cached(0, 300, true, { base: A, available: 300 });
  it.system.answers.push(10);
  expect([it.step(), it.system.users]).toEqual([STEP.more, 1]);
  it.transfer.close();
  expect([it.users, it.system.users, it.told.at(-1)]).toEqual([0, 0, "closed"]);
});

test("a block that is on its way is awaited, and its reader is woken once", () => {
  using it = new Cached(0, 300, true, "wait");
  expect([it.transfer.zeroCopy, it.woken]).toEqual([false, 0]);
  it.found.push("wait", "wait");
  expect([it.step(), it.step()]).toEqual([STEP.wait, STEP.wait]);
  it.awake();
  it.awake();
  expect(it.woken).toBe(1);
  it.found.push({ base: A, available: 300 });
  expect([it.step(), it.transfer.sent]).toEqual([STEP.done, 300]);
  // Nothing is awaited any more.
  it.awake();
  expect(it.woken).toBe(1);
});

test.each([
  ["failed", STEP.failed, 0],
  ["changed", STEP.changed, 1],
] as const)("an origin that has %s ends it in step %d", (found, step, expired) => {
  using it = new Cached(0, 300, true, "wait");
  it.found.push(found);
  expect([it.step(), it.asked, it.woken, it.expired]).toEqual([step, [], 0, expired]);
});

test.each([
  ["failed", STEP.failed],
  ["changed", STEP.changed],
] as const)(
  "past the cache all the rest is asked of the source, until that has %s",
  (state, step) => {
    using it = new Cached(5, 300, true, { base: A, available: 100 });
    it.found.push("bypass");
    expect([it.step(), it.told.splice(0)]).toEqual([STEP.more, ["5+300 of a peer", "took 100"]]);
    expect([it.step(), it.asked, it.told.splice(0)]).toEqual([
      ...[STEP.wait, [105n, 200, "a peer"]],
      ["closed"],
    ]);
    it.ready = Buffer.alloc(150);
    expect([it.step(), it.transfer.sent, it.writes]).toEqual([STEP.wait, 250, [150]]);
    it.state = state;
    expect([it.step(), it.asked.length, it.told]).toEqual([step, 3, []]);
    it.transfer.close();
    expect([it.told.slice(0, 1), it.users]).toEqual([["stream closed"], 0]);
  },
);

test("a source that gives all the rest has it done", () => {
  using it = new Cached(5, 300, true, "bypass");
  it.ready = Buffer.alloc(300);
  // Without waiting for a step: what is awaited first is under way.
  expect(it.asked).toEqual([5n, 300, "a peer"]);
  expect([it.step(), it.transfer.sent]).toEqual([STEP.done, 300]);
});

test("a block that can't be read is given up, uncorked, and the next byte is looked for", () => {
  using it = new Cached(0, MIB, true, { base: A, available: MIB });
  it.system.answers.push(1000, -ERRNO.EIO);
  expect([it.step(), it.step()]).toEqual([STEP.more, STEP.more]);
  expect(it.told.slice(1)).toEqual(["took 1000", "took 0", "unreadable"]);
  expect([it.system.corks, it.system.users]).toEqual([[1, 0], 0]);
  it.found.push("bypass");
  expect([it.step(), it.asked]).toEqual([STEP.wait, [1000n, MIB - 1000, "a peer"]]);
});

test("a block that has ended too soon is given up as well", () => {
  using it = new Cached(0, 300, true, { base: A, available: 300 });
  it.system.answers.push(0);
  expect([it.step(), it.told.at(-1)]).toEqual([STEP.more, "unreadable"]);
});

test("where sendfile(2) can't send, this block and those behind it are copied", () => {
  using it = new Cached(0, MIB, true, { base: A, available: 1000 });
  it.system.answers.push(-ERRNO.EINVAL);
  expect([it.step(), it.transfer.zeroCopy]).toEqual([STEP.more, false]);
  it.found.push({ base: A, available: 1000 }, { base: B, available: MIB - 1000 });
  expect([it.step(), it.system.reads.map(({ at }) => at)]).toEqual([STEP.wait, [Number(A)]]);
  it.system.answer();
  expect([it.woken, it.step(), it.transfer.sent]).toEqual([1, STEP.more, 1000]);
  expect([it.step(), it.system.reads[0]?.at]).toEqual([STEP.wait, Number(B) + 1000]);
  expect([it.transfer.zeroCopy, it.told]).toEqual([
    ...[false, ["0+1048576 of a peer", "took 0", "took 0", "took 1000", "took 0"]],
  ]);
});

test("a socket that is full or dead ends the step and not the block", () => {
  using it = new Cached(0, 300, true, { base: A, available: 300 });
  it.system.answers.push(100, -ERRNO.EPIPE);
  expect([it.step(), it.step(), it.system.users]).toEqual([STEP.more, STEP.dead, 1]);
  expect(it.told.slice(1)).toEqual(["took 100", "took 0"]);
});

test("since when a disk is awaited is known, until the next step", () => {
  using it = new Cached(0, MIB, true, { base: A, available: MIB });
  it.system.resident = () => false;
  expect([it.step(), it.reader.diskSince, it.woken]).toEqual([STEP.wait, 5000, 0]);
  it.system.resident = () => true;
  it.system.answer();
  expect([it.woken, it.step(), it.reader.diskSince]).toEqual([1, STEP.done, 0]);
});

test("a disk that does not answer is left, and its reader is woken for that", () => {
  using it = new Cached(0, MIB, true, { base: A, available: MIB });
  it.system.resident = () => false;
  expect(it.step()).toBe(STEP.wait);
  it.reader.stuck = true;
  it.found.push("bypass");
  it.awake();
  expect([it.woken, it.step(), it.asked]).toEqual([1, STEP.wait, [0n, MIB, "a peer"]]);
  expect(it.system.corks).toEqual([1, 0]);
  // What is sent past the cache goes on, and is not begun again.
  it.ready = Buffer.alloc(1000);
  expect([it.step(), it.transfer.sent, it.asked.length]).toEqual([STEP.wait, 1000, 3]);
  it.system.answer();
  expect([it.system.users, it.woken]).toEqual([0, 1]);
});

test.each(["none", "null"])("a source whose cache is %s is read itself", (blocks) => {
  const asked: unknown[] = [];
  let users = 0;
  const source: Source = {
    stream: (...args) => {
      asked.push(...args.slice(0, 3));
      return { state: "flowing" } as Partial<ByteStream> as ByteStream;
    },
    ...(blocks === "null" ? { blocks: () => null } : {}),
  };
  const file = { retain: () => void (users += 1) } as Partial<OpenFile> as OpenFile;
  const socket = { fd: 8 } as StreamSocket;
  const wanted = { file, source, start: 3n, length: 9 };
  const transfer = fromSource(socket, wanted, true, { peer: "a peer", windowReady() {} });
  expect([transfer instanceof SourceTransfer, asked, users]).toEqual([
    ...[true, [3n, 9, "a peer"], 1],
  ]);
});
