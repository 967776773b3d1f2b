/**
 * Nobody takes the server away from the others: every attack on one server, each from a process and
 * addresses of its own, with honest clients beside it. `make abuse` does the same for longer: RUNS
 * is the seconds of each attack.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { codeOf, exchange } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";
import type { Attack } from "./attack.ts";
import { ATTACKS } from "./attacks/all.ts";
import { Besieged, LEFT_MS_MAX, type Observation, sampleFails } from "./beside.ts";
import { belongingsOf, openBelow } from "./leftover.ts";
import { COLD_FILES, makeServed, SERVED } from "./served.ts";
import * as verdict from "./verdict.ts";

const RUNS = process.env["RUNS"];

/** Seconds an attack goes on; longer while the commands beside it do. */
const ATTACK_MS = RUNS === undefined ? 200 : Number(RUNS) * 1000;

/** Names in the wide folder: more cost half a second to make, for every 50,000. */
const WIDE_NAMES = RUNS === undefined ? 50_000 : 120_000;

/** Everything that a test waits for, each at its longest. */
const TEST_MS_MAX = ATTACK_MS + 3 * verdict.COMMAND_MS_MAX + 2 * LEFT_MS_MAX;

const ENTRY = `${import.meta.dir}/../../src/serv6.ts`;

let tree: Tree;
let besieged: Besieged;

beforeAll(async () => {
  tree = new Tree();
  makeServed(tree.root, WIDE_NAMES);
  besieged = await started();
}, TEST_MS_MAX);

afterAll(async () => {
  await besieged[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
}, TEST_MS_MAX);

/** A server that has had each cold file open. */
async function started(): Promise<Besieged> {
  const server = await Besieged.start(ENTRY, tree.root);
  const names = Array.from({ length: COLD_FILES }, (_, nth) => `/${SERVED.cold}/${nth}`);
  const replies = await exchange(
    server.port,
    names.map((name) => `READ length=1 ${name}`),
  );
  expect(replies.map(codeOf)).toEqual(names.map(() => "OK"));
  return server;
}

test("the attacks have names of their own, and ask what they say", async () => {
  expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
  const wrong = await Promise.all(
    ATTACKS.map(async (attack) => [attack.name, await sampleFails(attack, besieged.port)]),
  );
  expect(wrong.filter(([, fault]) => fault !== null)).toEqual([]);
});

/**
 * Attempts of an attack that went badly: other programs may take the processors from the server for
 * as long as one attack takes, and a server that is at fault is so each time.
 */
const ATTEMPTS_MAX = 3;

/** What is wrong beside one attack. */
async function faultsBeside(attack: Attack): Promise<string[]> {
  const seen = await besieged.beside(attack, {
    attackMs: ATTACK_MS,
    commandMsMax: verdict.COMMAND_MS_MAX,
  });
  const faults = verdict.faultsOf(seen, besieged.start.rssBytes);
  if (faults.length > 0) {
    // What one attack has spoiled must not be held against the next.
    await besieged[Symbol.asyncDispose]();
    besieged = await started();
  }
  return faults;
}

describe("beside", () => {
  for (const attack of ATTACKS) {
    test(
      `${attack.name}: ${attack.does}`,
      async () => {
        let faults = await faultsBeside(attack);
        for (let nth = 1; nth < ATTEMPTS_MAX && faults.length > 0; nth++) {
          faults = await faultsBeside(attack);
        }
        expect(faults).toEqual([]);
      },
      ATTEMPTS_MAX * TEST_MS_MAX,
    );
  }
});

test(
  "files that nobody asks for any more are closed",
  async () => {
    const folder = tree.path(SERVED.cold);
    await eventually("no cold file is open", () => openBelow(besieged.pid, folder).length === 0);
  },
  TEST_MS_MAX,
);

const GOOD: Observation = {
  ...{ pings: 60, pingP50: 0.1, pingP99: 9, pingMax: 9, pingsLost: 0, pingsWrong: null },
  get: { status: 0, ms: 200, wrong: "" },
  ls: { status: 0, ms: 100, wrong: "" },
  peakRssBytes: 90 * 1024 ** 2,
  left: {
    ...{ connections: 1, closeWait: 0, sockets: 3, files: 2, rssBytes: 80 * 1024 ** 2 },
    ...{ afterMs: 40, clean: true, cpuShare: 0 },
  },
  after: { status: 0, ms: 2, wrong: "" },
};

describe("the verdict", () => {
  const { left } = GOOD;
  test.each([
    ["nothing was measured", { pings: 0 }, /nothing was pinged/],
    ["the connection of the pings ended", { pingsWrong: "close" }, /pings: close/],
    ["pings were lost", { pingsLost: 2 }, /2 of 60 pings/],
    ["the median is high", { pingP50: 101 }, /half of the pings took 101 ms/],
    ["p99 is high", { pingP99: 501 }, /one ping in a hundred took 501 ms/],
    ["the worst is high", { pingMax: 2001 }, /the slowest ping took 2001 ms/],
    ["get failed", { get: { status: 7, ms: 9, wrong: "EBUSY" } }, /get .* status 7 .*: EBUSY/],
    ["get is late", { get: { status: 0, ms: 5001, wrong: "" } }, /get .* after 5001 ms/],
    ["bytes differ", { get: { status: 0, ms: 9, wrong: "other bytes" } }, /get .*other bytes/],
    ["ls was killed", { ls: { status: null, ms: 9, wrong: "late" } }, /ls .* status null/],
    ["something is left", { left: { ...left, clean: false } }, /10 s after the attacker: 1 conn/],
    ["jobs are left", { after: { status: 1, ms: 9, wrong: "ERR EBUSY" } }, /HASH .*EBUSY/],
    ["memory is taken", { peakRssBytes: 400 * 1024 ** 2 }, /320 MiB of memory/],
  ] as const)("%s", (_, change, fault) => {
    const rssBefore = 80 * 1024 ** 2;
    expect(verdict.faultsOf(GOOD, rssBefore)).toEqual([]);
    expect(verdict.faultsOf({ ...GOOD, ...change }, rssBefore).join("\n")).toMatch(fault);
  });
});

test("what a server holds is seen from outside", async () => {
  const { pid, port, root } = besieged;
  // Connections of the tests before this one may still be ending.
  await eventually("all but who pings has gone", () => {
    return belongingsOf(pid, port, root).connections <= 1;
  });
  const before = belongingsOf(pid, port, root);
  const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  await eventually("one socket more", () => {
    const { connections, sockets } = belongingsOf(pid, port, root);
    // Both ends of it are at this machine; the server's port is local at one of them.
    return connections === before.connections + 1 && sockets === before.sockets + 1;
  });
  socket.write(`READ /${SERVED.rewritten}\n`);
  await eventually("its file is open", () => {
    const names = openBelow(pid, fs.realpathSync(root));
    return names.includes(`${root}/${SERVED.rewritten}`);
  });
  socket.terminate();
  await eventually("no socket more", () => {
    return belongingsOf(pid, port, root).sockets === before.sockets;
  });
});
