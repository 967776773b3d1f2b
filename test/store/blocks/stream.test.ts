/** Bytes out of blocks for who wants them in memory: given up, they leave nothing behind. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { READS_MAX } from "../../../src/store/diskread.ts";
import { BLOCK_BYTES } from "../../../src/store/blocks/layout.ts";
import { BlockStream } from "../../../src/store/blocks/stream.ts";
import type { ByteStream, Source } from "../../../src/store/store.ts";
import { CacheRig, FakeObject } from "../../rig/blocks.ts";
import { afterMs, eventually } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";

/** A disk whose reads wait until it is disposed of. */
class HeldReads implements Disposable {
  count = 0;
  ended = 0;
  readonly #real = fs.read;
  readonly #held: (() => void)[] = [];

  constructor() {
    const read = (...args: unknown[]): void => {
      this.count += 1;
      const done = args.pop() as (...told: unknown[]) => void;
      const ended = (...told: unknown[]): void => {
        done(...told);
        this.ended += 1;
      };
      this.#held.push(() => void Reflect.apply(this.#real, fs, [...args, ended]));
    };
    Object.assign(fs, { read });
  }

  [Symbol.dispose](): void {
    Object.assign(fs, { read: this.#real });
    for (const go of this.#held.splice(0)) go();
  }
}

/** An object of one block in the cache of `rig`; behind it is a stream that brings nothing. */
class CachedSource implements Source {
  passed = 0;
  readonly #rig: CacheRig;
  readonly #object: FakeObject;

  static async of(rig: CacheRig): Promise<CachedSource> {
    const object = new FakeObject("a", BLOCK_BYTES);
    await rig.read(object);
    return new CachedSource(rig, object);
  }

  private constructor(rig: CacheRig, object: FakeObject) {
    this.#rig = rig;
    this.#object = object;
  }

  stream(): ByteStream {
    this.passed += 1;
    const nothing = (): void => {};
    return { ready: null, state: "flowing", want: nothing, take: nothing, close: nothing };
  }

  blocks(at: bigint, length: number, _peer: string, awake: () => void) {
    return this.#rig.reader(this.#object, Number(at), length, awake);
  }
}

test("one that is closed while its read waits for its turn keeps no block", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, BLOCK_BYTES);
  const source = await CachedSource.of(rig);
  const held = new HeldReads();
  {
    using _held = held;
    const streams = Array.from({ length: READS_MAX.window + 3 }, () => {
      return new BlockStream(source, 0n, BLOCK_BYTES, "peer", () => {});
    });
    await eventually("as many reads as there may be", () => held.count === READS_MAX.window);
    await new Promise((resolve) => setImmediate(resolve));
    for (const stream of streams) stream.close();
  }
  await eventually("the end of the reads", () => held.ended === READS_MAX.window);
  // There is room for one block alone: it has to give way.
  expect(await rig.reads(new FakeObject("b", 100))).toBe("right");
});

test("one whose read does not end goes on past the cache after 2 s", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, BLOCK_BYTES);
  const source = await CachedSource.of(rig);
  const held = new HeldReads();
  {
    using _held = held;
    const stream = new BlockStream(source, 0n, BLOCK_BYTES, "peer", () => {});
    await eventually("its read", () => held.count === 1);
    using _later = afterMs(2100);
    rig.cache.sweep();
    await eventually("another way", () => source.passed === 1);
    stream.close();
  }
  await eventually("the end of its read", () => held.ended === 1);
  using _muchLater = afterMs(4000);
  expect(await rig.reads(new FakeObject("b", 100))).toBe("right");
});
