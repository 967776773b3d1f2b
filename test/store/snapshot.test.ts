/** The sorted names of a folder whose records the test plays: bounds, failures, what it is of. */
import { expect, test } from "bun:test";
import { Snapshot, SNAPSHOT_BYTES_MAX } from "../../src/store/snapshot.ts";
import { FileStat } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";

/** No process has so many descriptors. */
const FOLDER = 2_000_000;
const OPENED = 2_000_001;

/** The kernel below a snapshot (`using`). */
class Kernel implements Disposable {
  /** What getdents(2) answers behind the last name. */
  end = 0;
  open = OPENED;
  stat = 0;
  mtime = 0n;
  ctime = 0n;
  closed: number[] = [];
  readonly #undo: Disposable[];

  /** With names that getdents(2) gives, so many a call. */
  constructor(names: string[] = [], perCall = 100) {
    let next = 0;
    this.#undo = [
      replaceCall("openat", () => (folder) => (folder === FOLDER ? this.open : -9)),
      replaceCall("close", (real) => (fd) => {
        if (fd < FOLDER) return real(fd);
        this.closed.push(fd);
        return 0;
      }),
      replaceCall("statx", () => (_fd, _name, out) => {
        Object.assign(out, { ino: 7n, dev: 8n, mtime: this.mtime, ctime: this.ctime });
        return this.stat;
      }),
      replaceCall("getdents", () => (fd, into) => {
        if (fd !== OPENED) throw new Error("another folder");
        let at = 0;
        const until = Math.min(next + perCall, names.length);
        const records = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
        for (; next < until; next++) at = record(records, at, names[next]!);
        return at === 0 ? this.end : at;
      }),
    ];
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo[Symbol.dispose]();
  }
}

/** A record of `name` at `at`, as struct linux_dirent64: where the next one begins. */
function record(records: Buffer, at: number, name: string): number {
  const length = 8 * Math.ceil((19 + name.length + 1) / 8);
  records.writeUInt16LE(length, at + 16);
  records.write(name, at + 19, "latin1");
  records[at + 19 + name.length] = 0;
  return at + length;
}

const anyName = (): boolean => true;

/** Made to its end: how many steps it took. */
function make(snapshot: Snapshot): number {
  let steps = 0;
  for (; snapshot.making; steps++) snapshot.step();
  return steps;
}

function namesOf({ names }: Snapshot): string[] {
  if (names === null) return [];
  return Array.from({ length: names.length }, (_, nth) => names.block(nth)).flat();
}

test.each([0, 1, 100, 8192, 8193, 30_000])("%d names come sorted, from whatever order", (count) => {
  const sorted = Array.from({ length: count }, (_, nth) => `n${100_000 + nth}`);
  const mixed = sorted.map((_, nth) => sorted[(nth * 7919) % count]!);
  using kernel = new Kernel([".", ...mixed, ".."]);
  const snapshot = new Snapshot(FOLDER, 5, anyName);
  expect([snapshot.making, snapshot.since, snapshot.usedAt, snapshot.users]).toEqual([
    ...[true, 5, 5, 0],
  ]);
  make(snapshot);
  expect([snapshot.state, snapshot.bytes, kernel.closed]).toEqual(["ready", 8 * count, [OPENED]]);
  expect(namesOf(snapshot)).toEqual(sorted);
  expect([snapshot.stat.ino, snapshot.stat.dev]).toEqual([7n, 8n]);
});

test("it works in steps: a call of names each, and so many merged ones", () => {
  const names = Array.from({ length: 16_384 }, (_, nth) => `n${100_000 + nth}`);
  using _ = new Kernel(names, 1024);
  const snapshot = new Snapshot(FOLDER, 0, anyName);
  for (let nth = 0; nth < 16; nth++) snapshot.step();
  expect(snapshot.state).toBe("reading");
  snapshot.step();
  expect(snapshot.state).toBe("merging");
  // Two runs, and what was read behind them, which is none: nine steps for each pair, and the end.
  expect(make(snapshot)).toBe(9 + 9 + 1);
  expect(namesOf(snapshot)).toEqual(names);
});

test("a name that is not allowed is none, and takes no room", () => {
  using _ = new Kernel(["a", ".b", "c"]);
  const snapshot = new Snapshot(FOLDER, 0, (name) => !name.startsWith("."));
  make(snapshot);
  expect([namesOf(snapshot), snapshot.bytes]).toEqual([["a", "c"], 4]);
});

test("a folder just as wide as may be is held, a byte more is too wide", () => {
  expect(SNAPSHOT_BYTES_MAX).toBe(33_554_432);
  // Longer than any: so many of 255 bytes take too long to make.
  const names = Array.from({ length: SNAPSHOT_BYTES_MAX / 16_384 }, (_, nth) =>
    `${1000 + nth}`.padEnd(16_383, "x"),
  );
  for (const [last, state, bytes] of [
    [names.at(-1)!, "ready", SNAPSHOT_BYTES_MAX],
    [`${names.at(-1)!}x`, "too wide", 0],
  ] as const) {
    using kernel = new Kernel([...names.slice(0, -1), last], 1);
    const snapshot = new Snapshot(FOLDER, 0, anyName);
    while (snapshot.state === "reading") snapshot.step();
    expect([snapshot.bytes, snapshot.names]).toEqual([bytes, null]);
    if (state === "ready") snapshot.close();
    expect([snapshot.state as string, snapshot.making, kernel.closed]).toEqual([
      ...["too wide", false, [OPENED]],
    ]);
  }
});

test.each([
  ["opened", { open: -24 }, -24, []],
  ["looked at", { stat: -5 }, -5, [OPENED]],
  ["read", { end: -5 }, -5, [OPENED]],
] as const)("a folder that can't be %s is the errno", (_, fault, state, closed) => {
  using kernel = new Kernel(["a"]);
  Object.assign(kernel, fault);
  const snapshot = new Snapshot(FOLDER, 0, anyName);
  make(snapshot);
  expect([snapshot.state, snapshot.names, snapshot.bytes]).toEqual([state, null, 0]);
  expect(kernel.closed).toEqual([...closed]);
  snapshot.step();
  snapshot.close();
  expect([snapshot.state, kernel.closed]).toEqual([state, [...closed]]);
});

test("it stands for a folder that had settled two seconds before, and that is the same now", () => {
  const now = Date.now;
  Date.now = () => 10_000;
  try {
    const fits = (mtime: bigint, ctime: bigint, more: Partial<FileStat> = {}): boolean => {
      using kernel = new Kernel();
      Object.assign(kernel, { mtime, ctime });
      const stat = Object.assign(new FileStat(), { ino: 7n, dev: 8n, mtime, ctime, ...more });
      const snapshot = new Snapshot(FOLDER, 0, anyName);
      snapshot.close();
      return snapshot.fits(stat);
    };
    const [settled, late] = [8_000_999_999n, 8_001_000_000n];
    expect([fits(settled, settled), fits(late, 0n), fits(0n, late)]).toEqual([true, false, false]);
    expect(fits(settled, settled, { mtime: 1n })).toBe(false);
  } finally {
    Date.now = now;
  }
});

test("ends of pages are remembered, the oldest of more than 8,192 is not; who follows has them", () => {
  using _ = new Kernel();
  const [first, next] = [new Snapshot(FOLDER, 0, anyName), new Snapshot(FOLDER, 0, anyName)];
  for (let nth = 0; nth < 8192; nth++) first.addEnd(`n${nth}`);
  expect([first.hasEnd("n0"), first.hasEnd("n8191"), first.hasEnd("n8192")]).toEqual([
    ...[true, true, false],
  ]);
  first.addEnd("n8192");
  expect([first.hasEnd("n0"), first.hasEnd("n1"), first.hasEnd("n8192")]).toEqual([
    ...[false, true, true],
  ]);
  expect(next.hasEnd("n1")).toBe(false);
  next.adoptEnds(first);
  expect([next.hasEnd("n1"), next.hasEnd("n0")]).toEqual([true, false]);
});

test("one that is closed in the making holds nothing; one that is made loses its names", () => {
  using kernel = new Kernel(["a", "b"]);
  const begun = new Snapshot(FOLDER, 0, anyName);
  begun.step();
  expect(begun.bytes).toBe(4);
  begun.close();
  expect([begun.making, begun.bytes, kernel.closed]).toEqual([false, 0, [OPENED]]);
  const whole = new Snapshot(FOLDER, 0, anyName);
  make(whole);
  whole.close();
  expect([whole.state, whole.names, kernel.closed.length]).toEqual(["ready", null, 2]);
});
