/** What a server still has of clients, as seen from outside: /proc and a request. Linux only. */
import fs from "node:fs";

/** How long a server is watched, in milliseconds, to tell whether it rests. */
const REST_MS = 40;

/** A server that used no more of a processor meanwhile rests: a sweep, a collection. */
const REST_SHARE_MAX = 0.3;

/** TCP states of /proc/net/tcp, in hex. */
const LISTEN = "0A";
const TIME_WAIT = "06";
const CLOSE_WAIT = "08";

/** A server's belongings at one moment. */
export interface Belongings {
  /** Sockets of its port in any state but LISTEN and TIME_WAIT, accepted or not. */
  readonly connections: number;
  /** Of these: the peer has closed and the server has not. */
  readonly closeWait: number;
  /** Descriptors that are sockets. */
  readonly sockets: number;
  /** Descriptors of files below the root. */
  readonly files: number;
  readonly rssBytes: number;
}

/** What was left of an attacker when it had gone. */
export interface Leftover extends Belongings {
  /** Until nothing was left, in milliseconds; or how long was waited in vain. */
  readonly afterMs: number;
  /** Connections and descriptors are back at the start and the server is at rest. */
  readonly clean: boolean;
  /** Processor time in the last look, as a share of one processor. */
  readonly cpuShare: number;
}

/** What the server with `pid` has now; `port` is its own, `root` what it serves. */
export function belongingsOf(pid: number, port: number, root: string): Belongings {
  const states = statesOf(port);
  const targets = descriptorsOf(pid);
  return {
    connections: states.length,
    closeWait: states.filter((state) => state === CLOSE_WAIT).length,
    sockets: targets.filter((target) => target.startsWith("socket:")).length,
    files: targets.filter((target) => target.startsWith(`${root}/`)).length,
    rssBytes: residentBytes(pid),
  };
}

/**
 * Waits until the server has no more connections and sockets than at `start` and rests, at most
 * `msMax`. Descriptors of files stay for a while after their use, by intent: they are told.
 */
export async function awaitClean(
  server: { readonly pid: number; readonly port: number; readonly root: string },
  start: Belongings,
  msMax: number,
): Promise<Leftover> {
  const { pid, port, root } = server;
  const began = performance.now();
  for (;;) {
    const before = cpuMs(pid);
    const from = performance.now();
    await Bun.sleep(REST_MS);
    const cpuShare = (cpuMs(pid) - before) / (performance.now() - from);
    const now = belongingsOf(pid, port, root);
    const back = now.connections <= start.connections && now.sockets <= start.sockets;
    const clean = back && now.closeWait === 0 && cpuShare <= REST_SHARE_MAX;
    const afterMs = performance.now() - began;
    if (clean || afterMs >= msMax) return { ...now, afterMs, clean, cpuShare };
  }
}

/** Names of open files below `folder`, whoever opened them; for the message of a test. */
export function openBelow(pid: number, folder: string): string[] {
  return descriptorsOf(pid).filter((target) => target.startsWith(`${folder}/`));
}

// --- internal ---

/** States of the sockets at `port` of this network namespace, IPv4. */
function statesOf(port: number): string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const states: string[] = [];
  for (const line of fs.readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
    const [, address = "", , state = ""] = line.trim().split(/ +/);
    if (!address.endsWith(local) || state === LISTEN || state === TIME_WAIT) continue;
    states.push(state);
  }
  return states;
}

function descriptorsOf(pid: number): string[] {
  return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed between the two calls.
      return [];
    }
  });
}

/** Processor time of all threads, in milliseconds: the first number of schedstat, nanoseconds. */
function cpuMs(pid: number): number {
  let ns = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]);
    } catch {
      // A thread that ended between the two calls.
    }
  }
  return ns / 1e6;
}

function residentBytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
