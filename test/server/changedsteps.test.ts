/**
 * Files that change at every single step of their sending (faults 42 to 46): what a client gets
 * whole is one version of the file, and whatever else it gets ends in RST.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";
import type { Tree } from "../rig/tree.ts";

/** Some steps on each branch, through a socket that takes a part of each. */
const SIZE = 900_000;
const ROOM = 200_000;
const old = content(1, 0, SIZE);
const edited = content(1, 1, SIZE);

/** One event at a time: a turn, a read, or the peer takes something. False when nothing is left. */
function step(simulation: Simulation, peer: SimulatedPeer): boolean {
  if (simulation.loop.reads > 0) simulation.loop.read();
  else if (simulation.loop.immediates > 0) simulation.loop.turn();
  else if (peer.socket.queued > 0) {
    peer.take(150_000);
    peer.drain();
  } else return false;
  return true;
}

/** Sends /f and makes `change` after so many events; how it ended. */
function send(
  zeroCopy: boolean,
  after: number,
  change: (tree: Tree) => void,
): { body: Buffer; next: string; ending: string; early: boolean } {
  using simulation = new Simulation({ f: old, g: "in step" }, { zeroCopy });
  const peer = simulation.connect({ room: ROOM });
  peer.send("READ /f\nREAD /g\n");
  let early = true;
  for (let i = 0; i < after && early; i++) early = step(simulation, peer);
  change(simulation.tree);
  for (let i = 0; step(simulation, peer); i++) {
    if (i > 10_000) throw new Error("spins");
  }
  if (!peer.socket.closed) peer.finish();
  const { bytes, text } = peer;
  const head = text.indexOf("\n") + 1;
  const { ending } = peer.socket;
  const { store, server } = simulation.running;
  expect([server.counters.crashes, store.openFds - store.cache.fds]).toEqual([0, 0]);
  const body = bytes.subarray(head, head + SIZE);
  return { body, next: text.slice(head + SIZE), ending: ending ?? "open", early };
}

/** Makes `change` after no event, one, two and so on, until the file is out before it. */
function everywhere(
  zeroCopy: boolean,
  change: (tree: Tree) => void,
  judge: (sent: ReturnType<typeof send>) => void,
): Record<string, number> {
  const endings: Record<string, number> = {};
  for (let after = 0; ; after++) {
    const sent = send(zeroCopy, after, change);
    endings[sent.ending] = (endings[sent.ending] ?? 0) + 1;
    judge(sent);
    if (!sent.early) break;
    expect(after).toBeLessThan(1000);
  }
  return endings;
}

/** Complete and of the old version, or RST. */
function wholeOrReset({ body, next, ending }: ReturnType<typeof send>): void {
  if (ending === "reset") {
    expect(body.length).toBeLessThan(SIZE);
    return;
  }
  expect([ending, body.length, verify(body, 1, 0)]).toEqual(["fin", SIZE, null]);
  expect(next).toMatch(/^OK 7 .*\nin step$/);
}

function overwrite(tree: Tree, bytes: Buffer, at: number): void {
  const fd = fs.openSync(tree.path("f"), "r+");
  fs.writeSync(fd, bytes, at, bytes.length - at, at);
  fs.closeSync(fd);
}

test.each(BRANCHES)("42: cut at any step is RST, or all was out (%s)", (_, zeroCopy) => {
  for (const size of [0, 1, SIZE / 2, SIZE - 1]) {
    const cut = (tree: Tree): void => fs.truncateSync(tree.path("f"), size);
    const { reset = 0, fin = 0 } = everywhere(zeroCopy, cut, wholeOrReset);
    expect(reset).toBeGreaterThan(0);
    expect(fin).toBeGreaterThan(0);
  }
});

test.each(BRANCHES)("42: cut and filled again is no hole in the middle (%s)", (_, zeroCopy) => {
  const refill = (tree: Tree): void => {
    fs.truncateSync(tree.path("f"), 1000);
    fs.truncateSync(tree.path("f"), SIZE);
  };
  expect(everywhere(zeroCopy, refill, wholeOrReset)["reset"]).toBeGreaterThan(0);
});

test.each(BRANCHES)(
  "43: grown at any step, what was promised comes, no more (%s)",
  (_, zeroCopy) => {
    const grow = (tree: Tree): void => fs.appendFileSync(tree.path("f"), "more".repeat(100_000));
    expect(Object.keys(everywhere(zeroCopy, grow, wholeOrReset))).toEqual(["fin"]);
  },
);

test.each(BRANCHES)(
  "44, 46: replaced or removed at any step, it comes whole (%s)",
  (_, zeroCopy) => {
    const replace = (tree: Tree): void => {
      tree.write("new", edited);
      fs.renameSync(tree.path("new"), tree.path("f"));
    };
    expect(Object.keys(everywhere(zeroCopy, replace, wholeOrReset))).toEqual(["fin"]);
    const remove = (tree: Tree): void => fs.rmSync(tree.path("f"));
    expect(Object.keys(everywhere(zeroCopy, remove, wholeOrReset))).toEqual(["fin"]);
  },
);

test.each(BRANCHES)("45: edited at any step, no mix looks complete (%s)", (_, zeroCopy) => {
  for (const at of [0, 1, SIZE / 2, SIZE - 100, SIZE - 1]) {
    const edit = (tree: Tree): void => overwrite(tree, edited, at);
    const { reset = 0 } = everywhere(zeroCopy, edit, wholeOrReset);
    expect(reset).toBeGreaterThan(0);
  }
});
