/**
 * Each way from a socket into a file, by splice, by copying and by Bun's own events, with the same
 * sizes and offsets; and the file refuses at every one of its calls: the right error comes, and the
 * next range arrives as if nothing had been.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { connect } from "../../src/client/connect.ts";
import { Staged } from "../../src/destination/staged.ts";
import { type SocketToFile, CopyToFile, SpliceToFile } from "../../src/receive/splice.ts";
import { RangeSink } from "../../src/receive/rangesink.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { TemporaryDestination } from "../rig/destination.ts";
import { Random, SEED } from "../fuzz/random.ts";
import { Apart } from "../rig/apart.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { AGAIN, runs, timeFor } from "./rig.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const SIZE = 21 * MIB;

const WAYS: readonly [
  name: string,
  make: () => SocketToFile | null,
  row: "spliceOut" | "pwrite",
][] = [
  ["splice", () => new SpliceToFile(), "spliceOut"],
  ["copy", () => new CopyToFile(), "pwrite"],
  ["events", () => null, "pwrite"],
];

/** Around every border there is: pages, a pipe's default, a chunk; and more than any buffer. */
const LENGTHS = [
  ...[0, 1, 2, 4095, 4096, 4097, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 512 * KIB, 512 * KIB + 1],
  ...[MIB - 1, MIB + 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 20 * MIB],
];

/** Random ranges beside those, for each way. */
const RANDOM = runs(20);

/** Random faults for each way. */
const FAULTS = runs(20);

/** A file that ranges of the server's one are put into. */
class Receiver implements Disposable {
  readonly #destination = new TemporaryDestination();
  readonly #file = Staged.open(this.#destination.staging, "f");
  readonly #port: number;
  readonly #way: SocketToFile | null;

  constructor(port: number, way: SocketToFile | null) {
    this.#port = port;
    this.#way = way;
  }

  /** Brings a range and compares it, and that nothing is around it. Rejects as the client does. */
  async bring(offset: number, length: number): Promise<void> {
    fs.ftruncateSync(this.#file.fd, 0);
    using client = await connect({ port: this.#port, stallTimeoutMs: 5000 });
    const range = { offset, length, written: 0 };
    const arrived = (count: number): void => void (range.written += count);
    const sink = new RangeSink(this.#file, range, this.#way, arrived);
    await client.read("/f", { offset, length, sink });
    expect(sink.written).toBe(length);
    expect(fs.fstatSync(this.#file.fd).size).toBe(length === 0 ? 0 : offset + length);
    const bytes = Buffer.alloc(length);
    fs.readSync(this.#file.fd, bytes, 0, length, offset);
    const wrong = verify(bytes, 1, 1, offset);
    if (wrong !== null) throw new Error(`range ${offset}+${length}: ${wrong}`);
  }

  [Symbol.dispose](): void {
    this.#file.close();
    this.#destination[Symbol.dispose]();
  }
}

/** From its `nth` call on the row refuses, after at most `taken` bytes of that call. */
function refusing(row: "spliceOut" | "pwrite", nth: number, taken: number, errno: number) {
  let calls = 0;
  type Count = (real: (count: number) => number, count: number) => number;
  const answer: Count = (real, count) => {
    calls += 1;
    if (calls === nth && taken > 0) return real(Math.min(taken, count));
    return calls < nth ? real(count) : -errno;
  };
  const fault =
    row === "spliceOut"
      ? replaceCall(
          row,
          (real) => (pipe, file, offset, count) =>
            answer((some) => real(pipe, file, offset, some), count),
        )
      : replaceCall(
          row,
          (real) => (fd, bytes, count, offset) =>
            answer((some) => real(fd, bytes, some, offset), count),
        );
  return { calls: () => calls, [Symbol.dispose]: () => fault[Symbol.dispose]() };
}

/** A file of a server in another process: what fails here must not fail there. */
async function serving(): Promise<{ port: number } & AsyncDisposable> {
  const tree = new Tree({ f: content(1, 1, SIZE) });
  const server = await Apart.start(tree.root);
  return {
    port: server.port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      tree[Symbol.dispose]();
    },
  };
}

test.each(WAYS)(
  `ranges of every size arrive at their places (%s, ${AGAIN})`,
  async (_, make) => {
    await using server = await serving();
    using receiver = new Receiver(server.port, make());
    const random = new Random(SEED);
    for (const length of LENGTHS) {
      for (const offset of [0, 1, 4095, 4097]) await receiver.bring(offset, length);
      await receiver.bring(SIZE - length, length);
    }
    for (let nth = 0; nth < RANDOM; nth++) {
      const length = random.below(random.pick([100, 100 * KIB, 6 * MIB]));
      await receiver.bring(random.below(SIZE - length), length);
    }
  },
  timeFor(RANDOM, 100),
);

test.each(WAYS)(
  `a file that refuses at any call is told, and the next range is right (%s, ${AGAIN})`,
  async (_, make, row) => {
    await using server = await serving();
    using receiver = new Receiver(server.port, make());
    const random = new Random(SEED);
    let met = 0;
    for (let nth = 0; nth < FAULTS; nth++) {
      const code = random.pick(["ENOSPC", "EIO", "EDQUOT"] as const);
      const length = 1 + random.below(6 * MIB);
      const taken = random.below(2) * random.below(100 * KIB);
      const at = 1 + random.below(random.pick([1, 4, 20]));
      {
        using fault = refusing(row, at, taken, ERRNO[code]);
        const ended = await receiver.bring(nth, length).then(
          () => null,
          (error: { kind: string; code: string }) => ({ kind: error.kind, code: error.code }),
        );
        const refused = fault.calls() > at || (fault.calls() === at && taken === 0);
        expect(ended).toEqual(refused ? { kind: "local", code } : null);
        if (refused) met += 1;
      }
      await receiver.bring(nth, 1 + random.below(MIB));
    }
    expect(met).toBeGreaterThan(0);
  },
  timeFor(FAULTS, 100),
);

test("a way without splice, or without room in a pipe, is taken by copying", async () => {
  await using server = await serving();
  const rows: (keyof Kernel)[] = ["pipe", "spliceIn", "spliceOut"];
  for (const row of rows) {
    using receiver = new Receiver(server.port, new SpliceToFile());
    const table = kernel as unknown as Record<string, unknown>;
    const real = table[row];
    table[row] = () => (row === "pipe" ? -ERRNO.EMFILE : -ERRNO.EINVAL);
    try {
      await receiver.bring(77, 5 * MIB);
    } finally {
      table[row] = real;
    }
    await receiver.bring(5, 3 * MIB);
  }
});
