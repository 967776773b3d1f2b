/**
 * Files that are written through a mapping: from the second write to a page on no time changes, so
 * that only age ends what is held of them.
 */
import { expect, test } from "bun:test";
import { dlopen, FFIType, toArrayBuffer, type Pointer } from "bun:ffi";
import fs from "node:fs";
import { HELD_MS } from "../../src/store/opener.ts";
import { KEPT_MS } from "../../src/store/digest-cache.ts";
import { exchange } from "../rig/exchange.ts";
import { clockSays } from "../rig/faults.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const { symbols: libc } = dlopen("libc.so.6", {
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: FFIType.ptr },
  munmap: { args: ["ptr", "u64"], returns: "i32" },
});

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** A file's bytes, to be written without any call (`using` takes the mapping away). */
class Mapping implements Disposable {
  readonly bytes: Uint8Array;
  readonly #at: Pointer;

  constructor(path: string) {
    const fd = fs.openSync(path, "r+");
    const { size } = fs.fstatSync(fd);
    const at = libc.mmap(null, size, PROT_READ_WRITE, MAP_SHARED, fd, 0n);
    fs.closeSync(fd);
    if (at === null) throw new Error("mmap(2) failed");
    this.#at = at as Pointer;
    this.bytes = new Uint8Array(toArrayBuffer(this.#at, 0, size));
  }

  [Symbol.dispose](): void {
    libc.munmap(this.#at, this.bytes.length);
  }
}

/** Held in memory, in the arena, and by its descriptor. */
const SIZES = [4000, 20_000, 8_000_000];

/** Where files may lie: the temporary folder's file system, and memory. */
const PLACES = [undefined, "/dev/shm"].filter(
  (place) => place === undefined || fs.existsSync(place),
);

test.each(PLACES)(
  "what was read of a mapped file is read again when it is old (%s)",
  async (place) => {
    const files = Object.fromEntries(SIZES.map((size) => [`f${size}`, Buffer.alloc(size, "a")]));
    using tree = new Tree(files, place);
    await using running = new Running(tree.root);
    let now = performance.now();
    using _clock = clockSays(() => now);
    for (const size of SIZES) {
      using mapping = new Mapping(tree.path(`f${size}`));
      mapping.bytes[1] = 98;
      const hour = Date.now() / 1000 - 3600;
      fs.utimesSync(tree.path(`f${size}`), hour, hour);
      const ask = Array(9).fill(`READ /f${size}`).concat(`HASH /f${size}`);
      const before = await exchange(running.port, ask);
      mapping.bytes[1] = 99;
      now += HELD_MS + 1001;
      const after = await exchange(running.port, ask);
      expect([size, before[0]?.body[1], after[0]?.body[1]]).toEqual([size, 98, 99]);
      expect(after[8]?.body[1]).toBe(99);
      now += KEPT_MS + 1;
      const later = await exchange(running.port, ask);
      const line = later[9]?.body.toString().split("\n")[0];
      const first = Buffer.from(mapping.bytes.subarray(0, 4_194_304));
      expect([size, line]).toEqual([size, Bun.hash.xxHash3(first).toString(16).padStart(16, "0")]);
    }
  },
);
