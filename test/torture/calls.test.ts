/**
 * The twin of the runs under strace, for every machine: each row of the table that receiving uses
 * fails once, and from then on, with each errno, while files are delivered. Never a hang, never a
 * wrong file under a final name, nothing leaked, and without the fault all of it comes.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { Apart } from "../rig/apart.ts";
import { deliverAll } from "../rig/delivering.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { read, runs, stagingOf, timeFor } from "./rig.ts";

const MIB = 1024 * 1024;

/** Rows of the disk: their failures are this machine's. */
const DISK = [
  ...["openat", "mkdirat", "unlinkat", "renameat", "fallocate", "ftruncate", "setMtime"],
  ...["nextData", "lock", "fsync", "syncfs", "startSync", "setAttribute", "statx", "pread"],
  ...["pwrite", "spliceOut"],
] as (keyof Kernel)[];

/** Rows that bring bytes: there is another way, or the connection is lost. */
const NETWORK: (keyof Kernel)[] = ["recv", "pipe", "pollIn", "setsockopt", "spliceIn"];

/** RUNS= adds the last two. */
const ERRORS = (["ENOSPC", "EIO", "EINTR", "EDQUOT", "EAGAIN"] as const).slice(0, runs(3, 5));

/** The first call that fails, from 1, and how many do; RUNS= adds the later ones. */
const PLACES = [
  [1, 1],
  [1, Infinity],
  [2, 1],
  [2, Infinity],
  [5, 1],
  [5, Infinity],
].slice(0, runs(2, 6));

/** One large file and, with the batch's own limit of single files passed, many small ones. */
const FILES: Record<string, Buffer> = { large: content(1, 1, 4 * MIB + 3) };
for (let nth = 0; nth < 12; nth++) FILES[`f${nth}`] = content(10 + nth, 1, nth * 999);
const NAMES = Object.keys(FILES);

/** Makes calls of `row` fail until it is disposed of; `met` tells how many did. */
function failing(row: keyof Kernel, errno: number, first: number, count: number) {
  const table = kernel as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = table[row]!;
  let calls = 0;
  const state = { met: 0, [Symbol.dispose]: () => void (table[row] = real) };
  table[row] = (...args) => {
    calls += 1;
    if (calls < first || calls >= first + count) return real(...args);
    state.met += 1;
    return -errno;
  };
  return state;
}

function wrong(folder: string): string[] {
  return NAMES.filter((name) => read(`${folder}/${name}`)?.equals(FILES[name]!) === false);
}

function absent(folder: string): string[] {
  return NAMES.filter((name) => !fs.existsSync(`${folder}/${name}`));
}

/** One fault, and the delivery after it; false when the row was not called so often. */
async function injected(
  port: number,
  folder: string,
  row: keyof Kernel,
  errno: number,
  [first = 1, count = 1]: readonly number[],
): Promise<boolean> {
  fs.rmSync(folder, { recursive: true, force: true });
  {
    using fault = failing(row, errno, first, count);
    const failed = await deliverAll(port, NAMES, folder);
    if (fault.met === 0) return false;
    const kinds = DISK.includes(row)
      ? ["local"]
      : ["incomplete", "no-connection", "local", "timed-out"];
    const unfit = failed.filter(({ kind }) => !kinds.includes(kind));
    const lost = failed.length === 0 ? absent(folder) : [];
    expect({ unfit, lost, wrong: wrong(folder) }).toEqual({ unfit: [], lost: [], wrong: [] });
  }
  const failed = await deliverAll(port, NAMES, folder);
  const left = [...wrong(folder), ...absent(folder)];
  const staging = fs.existsSync(stagingOf(folder));
  expect({ failed, left, staging }).toEqual({ failed: [], left: [], staging: false });
  return true;
}

test(
  "each row fails once and from then on, with each error, while files come",
  async () => {
    using source = new Tree(FILES);
    using tree = new Tree();
    await using server = await Apart.start(source.root);
    const folder = tree.path("to");
    expect(await deliverAll(server.port, NAMES, folder)).toEqual([]);
    const descriptors = fs.readdirSync("/proc/self/fd").length;
    let met = 0;
    for (const row of [...DISK, ...NETWORK]) {
      for (const error of ERRORS) {
        for (const place of PLACES) {
          try {
            if (await injected(server.port, folder, row, ERRNO[error], place)) met += 1;
          } catch (cause) {
            const where = `${row} ${error}, from call ${place[0]} on ${place[1]} times`;
            throw new Error(`${where}: ${String(cause)}`, { cause });
          }
        }
      }
    }
    console.log(`${met} injections into ${DISK.length + NETWORK.length} rows, 0 wrong files`);
    expect(met).toBeGreaterThan(4 * ERRORS.length);
    expect(fs.readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(descriptors + 4);
  },
  timeFor(1000, 500),
);
