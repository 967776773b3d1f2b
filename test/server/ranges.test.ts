/** Ranges against a model, and many at once: faults 33 and 35. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** Held up to 8,192 bytes, without sendfile(2) up to 65,536; else from a descriptor. */
const SIZES = [0, 1, 1000, 8192, 8193, 65_535, 65_536, 65_537, 300_000];

const nameOf = (size: number): string => `f${size}`;

function sized(): Tree {
  return new Tree(Object.fromEntries(SIZES.map((size) => [nameOf(size), content(size, 0, size)])));
}

interface Range {
  readonly size: number;
  readonly offset: bigint | null;
  readonly length: bigint | null;
}

/** A range as a request says it. */
function lineOf({ size, offset, length }: Range): string {
  const keys = [
    ...(offset === null ? [] : [`offset=${offset}`]),
    ...(length === null ? [] : [`length=${length}`]),
  ];
  return ["READ", ...keys, `/${nameOf(size)}`].join(" ");
}

/** What the range is by the contract: bytes, or null where it starts past the end. */
function modelOf({ size, offset, length }: Range): Buffer | null {
  const from = offset ?? 0n;
  if (from > BigInt(size)) return null;
  const bytes = content(size, 0, size).subarray(Number(from));
  return length === null || length > BigInt(bytes.length)
    ? bytes
    : bytes.subarray(0, Number(length));
}

/** Asks for all of `ranges` on one connection, and compares each with the model. */
async function compare(port: number, ranges: readonly Range[]): Promise<void> {
  const replies = await exchange(port, ranges.map(lineOf));
  for (const [index, range] of ranges.entries()) {
    const reply = replies[index]!;
    const want = modelOf(range);
    const line = lineOf(range);
    expect([line, codeOf(reply)]).toEqual([line, want === null ? "ERANGE" : "OK"]);
    if (want === null) continue;
    expect([line, reply.body.equals(want)]).toEqual([line, true]);
    const facts = [factOf(reply, "size"), factOf(reply, "offset")];
    expect([line, ...facts]).toEqual([line, `${range.size}`, `${range.offset ?? 0n}`]);
  }
}

test.each(BRANCHES)(
  "33: every range at an edge is what the model says (%s)",
  async (_, zeroCopy) => {
    using tree = sized();
    await using running = new Running(tree.root, { zeroCopy });
    for (const size of SIZES) {
      const edges = [0, 1, size - 1, size, size + 1].filter((it) => it >= 0).map(BigInt);
      const offsets = [null, ...edges, 2n ** 53n + 1n, 10n ** 16n - 1n];
      const ranges = offsets.flatMap((offset) =>
        [null, 0n, ...edges, 10n ** 16n - 1n].map((length) => ({ size, offset, length })),
      );
      await compare(running.port, ranges);
    }
  },
);

test.each(BRANCHES)("33: any mix of ranges is what the model says (%s)", async (_, zeroCopy) => {
  using tree = sized();
  await using running = new Running(tree.root, { zeroCopy });
  const small = fc.bigInt({ min: 0n, max: 70_000n });
  const large = fc.bigInt({ min: 0n, max: 10n ** 16n - 1n });
  const number = fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 4, arbitrary: small },
    { weight: 1, arbitrary: large },
  );
  const range = fc.record({ size: fc.constantFrom(...SIZES), offset: number, length: number });
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 30 }), (ranges) =>
      compare(running.port, ranges),
    ),
    { numRuns: 60 },
  );
});

test.each(BRANCHES)(
  "35: 10,000 ranges of one byte in one pipeline are all right, and another client is served (%s)",
  async (_, zeroCopy) => {
    using tree = sized();
    await using running = new Running(tree.root, { zeroCopy });
    const size = 300_000;
    const whole = content(size, 0, size);
    const offsets = Array.from({ length: 10_000 }, (_value, index) => (index * 37) % 4096);
    using peer = await running.dial();
    using other = await running.dial();
    const { counters } = running.server;
    peer.send(offsets.map((at) => `READ offset=${at} length=1 /${nameOf(size)}\n`).join(""));
    // Pings that were answered while the pipeline was not.
    let between = 0;
    await eventually("the pipeline's first requests", () => counters.requests > 0);
    const pinging = (async () => {
      while (counters.requests < offsets.length) {
        other.send("PING\n");
        expect(await other.line()).toStartWith("OK 0 server=");
        if (counters.requests < offsets.length) between += 1;
      }
    })();
    let right = 0;
    for (const at of offsets) {
      const { body } = await peer.reply();
      if (body.length === 1 && body[0] === whole[at]) right += 1;
    }
    await pinging;
    expect(right).toBe(offsets.length);
    expect(between).toBeGreaterThan(0);
    expect(running.store.openFds).toBe(1);
  },
);

test.each(BRANCHES)("pipelined files come back whole and in order (%s)", async (_, zeroCopy) => {
  using tree = sized();
  await using running = new Running(tree.root, { zeroCopy });
  const order = Array.from({ length: 200 }, (_value, index) => SIZES[(index * 5) % SIZES.length]!);
  const replies = await exchange(
    running.port,
    order.map((size) => `READ /${nameOf(size)}`),
  );
  const right = replies.filter(({ body }, index) =>
    body.equals(content(order[index]!, 0, order[index]!)),
  );
  expect(right.length).toBe(order.length);
  await eventually("the end", () => running.server.counters.connections === 0);
  expect(running.server.counters.resets).toBe(0);
});
