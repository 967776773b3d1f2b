/** Stores under names: each keeps what a store keeps below its name, and the top is a folder. */
import { expect, test } from "bun:test";
import { bytesOf, closing, entries, file, list } from "./asking.ts";
import { contract } from "./contract.ts";
import { openDisk } from "../../src/store/disk.ts";
import { openNamed, ROOTS_MAX, rootNameFault } from "../../src/store/namedroots.ts";
import type {
  DigestRange,
  EncodedPage,
  OpenFile,
  Store,
  StoreFacts,
  Waiter,
} from "../../src/store/store.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { SMALL_PAGES } from "../rig/needs.ts";
import { openIn } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const LIMITS = { files: 64, zeroCopy: true };

function named(roots: Record<string, string>): Store {
  return openNamed(roots, (path) => openDisk(path, POLICY, LIMITS));
}

/** What lies below one name, as a store of its own. */
class Below implements Store {
  readonly single = "";
  readonly label = "";
  readonly roots = [];
  readonly #all: Store;
  readonly #at: string;

  constructor(all: Store, at: string) {
    this.#all = all;
    this.#at = at;
  }

  get facts() {
    return this.#all.facts;
  }

  open(path: string, waiter: Waiter) {
    return this.#all.open(this.#at + path, waiter);
  }

  stat(path: string, waiter: Waiter) {
    return this.#all.stat(this.#at + path, waiter);
  }

  list(
    path: string,
    limit: number,
    after: string,
    waiter: Waiter,
    left?: boolean,
    found?: boolean,
  ) {
    return this.#all.list(this.#at + path, limit, after, waiter, left, found);
  }

  digests(opened: OpenFile, range: DigestRange, waiter: Waiter) {
    return this.#all.digests(opened, range, waiter);
  }

  knownDigests(opened: OpenFile, range: DigestRange) {
    return this.#all.knownDigests(opened, range);
  }

  packed(opened: OpenFile, head: Uint8Array) {
    return this.#all.packed(opened, head);
  }

  readings(path: string) {
    return this.#all.readings(path);
  }

  sweep(): void {
    this.#all.sweep();
  }

  close(): void {
    this.#all.close();
  }
}

contract("named", (tree) => new Below(named({ r: tree.root, other: "/usr/share" }), "/r"));

test("the top is a folder of the names, sorted, in pages, with no bytes of its own", async () => {
  using a = new Tree({ f: "a" });
  using b = new Tree({ f: "b" });
  using store = closing(named({ b: b.root, a: a.root, B: b.root }));
  for (const top of ["/", "//", "/.", "/./"]) {
    expect(await list(store.it, top, 10)).toBe("3 B a b");
    expect(store.it.stat(top, waiterOf())).toMatchObject({ type: "dir", size: 0n });
    expect(codeOf(store.it.open(top, waiterOf()))).toBe("EISDIR");
  }
  expect(await list(store.it, "/", 1)).toBe("1+ B");
  expect(await list(store.it, "/", 1, "B")).toBe("1+ a");
  expect(await list(store.it, "/", 1, "a")).toBe("1 b");
  expect(await list(store.it, "/", 10, "b")).toBe("0 ");
  expect(await list(store.it, "/", 0)).toBe("0+ ");
  const all = await entries(store.it, "/");
  expect([...all.values()].map(({ type }) => type)).toEqual(["dir", "dir", "dir"]);
  using again = closing(named({ B: b.root, a: a.root, b: b.root }));
  expect(again.it.stat("/", waiterOf())).toEqual(store.it.stat("/", waiterOf()));
});

test("a root that is one file is a folder with that file in it", async () => {
  using tree = new Tree({ "a.iso": "content", other: "x" });
  using store = closing(named({ iso: tree.path("a.iso"), all: tree.root }));
  expect(await list(store.it, "/iso", 10)).toBe("1 a.iso");
  expect(bytesOf(await file(store.it, "/iso/a.iso")).toString()).toBe("content");
  for (const path of ["/iso", "/iso/", "/iso/."]) {
    expect([path, codeOf(store.it.open(path, waiterOf()))]).toEqual([path, "EISDIR"]);
  }
  expect(codeOf(store.it.open("/iso/other", waiterOf()))).toBe("ENOENT");
});

test("a file has the etag that it has in a server of its root alone", async () => {
  using tree = new Tree({ small: "x", large: content(1, 0, 100_000) });
  using store = closing(named({ a: tree.root, b: tree.root }));
  using alone = closing<Store>(openDisk(tree.root, POLICY, LIMITS));
  for (const name of ["small", "large"]) {
    const { entry } = await file(alone.it, `/${name}`);
    expect((await file(store.it, `/a/${name}`)).entry).toEqual(entry);
    expect((await file(store.it, `/b/${name}`)).entry).toEqual(entry);
  }
});

test("a file is digested and packed by the store that it is from", async () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  const a = openDisk(tree.root, POLICY, LIMITS);
  const b = openDisk(tree.root, POLICY, LIMITS);
  const stores: Record<string, Store> = { a, b };
  using store = closing(openNamed({ a: "a", b: "b" }, (name) => stores[name]!));
  const opened = await file(store.it, "/b/f");
  const range = { start: 0n, length: 20_000, chunk: 10, algo: "sha256" } as const;
  expect(store.it.digests(opened, range, waiterOf())).toBeNull();
  expect([a.digester.jobs, b.digester.jobs]).toEqual([0, 1]);
  const packed = store.it.packed(opened, Buffer.from("head"));
  // Where the kernel's files in memory hold still.
  expect(packed !== null).toBe(SMALL_PAGES.here);
  expect([a.facts.arenaFiles, b.facts.arenaFiles]).toEqual([0, Number(SMALL_PAGES.here)]);
  if (packed !== null) expect(store.it.knownDigests(packed, range)).toBeNull();
  expect(() => store.it.knownDigests({ ...opened }, range)).toThrow("has not opened");
});

test("refusals name the path that was asked for, at once and later", async () => {
  using a = new Tree({ "d/f": "x" });
  using store = closing(named({ a: a.root }));
  const said = (answer: unknown): string =>
    answer instanceof Refusal ? answer.message : "no refusal";
  /** The answer, at once or later. */
  const answered = async (ask: (waiter: Waiter) => unknown): Promise<string> => {
    const later = Promise.withResolvers<unknown>();
    return said(ask(waiterOf(later.resolve)) ?? (await later.promise));
  };
  expect(await answered((it) => store.it.open("/a/no", it))).toBe("no such file: /a/no");
  expect(await answered((it) => store.it.stat("/a/no", it))).toBe("no such file: /a/no");
  expect(said(store.it.open("/b", waiterOf()))).toBe("no such file: /b");
  expect(said(store.it.open("/a/../b", waiterOf()))).toBe("permission denied: /a/../b");
  expect(said(store.it.stat("/a/../b", waiterOf()))).toBe("permission denied: /a/../b");
  expect(said(store.it.stat("/b", waiterOf()))).toBe("no such file: /b");
  expect(said(store.it.open("/../a", waiterOf()))).toBe("permission denied: /../a");
  expect(said(store.it.stat("/../a", waiterOf()))).toBe("permission denied: /../a");
  expect(said(store.it.list("/a/../b", 1, "", waiterOf()))).toBe("permission denied: /a/../b");
  expect(said(store.it.list("/b", 1, "", waiterOf()))).toBe("no such file: /b");
  expect(said(store.it.list("/a/d/f", 1, "", waiterOf()))).toBe("not a directory: /a/d/f");
  // The folder goes while the page waits for its turn.
  const page = Promise.withResolvers<EncodedPage | Refusal>();
  const waiter: Waiter = { ...waiterOf(), listed: page.resolve };
  expect(store.it.list("/a/d", 1, "", waiter)).toBeNull();
  a[Symbol.dispose]();
  expect(said(await page.promise)).toBe("no such file: /a/d");
});

test("a store that answers later is told by the whole path, and the top waits for it", async () => {
  using tree = new Tree({ f: "x" });
  const disk = openDisk(tree.root, POLICY, LIMITS);
  const absent = new Refusal("ENOENT", "/f");
  class Late extends Below {
    refusal = absent;
    override open(path: string, waiter: Waiter) {
      const found = path === "/there" ? disk.open("/f", waiterOf()) : absent;
      setImmediate(() => waiter.opened(found ?? absent));
      return null;
    }
    override stat(_: string, waiter: Waiter) {
      setImmediate(() => waiter.looked(this.refusal));
      return null;
    }
    check = () => Promise.resolve("no keys");
  }
  const late = new Late(disk, "");
  using store = closing(openNamed({ a: "", b: "" }, () => late));
  const heard: unknown[] = [];
  const waiter = waiterOf((answer) => heard.push(answer));
  expect([store.it.open("/a/f", waiter), store.it.stat("/b/f", waiter)]).toEqual([null, null]);
  while (heard.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(heard.map((each) => (each as Refusal).message)).toEqual([
    "no such file: /a/f",
    "no such file: /b/f",
  ]);
  // The top waits for each of them.
  expect(store.it.stat("/", waiter)).toBeNull();
  while (heard.length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(heard[2]).toMatchObject({ type: "dir", size: 0n, mtime: 0n });
  expect(await list(store.it, "/", 10)).toBe("0 ");
  const page = Promise.withResolvers<EncodedPage | Refusal>();
  store.it.list("/", 10, "", { ...waiterOf(), listed: page.resolve });
  expect(await page.promise).toMatchObject({ count: 0, more: false, left: 2 });
  // A file that comes later is its own store's as well.
  const opened = await file(store.it, "/b/there");
  expect(bytesOf(opened).toString()).toBe("x");
  const range = { start: 0n, length: 1, chunk: 1, algo: "xxh3" } as const;
  expect(store.it.digests(opened, range, waiterOf())).toBeInstanceOf(Uint8Array);
  late.refusal = new Refusal("EBUSY", "/");
  expect(await list(store.it, "/", 10)).toBe("EBUSY");
  expect(await store.it.check?.()).toBe("the root a: no keys");
});

test("facts are the sum of the stores', of what they share the most that one of them tells", () => {
  using tree = new Tree({ f: "x" });
  const names = [
    ...["openFiles", "keptFiles", "keptBytes", "arenaFiles", "hits", "misses", "blockBytes"],
    ...["blockHits", "blockMisses", "digestJobs", "pages"],
  ] as const;
  const shared = ["blockBytes", "blockHits", "blockMisses", "digestJobs"];
  const factsFrom = (first: number): StoreFacts =>
    Object.fromEntries(names.map((name, nth) => [name, first + nth])) as unknown as StoreFacts;
  class Told extends Below {
    told = factsFrom(0);
    override get facts() {
      return this.told;
    }
  }
  const [a, b] = [1, 2].map(() => new Told(openDisk(tree.root, POLICY, LIMITS), "")) as [
    Told,
    Told,
  ];
  a.told = factsFrom(100);
  b.told = factsFrom(1000);
  const stores: Record<string, Store> = { a, b };
  using store = closing(openNamed({ a: "a", b: "b" }, (name) => stores[name]!));
  const wanted = names.map((name, nth) => {
    return [name, shared.includes(name) ? 1000 + nth : 1100 + 2 * nth];
  });
  expect(store.it.facts).toEqual(Object.fromEntries(wanted));
  expect([store.it.label, store.it.roots]).toEqual(["a (), b ()", []]);
});

test("a root that is not there is left out of the top, and counted", async () => {
  using tree = new Tree({ f: "x" });
  using gone = new Tree();
  class Gone extends Below {
    override stat() {
      return new Refusal("ENOENT", "/");
    }
  }
  const stores: Record<string, Store> = {
    a: openDisk(tree.root, POLICY, LIMITS),
    b: new Gone(openDisk(gone.root, POLICY, LIMITS), ""),
  };
  using store = closing(openNamed({ a: "a", b: "b" }, (name) => stores[name]!));
  const page = Promise.withResolvers<EncodedPage | Refusal>();
  store.it.list("/", 10, "", { ...waiterOf(), listed: page.resolve });
  expect(await page.promise).toMatchObject({ count: 1, more: false, left: 1 });
});

test("bare paths may be absolute below each of the roots", () => {
  using a = new Tree({ f: "" });
  using b = new Tree({ f: "" });
  using store = closing(named({ a: a.root, b: b.root }));
  expect(store.it.readings("a/f")).toEqual(["/a/f"]);
  expect(store.it.readings(b.path("f"))).toEqual([b.path("f"), "/b/f"]);
});

test("names are plain; a missing root is named, and those before it are closed", () => {
  const plain = ["a", "A.b_c-d", "0", "n".repeat(64)];
  const odd = [
    "",
    ".",
    "..",
    ".a",
    "-",
    "_",
    "__proto__",
    "a/b",
    "a b",
    "ü",
    "a\n",
    "n".repeat(65),
    "a\0",
  ];
  for (const name of plain) expect([name, rootNameFault(name)]).toEqual([name, null]);
  for (const name of odd) expect([name, rootNameFault(name)]).not.toEqual([name, null]);
  using tree = new Tree();
  const before = openIn(tree.root);
  expect(() => named({ a: tree.root, models: tree.path("no") })).toThrow(
    `the root models: cannot serve ${tree.path("no")}: there is no such file or directory`,
  );
  expect(() => named({ a: tree.root, "..": tree.root })).toThrow('the root ".." takes letters');
  expect(openIn(tree.root)).toBe(before);
  expect(() => named({})).toThrow("1 to 16 roots");
  const many = Array.from({ length: ROOTS_MAX + 1 }, (_, nth) => [`r${nth}`, tree.root] as const);
  expect(() => named(Object.fromEntries(many))).toThrow("not 17");
  named(Object.fromEntries(many.slice(1))).close();
  for (const wrong of [{}, { "..": tree.root }]) {
    let failure: unknown;
    try {
      named(wrong);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ kind: "usage", code: "EINVAL" });
  }
});

function codeOf(answer: OpenFile | Refusal | null): string {
  return answer instanceof Refusal ? answer.code : String(answer?.entry.type);
}
