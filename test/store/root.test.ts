/** What the kernel is asked for below a root, by flags written out here, and its answers. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { COLD, Root, type RootPolicy } from "../../src/store/root.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const POLICY: RootPolicy = { hidden: false, symlinks: true, mounts: false, unconfined: false };

// openat2(2): RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, _BENEATH, _CACHED.
const [NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, CACHED] = [1, 2, 4, 8, 32] as const;

function rootOf(tree: Tree, policy: Partial<RootPolicy> = {}, only: string | null = null) {
  const fd = kernel.openat(AT_FDCWD, tree.root, OPEN.readOnly | OPEN.directory);
  const root = new Root(fd, tree.root, { ...POLICY, ...policy }, only);
  return Object.assign(root, { [Symbol.dispose]: () => root.close() });
}

/** The flags of each call of openat2 (`using`), which answers what `answer` does. */
function resolving(answer?: (nth: number, path: string) => number | null) {
  const asked: number[] = [];
  const call = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    asked.push(resolve);
    // What happens to be in memory is not what is tested.
    const given = answer?.(asked.length, path) ?? null;
    return given ?? real(dirfd, path, flags, resolve & ~CACHED, mode);
  });
  return Object.assign(call, { asked });
}

test("each look is confined, without links first, and in memory alone where that is asked", () => {
  using tree = new Tree({ "d/f": "x" });
  tree.link("l", "d/f");
  const stat = new FileStat();
  for (const mounts of [false, true]) {
    using root = rootOf(tree, { mounts });
    const wall = BENEATH | NO_MAGICLINKS | (mounts ? 0 : NO_XDEV);
    const look = (ask: () => number): number[] => {
      using calls = resolving();
      const fd = ask();
      expect(fd).toBeGreaterThan(0);
      kernel.close(fd);
      return calls.asked;
    };
    const direct = [wall | NO_SYMLINKS];
    expect(look(() => root.openPath("d/f", stat))).toEqual(direct);
    expect(look(() => root.openPath("l", stat))).toEqual([wall | NO_SYMLINKS, wall]);
    // What the kernel can tell is not known before the probe.
    expect(look(() => root.openCached("d/f", stat))).toEqual(direct);
    {
      using calls = resolving();
      expect(root.probe()).toBe(0);
      expect(calls.asked).toEqual([wall, wall | CACHED]);
    }
    expect(look(() => root.openPath("d/f", stat))).toEqual(direct);
    expect(look(() => root.openCached("d/f", stat))).toEqual([wall | NO_SYMLINKS | CACHED]);
    expect(look(() => root.openCached("l", stat))).toEqual([
      wall | NO_SYMLINKS | CACHED,
      wall | CACHED,
    ]);
    expect([stat.isFile, stat.size]).toEqual([true, 1n]);
  }
  using strict = rootOf(tree, { symlinks: false });
  using calls = resolving();
  expect(strict.openPath("l", stat)).toBe(-ERRNO.ELOOP);
  expect(calls.asked).toEqual([BENEATH | NO_MAGICLINKS | NO_XDEV | NO_SYMLINKS]);
  expect(openIn(tree.root)).toBe(1);
});

test.each([
  ["EAGAIN", true],
  ["EINVAL", false],
] as const)("a probe that is answered %s: what is in memory can be told is %p", (errno, told) => {
  using tree = new Tree({ f: "x" });
  using root = rootOf(tree);
  const stat = new FileStat();
  {
    using _calls = resolving((nth) => (nth === 2 ? -ERRNO[errno] : null));
    expect(root.probe()).toBe(0);
  }
  using calls = resolving();
  kernel.close(root.openCached("f", stat));
  expect((calls.asked[0]! & CACHED) !== 0).toBe(told);
  expect(openIn(tree.root)).toBe(1);
});

test("a probe that fails says so, leaves nothing open, and nothing is told of memory", () => {
  using tree = new Tree({ f: "x" });
  using root = rootOf(tree);
  {
    using _calls = resolving(() => -ERRNO.ENOSYS);
    expect(root.probe()).toBe(-ERRNO.ENOSYS);
  }
  {
    using _noProc = replaceCall("openat", () => () => -ERRNO.ENOENT);
    expect(root.probe()).toBe(-ERRNO.EIO);
  }
  using calls = resolving(() => COLD);
  expect([root.isCached(-1, "f"), calls.asked, openIn(tree.root)]).toEqual([true, [], 1]);
});

test("a name in an open folder is in memory unless the kernel says that it would have to wait", () => {
  using tree = new Tree({ "d/f": "x" });
  tree.link("d/l", "nowhere");
  using root = rootOf(tree);
  const folder = kernel.openat(AT_FDCWD, tree.path("d"), OPEN.readOnly | OPEN.directory);
  {
    using _calls = resolving();
    root.probe();
  }
  let answer: number | null = null;
  {
    using calls = resolving(() => answer);
    const cached = ["f", "l", "no"].map((name) => root.isCached(folder, name));
    expect(cached).toEqual([true, true, true]);
    expect(calls.asked).toEqual([BENEATH | CACHED, BENEATH | CACHED, BENEATH | CACHED]);
    answer = COLD;
    expect(root.isCached(folder, "f")).toBe(false);
    answer = -ERRNO.ENOMEM;
    expect(root.isCached(folder, "f")).toBe(true);
  }
  kernel.close(folder);
  expect(openIn(tree.root)).toBe(1);
});

test("a rename that races with a look is tried again, a storm of them is EBUSY; in memory never", () => {
  using tree = new Tree({ f: "x" });
  using root = rootOf(tree);
  const stat = new FileStat();
  {
    using calls = resolving((nth) => (nth < 100 ? -ERRNO.EAGAIN : null));
    const fd = root.openPath("f", stat);
    kernel.close(fd);
    expect([fd > 0, calls.asked.length]).toEqual([true, 100]);
  }
  {
    using calls = resolving(() => -ERRNO.EAGAIN);
    expect(root.openPath("f", stat)).toBe(-ERRNO.EBUSY);
    expect(calls.asked.length).toBeLessThan(1000);
  }
  {
    using _calls = resolving();
    root.probe();
  }
  using calls = resolving(() => -ERRNO.EAGAIN);
  expect([root.openCached("f", stat), calls.asked.length]).toEqual([COLD, 1]);
});

test("a root's device is its folder's, its parts make the same root, its close is its own", () => {
  using tree = new Tree({ f: "x" });
  const root = rootOf(tree, { hidden: true }, "f");
  const stat = new FileStat();
  expect(kernel.statx(AT_FDCWD, tree.root, stat)).toBe(0);
  const { dev } = stat;
  expect([root.device, root.device]).toEqual([dev, dev]);
  const { fd, name, policy, only } = root.parts;
  expect([name, policy, only]).toEqual([tree.root, { ...POLICY, hidden: true }, "f"]);
  expect(fs.readlinkSync(`/proc/self/fd/${fd}`)).toBe(tree.root);
  root.close();
  expect([root.parts.fd, openIn(tree.root)]).toEqual([-1, 0]);
  using blind = rootOf(tree);
  using _fails = replaceCall("statx", () => () => -ERRNO.EIO);
  expect(blind.device).toBe(-1n);
});

test("names that policy hides do not exist, and beside one file that is served none does", () => {
  using tree = new Tree({ f: "x", g: "x", ".h/f": "x", "d/.h": "x" });
  const allowed = (root: Root): boolean[] => {
    return [".", "f", "g", ".h/f", "d/.h", "d"].map((name) => root.allows(name));
  };
  using root = rootOf(tree);
  expect(allowed(root)).toEqual([true, true, true, false, false, true]);
  using all = rootOf(tree, { hidden: true });
  expect(allowed(all)).toEqual([true, true, true, true, true, true]);
  using one = rootOf(tree, { hidden: true }, "f");
  expect(allowed(one)).toEqual([true, true, false, false, false, false]);
  using calls = resolving();
  expect(root.openPath(".h/f", new FileStat())).toBe(-ERRNO.ENOENT);
  expect(calls.asked).toEqual([]);
});

test("unconfined, policy is kept all the same: no link where none may be, nothing hidden", () => {
  using tree = new Tree({ f: "x", "d/f": "x", ".h/f": "x" });
  tree.link("l", "f");
  tree.link("h", ".h/f");
  tree.link("out", "/etc/passwd");
  const stat = new FileStat();
  const answers = (root: Root): number[] =>
    ["f", "d/f", "d/", ".", "l", "h", "out", ".h/f"].map((name) => {
      const fd = root.openPath(name, stat);
      if (fd > 0) kernel.close(fd);
      return Math.min(fd, 1);
    });
  const [hidden, loop] = [-ERRNO.ENOENT, -ERRNO.ELOOP];
  using free = rootOf(tree, { unconfined: true });
  expect(answers(free)).toEqual([1, 1, 1, 1, 1, hidden, 1, hidden]);
  using strict = rootOf(tree, { unconfined: true, symlinks: false });
  expect(answers(strict)).toEqual([1, 1, 1, 1, loop, loop, loop, hidden]);
  using open = rootOf(tree, { unconfined: true, hidden: true });
  expect(answers(open)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  expect(openIn(tree.root)).toBe(3);
});

test("a link whose end has left the root by the time it is asked for is refused", () => {
  using tree = new Tree({ f: "x" });
  tree.link("l", "f");
  using root = rootOf(tree);
  let calls = 0;
  using _moved = replaceCall("readlink", (real) => (path) => {
    return ++calls === 1 ? "/elsewhere/f" : real(path);
  });
  expect([root.openPath("l", new FileStat()), openIn(tree.root)]).toEqual([-ERRNO.EACCES, 1]);
});
