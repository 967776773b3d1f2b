/**
 * What a request, a MiB and a small file take of JavaScript's memory. The collector is off in the
 * process that is measured, so that every byte ever taken counts, and the cost is the difference of
 * a long and a short run: starting and compiling cancel out. A bound is some 1.5 times what was
 * measured (119, 62 and 1,215 bytes a request, 192 a MiB sent, 2,100 a MiB brought, 12,800 a small
 * file); over it, look what is made anew each time.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { content } from "../rig/oracle.ts";
import { Peer } from "../rig/peer.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;
const LARGE_MIB = 64;
const SMALL_FILES = 400;
const OFF = { ...process.env, BUN_JSC_useGC: "0" };
const BUN = [process.execPath, "--config=/dev/null", "--no-env-file"];

/** A server in a process of its own, which can be asked what it has taken. */
class Measured {
  readonly #child;
  readonly #lines: AsyncIterator<string>;
  port = 0;

  constructor(root: string) {
    this.#child = Bun.spawn([...BUN, join(import.meta.dir, "allocation", "server.ts"), root], {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit", env: OFF },
    });
    this.#lines = linesOf(this.#child.stdout);
  }

  async start(): Promise<void> {
    this.port = await this.#number();
  }

  /** Bytes taken so far. */
  async taken(): Promise<number> {
    this.#child.stdin.write("?\n");
    return this.#number();
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  async #number(): Promise<number> {
    return Number((await this.#lines.next()).value);
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString("latin1");
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}

let tree: Tree;
let server: Measured;
beforeAll(async () => {
  const small = Array.from(
    { length: SMALL_FILES },
    (_, nth) => [`small${nth}`, content(2, 0, 4096)] as const,
  );
  const large = content(1, 0, LARGE_MIB * MIB);
  tree = new Tree({ held: content(3, 0, 1024), large0: large, ...Object.fromEntries(small) });
  server = new Measured(tree.root);
  await server.start();
});
afterAll(async () => {
  await server.stop();
  tree[Symbol.dispose]();
});

/** Sends `lines` in lots of `together` and takes `bytes` of reply to each line. */
async function ask(line: string, bytes: number, lots: number, together: number): Promise<void> {
  using peer = await Peer.dial(server.port);
  for (let lot = 0; lot < lots; lot++) {
    peer.send(line.repeat(together));
    await peer.take(bytes * together);
  }
}

/** What the server takes for each of so many more lots. */
async function slope(line: string, lots: number, together: number): Promise<number> {
  using peer = await Peer.dial(server.port);
  peer.send(line);
  const head = await peer.line();
  const bytes = head.length + 1 + Number(/^OK ([0-9]+)/.exec(head)?.[1]);
  await ask(line, bytes, lots, together);
  const from = await server.taken();
  await ask(line, bytes, lots, together);
  const short = (await server.taken()) - from;
  await ask(line, bytes, 3 * lots, together);
  const long = (await server.taken()) - from - short;
  return (long - short) / (2 * lots * together);
}

test("a request of a small file, one at a time", async () => {
  expect(await slope("READ /held\n", 2000, 1)).toBeLessThan(180);
});

test("a request of a small file, 64 at a time", async () => {
  expect(await slope("READ /held\n", 200, 64)).toBeLessThan(95);
});

test("a STAT, 64 at a time", async () => {
  expect(await slope("STAT /held\n", 100, 64)).toBeLessThan(1800);
});

// In smaller steps, and thus more, where the reader is slow: 700 bytes beside one busy core, and
// 3,600 beside six.
test("a MiB that is sent", async () => {
  const each = await slope("READ /large0\n", 2, 1);
  expect(each / LARGE_MIB).toBeLessThan(6000);
});

/** What the client takes for bringing the files once more. */
async function brought(path: string, count: number, times: number): Promise<number[]> {
  using to = new Tree();
  const words = [String(server.port), to.root, path, String(count), String(times)];
  const child = Bun.spawn([...BUN, join(import.meta.dir, "allocation", "client.ts"), ...words], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit", env: OFF },
  });
  return JSON.parse(await child.stdout.text()) as number[];
}

test("a MiB that arrives, is compared and synced", async () => {
  const each = (await brought("/large", 1, 4)).slice(1);
  expect(Math.min(...each) / LARGE_MIB).toBeLessThan(4000);
});

test("a small file that arrives, its STAT with it", async () => {
  const each = (await brought("/small", SMALL_FILES, 4)).slice(1);
  expect(Math.min(...each) / SMALL_FILES).toBeLessThan(18_000);
});
