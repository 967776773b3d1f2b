/** Many small files: none has its name before it is on the disk, each is told how it went. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Batch } from "../../src/destination/batch.ts";
import { LocalError } from "../../src/destination/error.ts";
import { Staged } from "../../src/destination/staged.ts";
import { Staging } from "../../src/destination/staging.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { failed, recording, TemporaryDestination } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

/** A batch into `destination`, and what became of its files by name: null, or the error's code. */
function batchOf(destination: TemporaryDestination) {
  const batch = new Batch(destination.staging);
  const told = new Map<string, string | null>();
  return {
    batch,
    told,
    add(name: string, content: string | Uint8Array = name): void {
      batch.add(name, Buffer.from(content), destination.publication(name), (error) => {
        expect(told.has(name)).toBe(false);
        told.set(name, error instanceof LocalError ? error.code : (error as null));
      });
    },
  };
}

function namesTo(count: number): string[] {
  return Array.from({ length: count }, (_, nth) => `f${String(nth).padStart(4, "0")}`);
}

test("files have their names after the flush, not before, with content and time", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  const names = namesTo(20);
  for (const name of names) add(name);
  add("empty", "");
  expect([destination.names(), told.size]).toEqual([[destination.stagingName], 0]);
  batch.flush();
  expect([...told.entries()]).toEqual([...names, "empty"].map((name) => [name, null]));
  for (const name of names) expect(destination.content(name)).toBe(name);
  const { mtimeNs, size } = fs.statSync(destination.tree.path("empty"), { bigint: true });
  expect([mtimeNs, size]).toEqual([destination.publication().mtime, 0n]);
  expect([destination.staged(), openInTrees()]).toEqual([[], before]);
  // Nothing is told twice.
  batch.flush();
});

test("up to eight files are synced one by one, more by one call, and then their folder once", () => {
  using destination = new TemporaryDestination();
  for (const count of [1, 8, 9, 30]) {
    const { batch, told, add } = batchOf(destination);
    for (const name of namesTo(count)) add(`${count}-${name}`);
    using rows = recording("fsync", "syncfs", "renameat");
    batch.flush();
    expect(told.size).toBe(count);
    const firstRename = rows.calls.indexOf("renameat");
    const syncs = rows.calls.slice(0, firstRename);
    if (count <= 8) {
      const each = namesTo(count).flatMap(() => ["fsync", "renameat"]);
      expect(rows.calls).toEqual([...each, "fsync"]);
    } else {
      expect(syncs[0]).toBe("syncfs");
      expect(rows.calls.filter((row) => row === "syncfs").length).toBe(1);
      expect(rows.calls.filter((row) => row === "fsync").length).toBe(1);
      expect(rows.calls.filter((row) => row === "renameat").length).toBe(count);
      // The folder's, behind the last name.
      expect(rows.calls.lastIndexOf("renameat")).toBe(rows.calls.length - 2);
      expect(rows.calls.at(-1)).toBe("fsync");
    }
  }
});

test("an error reaches the file that it is of, and no other", () => {
  using destination = new TemporaryDestination({ taken: "old" });
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  for (const name of ["a", "taken", "b"]) add(name);
  batch.flush();
  expect([...told]).toEqual([
    ["a", null],
    ["taken", "EEXIST"],
    ["b", null],
  ]);
  expect([destination.content("taken"), destination.staged(), openInTrees()]).toEqual([
    "old",
    ["taken"],
    before,
  ]);
  // By itself each is synced by itself.
  const second = batchOf(destination);
  for (const name of ["c", "d", "e"]) second.add(name);
  let nth = 0;
  using _ = replaceCall("fsync", (real) => (fd) => (nth++ === 1 ? -ERRNO.EIO : real(fd)));
  second.batch.flush();
  expect([...second.told.values()]).toEqual([null, "EIO", null]);
  expect([destination.names().includes("d"), destination.staged()]).toEqual([
    false,
    ["d", "taken"],
  ]);
});

test("when the disk takes nothing together, none is published and each is told", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  for (const name of namesTo(12)) add(name);
  {
    using _ = replaceCall("syncfs", () => () => -ERRNO.EIO);
    batch.flush();
  }
  expect([...told.values()]).toEqual(namesTo(12).map(() => "EIO"));
  expect([destination.names(), destination.staged().length, openInTrees()]).toEqual([
    [destination.stagingName],
    12,
    before,
  ]);
});

test("where nothing syncs all at once, each content is synced before its name is given", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  for (const name of namesTo(12)) add(name);
  let nth = 0;
  using _ = replaceCall("syncfs", () => () => -ERRNO.ENOSYS);
  using __ = replaceCall("fsync", (real) => (fd) => (nth++ === 10 ? -ERRNO.EIO : real(fd)));
  using rows = recording("fsync", "renameat");
  batch.flush();
  expect(told.get("f0010")).toBe("EIO");
  expect([...told.values()].filter((code) => code === null).length).toBe(11);
  // All but the one that can't be synced; and the folder.
  const renames = rows.calls.filter((row) => row === "renameat").length;
  expect([rows.calls.length - renames, renames]).toEqual([13, 11]);
  expect([destination.names().includes("f0010"), openInTrees()]).toEqual([false, before]);
});

test("files whose folder can't be synced are not done, and nobody is told before the sync", () => {
  using destination = new TemporaryDestination();
  const { batch, told, add } = batchOf(destination);
  for (const name of ["a", "b"]) add(name);
  let calls = 0;
  using _ = replaceCall("fsync", (real) => (fd) => {
    expect(told.size).toBe(0);
    return ++calls === 3 ? -ERRNO.EIO : real(fd);
  });
  batch.flush();
  expect([...told]).toEqual([
    ["a", "EIO"],
    ["b", "EIO"],
  ]);
});

test("what can't be written is thrown at once, leaves nothing, and is not told later", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  add("a");
  for (const row of ["pwrite", "setMtime"] as const) {
    using _ = replaceCall(row, () => () => -ERRNO.ENOSPC);
    expect(failed(() => add("b")).code).toBe("ENOSPC");
  }
  expect(destination.staged()).toEqual(["a"]);
  destination.tree.write(`${destination.stagingName}/c`, "longer");
  {
    using _ = replaceCall("ftruncate", () => () => -ERRNO.EIO);
    expect(failed(() => add("c", "short")).message).toBe(
      `cutting ${destination.tree.path("c")}: i/o error`,
    );
  }
  batch.flush();
  expect([[...told], openInTrees()]).toEqual([[["a", null]], before]);
});

test("a longer file of an earlier run leaves nothing behind the new end", () => {
  using destination = new TemporaryDestination();
  const old = Staged.open(destination.staging, "a");
  old.write(Buffer.from("an old and longer one"), 0n);
  old.close();
  const { batch, add } = batchOf(destination);
  add("a", "new");
  batch.flush();
  expect(destination.content("a")).toBe("new");
});

test("a batch ends by itself at 64 MiB, and at 4096 files", () => {
  using destination = new TemporaryDestination();
  {
    const { told, add } = batchOf(destination);
    const megabytes = new Uint8Array(16 << 20);
    using _ = replaceCall("pwrite", () => (_fd, _bytes, count) => count);
    // The second one as the first.
    for (const round of [1, 2]) {
      told.clear();
      for (const name of ["a", "b", "c"]) add(`${name}${round}`, megabytes);
      add(`d${round}`, megabytes.subarray(1));
      expect(told.size).toBe(0);
      add(`e${round}`, "1");
      expect([...told.values()]).toEqual([null, null, null, null, null]);
    }
  }
  destination.staging.lock();
  const { told, add } = batchOf(destination);
  const names = namesTo(4096);
  const before = openInTrees();
  for (const name of names.slice(0, -1)) add(name, "");
  // However many wait, few are open.
  expect([told.size, openInTrees() - before <= 8]).toEqual([0, true]);
  add(names.at(-1)!, "");
  expect([told.size, [...told.values()].every((code) => code === null)]).toEqual([4096, true]);
  expect(openInTrees()).toBe(before);
});

test("what an earlier run left of a longer file is cut, also for one that is empty now", () => {
  using destination = new TemporaryDestination();
  const { batch, told, add } = batchOf(destination);
  for (const name of ["empty", "short"]) {
    destination.tree.write(`${destination.stagingName}/${name}`, "an earlier run's");
  }
  add("empty", "");
  add("short", "now");
  batch.flush();
  expect([...told.values()]).toEqual([null, null]);
  expect([destination.content("empty"), destination.content("short")]).toEqual(["", "now"]);
});

test("nobody else fills a file that waits for its name; of those that wait few are open", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  const { batch, told, add } = batchOf(destination);
  const names = namesTo(127);
  for (const name of names) add(name, "ours");
  for (const name of names) {
    expect(failed(() => Staged.open(destination.staging, name)).code).toBe("EBUSY");
  }
  expect([told.size, openInTrees() - before]).toEqual([0, 127]);
  add("f0127");
  expect([told.size, openInTrees() - before]).toEqual([128, 0]);
  add("f0128");
  batch.flush();
  expect([told.size, openInTrees() - before]).toEqual([129, 0]);
  expect([...told.values()].every((error) => error === null)).toBe(true);
  expect(destination.content("f0100")).toBe("ours");
});

test("who locks the folder shares no file with who locks each: both publish their own", () => {
  for (const count of [3, 12]) {
    using destination = new TemporaryDestination();
    const others = Staging.open(destination.folder);
    destination.staging.lock();
    const { batch, told, add } = batchOf(destination);
    const theirs = new Batch(others);
    const got: unknown[] = [];
    for (const name of namesTo(count)) {
      add(name, "ours");
      const publication = destination.publication(`got-${name}`);
      theirs.add(name, Buffer.from("theirs"), publication, (error) => got.push(error));
    }
    theirs.flush();
    batch.flush();
    expect([...told.values(), ...got]).toEqual(Array.from({ length: 2 * count }, () => null));
    for (const name of namesTo(count)) {
      expect(destination.content(name)).toBe("ours");
      expect(destination.content(`got-${name}`)).toBe("theirs");
    }
    expect(destination.staged()).toEqual([]);
    others.close();
  }
});

test("in a folder that is locked as a whole nothing stays of what is not published", () => {
  using destination = new TemporaryDestination({ taken: "old" });
  const others = Staging.open(destination.folder);
  const left = `${destination.stagingName}/left`;
  destination.tree.write(left, "an earlier run's");
  const held = Staged.open(others, "held");
  destination.staging.lock();
  const { batch, told, add } = batchOf(destination);
  for (const name of ["taken", "left", "held"]) add(name);
  expect(destination.staged().filter((name) => !name.startsWith("%b"))).toEqual(["held"]);
  batch.flush();
  expect([...told.values()]).toEqual(["EEXIST", null, null]);
  expect(destination.staged()).toEqual(["held"]);
  for (const name of namesTo(12)) add(name);
  {
    using _ = replaceCall("syncfs", () => () => -ERRNO.ENOSPC);
    batch.flush();
  }
  expect([told.get("f0000"), destination.staged()]).toEqual(["ENOSPC", ["held"]]);
  {
    using _ = replaceCall("pwrite", () => () => -ERRNO.ENOSPC);
    const { message } = failed(() => add("full"));
    expect(message).toStartWith(`writing ${destination.tree.path("full")}: `);
  }
  expect(destination.staged()).toEqual(["held"]);
  held.discard();
  held.close();
  others.close();
});

test("where no descriptor is left the files that wait are published for theirs", () => {
  using destination = new TemporaryDestination();
  const { batch, told, add } = batchOf(destination);
  let open = 0;
  using _ = replaceCall("openat", (real) => (fd, name, flags, mode) => {
    if (name.startsWith("f") && ++open > 20) return -ERRNO.EMFILE;
    return real(fd, name, flags, mode);
  });
  using __ = replaceCall("close", (real) => (fd) => ((open -= 1), real(fd)));
  for (const name of namesTo(50)) add(name);
  batch.flush();
  expect([...told.values()]).toEqual(namesTo(50).map(() => null));
  open = 1000;
  expect(failed(() => add("f1000")).code).toBe("EMFILE");
});
