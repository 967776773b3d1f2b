/** What pages of a wide folder are made of: when it is read again, and what is let go when. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import fc from "fast-check";
import { Root } from "../../src/store/root.ts";
import { SETTLED_MS } from "../../src/store/snapshot.ts";
import { SnapshotPage } from "../../src/store/snapshotpage.ts";
import {
  AGE_MAX_MS,
  HELD_BYTES_MAX,
  MAKING_MAX,
  SNAPSHOTS_MAX,
  Snapshots,
  UNUSED_MAX_MS,
  type Wish,
} from "../../src/store/snapshots.ts";
import type { PageStep } from "../../src/store/pages.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const POLICY = { hidden: true, symlinks: true, mounts: false, unconfined: false };

/** A folder, its snapshots, and pages of them made to their end. */
class Folder implements Disposable {
  readonly tree = new Tree();
  readonly snapshots = new Snapshots();
  readonly root: Root;

  constructor() {
    this.root = new Root(this.#open(), this.tree.root, POLICY, null);
  }

  page(after: string, limit: number): SnapshotPage {
    return new SnapshotPage(this.snapshots, this.#open(), this.root, {
      folder: ".",
      limit,
      after,
      left: false,
      id: "",
    });
  }

  /** The names of one page, and whether more follow. */
  names(after: string, limit = 4096): { names: string[]; more: boolean } {
    const page = this.page(after, limit);
    let made: PageStep = null;
    while (made === null) made = page.step();
    page.close();
    if (made === "waits" || typeof made === "number") throw new Error(`errno ${made}`);
    const lines = Buffer.from(made.text).toString("latin1").split("\n").slice(0, -1);
    return { names: lines.map((line) => line.slice(line.lastIndexOf(" ") + 1)), more: made.more };
  }

  /** A wish for the one folder there is, called `folder`: the table knows folders by their name. */
  wish(folder: string, after = ""): Wish {
    const stat = new FileStat();
    kernel.statx(AT_FDCWD, this.tree.root, stat);
    return { folder, fd: this.#fd, stat, after, allows: () => true };
  }

  [Symbol.dispose](): void {
    this.snapshots.clear();
    this.root.close();
    kernel.close(this.#fd);
    this.tree[Symbol.dispose]();
  }

  readonly #fd = this.#open();

  #open(): number {
    return kernel.openat(AT_FDCWD, this.tree.root, OPEN.readOnly | OPEN.directory);
  }
}

/** Files are `ms` older than they are, until it is disposed of. */
function passed(ms: number): Disposable {
  const now = Date.now;
  Date.now = () => now() + ms;
  return { [Symbol.dispose]: () => void (Date.now = now) };
}

function made(folder: Folder, wish: Wish, now: number) {
  const snapshot = folder.snapshots.take(wish, now);
  if (snapshot === null) throw new Error("too many are made");
  while (snapshot.making) folder.snapshots.step(snapshot);
  folder.snapshots.release(snapshot);
  return snapshot;
}

test("names that come and go: what stays comes once, what is asked for anew is there", () => {
  const name = fc.constantFrom(..."abcdefghijklmnop", "ab", "abc", "b-", "o~");
  const change = fc.record({ name, create: fc.boolean() });
  fc.assert(
    fc.property(
      fc.uniqueArray(name),
      fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 4 }),
      (first, changes, limit) => {
        using folder = new Folder();
        const there = new Set(first);
        for (const one of first) folder.tree.write(one, "");
        const always = new Set(first);
        const ever = new Set(first);
        const walked: string[] = [];
        for (let page = 0, more = true; more; page++) {
          const got = folder.names(walked.at(-1) ?? "", limit);
          if (page === 0) expect(got.names).toEqual([...there].sort().slice(0, limit));
          walked.push(...got.names);
          more = got.more && got.names.length > 0;
          for (const { name: changed, create } of changes[page] ?? []) {
            if (create) folder.tree.write(changed, "");
            else fs.rmSync(folder.tree.path(changed), { force: true });
            if (create) there.add(changed);
            else there.delete(changed);
            ever.add(changed);
            if (!create) always.delete(changed);
          }
          // Who begins a walk now sees what is there now, whatever walk is under way.
          expect(folder.names("").names).toEqual([...there].sort());
        }
        expect(walked).toEqual([...new Set(walked)].sort());
        expect([...always].filter((one) => !walked.includes(one))).toEqual([]);
        expect(walked.filter((one) => !ever.has(one))).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

test("a folder that rests is read once, one that changed again; a walk goes on in old names", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  const young = made(folder, folder.wish("d"), 0);
  // Its times could be the same after the next change.
  expect(made(folder, folder.wish("d"), 1)).not.toBe(young);
  using _later = passed(SETTLED_MS + 1000);
  const rested = made(folder, folder.wish("d"), 2);
  expect(made(folder, folder.wish("d"), 3)).toBe(rested);
  folder.tree.write("b", "");
  rested.addEnd("end");
  expect(made(folder, folder.wish("d", "end"), 4)).toBe(rested);
  const anew = made(folder, folder.wish("d"), 5);
  expect(anew).not.toBe(rested);
  // A walk that was under way goes on in the newer one; what no page ended with begins a walk.
  folder.tree.write("c", "");
  expect(made(folder, folder.wish("d", "end"), 5 + AGE_MAX_MS)).toBe(anew);
  const other = made(folder, folder.wish("d", "other"), 5 + AGE_MAX_MS);
  expect(other).not.toBe(anew);
  expect(made(folder, folder.wish("d", "end"), 6 + 2 * AGE_MAX_MS)).not.toBe(other);
});

test("who asks for no entry leaves nobody who begins a walk with old names", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  expect(folder.names("", 0)).toEqual({ names: [], more: true });
  folder.tree.write("b", "");
  expect(folder.names("").names).toEqual(["a", "b"]);
});

test("snapshots are let go: unused, too old, too many; then no descriptor and no name is left", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  const before = openIn(folder.tree.root);
  for (let nth = 0; nth < SNAPSHOTS_MAX + 5; nth++) made(folder, folder.wish(`${nth}`), 0);
  expect(folder.snapshots.held).toBe(SNAPSHOTS_MAX);
  folder.snapshots.sweep(UNUSED_MAX_MS);
  expect(folder.snapshots.held).toBe(SNAPSHOTS_MAX);
  folder.snapshots.sweep(UNUSED_MAX_MS + 1);
  expect(folder.snapshots.held).toBe(0);
  const used = made(folder, folder.wish("used"), 0);
  used.addEnd("end");
  expect(used.bytes).toBeLessThan(HELD_BYTES_MAX);
  for (let now = 0; now <= AGE_MAX_MS; now += UNUSED_MAX_MS) {
    made(folder, folder.wish("used", "end"), now);
    folder.snapshots.sweep(now);
  }
  expect(used.names).not.toBeNull();
  folder.snapshots.sweep(AGE_MAX_MS + 1);
  expect([folder.snapshots.held, used.names, openIn(folder.tree.root)]).toEqual([0, null, before]);
});

test("few are made at once, and what nobody waits for is given up", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  const before = openIn(folder.tree.root);
  const making = Array.from({ length: MAKING_MAX }, (_, nth) =>
    folder.snapshots.take(folder.wish(`${nth}`), 0),
  );
  expect(making.every((it) => it?.making)).toBe(true);
  expect(folder.snapshots.take(folder.wish("next"), 0)).toBeNull();
  folder.snapshots.release(making[0]!);
  const next = folder.snapshots.take(folder.wish("next"), 0);
  expect([next?.making, making[0]?.making]).toEqual([true, false]);
  folder.snapshots.release(next!);
  folder.snapshots.release(making[1]!);
  expect([folder.snapshots.held, openIn(folder.tree.root)]).toEqual([0, before]);
});

test("a page that is given up, or is of a folder that can't be read, leaves nothing under way", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  const before = openIn(folder.tree.root);
  for (let nth = 0; nth < 3 * MAKING_MAX; nth++) {
    const page = folder.page("", 10);
    expect([nth, page.step()]).toEqual([nth, null]);
    page.close();
  }
  expect([folder.snapshots.held, openIn(folder.tree.root)]).toEqual([0, before]);
  {
    using _fails = replaceCall("getdents", () => () => -ERRNO.EIO);
    for (let nth = 0; nth < 3 * MAKING_MAX; nth++) {
      const page = folder.page("", 10);
      expect([nth, page.step()]).toEqual([nth, -ERRNO.EIO]);
      page.close();
    }
  }
  {
    // What passes by itself ends a page whose names are known.
    using _fails = replaceCall("statx", (real) => (fd, name, out) => {
      return name === "a" ? -ERRNO.ENOMEM : real(fd, name, out);
    });
    const page = folder.page("", 10);
    let made: PageStep = null;
    while (made === null) made = page.step();
    expect(made).toBe(-ERRNO.ENOMEM);
    page.close();
  }
  expect(folder.names("")).toEqual({ names: ["a"], more: false });
  folder.snapshots.clear();
  expect(openIn(folder.tree.root)).toBe(before);
});

test("that a folder is too wide is remembered while it is so, and no names are held for it", () => {
  using folder = new Folder();
  folder.tree.write("a", "");
  using _later = passed(SETTLED_MS + 1000);
  // A page of records, once for each name of an endless folder.
  const record = Buffer.alloc(19 + 256 + 1, "n");
  record.writeUInt16LE(record.length, 16);
  record[record.length - 1] = 0;
  const wide = replaceCall("getdents", () => (_fd, into) => {
    const count = Math.floor(into.length / record.length);
    for (let nth = 0; nth < count; nth++) into.set(record, nth * record.length);
    return count * record.length;
  });
  const snapshot = made(folder, folder.wish("d"), 0);
  expect([snapshot.state, snapshot.bytes, folder.snapshots.held]).toEqual(["too wide", 0, 1]);
  expect(made(folder, folder.wish("d"), 1)).toBe(snapshot);
  wide[Symbol.dispose]();
  folder.tree.write("b", "");
  using _even = passed(2 * SETTLED_MS + 2000);
  const anew = made(folder, folder.wish("d"), 2);
  expect([anew === snapshot, anew.state, anew.bytes]).toEqual([false, "ready", 4]);
});

test("bytes of names are bounded, those that a page is made of apart; the oldest go first", () => {
  using folder = new Folder();
  using _later = passed(SETTLED_MS + 1000);
  const nameBytes = 255;
  const perCall = 100;
  let calls = 0;
  const record = Buffer.alloc(19 + nameBytes + 1, "n");
  record.writeUInt16LE(record.length, 16);
  record[record.length - 1] = 0;
  // A folder of some 20 MiB of names.
  const callsMax = 800;
  using _wide = replaceCall("getdents", () => (_fd, into) => {
    if (calls++ % (callsMax + 1) === callsMax) return 0;
    for (let nth = 0; nth < perCall; nth++) into.set(record, nth * record.length);
    return perCall * record.length;
  });
  const bytes = callsMax * perCall * (nameBytes + 1);
  const kept = Math.floor(HELD_BYTES_MAX / bytes);
  const used = folder.snapshots.take(folder.wish("used"), 0)!;
  while (used.making) folder.snapshots.step(used);
  expect(used.bytes).toBe(bytes);
  const all = Array.from({ length: kept + 1 }, (_, nth) => made(folder, folder.wish(`${nth}`), 0));
  expect(folder.snapshots.held).toBe(kept);
  expect(all.map(({ names }) => names !== null)).toEqual(
    Array.from({ length: kept + 1 }, (_, nth) => nth > 1),
  );
  expect([used.names === null, folder.snapshots.has("used")]).toEqual([false, true]);
  folder.snapshots.release(used);
});

test("a page of a folder that is too wide is made of its records, as of a short one", () => {
  using folder = new Folder();
  for (const name of ["c", "a", "b"]) folder.tree.write(name, "");
  const before = openIn(folder.tree.root);
  const own = new Set<number>();
  using _opened = replaceCall("openat", (real) => (dirfd, path, flags) => {
    const fd = real(dirfd, path, flags);
    if (path === ".") own.add(fd);
    return fd;
  });
  const record = Buffer.alloc(19 + 256 + 1, "n");
  record.writeUInt16LE(record.length, 16);
  record[record.length - 1] = 0;
  // What the snapshot opens has no end; the page's own descriptor is of what is there.
  using _wide = replaceCall("getdents", (real) => (fd, into) => {
    if (!own.has(fd)) return real(fd, into);
    const count = Math.floor(into.length / record.length);
    for (let nth = 0; nth < count; nth++) into.set(record, nth * record.length);
    return count * record.length;
  });
  expect(folder.names("", 2)).toEqual({ names: ["a", "b"], more: true });
  expect(folder.names("b", 2)).toEqual({ names: ["c"], more: false });
  folder.snapshots.clear();
  expect(openIn(folder.tree.root)).toBe(before);
});

test("a walk goes on in the names it began with, though the folder has changed", () => {
  using folder = new Folder();
  for (const name of ["a", "c", "e"]) folder.tree.write(name, "");
  let reads = 0;
  using _count = replaceCall("getdents", (real) => (fd, into) => {
    reads += 1;
    return real(fd, into);
  });
  expect(folder.names("", 1)).toEqual({ names: ["a"], more: true });
  const once = reads;
  folder.tree.write("b", "");
  expect(folder.names("a", 1)).toEqual({ names: ["c"], more: true });
  // Where no page has ended, and where one said that nothing follows, a walk begins.
  expect([reads, folder.names("c", 2), reads]).toEqual([once, { names: ["e"], more: false }, once]);
  expect(folder.names("e", 1)).toEqual({ names: [], more: false });
  expect(reads).toBeGreaterThan(once);
});

test("what is held and for how long is what decision 0028 says", () => {
  expect([AGE_MAX_MS, UNUSED_MAX_MS, SNAPSHOTS_MAX]).toEqual([30_000, 10_000, 64]);
  expect([HELD_BYTES_MAX, MAKING_MAX]).toEqual([67_108_864, 2]);
});
