/** Paths that change while they are resolved: faults 11 and 12. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { codeOf, exchange } from "../../rig/exchange.ts";
import { replaceCall } from "../../rig/faults.ts";
import { content, verify } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { Swapping } from "./swap.ts";

/** Requests of one test: each is a new look-up, since no canonical path is asked for. */
const REQUESTS = Number(process.env["RACES"] ?? 20_000);

/** Requests on one connection at once. */
const BATCH = 200;

/** Sent from its descriptor, not from memory. */
const LARGE = 70_000;

const INSIDE = 1;
const OUTSIDE = 2;

interface Tally {
  served: number;
  refused: number;
  readonly wrong: string[];
}

/** Asks `lines` in turn until REQUESTS are answered; anything but `verify` or EACCES is wrong. */
async function askOften(port: number, lines: readonly string[]): Promise<Tally> {
  const tally: Tally = { served: 0, refused: 0, wrong: [] };
  const batch = Array.from({ length: BATCH }, (_, index) => lines[index % lines.length]!);
  while (tally.served + tally.refused < REQUESTS && tally.wrong.length === 0) {
    for (const [index, reply] of (await exchange(port, batch)).entries()) {
      const code = codeOf(reply);
      const fault = code === "OK" ? verify(reply.body, INSIDE, 0) : null;
      if (code === "EACCES") tally.refused += 1;
      else if (code === "OK" && fault === null) tally.served += 1;
      else tally.wrong.push(`${batch[index]}: ${reply.line}, ${fault}`);
    }
  }
  return tally;
}

/**
 * Two trees of the same names. The links between them are relative: an absolute one is refused for
 * crossing file systems too, and would leave one wall untested.
 */
function twins(): { inside: Tree; outside: Tree; [Symbol.dispose](): void } {
  const files = (id: number): Record<string, Buffer> => ({
    "d/small": content(id, 0, 1000),
    "d/large": content(id, 0, LARGE),
  });
  const inside = new Tree(files(INSIDE));
  const outside = new Tree(files(OUTSIDE));
  return {
    inside,
    outside,
    [Symbol.dispose]() {
      inside[Symbol.dispose]();
      outside[Symbol.dispose]();
    },
  };
}

/** How often realpath, a comparison and an open let bytes from outside through: the usual way. */
function lostByRealpath(root: string, name: string): { lost: number; tries: number } {
  let lost = 0;
  let tries = 0;
  const end = performance.now() + 8000;
  while ((lost === 0 || tries < 2000) && performance.now() < end) {
    tries += 1;
    try {
      const real = fs.realpathSync(`${root}/${name}`);
      if (!real.startsWith(`${root}/`)) continue;
      if (verify(fs.readFileSync(`${root}/${name}`), OUTSIDE, 0) === null) lost += 1;
    } catch {
      // The name changed between two calls: also a loss, but not of a secret.
    }
  }
  return { lost, tries };
}

/**
 * Where hidden names are served nothing looks at the opened file's real path: the kernel alone
 * decides.
 */
const POLICIES: [name: string, hidden: boolean][] = [
  ["hidden names off", false],
  ["the kernel alone", true],
];

test.each(POLICIES)(
  `11: a directory that turns into a link gives no byte from outside (%s, ${REQUESTS})`,
  async (_, hidden) => {
    using trees = twins();
    const { inside, outside } = trees;
    inside.link("way", path.relative(inside.root, outside.path("d")));
    await using running = new Running(inside.root, { policy: { hidden } });
    await using _swapping = await Swapping.start(inside.path("d"), inside.path("way"));
    const lines = ["READ /./d/small", "READ /./d/large", "READ length=9 /./way/small"];
    const tally = await askOften(running.port, lines);
    expect(tally.wrong).toEqual([]);
    // The race took place: both faces were seen.
    expect(Math.min(tally.served, tally.refused)).toBeGreaterThan(0);
    const { served, refused } = tally;
    if (process.env["RACES"] !== undefined) console.log(`11: ${served} served, ${refused} refused`);
  },
);

test("11: the same race is lost by realpath, a comparison and an open", async () => {
  using trees = twins();
  const { inside, outside } = trees;
  inside.link("way", path.relative(inside.root, outside.path("d")));
  await using _swapping = await Swapping.start(inside.path("d"), inside.path("way"));
  const { lost, tries } = lostByRealpath(inside.root, "d/small");
  if (process.env["RACES"] !== undefined) console.log(`11: realpath lost ${lost} of ${tries}`);
  if (os.availableParallelism() === 1) console.log("11: one processor: realpath may not lose");
  else expect([tries, lost > 0]).toEqual([tries, true]);
});

test.each(POLICIES)(
  `11: a file that turns into a link gives no byte from outside (%s, ${REQUESTS})`,
  async (_, hidden) => {
    using trees = twins();
    const { inside, outside } = trees;
    inside.link("d/way", path.relative(inside.path("d"), outside.path("d/large")));
    await using running = new Running(inside.root, { policy: { hidden } });
    await using _swapping = await Swapping.start(inside.path("d/large"), inside.path("d/way"));
    const tally = await askOften(running.port, ["READ /./d/large", "READ length=99 /d//way"]);
    expect(tally.wrong).toEqual([]);
    expect(Math.min(tally.served, tally.refused)).toBeGreaterThan(0);
  },
);

test(`12: renames beside the path cost no request (${REQUESTS})`, async () => {
  using tree = new Tree({ "d/small": content(INSIDE, 0, 1000), one: null, "other/x": "" });
  // A link that goes up is what the kernel can't resolve in one go under renames.
  tree.link("links/up", "../d/small");
  await using running = new Running(tree.root);
  await using _swapping = await Swapping.start(tree.path("one"), tree.path("other"));
  const answers = new Map<number, number>();
  using _counted = replaceCall("openat2", (real) => (...args) => {
    const fd = real(...args);
    if (fd < 0) answers.set(fd, (answers.get(fd) ?? 0) + 1);
    return fd;
  });
  const tally = await askOften(running.port, ["READ /./links/up", "READ /./d/small"]);
  expect(tally.wrong).toEqual([]);
  expect([tally.refused, tally.served]).toEqual([0, REQUESTS]);
  if (process.env["RACES"] !== undefined) console.log(`12: ${JSON.stringify([...answers])}`);
});
