/**
 * What every store keeps, whatever it is made of: a suite that a store's own test file runs with a
 * way to make one over a tree of files. It looks at a store from above only, as doors do.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { Listing, OpenFile, Store, Waiter } from "../../src/store/store.ts";
import { clock } from "../../src/sys/clock.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";

/** Makes the store under test over `tree`. */
export type MakeStore = (tree: Tree) => Store;

/** Waits for a store's answer. */
class Asker implements Waiter {
  gone = false;
  readonly answer = Promise.withResolvers<OpenFile | Listing | Refusal>();
  opened(result: OpenFile | Refusal): void {
    this.answer.resolve(result);
  }
  listed(result: Listing | Refusal): void {
    this.answer.resolve(result);
  }
  crash(error: unknown): void {
    this.answer.reject(error);
  }
}

async function open(store: Store, path: string): Promise<OpenFile | Refusal> {
  const asker = new Asker();
  return store.open(path, asker) ?? ((await asker.answer.promise) as OpenFile | Refusal);
}

async function file(store: Store, path: string): Promise<OpenFile> {
  const opened = await open(store, path);
  if (opened instanceof Refusal) throw new Error(`${path}: ${opened.message}`);
  return opened;
}

async function list(store: Store, path: string, limit: number, after = ""): Promise<string> {
  const asker = new Asker();
  const refused = store.list(path, limit, after, asker);
  const answer = refused ?? (await asker.answer.promise);
  if (answer instanceof Refusal) return answer.code;
  const { text, count, more } = answer as Listing;
  const names = Buffer.from(text)
    .toString("latin1")
    .replace(/^.* /gm, "")
    .trim()
    .replaceAll("\n", " ");
  return `${count}${more ? "+" : ""} ${names}`;
}

function bytesOf(opened: OpenFile): Buffer {
  if (opened.body !== null) return Buffer.from(opened.body);
  const bytes = Buffer.alloc(Number(opened.entry.size));
  fs.readSync(opened.fd, bytes, 0, bytes.length, 0);
  return bytes;
}

async function codeOf(store: Store, path: string): Promise<string> {
  const opened = await open(store, path);
  return opened instanceof Refusal ? opened.code : "opened";
}

/** Runs the suite for the store called `name`. */
export function contract(name: string, make: MakeStore): void {
  contents(name, make);
  names(name, make);
  versions(name, make);
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
      expect(store.it.stat(`/d/f${size}`)).toEqual(opened.entry);
    }
  });

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
      "/d/f\0": "EINVAL",
    };
    for (const [path, code] of Object.entries(codes)) {
      expect([path, await codeOf(store.it, path)]).toEqual([path, code]);
    }
    expect(await list(store.it, "/d/f", 10)).toBe("ENOTDIR");
    expect(await list(store.it, "/nope", 10)).toBe("ENOENT");
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
      expect(before.fate()).toBe("same");
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

  test(`${name}: lets go of everything when it is closed`, async () => {
    using tree = new Tree();
    for (let i = 0; i < 20; i++) tree.write(`f${i}`, content(i, 0, 80_000));
    const before = fs.readdirSync("/proc/self/fd").length;
    const store = make(tree);
    for (let i = 0; i < 20; i++) await file(store, `/f${i}`);
    const gone = new Asker();
    expect(store.list("/", 10, "", gone)).toBeNull();
    gone.gone = true;
    store.close();
    store.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
  });
}

function closing(it: Store): { it: Store } & Disposable {
  return { it, [Symbol.dispose]: () => it.close() };
}
