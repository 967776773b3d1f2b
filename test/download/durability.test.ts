/**
 * What outlives a power cut: the disk calls of real deliveries, recorded, in the order that is
 * promised; and the power cut behind each of them.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Folder } from "../../src/destination/folder.ts";
import { stagedName, Staging } from "../../src/destination/staging.ts";
import { FolderTree } from "../../src/destination/tree.ts";
import { Delivery } from "../../src/download/delivery.ts";
import { Origin } from "../../src/download/origin.ts";
import { Progress } from "../../src/download/progress.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Apart } from "../rig/apart.ts";
import { type DiskCall, contentOf, DiskLog } from "../rig/disklog.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { ABSENT, cutEverywhere, PowerCut, type Versions } from "../rig/powercut.ts";
import { Tree } from "../rig/tree.ts";

const LARGE = 5 * 1024 * 1024 + 7;

/** Files by path, with the sizes of what they become. */
type Sizes = Readonly<Record<string, number>>;

/** Many small files of one folder and of nested ones, and large ones beside and below them. */
const MIXED: Record<string, number> = { large: LARGE, "a/b/large": LARGE + 1, "a/b/c/d/e": 5 };
for (let nth = 0; nth < 12; nth++) MIXED[`s${nth}`] = nth * 999;
for (let nth = 0; nth < 30; nth++) MIXED[`n${nth % 11}/x${nth % 3}/f${nth}`] = nth * 333;

/** A delivery that was recorded. */
interface Recorded {
  readonly calls: readonly DiskCall[];
  readonly files: ReadonlyMap<string, Versions>;
  readonly disk: PowerCut;
  readonly undelivered: readonly string[];
}

/** Delivers files of `sizes` as a mirror does; those of `old` were there. */
async function deliver(sizes: Sizes, old: Sizes = {}): Promise<Recorded> {
  const paths = Object.keys(sizes);
  const contents = new Map(paths.map((path, nth) => [path, content(nth, 2, sizes[path]!)]));
  using source = new Tree(Object.fromEntries(contents));
  using tree = new Tree({ to: null });
  const files = new Map<string, Versions>();
  for (const [path, bytes] of contents) files.set(path, { old: ABSENT, new: contentOf(bytes) });
  const kept: number[] = [];
  for (const [path, size] of Object.entries(old)) {
    const bytes = content(99, 1, size);
    tree.write(`to/${path}`, bytes);
    files.set(path, { old: contentOf(bytes), new: files.get(path)?.new ?? contentOf(bytes) });
    // Their inodes must not become those of new files.
    kept.push(fs.openSync(tree.path(`to/${path}`), "r"));
  }
  await using server = await Apart.start(source.root);
  const disk = PowerCut.load(tree.path("to"));
  using log = new DiskLog();
  const undelivered = await bring(server.port, tree.path("to"), paths, log);
  for (const fd of kept) fs.closeSync(fd);
  return { calls: log.calls, files, disk, undelivered };
}

/** Brings `paths` into the folder `to`; what did not come. */
async function bring(
  port: number,
  to: string,
  paths: readonly string[],
  log: DiskLog,
): Promise<string[]> {
  const undelivered: string[] = [];
  const connection = { connectTimeoutMs: 5000, stallTimeoutMs: 5000 };
  const quiet = { waited: () => {}, note: () => {} };
  const options = {
    connection,
    connections: 2,
    retries: 0,
    retryRefused: false,
    verify: true,
    delta: true,
    ...quiet,
  };
  const origin = new Origin({ host: "127.0.0.1", port }, options);
  const top = Folder.open(to, true);
  const staging = Staging.open(top);
  staging.lock();
  const folders = new FolderTree(top);
  const delivery = new Delivery(origin, staging, new Progress(), {
    delivered: (_file, { file }) => log.mark(file.path.slice(1)),
    undelivered: (_file, _error, { file }) => undelivered.push(file.path.slice(1)),
  });
  for (const path of paths) {
    const entry = await origin.control.ask((client) => client.stat(`/${path}`));
    const slash = path.lastIndexOf("/");
    const folder = folders.hold(slash < 0 ? "" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    const known = { folder, name, staged: stagedName(path), replace: true, restarts: 0, bad: 0 };
    await delivery.add({ file: { path: `/${path}`, entry }, ...known });
  }
  await delivery.finish();
  folders.close();
  staging.close();
  top.close();
  origin.close();
  return undelivered.toSorted();
}

/** Where in the log `path` got its content synced, its name, its folder synced, and its report. */
function stepsOf({ calls, files }: Recorded, path: string): number[] {
  const reported = calls.findIndex((call) => call.call === "mark" && call.text === path);
  const last = path.slice(path.lastIndexOf("/") + 1);
  const changeOf = (ino: number): number =>
    calls.findLastIndex((call) => call.call === "change" && call.ino === ino);
  const isNaming = (call: DiskCall): boolean => {
    if (call.call !== "name" || call.name !== last) return false;
    const change = calls[changeOf(call.ino)];
    return change?.call === "change" && change.content === files.get(path)?.new;
  };
  const named = calls.findLastIndex(isNaming);
  const naming = calls[named];
  if (naming?.call !== "name") throw new Error(`${path} got no name`);
  const syncOf = (ino: number, behind: number): number =>
    calls.findIndex((call, nth) => {
      if (nth <= behind) return false;
      return call.call === "syncfs" || (call.call === "sync" && call.ino === ino);
    });
  const changed = changeOf(naming.ino);
  const content = syncOf(naming.ino, changed);
  return [changed, content, named, syncOf(naming.folder, named), reported];
}

function count({ calls }: Recorded, call: DiskCall["call"]): number {
  return calls.filter((each) => each.call === call).length;
}

const COURSES: [name: string, sizes: Sizes, old: Sizes][] = [
  ["one small file", { f: 1000 }, {}],
  ["an empty file", { f: 0 }, {}],
  ["a small file over an old one", { f: 1000 }, { f: 2000 }],
  ["a large file", { large: LARGE }, {}],
  ["a large file over an old one", { large: LARGE }, { large: LARGE + 1000 }],
  ["a small file in new folders", { "a/b/c/f": 1000 }, {}],
  ["a large file in new folders", { "a/b/c/large": LARGE }, {}],
  ["many files, small, large and nested, some over old ones", MIXED, { s3: 5, large: 7, other: 3 }],
];

test.each(COURSES)(
  "content, then name, then folder, then the report: %s",
  async (_, sizes, old) => {
    const recorded = await deliver(sizes, old);
    expect(recorded.undelivered).toEqual([]);
    for (const path of Object.keys(sizes)) {
      const steps = stepsOf(recorded, path);
      expect([path, ...steps]).toEqual([path, ...steps.toSorted((one, other) => one - other)]);
      expect([path, Math.min(...steps) >= 0, new Set(steps).size]).toEqual([path, true, 5]);
    }
  },
);

test.each(COURSES)(
  "whenever the power goes each name is old, new or absent: %s",
  async (_, sizes, old) => {
    const { calls, files, disk } = await deliver(sizes, old);
    const { wrong, cuts } = cutEverywhere(disk, calls, files);
    expect(wrong).toEqual([]);
    expect(cuts).toBeGreaterThan(5);
  },
);

test("the same on a file system that has no RENAME_NOREPLACE and no syncfs", async () => {
  using _ = replaceCall("syncfs", () => () => -ERRNO.ENOSYS);
  using __ = replaceCall("renameat", (real) => (...args) => {
    return args[4] ? real(...args) : -ERRNO.EINVAL;
  });
  const { calls, files, disk, undelivered } = await deliver(MIXED);
  expect([undelivered, cutEverywhere(disk, calls, files).wrong]).toEqual([[], []]);
});

test("many files of a few folders cost one sync of contents, and one of each folder", async () => {
  const sizes: Record<string, number> = {};
  for (let nth = 0; nth < 40; nth++) sizes[`${nth % 4 === 0 ? "" : `d${nth % 4}/`}f${nth}`] = nth;
  const recorded = await deliver(sizes);
  expect([count(recorded, "syncfs"), count(recorded, "sync")]).toEqual([1, 4]);
  const wide: Record<string, number> = {};
  for (let nth = 0; nth < 40; nth++) wide[`d${nth}/f`] = nth;
  const others = await deliver(wide);
  expect([count(others, "syncfs"), count(others, "sync")]).toEqual([2, 0]);
});

test("a folder that can't be synced: its files are not reported as done, the others are", async () => {
  const sizes = { "a/f": 10, "b/f": 20, f: 30 };
  const lost = (fd: number): boolean => fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith("/a");
  using _ = replaceCall("fsync", (real) => (fd) => (lost(fd) ? -ERRNO.EIO : real(fd)));
  const { undelivered, calls } = await deliver(sizes);
  expect(undelivered).toEqual(["a/f"]);
  const marks = calls.flatMap((call) => (call.call === "mark" ? [call.text] : []));
  expect(marks.toSorted()).toEqual(["b/f", "f"]);
});

test("without the syncs of contents, or of folders, the power cut is seen to do harm", async () => {
  const { calls, files, disk } = await deliver({ f: 1000, large: LARGE, "a/b/f": 5 });
  const contents = new Set(calls.map((call) => (call.call === "change" ? call.ino : 0)));
  const folders = new Set(calls.map((call) => (call.call === "name" ? call.folder : 0)));
  const wrongWithout = (inodes: ReadonlySet<number>): string[] => {
    const nothing: DiskCall = { call: "mark", text: "" };
    const left = calls.map((call) =>
      call.call === "sync" && inodes.has(call.ino) ? nothing : call,
    );
    return cutEverywhere(disk, left, files).wrong;
  };
  expect(wrongWithout(new Set())).toEqual([]);
  for (const path of ["f", "large", "a/b/f"]) {
    const hit = (wrong: readonly string[]): boolean =>
      wrong.some((line) => line.includes(`: ${path}`));
    expect([path, hit(wrongWithout(contents)), hit(wrongWithout(folders))]).toEqual([
      path,
      true,
      true,
    ]);
  }
  // The folder that the file is in was synced, the one that has this folder's name was not.
  const withoutTop = wrongWithout(new Set([disk.top])).join("\n");
  expect(withoutTop).toContain("a/b/f, reported may be absent");
});
