/**
 * The soak: the real command under restless clients while files are replaced, watched for wrong
 * bytes, leaks and errors of its own. SOAK_SECONDS (default 4) and SEED; `make soak` runs it for
 * ten minutes.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { act, type Dice, type SoakFile } from "./client.ts";

const SECONDS = Number(process.env.SOAK_SECONDS ?? 4);
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const CLIENTS = 24;

/**
 * Replaced by rename, never edited: each reader gets one version. Held, in memory when it is asked
 * for often, at the borders, and by descriptor.
 */
const FILES: readonly SoakFile[] = [
  { name: "tiny", file: 1, size: 40 },
  { name: "held", file: 2, size: 8192 },
  { name: "often", file: 6, size: 30_000 },
  { name: "border", file: 3, size: 65_536 },
  { name: "over", file: 4, size: 65_537 },
  { name: "big", file: 5, size: 3_000_000 },
];
const VERSIONS = 4;

function diceOf(seed: number): Dice {
  let state = seed >>> 0 || 1;
  return (n) => {
    // xorshift32: reproducible, and good enough to choose among few.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

function replace(tree: Tree, { name, file, size }: SoakFile, version: number): void {
  tree.write(`.next-${name}`, content(file, version, size));
  fs.renameSync(tree.path(`.next-${name}`), tree.path(name));
}

async function start(
  root: string,
): Promise<{ child: Bun.Subprocess; port: number; said: string[] }> {
  const child = Bun.spawn(
    [process.execPath, "src/serv6.ts", root, "-p", "0", "--log", "off", "--max-files", "64"],
    { stderr: "pipe", stdout: "ignore", stdin: "ignore" },
  );
  const said: string[] = [];
  const reader = child.stderr.getReader();
  const decoder = new TextDecoder();
  while (!said.join("").includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`serv6 ended: ${said.join("")}`);
    said.push(decoder.decode(value));
  }
  void (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      said.push(decoder.decode(next.value));
    }
  })();
  const port = Number(/s6:\/\/127\.0\.0\.1:([0-9]+)\//.exec(said.join(""))?.[1]);
  return { child, port, said };
}

function fdsOf(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}

function anonymousKiB(pid: number): number {
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/Anonymous: +([0-9]+)/.exec(rollup)?.[1]);
}

test(
  `serv6 gives right bytes and leaks nothing for ${SECONDS} s (SEED=${SEED})`,
  async () => {
    using tree = new Tree();
    for (const file of FILES) replace(tree, file, 0);
    const { child, port, said } = await start(tree.root);
    try {
      const fds = fdsOf(child.pid);
      const end = performance.now() + SECONDS * 1000;
      const told = new Map<string, number>();
      const client = async (number: number): Promise<void> => {
        const dice = diceOf(SEED * 1009 + number * 7919);
        while (performance.now() < end) {
          const what = await act(port, FILES, dice);
          told.set(what, (told.get(what) ?? 0) + 1);
        }
      };
      const writer = async (): Promise<void> => {
        const dice = diceOf(SEED + 17);
        while (performance.now() < end) {
          replace(tree, FILES[dice(FILES.length)] as SoakFile, dice(VERSIONS));
          await Bun.sleep(5);
        }
      };
      await Promise.all([writer(), ...Array.from({ length: CLIENTS }, (_, i) => client(i))]);
      console.log(`soak: ${JSON.stringify(Object.fromEntries(told))}`);
      // A descriptor per cached file may stay, and the memory's own; connections may not.
      const most = fds + FILES.length + 1;
      for (let i = 0; i < 400 && fdsOf(child.pid) > most; i++) await Bun.sleep(20);
      expect(fdsOf(child.pid)).toBeLessThanOrEqual(most);
      expect(anonymousKiB(child.pid)).toBeLessThan(160 * 1024);
      expect(told.get("pipeline") ?? 0).toBeGreaterThan(10);
      // No file was edited in place, so nothing was a reason for a reset.
      expect(told.get("reset") ?? 0).toBe(0);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      expect(said.join("")).not.toMatch(/internal error/);
    } catch (error) {
      console.log(`serv6 said: ${said.join("")}, exit ${child.exitCode} ${child.signalCode}`);
      throw error;
    } finally {
      child.kill("SIGKILL");
    }
  },
  SECONDS * 1000 + 30_000,
);
