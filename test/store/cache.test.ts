/**
 * The open-file cache by itself, over descriptors that are only numbers: what it may hold, who has
 * to go, and that each descriptor is closed once, when the last one has let go.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type CacheBudget, FileCache } from "../../src/store/cache.ts";
import { Body, Descriptor, DiskFile, type FdCount } from "../../src/store/file.ts";
import { Shelf } from "../../src/store/shelf.ts";
import { BODY_BYTES_MAX, HEADROOM_BYTES } from "../../src/store/store.ts";
import { FileStat } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";

/** Descriptors from here on are only numbers: no process has so many. */
const FD_FIRST = 1_000_000;

/** What a held body costs beside its bytes: room for a head, and what the cache says. */
const COST_BYTES = HEADROOM_BYTES + 1024;

/** Makes files and sees their descriptors closed. */
class Files implements Disposable {
  readonly fds: FdCount = { open: 0 };
  readonly closed = new Map<number, number>();
  #next = FD_FIRST;
  readonly #fault = replaceCall("close", (real) => (fd) => {
    if (!(fd >= FD_FIRST)) return real(fd);
    this.closed.set(fd, (this.closed.get(fd) ?? 0) + 1);
    return 0;
  });

  /** A file with a descriptor, last used at `now`. */
  large(now = 0): DiskFile {
    return new DiskFile(new FileStat(), new Descriptor(this.#next++, this.fds), now);
  }

  /** A file that is held whole. */
  small(bytes: number): DiskFile {
    return new DiskFile(new FileStat(), new Body(new Uint8Array(bytes)), 0);
  }

  [Symbol.dispose](): void {
    this.#fault[Symbol.dispose]();
  }
}

type Step =
  | { readonly do: "small" | "large"; readonly name: string; readonly bytes: number }
  | { readonly do: "get" | "retain" | "release"; readonly name: string }
  | { readonly do: "drop"; readonly name: string }
  | { readonly do: "free" | "age" };

const NAMES = Array.from({ length: 24 }, (_, index) => `/f${index}`);
const name = fc.constantFrom(...NAMES);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom("small" as const, "large" as const),
        name,
        bytes: fc.integer({ min: 0, max: BODY_BYTES_MAX }),
      }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constantFrom("get" as const, "get" as const, "retain" as const, "release" as const),
        name,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), name }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("free" as const, "age" as const) }),
    },
  ),
  { minLength: 1000, maxLength: 1000 },
);

/** The cache beside what must be true of it. */
class Model {
  readonly cache: FileCache;
  readonly #files: Files;
  readonly #budget: CacheBudget;
  /** What was put last under each name. */
  readonly #put = new Map<string, DiskFile>();
  /** Files in use, as often as they are. */
  readonly #held: DiskFile[] = [];
  readonly #made: { readonly file: DiskFile; readonly fd: number }[] = [];
  #now = 0;

  constructor(files: Files, budget: CacheBudget) {
    this.#files = files;
    this.#budget = budget;
    this.cache = new FileCache(budget);
  }

  step(step: Step): void {
    this.#now += 1;
    switch (step.do) {
      case "small":
      case "large":
        this.#take(step.name, step.do, step.bytes);
        break;
      case "get":
      case "retain":
      case "release":
        this.#use(step.do, step.name);
        break;
      case "drop":
        this.#drop(step.name);
        break;
      case "free":
        this.#free();
        break;
      case "age":
        this.cache.age(this.#now - 50);
    }
    this.check();
  }

  /** Lets all go that is in use. */
  finish(): void {
    this.cache.clear();
    for (const file of this.#held.splice(0)) file.release();
    this.check();
    expect([this.cache.size, this.cache.bytes, this.cache.fds]).toEqual([0, 0, 0]);
    expect([...this.#files.closed.values()].every((times) => times === 1)).toBe(true);
    expect(this.#files.fds.open).toBe(0);
  }

  check(): void {
    const cached = new Set<DiskFile>();
    for (const each of NAMES) {
      const file = this.cache.get(each);
      if (file === undefined) continue;
      if (file !== this.#put.get(each)) throw new Error(`${each} is an older file`);
      cached.add(file);
    }
    const bodies = [...cached].filter((file) => file.body !== null);
    const bytes = bodies.reduce((sum, { body }) => sum + (body?.length ?? 0) + COST_BYTES, 0);
    const counts = [this.cache.size, this.cache.bytes, this.cache.fds];
    expect(counts).toEqual([cached.size, bytes, cached.size - bodies.length]);
    expect(this.cache.bytes).toBeLessThanOrEqual(this.#budget.bytes);
    expect(this.cache.fds).toBeLessThanOrEqual(this.#budget.fds);
    for (const { file, fd } of this.#made) {
      const times = cached.has(file) || this.#held.includes(file) ? 0 : 1;
      const was = this.#files.closed.get(fd) ?? 0;
      if (was !== times) throw new Error(`${fd} was closed ${was} times, not ${times}`);
    }
  }

  #take(path: string, kind: "small" | "large", bytes: number): void {
    const file = kind === "small" ? this.#files.small(bytes) : this.#files.large(this.#now);
    if (kind === "large") this.#made.push({ file, fd: file.fd });
    this.#put.set(path, file);
    this.cache.put(path, file);
    // Its caller is about to use it: whoever goes, not this one.
    expect(this.cache.get(path)).toBe(file);
  }

  #use(what: "get" | "retain" | "release", path: string): void {
    const file = this.cache.get(path);
    file?.touch(this.#now);
    if (file !== undefined && what === "retain") {
      file.retain();
      this.#held.push(file);
    }
    if (what === "release") this.#held.shift()?.release();
  }

  #drop(path: string): void {
    this.cache.drop(path);
    expect(this.cache.get(path)).toBeUndefined();
  }

  #free(): void {
    const before = this.#files.closed.size;
    const free = NAMES.map((each) => this.cache.get(each)).some(
      (file) => file !== undefined && file.fd >= 0 && !file.shared,
    );
    expect(this.cache.freeFd()).toBe(free);
    // What was counted as free is free at once: one descriptor, and nobody's.
    expect(this.#files.closed.size - before).toBe(free ? 1 : 0);
  }
}

test("1,000 puts and gets at random never go over a budget, nor close what is in use", () => {
  fc.assert(
    fc.property(steps, (all) => {
      using files = new Files();
      const model = new Model(files, { bytes: 5 * BODY_BYTES_MAX, fds: 5 });
      for (const step of all) model.step(step);
      model.finish();
    }),
    { numRuns: 12, seed: 1 },
  );
});

test("a newcomer stays, even when it fills its shelf alone", () => {
  using files = new Files();
  const cache = new FileCache({ bytes: BODY_BYTES_MAX + COST_BYTES, fds: 1 });
  for (let i = 0; i < 3; i++) {
    const bodies = [files.small(BODY_BYTES_MAX), files.large()] as const;
    cache.put(`/small${i}`, bodies[0]);
    cache.put(`/large${i}`, bodies[1]);
    bodies[0].touch(i);
    bodies[1].touch(i);
    expect([cache.get(`/small${i}`), cache.get(`/large${i}`)]).toEqual([...bodies]);
    expect([cache.size, cache.fds]).toEqual([2, 1]);
  }
  expect(files.closed.size).toBe(2);
});

test("what was used survives the first pass, and the second only if it was used again", () => {
  using files = new Files();
  const shelf = new Shelf(3, () => 1);
  const has = (): string => ["a", "b", "c", "d", "e", "f"].filter((it) => shelf.get(it)).join("");
  for (const each of ["a", "b", "c"]) shelf.put(each, files.large());
  shelf.get("a")?.touch(1);
  shelf.put("d", files.large());
  expect(has()).toBe("acd");
  shelf.put("e", files.large());
  expect(has()).toBe("ade");
  shelf.put("f", files.large());
  expect(has()).toBe("def");
});

test("age looks at each once, and at no more than it was told", () => {
  using files = new Files();
  const shelf = new Shelf(3, () => 1);
  let looks = 0;
  for (const each of ["a", "b", "c"]) {
    const file = files.large();
    Object.defineProperty(file, "usedAt", { get: () => (looks++, 9) });
    shelf.put(each, file);
  }
  shelf.age(1, 100);
  expect(looks).toBe(3);
  shelf.age(1, 2);
  expect(looks).toBe(5);
});

test("one under a name takes the place of the other, on whichever shelf that was", () => {
  using files = new Files();
  const cache = new FileCache({ bytes: 1_000_000, fds: 10 });
  cache.put("/f", files.small(10));
  cache.put("/f", files.large());
  expect([cache.size, cache.bytes, cache.fds]).toEqual([1, 0, 1]);
  cache.put("/f", files.small(20));
  expect([cache.size, cache.bytes, cache.fds]).toEqual([1, 20 + COST_BYTES, 0]);
  expect([...files.closed.values()]).toEqual([1]);
});

test("freeFd closes one that nobody else holds, used or not, and never one that is shared", () => {
  using files = new Files();
  const cache = new FileCache({ bytes: 0, fds: 10 });
  const shared = [files.large(), files.large()];
  const idle = files.large();
  for (const [index, file] of shared.entries()) {
    file.retain();
    cache.put(`/shared${index}`, file);
  }
  cache.put("/idle", idle);
  idle.touch(1);
  expect([cache.freeFd(), cache.fds, idle.fd]).toEqual([true, 2, -1]);
  expect([cache.freeFd(), cache.fds, files.fds.open]).toEqual([false, 2, 2]);
  shared[1]?.release();
  expect([cache.freeFd(), cache.fds, shared[1]?.fd]).toEqual([true, 1, -1]);
  expect(cache.get("/shared0")).toBe(shared[0]!);
});

test("age lets go of the unused; one in use closes with its last user", () => {
  using files = new Files();
  const cache = new FileCache({ bytes: 1_000_000, fds: 10 });
  const [old, busy, fresh] = [files.large(10), files.large(10), files.large(10)] as const;
  busy.retain();
  fresh.touch(20);
  cache.put("/old", old);
  cache.put("/busy", busy);
  cache.put("/fresh", fresh);
  cache.put("/body", files.small(10));
  cache.age(10);
  expect(cache.fds).toBe(3);
  cache.age(11);
  expect([cache.fds, old.fd, cache.get("/busy"), cache.get("/fresh")]).toEqual([
    1,
    -1,
    undefined,
    fresh,
  ]);
  // Bodies cost no disk space: they stay.
  expect(cache.get("/body")).toBeDefined();
  expect(busy.fd).toBeGreaterThanOrEqual(FD_FIRST);
  busy.release();
  expect([busy.fd, files.fds.open]).toEqual([-1, 1]);
});

test("age looks at 512 at most, and comes round to the others with the next calls", () => {
  using files = new Files();
  const cache = new FileCache({ bytes: 0, fds: 2000 });
  for (let i = 0; i < 1200; i++) cache.put(`/f${i}`, files.large(i < 600 ? 20 : 10));
  const left = [1, 2, 3].map(() => {
    cache.age(15);
    return cache.fds;
  });
  expect(left).toEqual([1200, 776, 600]);
});
