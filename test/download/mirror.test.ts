/** mirror() as a program calls it; what it does to a tree is tested by way of the command. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { TransferEvent } from "../../src/download/events.ts";
import { mirror } from "../../src/download/mirror.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { OPEN } from "../../src/sys/types.ts";
import type { Failure } from "../../src/wire/failure.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

function listed(root: string): string[] {
  return fs.readdirSync(root, { recursive: true }).map(String).toSorted();
}

test("a tree: globs and a predicate choose, a dry run tells, the extra goes when asked", async () => {
  using tree = new Tree({
    ...{ "there/a.txt": "a", "there/b.bin": "b", "there/d/c.txt": "c", "there/d/no.txt": "n" },
    ...{ "there/skip/s.txt": "s", "to/old.txt": "old" },
  });
  await using running = new Running(tree.path("there"));
  const events: TransferEvent[] = [];
  const options = {
    ...{ from: `s6://127.0.0.1:${running.port}/`, folder: tree.path("to") },
    ...{ include: ["*.txt"], exclude: ["skip/"], delete: true },
    wants: (path: string) => path !== "d/no.txt",
    onEvent: (event: TransferEvent) => events.push(event),
  };
  expect(await mirror({ ...options, dryRun: true })).toMatchObject({ removed: 1, received: 0 });
  const planned = events.map((event) =>
    event.type === "planned" ? `${event.action} ${event.name} ${event.size}` : event.type,
  );
  expect(planned.toSorted()).toEqual(["new a.txt 1", "new d/c.txt 1", "removed old.txt null"]);
  expect(listed(tree.path("to"))).toEqual(["old.txt"]);

  events.length = 0;
  expect(await mirror(options)).toMatchObject({ done: 2, unchanged: 0, removed: 1 });
  expect(events.map(({ type }) => type).toSorted()).toEqual(["done", "done", "removed"]);
  expect(listed(tree.path("to"))).toEqual(["a.txt", "d", "d/c.txt"]);

  events.length = 0;
  expect(await mirror(options)).toMatchObject({ done: 0, unchanged: 2, removed: 0 });
  const names = events.map((event) => (event.type === "unchanged" ? event.name : event.type));
  expect(names.toSorted()).toEqual(["a.txt", "d/c.txt"]);
  expect(openIn(tree.path("to"))).toBe(0);
});

test("where the file system has no locks, files come as they do by get", async () => {
  using tree = new Tree({ "there/f": "small", "there/g": "x".repeat(5 << 20), to: null });
  await using running = new Running(tree.path("there"));
  using _ = replaceCall("lock", () => () => -ERRNO.ENOLCK);
  const from = `s6://127.0.0.1:${running.port}/`;
  expect(await mirror({ from, folder: tree.path("to") })).toMatchObject({ done: 2, failed: 0 });
  expect(listed(tree.path("to"))).toEqual(["f", "g"]);
});

test("more to remove than allowed, a file for a folder, a folder in use: coded, nothing done", async () => {
  using tree = new Tree({ "there/f": "f", "to/x": "x", "to/y": "y" });
  await using running = new Running(tree.path("there"));
  const url = `s6://127.0.0.1:${running.port}`;
  const folder = tree.path("to");
  const many = await rejection(mirror({ from: url, folder, delete: true, maxDelete: 1 }));
  expect([many.kind, many.code, listed(folder)]).toEqual(["local", "E2BIG", ["f", "x", "y"]]);
  const file = await rejection(mirror({ from: `${url}/f`, folder }));
  expect([file.kind, file.message]).toEqual(["usage", "/f is a file"]);
  const both = [mirror({ from: url, folder, exclude: [] }), mirror({ from: url, folder })];
  const ends = await Promise.allSettled(both);
  expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const [busy] = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  expect(busy).toMatchObject({ kind: "local", code: "EBUSY" });
  expect(openIn(folder)).toBe(0);
});

test("where nothing would be removed for what went wrong, or for too many, a dry run says so", async () => {
  using tree = new Tree({ "there/f": "f", "there/g/h": "h", "to/g": "in the way", "to/x": "x" });
  await using running = new Running(tree.path("there"));
  const told = new Map<boolean, string[]>([true, false].map((dryRun) => [dryRun, []]));
  const ends = (dryRun: boolean, maxDelete?: number): Promise<Failure> => {
    const onEvent = ({ type }: TransferEvent): void => void told.get(dryRun)?.push(type);
    const from = `s6://127.0.0.1:${running.port}`;
    const common = { from, folder: tree.path("to"), delete: true, dryRun, onEvent };
    return rejection(mirror({ ...common, ...(maxDelete !== undefined && { maxDelete }) }));
  };
  const blocked = await ends(true);
  expect(told.get(true)?.at(-1)).toBe("not-removed");
  expect((await ends(false)).message).toBe(blocked.message);
  expect(told.get(false)).toContain("not-removed");
  fs.rmSync(tree.path("to/g"));
  tree.write("to/y", "y");
  const many = await ends(true, 1);
  expect([many.kind, many.code]).toEqual(["local", "E2BIG"]);
  expect((await ends(false, 1)).message).toBe(many.message);
  expect(listed(tree.path("to"))).toEqual(["f", "g", "g/h", "x", "y"]);
});

test("on a file system that knows no capitals, what has just come is not removed as extra", async () => {
  using tree = new Tree({ "there/README": "theirs", "to/readme": "theirs", "to/other": "mine" });
  for (const name of ["there/README", "to/readme"]) fs.utimesSync(tree.path(name), 5, 5);
  await using running = new Running(tree.path("there"));
  const folder = tree.path("to");
  using _ = replaceCall("statx", (real) => (fd, name, into) => {
    const here = name !== "" && fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    return real(fd, here ? name.toLowerCase() : name, into);
  });
  const options = { from: `s6://127.0.0.1:${running.port}/`, folder, delete: true };
  const once = { files: 0, unchanged: 1, removed: 1 };
  expect(await mirror({ ...options, dryRun: true })).toMatchObject({ removed: 1 });
  expect(await mirror(options)).toMatchObject(once);
  expect(await mirror(options)).toMatchObject({ ...once, removed: 0 });
  expect(listed(folder)).toEqual(["readme"]);
});

test("what comes into a folder that is to go stays, and so does the folder", async () => {
  using tree = new Tree({ "there/f": "theirs", "to/old/x": "mine", "to/older": "mine" });
  await using running = new Running(tree.path("there"));
  const folder = tree.path("to");
  const told: string[] = [];
  const { removed } = await mirror({
    ...{ from: `s6://127.0.0.1:${running.port}/`, folder, delete: true, exclude: ["*.tmp"] },
    onEvent(event) {
      // By then it has been looked at.
      if (event.type === "removed" && event.name === "old/x") tree.write("to/old/new.tmp", "mine");
      if (event.type === "removed") told.push(event.name);
      if (event.type === "note") told.push(event.text);
    },
  });
  expect(told.toSorted()).toEqual(["cli6: old stays: something came into it", "old/x", "older"]);
  expect(removed).toBe(2);
  expect(listed(folder)).toEqual(["f", "old", "old/new.tmp"]);
});

test("a disk that takes no more is one failure in one text, also of what was under way", async () => {
  using tree = new Tree({ to: null });
  for (let nth = 0; nth < 300; nth++) tree.write(`there/f${nth}`, "theirs");
  await using running = new Running(tree.path("there"));
  let made = 0;
  using _ = replaceCall("openat", (real) => (fd, name, flags, mode) => {
    const full = (flags & OPEN.create) !== 0 && ++made > 20;
    return full ? -ERRNO.ENOSPC : real(fd, name, flags, mode);
  });
  const texts: string[] = [];
  const failure = await rejection(
    mirror({
      ...{ from: `s6://127.0.0.1:${running.port}/`, folder: tree.path("to") },
      onEvent: (event) => void (event.type === "failed" && texts.push(event.error.message)),
    }),
  );
  expect(failure).toMatchObject({ kind: "local", code: "ENOSPC" });
  expect([texts.length, new Set(texts).size]).toEqual([280, 1]);
  expect(listed(tree.path("to"))).toHaveLength(20);
});
