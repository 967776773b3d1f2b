/**
 * The disk store on the portable rows, as on a system without a Linux libc: the same contract, and
 * the same bytes on the wire. What it can't do: confine, hold a directory that is renamed, look at
 * a FIFO without opening it.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import crypto from "node:crypto";
import fs from "node:fs";
import { openDisk } from "../../src/store/disk.ts";
import type { RootPolicy } from "../../src/store/root.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { codesOf } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { contract } from "./contract.ts";

const POLICY: RootPolicy = { hidden: false, symlinks: true, mounts: false, unconfined: true };

const real: Kernel = { ...kernel };

beforeAll(() => void Object.assign(kernel, portableKernel()));
afterAll(() => void Object.assign(kernel, real));

contract("disk, portable rows", (tree) =>
  openDisk(tree.root, POLICY, { files: 64, zeroCopy: false }),
);

test("without openat2 it serves only where nobody asked for confinement", () => {
  using tree = new Tree({ f: "x" });
  expect(() =>
    openDisk(tree.root, { ...POLICY, unconfined: false }, { files: 8, zeroCopy: false }),
  ).toThrow(/openat2 says ENOSYS/);
});

test("hidden names and links are refused as elsewhere, by name and by link", async () => {
  using tree = new Tree({ f: "x", ".h/f": "x", "d/g": "y" });
  tree.link("in", "d/g");
  tree.link("dot", ".h/f");
  const asked = ["READ /f", "READ /.h/f", "READ /in", "READ /dot", "READ /d", "LIST /d", "LIST /f"];
  {
    await using running = new Running(tree.root, { policy: POLICY, zeroCopy: false });
    const codes = Object.fromEntries(await codesOf(running.port, asked));
    expect(Object.values(codes)).toEqual([
      "OK",
      "ENOENT",
      "OK",
      "ENOENT",
      "EISDIR",
      "OK",
      "ENOTDIR",
    ]);
  }
  const policy = { ...POLICY, symlinks: false };
  await using running = new Running(tree.root, { policy, zeroCopy: false });
  const codes = await codesOf(running.port, ["READ /f", "READ /in", "READ /d/g"]);
  expect(codes.map(([, code]) => code)).toEqual(["OK", "EACCES", "OK"]);
});

test("a listing is the same as the kernel's own, whatever bytes a name has, over many pages", async () => {
  using tree = new Tree({ d: null });
  const names = Array.from({ length: 1000 }, (_, index) => `n${index}${"x".repeat(index % 200)}`);
  for (const name of names) fs.writeFileSync(tree.path(`d/${name}`), "");
  fs.writeFileSync(Buffer.from(`${tree.path("d")}/\xff \x01`, "latin1"), "raw");
  tree.link("d/in", "../d/n1x");
  const list = async (): Promise<string> => {
    await using running = new Running(tree.root, { policy: POLICY, zeroCopy: false });
    using peer = await running.dial();
    let all = "";
    for (let after = ""; ;) {
      peer.send(`LIST limit=300${after} /d\n`);
      const { line, body } = await peer.reply();
      all += body.toString("latin1");
      if (line.includes("more=0")) return all;
      after = ` after=${/ ([^ ]+)\n$/.exec(body.toString("latin1"))?.[1]}`;
    }
  };
  const portable = await list();
  Object.assign(kernel, real);
  const native = await list();
  Object.assign(kernel, portableKernel());
  expect(portable.split("\n").length).toBe(1003);
  expect(portable).toBe(native);
});

test("files large and small go out whole, side by side, and nothing stays open", async () => {
  using tree = new Tree({ large: content(1, 0, 3_000_001), held: content(2, 0, 60_000) });
  const sha256 = crypto
    .createHash("sha256")
    .update(content(1, 0, 3_000_001))
    .digest("hex");
  const before = fs.readdirSync("/proc/self/fd").length;
  {
    await using running = new Running(tree.root, { policy: POLICY, zeroCopy: false });
    const asking = Array.from({ length: 20 }, async () => {
      using peer = await running.dial();
      peer.send("READ /large\nREAD /held\nREAD offset=3000000 /large\nLIST /\nSTAT /large\n");
      peer.send("HASH algo=sha256 /large\nHASH /held\n");
      expect(verify((await peer.reply()).body, 1, 0)).toBeNull();
      expect(verify((await peer.reply()).body, 2, 0)).toBeNull();
      expect(verify((await peer.reply()).body, 1, 0, 3_000_000)).toBeNull();
      expect((await peer.reply()).line).toContain(" count=2 more=0");
      expect((await peer.reply()).line).toStartWith("OK 0 type=file size=3000001 ");
      expect((await peer.reply()).body.toString()).toBe(`${sha256}\n`);
      expect((await peer.reply()).line).toStartWith("OK 17 size=60000 ");
    });
    await Promise.all(asking);
  }
  // The thread that hashes ends in the background.
  await eventually("the last one", () => fs.readdirSync("/proc/self/fd").length <= before);
});
