/** How many newcomers one event of the loop may bring, and that none of them is lost by that. */
import { expect, test } from "bun:test";
import { kernel } from "../../src/sys/kernel.ts";
import { RawSocket } from "../abuse/socket.ts";
import { eventually } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const NEWCOMERS = 300;

/** What no round may accept: far above the bound, and far below all of them. */
const TOO_MANY = 100;

const ROUNDS_MAX = 10_000;

/** Complete in the kernel before the loop looks: nothing of this waits for it. */
function crowd(port: number): RawSocket[] {
  return Array.from({ length: NEWCOMERS }, () => {
    const socket = RawSocket.connect({ from: 2, port });
    if (socket === null) throw new Error("not connected");
    socket.send(Buffer.from("PING\n"));
    return socket;
  });
}

/** Calls `look` once a round of the loop until it answers true. */
async function untilRound(look: () => boolean): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (look()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`not in ${ROUNDS_MAX} rounds`);
}

test("a crowd is accepted a few in each round, and each of it is answered", async () => {
  using tree = new Tree();
  await using running = new Running(tree.root);
  const { counters } = running.server;
  const sockets = crowd(running.port);
  let most = 0;
  let before = 0;
  await untilRound(() => {
    most = Math.max(most, counters.accepted - before);
    before = counters.accepted;
    return before === NEWCOMERS;
  });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(TOO_MANY);
  await eventually("a reply to each", () => counters.requests === NEWCOMERS);
  for (const socket of sockets) socket.close();
});

test("a server that stops in the middle of a crowd lets go of its port and its descriptors", async () => {
  using tree = new Tree();
  const running = new Running(tree.root);
  const replace = kernel.replace;
  let stopped: Promise<void> | null = null;
  // In the event in which the bound has just been reached.
  kernel.replace = (fd, by) => {
    const result = replace(fd, by);
    queueMicrotask(() => (stopped ??= running.server.stop(0)));
    return result;
  };
  const before = openIn("/dev/null");
  try {
    const sockets = crowd(running.port);
    await eventually("the bound to be reached", () => stopped !== null);
    for (const socket of sockets) socket.close();
  } finally {
    kernel.replace = replace;
    await running.server.stop(0);
  }
  expect(RawSocket.connect({ from: 2, port: running.port })).toBeNull();
  expect(openIn("/dev/null")).toBe(before - 1);
  await using again = new Running(tree.root);
  expect((await again.ask("PING\n")).text).toStartWith("OK 0 ");
});
