/**
 * What every store keeps, whatever it is made of: a suite that a store's own test file runs with a
 * way to make one over a tree of files. It looks at a store from above only, as doors do.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import {
  Asker,
  bytesOf,
  closing,
  codeOf,
  codesOf,
  contentOf,
  editInPlace,
  entries,
  file,
  list,
  pass,
  statOf,
} from "./asking.ts";

/** Makes the store under test over `tree`. */
export type MakeStore = (tree: Tree) => Store | Promise<Store>;

/** In what stores may differ. */
export interface Traits {
  /** What was done to the tree's files is done to what the store serves. */
  readonly sync: (tree: Tree) => Promise<void>;
  /** What the store tells of a file's time, which is `ns` in the tree; null: not that one. */
  readonly timeOf: (ns: bigint) => bigint | null;
  /** Whether folders have times. */
  readonly folderTimes: boolean;
  /** Whether a version that was replaced can still be read by who has it open. */
  readonly keepsVersions: boolean;
  /** The code for what is below a file. */
  readonly belowFile: "ENOTDIR" | "ENOENT";
  /** Files of a wide folder: of a store that is slow to fill, fewer. */
  readonly wide: number;
  /** How a test is run: skipped, where there is no such store here. */
  readonly run: (name: string, body: () => Promise<void>) => void;
}

/** What a local disk does. */
export const DISK_TRAITS: Traits = {
  sync: () => Promise.resolve(),
  timeOf: (ns) => ns,
  folderTimes: true,
  keepsVersions: true,
  belowFile: "ENOTDIR",
  wide: 1500,
  run: (name, body) => test(name, body),
};

/** Runs the suite for the store called `name`. */
export function contract(name: string, make: MakeStore, traits: Traits = DISK_TRAITS): void {
  for (const part of [contents, refusals, names, waiters, versions, changes, etags]) {
    part(name, make, traits);
  }
}

function contents(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: gives the bytes and the facts of files of every size`, async () => {
    using tree = new Tree();
    const sizes = [0, 1, 65_535, 65_536, 65_537, 1_000_000];
    for (const size of sizes) tree.write(`d/f${size}`, content(3, 0, size));
    using store = closing(await make(tree));
    for (const size of sizes) {
      const opened = await file(store.it, `/d/f${size}`);
      const bytes = await contentOf(opened);
      expect([size, typeof bytes === "string" ? bytes : verify(bytes, 3, 0)]).toEqual([size, null]);
      const { mtimeNs } = fs.statSync(tree.path(`d/f${size}`), { bigint: true });
      const mtime = traits.timeOf(mtimeNs) ?? opened.entry.mtime;
      expect(opened.entry).toMatchObject({ type: "file", size: BigInt(size), mtime });
      expect(await statOf(store.it, `/d/f${size}`)).toEqual(opened.entry);
    }
  });

  traits.run(`${name}: tells of a directory its time, and that it has no size`, async () => {
    using tree = new Tree({ "d/e/f": "x" });
    using store = closing(await make(tree));
    for (const path of ["/", "/d", "/d/", "/d/e"]) {
      const { mtimeNs } = fs.statSync(tree.path(path), { bigint: true });
      const mtime = traits.folderTimes ? mtimeNs : 0n;
      expect(await statOf(store.it, path)).toMatchObject({ type: "dir", size: 0n, mtime });
    }
  });
}

function refusals(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: refuses by the code that fits`, async () => {
    using tree = new Tree({ "d/f": "x", ".hidden": "x", "d/.h/f": "x" });
    using store = closing(await make(tree));
    const codes: Record<string, string> = {
      "/nope": "ENOENT",
      "/d": "EISDIR",
      "/": "EISDIR",
      "/d/f/g": traits.belowFile,
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

  traits.run(`${name}: refuses \`..\` wherever it stands, for every question`, async () => {
    using tree = new Tree({ "d/f": "x" });
    using store = closing(await make(tree));
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

function names(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: pages through a directory in byte order`, async () => {
    using tree = new Tree({ b: "", a: "", B: "", "a.b": "", d: null, ".h": "" });
    using store = closing(await make(tree));
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

  traits.run(`${name}: puts pages of any size together to the same directory`, async () => {
    using tree = new Tree();
    const wanted: string[] = [];
    const count = Math.min(300, traits.wide);
    for (let i = 0; i < count; i++) wanted.push(`${(i * 7919) % 1000}-${"x".repeat(i % 40)}`);
    for (const each of wanted) tree.write(each, "");
    wanted.sort();
    using store = closing(await make(tree));
    for (const limit of [1, 7, count - 1, count, count + 1]) {
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

  traits.run(`${name}: hides names with a dot in front from every question`, async () => {
    using tree = new Tree({ ".f": "x", ".d/f": "x", "d/.f": "x", "d/.d/f": "x", "d/f": "x" });
    using store = closing(await make(tree));
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

  traits.run(`${name}: takes all spellings of a path for one object`, async () => {
    using tree = new Tree({ "d/small": "x" });
    tree.write("d/large", content(1, 0, 100_000));
    using store = closing(await make(tree));
    for (const path of ["small", "large"]) {
      const canonical = await file(store.it, `/d/${path}`);
      for (const spelling of [`//d/${path}`, `/./d/${path}`, `/d//${path}`, `/d/././/${path}`]) {
        expect(await file(store.it, spelling)).toBe(canonical);
        expect(await statOf(store.it, spelling)).toEqual(canonical.entry);
      }
    }
    for (const spelling of ["/d", "/d/", "//d//", "/d/."]) {
      expect(await list(store.it, spelling, 10)).toBe("2 large small");
    }
  });
}

function waiters(name: string, make: MakeStore, traits: Traits): void {
  traits.run(
    `${name}: a waiter that is gone gets no answer and costs the others nothing`,
    async () => {
      using tree = new Tree({ a: "", b: "" });
      using store = closing(await make(tree));
      const before = openIn(tree.root);
      const answers: string[] = [];
      for (let i = 0; i < 20; i++) {
        const gone = new Asker();
        void gone.answer.promise.then(() => answers.push("came"));
        expect(store.it.list("/", 10, "", gone, false, true)).toBeNull();
        gone.gone = true;
      }
      expect(await list(store.it, "/", 10)).toBe("2 a b");
      expect(answers).toEqual([]);
      expect(openIn(tree.root)).toBe(before);
    },
  );

  traits.run(
    `${name}: a waiter is called later, once, and not at all when it goes half-way`,
    async () => {
      using tree = new Tree();
      for (let i = 0; i < traits.wide; i++) tree.write(`${i}${"x".repeat(40)}`, "");
      using store = closing(await make(tree));
      const calls = [0, 0];
      const askers = calls.map((_, index) => {
        const asker = new Asker();
        asker.listed = () => void (calls[index]! += 1);
        expect(store.it.list("/", 1000, "", asker, false, true)).toBeNull();
        return asker;
      });
      expect(calls).toEqual([0, 0]);
      await new Promise((resolve) => setImmediate(resolve));
      askers[0]!.gone = true;
      expect(await list(store.it, "/", 0)).toBe("0+ ");
      await eventually("the other's answer", () => calls[1] === 1);
      for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(calls).toEqual([0, 1]);
    },
  );
}

function versions(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: a version is its own, and a new one is seen within a second`, async () => {
    using tree = new Tree({ small: "one", large: content(1, 0, 100_000) });
    using store = closing(await make(tree));
    for (const path of ["small", "large"]) {
      const before = await file(store.it, `/${path}`);
      before.retain();
      const old = await contentOf(before);
      tree.write("next", path === "small" ? "two" : content(1, 1, 100_000));
      fs.renameSync(tree.path("next"), tree.path(path));
      await traits.sync(tree);
      pass(1001);
      const after = await file(store.it, `/${path}`);
      expect(after.entry.etag).not.toBe(before.entry.etag);
      const kept = traits.keepsVersions || before.body !== null;
      // Never the new one's bytes under the old one's version.
      expect(await contentOf(before)).toEqual(kept ? old : "changed");
      expect(await contentOf(after)).toEqual(fs.readFileSync(tree.path(path)));
      expect(before.revalidate()).toBe("same");
      before.release();
    }
  });

  traits.run(`${name}: remembers nothing of names that did not exist`, async () => {
    using tree = new Tree();
    using store = closing(await make(tree));
    expect(await codeOf(store.it, "/f")).toBe("ENOENT");
    tree.write("f", "now");
    await traits.sync(tree);
    expect((await contentOf(await file(store.it, "/f"))).toString()).toBe("now");
  });
}

function etags(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: a version has one etag, whoever is asked, and each its own`, async () => {
    using tree = new Tree();
    using store = closing(await make(tree));
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
      await traits.sync(tree);
      pass(1001);
      const { entry } = await file(store.it, `/${path}`);
      expect(entry.etag).toMatch(/^[0-9a-f]{16}$/);
      expect(await statOf(store.it, `/${path}`)).toEqual(entry);
      expect((await entries(store.it, "/")).get(path)).toEqual(entry);
      seen.add(entry.etag);
    }
    expect(seen.size).toBe(versionsOf.length);
  });
}

function changes(name: string, make: MakeStore, traits: Traits): void {
  traits.run(`${name}: an edit in place of a held small file is seen within a second`, async () => {
    using tree = new Tree({ small: "one" });
    using store = closing(await make(tree));
    const before = await file(store.it, "/small");
    editInPlace(tree.path("small"), "two");
    await traits.sync(tree);
    // What is held is a version whole: within the second both answers are right.
    expect(["one", "two"]).toContain(bytesOf(await file(store.it, "/small")).toString());
    pass(1001);
    const after = await file(store.it, "/small");
    expect(bytesOf(after).toString()).toBe("two");
    expect(bytesOf(before).toString()).toBe("one");
    expect(after.entry.etag).not.toBe(before.entry.etag);
  });

  traits.run(
    `${name}: a file that is not trusted any more is looked at again at once`,
    async () => {
      using tree = new Tree({ small: "one" });
      using store = closing(await make(tree));
      const before = await file(store.it, "/small");
      editInPlace(tree.path("small"), "two");
      await traits.sync(tree);
      before.expire();
      expect(bytesOf(await file(store.it, "/small")).toString()).toBe("two");
    },
  );

  traits.run(`${name}: a name that was removed is gone within a second`, async () => {
    using tree = new Tree({ small: "one", "d/f": "x" });
    tree.write("large", content(1, 0, 100_000));
    using store = closing(await make(tree));
    for (const path of ["/small", "/large", "/d/f"]) await file(store.it, path);
    fs.rmSync(tree.path("small"));
    fs.rmSync(tree.path("large"));
    fs.renameSync(tree.path("d"), tree.path("e"));
    await traits.sync(tree);
    pass(1001);
    for (const path of ["/small", "/large", "/d/f"]) {
      expect([path, await codeOf(store.it, path)]).toEqual([path, "ENOENT"]);
    }
    expect(await codeOf(store.it, "/e/f")).toBe("opened");
  });
}
