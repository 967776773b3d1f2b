/** One file on its way: nobody else's while it is filled, whole when it has its name. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { inTheWay, Staged } from "../../src/destination/staged.ts";
import { Staging } from "../../src/destination/staging.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { replaceCall } from "../rig/faults.ts";
import { failed, recording, TemporaryDestination } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

/** A staged file "x" with `content`. */
function filled(destination: TemporaryDestination, content: string): Staged {
  const file = Staged.open(destination.staging, "x");
  file.write(Buffer.from(content, "latin1"), 0n);
  return file;
}

test("a second opener is refused while the first fills it, and goes on from what it left", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const first = filled(destination, "first");
  expect(first.had).toBe(0n);
  const error = failed(() => Staged.open(destination.staging, "x"));
  expect([error.code, error.message]).toEqual([
    "EBUSY",
    "another cli6 is fetching x: wait for its end",
  ]);
  first.close();
  const second = Staged.open(destination.staging, "x");
  expect(second.had).toBe(5n);
  second.close();
  expect([destination.staged(), openInTrees()]).toEqual([["x"], before]);
});

test("a file that is published while it is opened is not filled again under its new name", () => {
  using destination = new TemporaryDestination();
  const first = filled(destination, "first");
  let published = 0;
  using _ = replaceCall("lock", (real) => (fd) => {
    // Between the open and the lock the holder publishes and lets go.
    if (published++ === 0) {
      first.publish(destination.publication());
      first.close();
    }
    return real(fd);
  });
  const second = Staged.open(destination.staging, "x");
  expect([second.had, published]).toEqual([0n, 2]);
  second.write(Buffer.from("second"), 0n);
  expect([destination.content("f"), destination.staged()]).toEqual(["first", ["x"]]);
  second.close();
});

test("nor when the next one has begun under its old name: that one is filled", () => {
  using destination = new TemporaryDestination();
  const first = filled(destination, "first");
  let locks = 0;
  using _ = replaceCall("lock", (real) => (fd) => {
    if (locks++ === 0) {
      first.publish(destination.publication());
      first.close();
      destination.tree.write(`${destination.stagingName}/x`, "begun");
    }
    return real(fd);
  });
  const second = Staged.open(destination.staging, "x");
  expect([second.had, locks]).toEqual([5n, 2]);
  second.write(Buffer.from("again"), 0n);
  expect([destination.content("f"), destination.content(`${destination.stagingName}/x`)]).toEqual([
    "first",
    "again",
  ]);
  second.close();
});

test("one that is replaced at each try is given up, with nothing left open", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  let times = 0;
  using _ = replaceCall("lock", () => () => {
    fs.renameSync(
      destination.tree.path(`${destination.stagingName}/x`),
      destination.tree.path(`f${times++}`),
    );
    return 0;
  });
  const error = failed(() => Staged.open(destination.staging, "x"));
  expect([error.code, times, openInTrees()]).toEqual(["EBUSY", 8, before]);
});

test("links, pipes and folders in the way are refused, followed or opened for ever by nobody", () => {
  using destination = new TemporaryDestination({ victim: "untouched" });
  const before = openInTrees();
  const at = (name: string): string => destination.tree.path(`${destination.stagingName}/${name}`);
  fs.symlinkSync("../victim", at("link"));
  fs.symlinkSync("../made", at("dangling"));
  fs.mkdirSync(at("folder"));
  expect(Bun.spawnSync(["mkfifo", at("pipe")]).exitCode).toBe(0);
  const codes = ["link", "dangling", "folder", "pipe"].map(
    (name) => failed(() => Staged.open(destination.staging, name)).code,
  );
  expect(codes).toEqual(["ELOOP", "ELOOP", "EISDIR", "EEXIST"]);
  expect([destination.content("victim"), destination.names().includes("made")]).toEqual([
    "untouched",
    false,
  ]);
  expect(openInTrees()).toBe(before);
});

test("in a folder that is locked as a whole new files are opened by one call", () => {
  using destination = new TemporaryDestination();
  destination.staging.lock();
  using rows = recording("openat", "lock", "statx");
  const file = filled(destination, "x");
  expect([file.had, rows.calls]).toEqual([0n, ["openat"]]);
  file.close();
  const again = Staged.open(destination.staging, "x");
  expect([again.had, rows.calls.length > 2]).toEqual([1n, true]);
  again.close();
});

test("room is reserved before a byte has come, and what is too long is cut", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "0123456789");
  file.close();
  const again = Staged.open(destination.staging, "x");
  again.reserve(4n);
  expect(fs.fstatSync(again.fd).size).toBe(4);
  again.reserve(100_000n);
  expect(fs.fstatSync(again.fd).size).toBe(100_000);
  expect(fs.fstatSync(again.fd).blocks * 512).toBeGreaterThanOrEqual(100_000);
  again.close();
  const empty = Staged.open(destination.staging, "x");
  empty.reserve(0n);
  expect(fs.fstatSync(empty.fd).size).toBe(0);
  empty.close();
});

test("where nothing can be reserved the file is sized; a full disk is told at once", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "x");
  for (const errno of [ERRNO.EOPNOTSUPP, ERRNO.ENOSYS]) {
    using _ = replaceCall("fallocate", () => () => -errno);
    file.reserve(BigInt(errno) * 1000n);
    expect(fs.fstatSync(file.fd).size).toBe(errno * 1000);
  }
  using _ = replaceCall("fallocate", () => () => -ERRNO.ENOSPC);
  const error = failed(() => file.reserve(2n ** 40n));
  expect([error.code, error.message]).toEqual([
    "ENOSPC",
    `reserving 1099511627776 bytes for ${destination.folder.pathOf("x")}: no space left on device`,
  ]);
  file.close();
});

test("where the disk is full a file keeps the size that it had, and no room that was found", () => {
  using destination = new TemporaryDestination();
  filled(destination, "0123456789").close();
  const file = Staged.open(destination.staging, "x");
  using _ = replaceCall("fallocate", (real) => (fd, size) => {
    real(fd, size);
    fs.ftruncateSync(fd, Number(size));
    return -ERRNO.ENOSPC;
  });
  const sizes = [100_000n, 4n].map((size) => {
    expect(failed(() => file.reserve(size)).code).toBe("ENOSPC");
    return fs.fstatSync(file.fd).size;
  });
  expect(sizes).toEqual([10, 4]);
  file.close();
});

test("a file is blank until something is written, whatever is reserved", () => {
  using destination = new TemporaryDestination();
  const file = Staged.open(destination.staging, "x");
  expect(file.blank).toBe(true);
  file.reserve(100_000n);
  expect(file.blank).toBe(true);
  file.write(Buffer.from("x"), 50_000n);
  expect(file.blank).toBe(false);
  file.close();
  const short = Staged.open(destination.staging, "y");
  short.write(Buffer.from("y"), 0n);
  expect(short.blank).toBe(false);
  short.close();
});

test("in a folder that is locked as a whole a file that is claimed is kept from all others", () => {
  using destination = new TemporaryDestination();
  const other = Staging.open(destination.folder);
  destination.staging.lock();
  const [claimed, free] = ["x", "y"].map((name) => Staged.open(destination.staging, name));
  claimed!.claim();
  const error = failed(() => Staged.open(other, "x"));
  expect(error.message).toBe("another cli6 is fetching x: wait for its end");
  Staged.open(other, "y").close();
  const held = Staged.open(other, "z");
  const again = Staged.open(destination.staging, "w");
  // Elsewhere open() has claimed it.
  held.claim();
  using _ = replaceCall("lock", () => () => -ERRNO.EAGAIN);
  held.claim();
  expect(failed(() => again.claim()).code).toBe("EBUSY");
  for (const file of [claimed, free, held, again]) file!.close();
  other.close();
});

test.each([
  ["lock", "locking", (file: Staged) => file.claim()],
  ["setMtime", "dating", (file: Staged) => file.note(5n, "")],
  ["pwrite", "writing", (file: Staged) => file.write(Buffer.from("x"), 0n)],
  ["ftruncate", "cutting", (file: Staged) => file.reserve(1n)],
  ["ftruncate", "sizing", (file: Staged) => file.reserve(1_000_000n)],
] as const)("where %s fails, %s is what could not be done", (row, doing, action) => {
  using destination = new TemporaryDestination({ [`.cli6-${process.geteuid!()}/x`]: "four" });
  destination.staging.lock();
  const file = Staged.open(destination.staging, "x");
  using _ = replaceCall(row, () => () => -ERRNO.EIO);
  using __ = replaceCall("fallocate", () => () => -ERRNO.ENOSYS);
  expect(failed(() => action(file)).message).toBe(
    `${doing} ${destination.folder.pathOf("x")}: i/o error`,
  );
  file.close();
});

test("holes of an earlier run are told from what it wrote", () => {
  using destination = new TemporaryDestination();
  const MIB = 1 << 20;
  const first = Staged.open(destination.staging, "x");
  first.reserve(BigInt(8 * MIB));
  first.write(new Uint8Array(MIB).fill(1), BigInt(4 * MIB));
  // A run has no past of its own: what it writes itself is not asked about.
  expect(first.hasData(BigInt(4 * MIB), BigInt(MIB))).toBe(false);
  first.close();
  const file = Staged.open(destination.staging, "x");
  const answers = [0, 2, 3, 4, 5, 6, 8, 9].map((at) => {
    return file.hasData(BigInt(at * MIB), BigInt(2 * MIB));
  });
  expect(answers).toEqual([false, false, true, true, false, false, false, false]);
  // Where the file system can't tell, everything may be data.
  using _ = replaceCall("nextData", () => () => -ERRNO.EINVAL);
  expect([file.hasData(0n, 1n), file.hasData(BigInt(8 * MIB), 1n)]).toEqual([true, false]);
  file.close();
});

test("writes go on where they were short or interrupted, and end at the first error", () => {
  using destination = new TemporaryDestination();
  const file = Staged.open(destination.staging, "x");
  const steps = [2, -ERRNO.EINTR, 1, 99];
  {
    using _ = replaceCall("pwrite", (real) => (fd, bytes, count, offset) => {
      const step = steps.shift() ?? 0;
      return step < 0 ? step : real(fd, bytes, Math.min(count, step), offset);
    });
    file.write(Buffer.from("abcdef"), 3n);
  }
  expect(destination.content(`${destination.stagingName}/x`)).toBe("\0\0\0abcdef");
  for (const [answer, code] of [
    [-ERRNO.ENOSPC, "ENOSPC"],
    [-ERRNO.EIO, "EIO"],
    [0, "EIO"],
  ] as const) {
    using _ = replaceCall("pwrite", () => () => answer);
    expect(failed(() => file.write(Buffer.from("x"), 0n)).code).toBe(code);
  }
  file.close();
});

test("a published file has its content, its time and its rights, and its folder is to be synced", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "whole");
  const publication = destination.publication("f", { etag: "e1" });
  file.note(publication.mtime, publication.etag);
  expect(destination.folder.changed).toBe(false);
  file.publish(publication);
  expect(destination.folder.changed).toBe(true);
  expect([destination.content("f"), destination.staged()]).toEqual(["whole", []]);
  expect(fs.statSync(destination.tree.path("f"), { bigint: true }).mtimeNs).toBe(publication.mtime);
  expect(fs.statSync(destination.tree.path("f")).mode & 0o777).toBe(0o666 & ~process.umask());
  file.close();
});

test("times that no file has, and etags that can't be kept, are left out", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "x");
  const set: bigint[] = [];
  using _ = replaceCall("setMtime", () => (_fd, mtime) => (set.push(mtime), 0));
  using __ = replaceCall("setAttribute", () => () => -ERRNO.EOPNOTSUPP);
  const last = 2n ** 63n - 1n;
  for (const mtime of [-1n, -(2n ** 70n), 0n, last, last + 1n, 2n ** 70n]) file.note(mtime, "e1");
  expect(set).toEqual([0n, last]);
  file.close();
});

test("without replace what is there stays, by one call or by a second name", () => {
  for (const noReplace of [true, false]) {
    using destination = new TemporaryDestination({ f: "old" });
    const file = filled(destination, "new");
    using _ = replaceCall("renameat", (real) => (...args) => {
      return noReplace || args[4] ? real(...args) : -ERRNO.EINVAL;
    });
    const error = failed(() => file.publish(destination.publication()));
    const text = `${destination.tree.path("f")} exists already`;
    expect([error.code, error.message, error.remedy]).toEqual(["EEXIST", text, "replace"]);
    expect([destination.content("f"), destination.staged()]).toEqual(["old", ["x"]]);
    // A link in the way is not followed, whatever it points to.
    destination.tree.link("l", "missing");
    expect(failed(() => file.publish(destination.publication("l"))).code).toBe("EEXIST");
    file.publish(destination.publication("g"));
    expect([destination.content("g"), destination.staged()]).toEqual(["new", []]);
    file.close();
  }
});

test("with replace the old file, or the link itself, becomes the new one", () => {
  using destination = new TemporaryDestination({ f: "old", target: "untouched" });
  destination.tree.link("l", "target");
  for (const name of ["f", "l"]) {
    const file = filled(destination, "new");
    file.publish(destination.publication(name, { replace: true }));
    file.close();
    const isFile = fs.lstatSync(destination.tree.path(name)).isFile();
    expect([name, destination.content(name), isFile]).toEqual([name, "new", true]);
  }
  expect(destination.content("target")).toBe("untouched");
  // -EINVAL of a plain rename is an error as any other: nothing is linked in its place.
  const file = filled(destination, "x");
  using _ = replaceCall("renameat", () => () => -ERRNO.EINVAL);
  expect(failed(() => file.publish(destination.publication("f", { replace: true }))).code).toBe(
    "EINVAL",
  );
  expect(destination.content("f")).toBe("new");
  file.close();
});

test("a name on another file system says so, and every failure leaves the staged file", () => {
  using destination = new TemporaryDestination({ d: null });
  const file = filled(destination, "x");
  for (const [errno, why] of [
    [ERRNO.EXDEV, " (it lies on another file system): cross-device link not permitted"],
    [ERRNO.ENOSPC, ": no space left on device"],
  ] as const) {
    using _ = replaceCall("renameat", () => () => -errno);
    const error = failed(() => file.publish(destination.publication()));
    expect(error.message).toBe(`giving ${destination.tree.path("f")} its name${why}`);
  }
  const over = destination.publication("d", { replace: true });
  expect(failed(() => file.publish(over)).code).toBe("EISDIR");
  expect(destination.staged()).toEqual(["x"]);
  file.discard();
  file.discard();
  expect(destination.staged()).toEqual([]);
  file.close();
  expect(inTheWay("f").code).toBe("EEXIST");
});

test("the lock is on the open file: it goes with the last descriptor of it, not the first", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "x");
  const path = destination.tree.path(`${destination.stagingName}/x`);
  // Another descriptor on the same file, opened and closed, as POSIX locks would not survive.
  fs.closeSync(fs.openSync(path, "r"));
  expect(failed(() => Staged.open(destination.staging, "x")).code).toBe("EBUSY");
  const other = fs.openSync(path, "r");
  expect(kernel.lock(other)).toBe(-ERRNO.EAGAIN);
  file.close();
  expect(kernel.lock(other)).toBe(0);
  fs.closeSync(other);
});

test("an etag is noted beside the content, and none where there is none", () => {
  using destination = new TemporaryDestination();
  const file = filled(destination, "x");
  const noted: string[] = [];
  using _ = replaceCall("setAttribute", () => (_fd, name, value) => {
    noted.push(`${name}=${value}`);
    return 0;
  });
  file.note(-1n, "");
  file.note(-1n, "00ff");
  expect(noted).toEqual(["user.cli6.etag=00ff"]);
  file.close();
});
