/**
 * A disk that is full, a real one: a small tmpfs or ext4 in a mount namespace of its own. What does
 * not fit is refused before a byte has come; where nothing can be reserved the write fails, what
 * came stays, and the command goes on when there is room. And a limit on the size of files.
 */
import { expect } from "bun:test";
import fs from "node:fs";
import { MOUNTS, type Need, needing, STRACE, works } from "../rig/needs.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { completes, read, run, stagingOf } from "./rig.ts";

const MIB = 1024 * 1024;
const SIZE = 24 * MIB + 5;

const PRLIMIT: Need = { here: works("prlimit", "--version"), what: "prlimit" };

/** An ext4 in a file can be made and mounted. */
const EXT4: Need = { here: mountsExt4(), what: "mkfs.ext4 and a loop device" };

function mountsExt4(): boolean {
  using tree = new Tree();
  const line = "truncate -s 16M $0/i; mkfs.ext4 -q $0/i; mount -o loop $0/i $0";
  return works("unshare", "--mount", "sh", "-ec", line, tree.root);
}

/** A tmpfs that only its holder's namespace has; we reach it through /proc. */
class SmallDisk implements AsyncDisposable {
  readonly path: string;
  readonly #mounted: string;
  readonly #holder: Bun.Subprocess<"pipe", "pipe", "inherit">;

  private constructor(holder: Bun.Subprocess<"pipe", "pipe", "inherit">, mounted: string) {
    this.#holder = holder;
    this.#mounted = mounted;
    this.path = `/proc/${holder.pid}/root${mounted}`;
  }

  static mount(tree: Tree, bytes: number): Promise<SmallDisk> {
    return SmallDisk.#mount(tree, `mount -t tmpfs -o size=${bytes} none "$0"`);
  }

  /** An ext4 in a file beside the folder it is mounted on. */
  static ext4(tree: Tree, bytes: number): Promise<SmallDisk> {
    const image = tree.path("image");
    fs.writeFileSync(image, "");
    fs.truncateSync(image, bytes);
    return SmallDisk.#mount(tree, `mkfs.ext4 -q '${image}'; mount -o loop '${image}' "$0"`);
  }

  static async #mount(tree: Tree, mounting: string): Promise<SmallDisk> {
    const line = `${mounting}; echo mounted; exec cat`;
    const holder = Bun.spawn(
      ["unshare", "--mount", "--propagation=private", "sh", "-ec", line, tree.root],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    );
    for await (const chunk of holder.stdout) {
      expect(new TextDecoder().decode(chunk)).toBe("mounted\n");
      return new SmallDisk(holder, tree.root);
    }
    throw new Error("no tmpfs could be mounted");
  }

  /** Makes it larger or smaller. */
  resize(bytes: number): void {
    const remount = ["mount", "-o", `remount,size=${bytes}`, this.#mounted];
    const { exitCode } = Bun.spawnSync(["nsenter", "-t", `${this.#holder.pid}`, "-m", ...remount]);
    expect(exitCode).toBe(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill("SIGKILL");
    await this.#holder.exited;
  }
}

/** Bytes on the disk of what is staged. */
function stagedBytes(folder: string): number {
  return fs.statSync(`${stagingOf(folder)}/f`).blocks * 512;
}

needing(MOUNTS)("what does not fit is refused before a byte has come, with its size", async () => {
  using source = new Tree({ f: content(1, 1, SIZE), small: content(2, 1, 9 * MIB) });
  await using server = new Running(source.root);
  using tree = new Tree();
  await using disk = await SmallDisk.mount(tree, 16 * MIB);
  const url = `s6://127.0.0.1:${server.port}/f`;
  const args = ["get", "-P", disk.path, url];
  const { status, err } = await run(args);
  expect(err).toContain(`ENOSPC: reserving ${SIZE} bytes`);
  expect(status).toBe(9);
  expect(read(`${disk.path}/f`)).toBeNull();
  // What could not be had is not held either, and no folder stays for nothing.
  expect(fs.existsSync(stagingOf(disk.path))).toBe(false);
  const small = `s6://127.0.0.1:${server.port}/small`;
  expect(await run(["get", "-P", disk.path, small])).toMatchObject({ status: 0, err: "" });
  disk.resize(64 * MIB);
  await completes(args, disk.path);
  expect(read(`${disk.path}/f`)?.equals(content(1, 1, SIZE))).toBe(true);
});

needing(MOUNTS)("a disk that is full is told once, however many files do not fit", async () => {
  using source = new Tree({ f: content(1, 1, SIZE), g: "g", h: "h", i: content(2, 1, SIZE) });
  await using server = new Running(source.root);
  using tree = new Tree();
  await using disk = await SmallDisk.mount(tree, 16 * MIB);
  const url = `s6://127.0.0.1:${server.port}`;
  const { status, err } = await run(["mirror", url, `${disk.path}/to`]);
  const [full, end, ...rest] = err.split("\n");
  expect(full).toStartWith(`cli6: ENOSPC: reserving ${SIZE} bytes`);
  expect(end).toMatch(/^cli6: [234] files are missing$/);
  expect([rest, status]).toEqual([[""], 9]);
});

needing(EXT4)(
  "a file system that reserves a part does not keep it when the rest is refused",
  async () => {
    using tree = new Tree();
    using source = new Tree({ f: content(1, 1, SIZE) });
    await using server = new Running(source.root);
    await using disk = await SmallDisk.ext4(tree, 16 * MIB);
    const { status, err } = await run(["get", "-P", disk.path, `s6://127.0.0.1:${server.port}/f`]);
    expect(err).toContain(`ENOSPC: reserving ${SIZE} bytes`);
    expect(status).toBe(9);
    expect(fs.existsSync(stagingOf(disk.path))).toBe(false);
  },
);

needing(MOUNTS, STRACE)(
  "where nothing can be reserved the disk fills up, and room lets it go on",
  async () => {
    using source = new Tree({ f: content(1, 1, SIZE) });
    await using server = new Running(source.root);
    using tree = new Tree();
    await using disk = await SmallDisk.mount(tree, 16 * MIB);
    const args = ["get", "-P", disk.path, `s6://127.0.0.1:${server.port}/f`];
    const injected = "inject=fallocate:error=EOPNOTSUPP";
    const wrap = [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fallocate",
      "-e",
      injected,
    ];
    const { status, err } = await run(args, wrap);
    expect(err).toContain("ENOSPC: ");
    expect(status).toBe(9);
    expect(read(`${disk.path}/f`)).toBeNull();
    expect(stagedBytes(disk.path)).toBeGreaterThan(8 * MIB);
    disk.resize(64 * MIB);
    const events = await run([...args, "-v"], wrap);
    expect(events).toMatchObject({ status: 0 });
    expect(events.err).toContain("kept");
    expect(read(`${disk.path}/f`)?.equals(content(1, 1, SIZE))).toBe(true);
    expect(fs.existsSync(stagingOf(disk.path))).toBe(false);
  },
);

needing(MOUNTS)(
  "a tree that does not fit ends with 9 and whole files, and room lets it go on",
  async () => {
    const names = Array.from({ length: 30 }, (_, nth) => `d${nth % 3}/f${nth}`);
    const files = names.map((name, nth) => [name, content(nth, 1, 700_000 + nth)] as const);
    using source = new Tree(Object.fromEntries(files));
    await using server = new Running(source.root);
    using tree = new Tree();
    await using disk = await SmallDisk.mount(tree, 9 * MIB);
    const args = ["mirror", `s6://127.0.0.1:${server.port}/`, disk.path];
    const { status, err, hung } = await run(args);
    expect(err).toContain("ENOSPC: ");
    expect({ status, hung }).toEqual({ status: 9, hung: false });
    for (const [name, bytes] of files) {
      expect(read(`${disk.path}/${name}`)?.equals(bytes) ?? true).toBe(true);
    }
    disk.resize(64 * MIB);
    await completes(args, disk.path);
    for (const [name, bytes] of files) {
      expect(read(`${disk.path}/${name}`)?.equals(bytes)).toBe(true);
    }
  },
);

needing(PRLIMIT)(
  "a limit on the size of files is an error of this machine, not an end without a word",
  async () => {
    using source = new Tree({ f: content(1, 1, SIZE), small: content(2, 1, 3 * MIB) });
    await using server = new Running(source.root);
    using tree = new Tree();
    for (const name of ["f", "small"]) {
      const args = ["get", "-P", tree.root, `s6://127.0.0.1:${server.port}/${name}`];
      const { status, err } = await run(args, ["prlimit", `--fsize=${2 * MIB}`]);
      expect(err).toContain("EFBIG: ");
      expect(status).toBe(9);
      expect(read(tree.path(name))).toBeNull();
      await completes(args, tree.root);
      expect(read(tree.path(name))?.equals(fs.readFileSync(source.path(name)))).toBe(true);
    }
  },
);
