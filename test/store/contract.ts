/**
 * What every store keeps, whatever it is made of: a suite that a store's own test file runs with a
 * way to make one over a tree of files. It looks at a store from above only, as doors do.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { type EncodedPage, type OpenFile, type Store, type Waiter } from "../../src/store/store.ts";
import { clock } from "../../src/sys/clock.ts";
import { type Entry, parseListLine } from "../../src/wire/entry.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { openIn } from "../rig/open-files.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import type { Answer } from "../rig/waiter.ts";

/** Makes the store under test over `tree`. */
export type MakeStore = (tree: Tree) => Store;

/** Waits for a store's answer. */
class Asker implements Waiter {
  gone = false;
  charge(): void {}
  readonly peer = "";
  readonly answer = Promise.withResolvers<Answer>();
  opened = (answer: Answer): void => this.answer.resolve(answer);
  listed = this.opened;
  digested = this.opened;
  crash(error: unknown): void {
    this.answer.reject(error);
  }
}

async function open(store: Store, path: string): Promise<OpenFile | Refusal> {
  const asker = new Asker();
  return store.open(path, asker) ?? ((await asker.answer.promise) as OpenFile | Refusal);
}

/** The file at `path`; throws where it is refused. */
export async function file(store: Store, path: string): Promise<OpenFile> {
  const opened = await open(store, path);
  if (opened instanceof Refusal) throw new Error(`${path}: ${opened.message}`);
  return opened;
}

async function page(store: Store, path: string, limit: number, after: string) {
  const asker = new Asker();
  const refused = store.list(path, limit, after, asker);
  return refused ?? ((await asker.answer.promise) as EncodedPage | Refusal);
}

/** A page in short: how many, "+" where more follow, and the names; or the refusal's code. */
export async function list(store: Store, path: string, limit: number, after = ""): Promise<string> {
  const answer = await page(store, path, limit, after);
  if (answer instanceof Refusal) return answer.code;
  const { text, count, more } = answer;
  const names = Buffer.from(text)
    .toString("latin1")
    .replace(/^.* /gm, "")
    .trim()
    .replaceAll("\n", " ");
  return `${count}${more ? "+" : ""} ${names}`;
}

/** What a listing says of each name. */
async function entries(store: Store, path: string): Promise<Map<string, Entry>> {
  const answer = await page(store, path, 1000, "");
  if (answer instanceof Refusal) throw new Error(answer.message);
  const lines = Buffer.from(answer.text).toString("latin1").split("\n").slice(0, -1);
  return new Map(
    lines.map((line) => {
      const parsed = parseListLine(line);
      if (parsed === null) throw new Error(`no line of a list: ${line}`);
      return [parsed.name, parsed.entry];
    }),
  );
}

function statOf(store: Store, path: string): Entry {
  const entry = store.stat(path, new Asker());
  if (entry instanceof Refusal) throw new Error(`${path}: ${entry.message}`);
  return entry;
}

/** Writes `bytes` over the file's own, and moves its mtime on: a clock's grain is 4 ms. */
export function editInPlace(path: string, bytes: string | Uint8Array): void {
  fs.writeFileSync(path, bytes);
  const { atime, mtimeMs } = fs.statSync(path);
  fs.utimesSync(path, atime, new Date(mtimeMs + 2000));
}

/** All bytes of a file, from the body or the descriptor. */
export function bytesOf(opened: OpenFile): Buffer {
  if (opened.body !== null) return Buffer.from(opened.body);
  const bytes = Buffer.alloc(Number(opened.entry.size));
  fs.readSync(opened.fd, bytes, 0, bytes.length, 0);
  return bytes;
}

/** "opened", or the refusal's code. */
async function codeOf(store: Store, path: string): Promise<string> {
  const opened = await open(store, path);
  return opened instanceof Refusal ? opened.code : "opened";
}

/** What open, stat and list say of a path that all of them refuse. */
async function codesOf(store: Store, path: string): Promise<string[]> {
  const told = store.stat(path, new Asker());
  const stat = told instanceof Refusal ? told.code : told.type;
  return [await codeOf(store, path), stat, await list(store, path, 10)];
}

/** Runs the suite for the store called `name`. */
export function contract(name: string, make: MakeStore): void {
  contents(name, make);
  refusals(name, make);
  names(name, make);
  waiters(name, make);
  versions(name, make);
  etags(name, make);
  references(name, make);
}

function contents(name: string, make: MakeStore): void {
  test(`${name}: gives the bytes and the facts of files of every size`, async () => {
    using tree = new Tree();
    const sizes = [0, 1, 65_535, 65_536, 65_537, 1_000_000];
    for (const size of sizes) tree.write(`d/f${size}`, content(3, 0, size));
    using store = closing(make(tree));
    for (const size of sizes) {
      const opened = await file(store.it, `/d/f${size}`);
      expect([size, verify(bytesOf(opened), 3, 0)]).toEqual([size, null]);
      const { mtimeNs } = fs.statSync(tree.path(`d/f${size}`), { bigint: true });
      expect(opened.entry).toMatchObject({ type: "file", size: BigInt(size), mtime: mtimeNs });
      expect(store.it.stat(`/d/f${size}`, new Asker())).toEqual(opened.entry);
    }
  });

  test(`${name}: tells of a directory what statSync tells, and that it has no size`, () => {
    using tree = new Tree({ "d/e/f": "x" });
    using store = closing(make(tree));
    for (const path of ["/", "/d", "/d/", "/d/e"]) {
      const { mtimeNs: mtime } = fs.statSync(tree.path(path), { bigint: true });
      expect(statOf(store.it, path)).toMatchObject({ type: "dir", size: 0n, mtime });
    }
  });
}

function refusals(name: string, make: MakeStore): void {
  test(`${name}: refuses by the code that fits`, async () => {
    using tree = new Tree({ "d/f": "x", ".hidden": "x", "d/.h/f": "x" });
    using store = closing(make(tree));
    const codes: Record<string, string> = {
      "/nope": "ENOENT",
      "/d": "EISDIR",
      "/": "EISDIR",
      "/d/f/g": "ENOTDIR",
      "/d/f/": "ENOTDIR",
      "/../x": "EACCES",
      "/d/../d/f": "EACCES",
      "/.hidden": "ENOENT",
      "/d/.h/f": "ENOENT",
      [`/${"n".repeat(256)}`]: "ENAMETOOLONG",
      [`/${"d/".repeat(2500)}f`]: "ENAMETOOLONG",
      [`/${"d/".repeat(6000)}f`]: "ENAMETOOLONG",
      "/d/f\0": "EINVAL",
    };
    for (const [path, code] of Object.entries(codes)) {
      expect([path, await codeOf(store.it, path)]).toEqual([path, code]);
    }
    expect(await list(store.it, "/d/f", 10)).toBe("ENOTDIR");
    expect(await list(store.it, "/nope", 10)).toBe("ENOENT");
  });

  test(`${name}: refuses \`..\` wherever it stands, for every question`, async () => {
    using tree = new Tree({ "d/f": "x" });
    using store = closing(make(tree));
    for (const path of ["/..", "/../d/f", "/d/..", "/d/../d/f", "/d/f/..", "/./..//d", "//.."]) {
      expect([path, ...(await codesOf(store.it, path))]).toEqual([
        path,
        "EACCES",
        "EACCES",
        "EACCES",
      ]);
    }
    // Names that only look like it are names.
    expect([await codeOf(store.it, "/d/..f"), await codeOf(store.it, "/d/f..")]).toEqual([
      "ENOENT",
      "ENOENT",
    ]);
  });
}

function names(name: string, make: MakeStore): void {
  test(`${name}: pages through a directory in byte order`, async () => {
    using tree = new Tree({ b: "", a: "", B: "", "a.b": "", d: null, ".h": "" });
    using store = closing(make(tree));
    expect(await list(store.it, "/", 10)).toBe("5 B a a.b b d");
    expect(await list(store.it, "/", 2)).toBe("2+ B a");
    expect(await list(store.it, "/", 2, "a")).toBe("2+ a.b b");
    expect(await list(store.it, "/", 2, "b")).toBe("1 d");
    expect(await list(store.it, "/", 0)).toBe("0+ ");
    expect(await list(store.it, "/", 1, "b")).toBe("1 d");
    expect(await list(store.it, "/", 10, "d")).toBe("0 ");
    // Where to go on need not be a name that is there.
    expect(await list(store.it, "/", 1, "a.")).toBe("1+ a.b");
    expect(await list(store.it, "/d", 0)).toBe("0 ");
  });

  test(`${name}: puts pages of any size together to the same directory`, async () => {
    using tree = new Tree();
    const wanted: string[] = [];
    for (let i = 0; i < 300; i++) wanted.push(`${(i * 7919) % 1000}-${"x".repeat(i % 40)}`);
    for (const each of wanted) tree.write(each, "");
    wanted.sort();
    using store = closing(make(tree));
    for (const limit of [1, 7, 299, 300, 301]) {
      const got: string[] = [];
      for (let more = true; more;) {
        const [count = "", ...page] = (await list(store.it, "/", limit, got.at(-1) ?? "")).split(
          " ",
        );
        got.push(...page);
        more = count.endsWith("+");
        expect(page.length).toBe(more ? limit : wanted.length - got.length + page.length);
      }
      expect(got).toEqual(wanted);
    }
  });

  test(`${name}: hides names with a dot in front from every question`, async () => {
    using tree = new Tree({ ".f": "x", ".d/f": "x", "d/.f": "x", "d/.d/f": "x", "d/f": "x" });
    using store = closing(make(tree));
    for (const path of ["/.f", "/.d", "/.d/f", "/d/.f", "/d/.d", "/d/.d/f", "//.f", "/./.f"]) {
      expect([path, ...(await codesOf(store.it, path))]).toEqual([
        path,
        "ENOENT",
        "ENOENT",
        "ENOENT",
      ]);
    }
    expect(await list(store.it, "/", 10)).toBe("1 d");
    expect(await list(store.it, "/d", 10)).toBe("1 f");
  });

  test(`${name}: takes all spellings of a path for one object`, async () => {
    using tree = new Tree({ "d/small": "x" });
    tree.write("d/large", content(1, 0, 100_000));
    using store = closing(make(tree));
    for (const path of ["small", "large"]) {
      const canonical = await file(store.it, `/d/${path}`);
      for (const spelling of [`//d/${path}`, `/./d/${path}`, `/d//${path}`, `/d/././/${path}`]) {
        expect(await file(store.it, spelling)).toBe(canonical);
        expect(statOf(store.it, spelling)).toEqual(canonical.entry);
      }
    }
    for (const spelling of ["/d", "/d/", "//d//", "/d/."]) {
      expect(await list(store.it, spelling, 10)).toBe("2 large small");
    }
  });
}

function waiters(name: string, make: MakeStore): void {
  test(`${name}: a waiter that is gone gets no answer and costs the others nothing`, async () => {
    using tree = new Tree({ a: "", b: "" });
    using store = closing(make(tree));
    const before = openIn(tree.root);
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) {
      const gone = new Asker();
      void gone.answer.promise.then(() => answers.push("came"));
      expect(store.it.list("/", 10, "", gone)).toBeNull();
      gone.gone = true;
    }
    expect(await list(store.it, "/", 10)).toBe("2 a b");
    expect(answers).toEqual([]);
    expect(openIn(tree.root)).toBe(before);
  });

  test(`${name}: a waiter is called later, once, and not at all when it goes half-way`, async () => {
    using tree = new Tree();
    for (let i = 0; i < 1500; i++) tree.write(`${i}${"x".repeat(40)}`, "");
    using store = closing(make(tree));
    const calls = [0, 0];
    const askers = calls.map((_, index) => {
      const asker = new Asker();
      asker.listed = () => void (calls[index]! += 1);
      expect(store.it.list("/", 1000, "", asker)).toBeNull();
      return asker;
    });
    expect(calls).toEqual([0, 0]);
    await new Promise((resolve) => setImmediate(resolve));
    askers[0]!.gone = true;
    expect(await list(store.it, "/", 0)).toBe("0+ ");
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([0, 1]);
  });
}

function versions(name: string, make: MakeStore): void {
  test(`${name}: a version is its own, and a new one is seen within a second`, async () => {
    using tree = new Tree({ small: "one", large: content(1, 0, 100_000) });
    using store = closing(make(tree));
    for (const path of ["small", "large"]) {
      const before = await file(store.it, `/${path}`);
      before.retain();
      const old = bytesOf(before);
      tree.write("next", path === "small" ? "two" : content(1, 1, 100_000));
      fs.renameSync(tree.path("next"), tree.path(path));
      clock.now += 1001;
      const after = await file(store.it, `/${path}`);
      expect(after.entry.etag).not.toBe(before.entry.etag);
      expect(bytesOf(before).equals(old)).toBe(true);
      expect(bytesOf(after).equals(fs.readFileSync(tree.path(path)))).toBe(true);
      expect(before.revalidate()).toBe("same");
      before.release();
    }
  });

  test(`${name}: remembers nothing of names that did not exist`, async () => {
    using tree = new Tree();
    using store = closing(make(tree));
    expect(await codeOf(store.it, "/f")).toBe("ENOENT");
    tree.write("f", "now");
    expect(bytesOf(await file(store.it, "/f")).toString()).toBe("now");
  });
}

function etags(name: string, make: MakeStore): void {
  test(`${name}: a version has one etag, whoever is asked, and each its own`, async () => {
    using tree = new Tree();
    using store = closing(make(tree));
    const seen = new Set<string>();
    const versionsOf: [string, string | Uint8Array][] = [
      ["small", "one"],
      ["small", "two"],
      ["large", content(1, 0, 100_000)],
      ["large", content(1, 1, 100_000)],
    ];
    for (const [index, [path, bytes]] of versionsOf.entries()) {
      editInPlace(tree.path(path), bytes);
      fs.utimesSync(tree.path(path), 1_000, 1_000 + index);
      clock.now += 1001;
      const { entry } = await file(store.it, `/${path}`);
      expect(entry.etag).toMatch(/^[0-9a-f]{16}$/);
      expect(statOf(store.it, `/${path}`)).toEqual(entry);
      expect((await entries(store.it, "/")).get(path)).toEqual(entry);
      seen.add(entry.etag);
    }
    expect(seen.size).toBe(versionsOf.length);
  });
}

function references(name: string, make: MakeStore): void {
  test(`${name}: a file in use stays open until the last one lets go`, async () => {
    using tree = new Tree();
    tree.write("large", content(1, 0, 100_000));
    const store = make(tree);
    const opened = await file(store, "/large");
    opened.retain();
    opened.retain();
    const { ino } = fs.statSync(tree.path("large"));
    tree.write("next", content(1, 1, 100_000));
    fs.renameSync(tree.path("next"), tree.path("large"));
    clock.now += 1001;
    expect(await file(store, "/large")).not.toBe(opened);
    opened.release();
    store.close();
    expect(fs.fstatSync(opened.fd).ino).toBe(ino);
    expect(verify(bytesOf(opened), 1, 0)).toBeNull();
    opened.release();
    expect(opened.fd).toBe(-1);
  });

  test(`${name}: lets go of everything when it is closed`, async () => {
    using tree = new Tree();
    for (let i = 0; i < 20; i++) tree.write(`f${i}`, content(i, 0, 80_000));
    const before = openIn(tree.root);
    const store = make(tree);
    for (let i = 0; i < 20; i++) await file(store, `/f${i}`);
    const gone = new Asker();
    expect(store.list("/", 10, "", gone)).toBeNull();
    gone.gone = true;
    store.close();
    store.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(openIn(tree.root)).toBe(before);
  });
}

/** The store, closed with the test. */
export function closing<S extends Store>(it: S): { it: S } & Disposable {
  return { it, [Symbol.dispose]: () => it.close() };
}
