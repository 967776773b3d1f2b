/** What is the same in the file that is replaced is not fetched again, and the result is right. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import fc from "fast-check";
import { download } from "../../src/download/download.ts";
import { mirror } from "../../src/download/mirror.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { openIn } from "../rig/open-files.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Scripted } from "../rig/scripted.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

const MIB = 1024 * 1024;
const CHUNK = 65_536;

/** Files up to 4 MiB are fetched as small ones: whole. */
const OLD = content(7, 1, 6 * MIB);
const OTHER = content(7, 2, 6 * MIB + 777);

/** OLD with 1,000 bytes of another version in the middle of chunk 20, and 5,000 more at its end. */
const EDITED = Buffer.concat([OLD, OTHER.subarray(0, 5000)]);
OTHER.copy(EDITED, 20 * CHUNK + 3000, 0, 1000);

/** A tree with a server over its folder "there"; downloads go to "to". */
class Pair implements AsyncDisposable {
  readonly tree = new Tree({ there: null, to: null });
  readonly #running = new Running(this.tree.path("there"));

  /** Both files, of different times. */
  put(old: Uint8Array, now: Uint8Array): void {
    fs.rmSync(this.tree.path("to"), { recursive: true });
    this.tree.write("to/f", old);
    this.tree.write("there/f", now);
    fs.utimesSync(this.tree.path("to/f"), 1, 1);
  }

  get server(): string {
    return `127.0.0.1:${this.#running.port}`;
  }

  get(wholeFile = false) {
    const to = { folder: this.tree.path("to"), force: true };
    return download({ server: this.server, from: "/f", ...to, wholeFile });
  }

  /** Whether what is here is what is there, with nothing left open or staged. */
  expectEqual(): void {
    const [here, there] = ["to/f", "there/f"].map((path) => fs.readFileSync(this.tree.path(path)));
    expect(Buffer.compare(here!, there!)).toBe(0);
    expect([fs.readdirSync(this.tree.path("to")), openIn(this.tree.path("to"))]).toEqual([
      ["f"],
      0,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    this.tree[Symbol.dispose]();
  }
}

describe("of a file that is replaced", () => {
  let pair: Pair;
  beforeAll(() => {
    pair = new Pair();
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  test("what was edited and what was appended is fetched, in chunks of 64 KiB", async () => {
    pair.put(OLD, EDITED);
    const fetched = CHUNK + 5000;
    expect(await pair.get()).toMatchObject({
      ...{ done: 1, received: fetched, reused: EDITED.length - fetched, kept: 0 },
      ...{ verified: EDITED.length, arrived: EDITED.length },
    });
    pair.expectEqual();
  });

  test("a mirror takes it as well", async () => {
    pair.put(OLD, EDITED);
    const from = `s6://${pair.server}/`;
    expect(await mirror({ from, folder: pair.tree.path("to") })).toMatchObject({
      ...{ done: 1, received: CHUNK + 5000 },
    });
    pair.expectEqual();
  });

  test("all is fetched where nothing is the same, where it is asked for, and through a link", async () => {
    pair.put(OLD, OTHER);
    expect(await pair.get()).toMatchObject({ received: OTHER.length, reused: 0 });
    pair.expectEqual();
    pair.put(OLD, EDITED);
    expect(await pair.get(true)).toMatchObject({ received: EDITED.length, reused: 0 });
    pair.expectEqual();
    pair.put(OLD, EDITED);
    fs.renameSync(pair.tree.path("to/f"), pair.tree.path("aside"));
    fs.symlinkSync(pair.tree.path("aside"), pair.tree.path("to/f"));
    expect(await pair.get()).toMatchObject({ received: EDITED.length, reused: 0 });
    pair.expectEqual();
    expect(fs.readFileSync(pair.tree.path("aside")).equals(OLD)).toBe(true);
  });

  test("whatever was written, appended and cut, the result is the new file, and little is fetched", async () => {
    const edit = fc.record({ at: fc.nat(5 * MIB), length: fc.integer({ min: 1, max: 200_000 }) });
    const oldSize = fc.integer({ min: 2 * MIB, max: OLD.length });
    const newSize = fc.integer({ min: 4 * MIB + 1, max: OLD.length });
    const edits = fc.array(edit, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(oldSize, newSize, edits, async (before, after, changes) => {
        const now = Buffer.from(OLD.subarray(0, after));
        const touched = new Set<number>();
        for (const { at, length } of changes) {
          const bytes = OTHER.subarray(at, Math.min(at + length, now.length));
          bytes.copy(now, at);
          const last = Math.floor((at + bytes.length - 1) / CHUNK);
          for (let chunk = Math.floor(at / CHUNK); chunk <= last; chunk++) touched.add(chunk);
        }
        // Where the shorter one ends a chunk is cut, and behind it nothing is the same.
        const end = Math.floor(Math.min(before, after) / CHUNK);
        for (let chunk = end; chunk * CHUNK < after; chunk++) touched.add(chunk);
        pair.put(OLD.subarray(0, before), now);
        const { received, reused } = await pair.get();
        pair.expectEqual();
        const samples = Math.floor(Math.min(before, after) / CHUNK);
        if (samples - touched.size < 16) return;
        expect(received).toBeLessThanOrEqual(touched.size * CHUNK);
        expect(received + reused).toBe(after);
      }),
      { numRuns: 12 },
    );
  });

  test("an old file that changes while it is read: what was copied is compared, and fetched", async () => {
    pair.put(OLD, EDITED);
    let edits = 0;
    using _unshared = replaceCall("cloneRange", () => () => -ERRNO.EOPNOTSUPP);
    using _edited = replaceCall("copyRange", (real) => (to, from, offset, length) => {
      if (edits++ === 0) {
        const fd = fs.openSync(pair.tree.path("to/f"), "r+");
        fs.writeSync(fd, OTHER, 0, 100, Number(offset));
        fs.closeSync(fd);
      }
      return real(to, from, offset, length);
    });
    expect(await pair.get()).toMatchObject({ received: 2 * CHUNK + 5000 });
    expect(edits).toBeGreaterThan(0);
    pair.expectEqual();
  });

  test.each([
    ["blocks are shared", 0, -ERRNO.EIO, 0],
    ["the kernel copies", -ERRNO.EXDEV, null, 0],
    ["it reads and writes", -ERRNO.ENOTTY, -ERRNO.EXDEV, 0],
    ["it copies what is no whole block", -ERRNO.EINVAL, null, 0],
    ["the old file has got shorter: it fetches all", -ERRNO.EOPNOTSUPP, 0, EDITED.length],
  ])("%s", async (_does, cloned, copied, received) => {
    pair.put(OLD, EDITED);
    let asked = 0;
    using _clone = replaceCall("cloneRange", () => (to, from, offset, length) => {
      asked += 1;
      if (cloned !== 0) return cloned;
      const bytes = Buffer.alloc(length);
      kernel.pread(from, bytes, length, offset);
      return Math.min(0, kernel.pwrite(to, bytes, length, offset));
    });
    using _copy = replaceCall(
      "copyRange",
      (real) =>
        (...range) =>
          copied ?? real(...range),
    );
    expect((await pair.get()).received).toBe(received || CHUNK + 5000);
    pair.expectEqual();
    // Where blocks can't be shared that is asked once.
    const often = cloned === 0 || cloned === -ERRNO.EINVAL;
    expect([asked > 0, often || asked === 1]).toEqual([true, true]);
  });

  test("a full disk ends it in ENOSPC, and the old file stays", async () => {
    pair.put(OLD, EDITED);
    using _clone = replaceCall("cloneRange", () => () => -ERRNO.EOPNOTSUPP);
    using _copy = replaceCall("copyRange", () => () => -ERRNO.ENOSPC);
    using _write = replaceCall("pwrite", () => () => -ERRNO.ENOSPC);
    const error = await rejection(pair.get());
    expect([error.kind, error.code]).toEqual(["local", "ENOSPC"]);
    expect(fs.readFileSync(pair.tree.path("to/f")).equals(OLD)).toBe(true);
  });

  test("stopped in its middle and run again, it goes on", async () => {
    pair.put(OLD, EDITED);
    const stopping = new AbortController();
    using _clone = replaceCall("cloneRange", () => () => -ERRNO.EOPNOTSUPP);
    {
      using _stop = replaceCall("copyRange", (real) => (...range) => {
        stopping.abort();
        return real(...range);
      });
      const to = { folder: pair.tree.path("to"), force: true, signal: stopping.signal };
      const error = await rejection(download({ server: pair.server, from: "/f", ...to }));
      expect(error.kind).toBe("aborted");
    }
    const { kept, received, reused } = await pair.get();
    expect([kept > 0, kept + received + reused]).toEqual([true, EDITED.length]);
    pair.expectEqual();
  });
});

test("a server that computes no digests gives all of it", async () => {
  using tree = new Tree({ "to/f": OLD });
  using server = new Scripted({ "/f": EDITED }, ({ verb }) =>
    verb === "HASH" ? { bytes: "ERR ENOSYS not known\n" } : undefined,
  );
  const { done, received, reused } = await download({
    ...{ from: server.url("/f"), folder: tree.path("to"), force: true },
  });
  expect([done, received, reused]).toEqual([1, EDITED.length, 0]);
  expect(fs.readFileSync(tree.path("to/f")).equals(EDITED)).toBe(true);
});

test("a version that comes while the samples are compared is fetched as that version", async () => {
  using tree = new Tree({ "to/f": OLD });
  let hashes = 0;
  using server = new Scripted({ "/f": EDITED }, ({ verb }) => {
    if (verb === "HASH" && hashes++ === 5) server.put("/f", OTHER, 2);
    return undefined;
  });
  await download({ from: server.url("/f"), folder: tree.path("to"), force: true });
  expect(fs.readFileSync(tree.path("to/f")).equals(OTHER)).toBe(true);
});
