/**
 * Every call of the kernel fails once, and from then on, with every errno that it may have, at
 * every place of a session (faults 53, 62 and the torture of section 4): each reply is right or an
 * honest refusal, or the connection ends in RST. When the fault is over everything is served again,
 * and nothing has leaked.
 */
import { expect, test } from "bun:test";
import { ERRNO } from "../../src/sys/errno.ts";
import type { Kernel } from "../../src/sys/kernel.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { BRANCHES } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";

const LARGE = 2_500_000;
const large = content(1, 0, LARGE);
const held = content(2, 0, 5000);

const ASKED = [
  "READ /held",
  "READ /large",
  "STAT /large",
  "LIST /",
  "READ /link",
  "LIST /d",
  "READ offset=9 length=70000 /large",
  "READ /d/more",
  "PING",
];

/** The rows that the server calls for a request, with what each may answer. */
const FAULTS: Partial<Record<keyof Kernel, readonly (keyof typeof ERRNO)[]>> = {
  openat2: ["EIO", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EACCES", "ENOENT", "EINTR"],
  openat: ["EIO", "EMFILE", "ENFILE", "ENOMEM", "EACCES", "ENOENT", "EINTR"],
  statx: ["EIO", "ENOMEM", "ENOENT", "EACCES"],
  readlink: ["EIO", "ENOENT", "EACCES"],
  getdents: ["EIO", "ENOENT", "ENOMEM"],
  pread: ["EIO", "EINTR", "ENOMEM"],
  sendfile: ["EIO", "EINTR", "EAGAIN", "EINVAL", "ENOMEM", "EPIPE", "EOVERFLOW"],
  sendMore: ["EAGAIN", "EINTR", "ENOMEM", "EPIPE"],
  setsockopt: ["ENOMEM", "EINVAL"],
};

/**
 * "Try again", and they do: for ever, if it is for ever said. A byte a turn still goes by write.
 */
const ENDLESS = new Set(["sendfile EINTR", "sendfile EAGAIN", "pread EINTR"]);

/** What a name is refused with for good, so that a listing does without it. */
const GONE = new Set(["ENOENT", "EACCES", "EIO", "EINTR"]);

function simulationFor(zeroCopy: boolean): Simulation {
  const simulation = new Simulation(
    { held, large, "d/more": content(3, 0, 100_000) },
    { zeroCopy },
  );
  simulation.tree.link("link", "held");
  return simulation;
}

/** What each of ASKED is answered when nothing fails. */
function answersOf(peer: SimulatedPeer): string[] {
  const answers: string[] = [];
  const { text } = peer;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at) + 1;
    const length = Number(/^OK ([0-9]+)/.exec(text.slice(at, end))?.[1] ?? 0);
    answers.push(text.slice(at, end + length));
    at = end + length;
    if (end === 0) break;
  }
  return answers;
}

/** Calls of `row` from number `first` on fail, `count` of them; how many calls there were. */
function failing(row: keyof Kernel, errno: number, first: number, count: number) {
  let calls = 0;
  const fault = replaceCall(row, (real) => {
    const call = real as (...args: unknown[]) => unknown;
    const instead = (...args: unknown[]): unknown => {
      const number = calls++;
      return number >= first && number < first + count ? -errno : call(...args);
    };
    return instead as Kernel[typeof row];
  });
  return { fault, calls: () => calls };
}

/** One session with the fault; true when the fault had its place in it. */
function session(
  simulation: Simulation,
  right: string[],
  row: keyof Kernel,
  name: string,
  first: number,
  count: number,
): boolean {
  const { store, server } = simulation.running;
  store.cache.clear();
  const { fault, calls } = failing(row, ERRNO[name as keyof typeof ERRNO], first, count);
  const where = `${row} says ${name} at call ${first}${count > 1 ? " and later" : ""}`;
  const peer = simulation.connect({ room: 700_000 });
  try {
    peer.send(ASKED.map((line) => `${line}\n`).join(""));
    simulation.flow(peer);
  } finally {
    fault[Symbol.dispose]();
  }
  const answers = answersOf(peer);
  const reset = peer.socket.ending === "reset";
  if (!reset) {
    expect([where, answers.length, peer.connection.state.awaits]).toEqual([
      where,
      ASKED.length,
      "request",
    ]);
  }
  for (const [index, answer] of answers.entries()) {
    const want = right[index] ?? "";
    const cut = reset && index === answers.length - 1 && want.startsWith(answer);
    // Whom a READ would refuse for good is not on a page; what passes is no reason to leave him
    // out.
    const lacks = /^OK [0-9]+ count=/.test(answer) && GONE.has(name);
    if (answer === want || cut || lacks || /^ERR E[A-Z]+ [^\n]+\n$/.test(answer)) continue;
    throw new Error(`${where}: ${ASKED[index]} was answered ${answer.slice(0, 120)}`);
  }
  peer.socket.close();
  simulation.loop.settle();
  const left = [
    server.counters.crashes,
    server.counters.connections,
    store.openFds - store.cache.fds,
  ];
  expect([where, ...left]).toEqual([where, 0, 0, 0]);
  return calls() > first;
}

test.each(BRANCHES)(
  "53, 62: any call of the kernel may fail at any time, once or for good (%s)",
  (_, zeroCopy) => {
    using simulation = simulationFor(zeroCopy);
    const whole = simulation.connect();
    whole.send(ASKED.map((line) => `${line}\n`).join(""));
    simulation.flow(whole);
    const right = answersOf(whole);
    expect(right.length).toBe(ASKED.length);
    whole.socket.close();
    const fds = openIn(simulation.tree.root);
    let sessions = 0;
    for (const [row, names] of Object.entries(FAULTS) as [keyof Kernel, readonly string[]][]) {
      for (const name of names) {
        for (const count of ENDLESS.has(`${row} ${name}`) ? [1, 5] : [1, Infinity]) {
          for (let first = 0; session(simulation, right, row, name, first, count); first++)
            sessions += 1;
        }
      }
    }
    expect(sessions).toBeGreaterThan(300);
    simulation.running.store.cache.clear();
    expect(openIn(simulation.tree.root)).toBeLessThanOrEqual(fds);
    const after = simulation.connect();
    after.send(ASKED.map((line) => `${line}\n`).join(""));
    simulation.flow(after);
    expect(answersOf(after)).toEqual(right);
  },
);
