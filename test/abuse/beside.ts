/**
 * One attack on one server, with honest clients beside it: what they saw, and what was left when
 * the attacker had gone. It measures and judges nothing but bytes.
 */
import fs from "node:fs";
import path from "node:path";
import { peakRssBytes, resetPeakRss } from "../../bench/proc.ts";
import { startServer } from "../../bench/spawn.ts";
import { codeOf, exchange } from "../rig/exchange.ts";
import { CLI6_COMMAND, environment } from "../rig/program.ts";
import { type Attack, BEGIN_MS_MAX } from "./attack.ts";
import { type Belongings, awaitClean, belongingsOf, type Leftover } from "./leftover.ts";
import { PingingProcess, type PingSummary } from "./pinging.ts";
import { HONEST_BYTES, renewHonest, SERVED, SOME_NAMES } from "./served.ts";

/**
 * Descriptors of the server: 1,472 connections, 1,104 of them for one address. Enough for 1,000
 * downloads, few enough that an attacker can take them all.
 */
const DESCRIPTORS = 2048;

/** For an attacker's process to start, in milliseconds, beside what its load takes. */
const START_MS_MAX = 2_000;

/** After an attacker has gone everything of it must have, in milliseconds. */
export const LEFT_MS_MAX = 10_000;

/** What a command came to. */
export interface Ran {
  /** 0 when it did what it should; null when it was killed because it took too long. */
  readonly status: number | null;
  readonly ms: number;
  /** What is wrong: its message, or bytes that are not the file's; "" when nothing is. */
  readonly wrong: string;
}

/** What honest clients saw, and what was left. Milliseconds. */
export interface Observation extends PingSummary {
  readonly get: Ran;
  readonly ls: Ran;
  /** The most resident memory that the server had, in bytes. */
  readonly peakRssBytes: number;
  readonly left: Leftover;
  /** An honest HASH of a new version and LIST, when the attacker had gone. */
  readonly after: Ran;
}

/** How long things may take. Milliseconds. */
export interface Times {
  /** The attack. */
  readonly attackMs: number;
  /** A command of an honest client, until it is killed. */
  readonly commandMsMax: number;
}

/** How a kind of process is started: the words in front of its command. */
export interface Placement {
  readonly server: readonly string[];
  /** The attacker and the commands of honest clients. */
  readonly others: readonly string[];
  readonly pinger: readonly string[];
}

/** The kernel puts all of them where it likes. */
export const TOGETHER: Placement = { server: [], others: [], pinger: [] };

/** A server with a pinging client, to be attacked (`await using` ends both). */
export class Besieged {
  readonly port: number;
  readonly pid: number;
  readonly root: string;
  /** What it had before the first attack. */
  readonly start: Belongings;
  readonly #stop: () => Promise<void>;
  readonly #pinger: PingingProcess;
  readonly #wrap: readonly string[];

  private constructor(
    server: { port: number; pid: number; root: string; stop: () => Promise<void> },
    pinger: PingingProcess,
    { others }: Placement,
  ) {
    this.#wrap = others;
    this.port = server.port;
    this.pid = server.pid;
    this.root = server.root;
    this.#stop = server.stop;
    this.#pinger = pinger;
    this.start = belongingsOf(this.pid, this.port, this.root);
  }

  /** Starts the server that `entry` is the source of, on `root` (see makeServed). */
  static async start(entry: string, root: string, placement = TOGETHER): Promise<Besieged> {
    const server = await startServer([
      ...placement.server,
      ...["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`],
      ...[process.execPath, "--config=/dev/null", "--no-env-file", entry],
      ...[root, "-p", "0", "-b", "127.0.0.1", "--log", "off"],
    ]);
    const { port } = server;
    const [pid = 0] = server.pids();
    const pinger = new PingingProcess(port, "127.0.0.1", placement.pinger);
    await pinger.ready;
    const first = await get(port, root, LEFT_MS_MAX, []);
    if (first.status !== 0) throw new Error(`get without an attack: ${first.wrong}`);
    await awaitClean({ pid, port, root }, belongingsOf(pid, port, root), LEFT_MS_MAX);
    return new Besieged({ port, pid, root, stop: () => server.stop() }, pinger, placement);
  }

  /**
   * Runs `attack` and honest clients beside it. With another server as `target` that one is
   * attacked, and what is seen here is what the machine alone does.
   */
  async beside(attack: Attack, times: Times, target: Besieged = this): Promise<Observation> {
    const { port, root } = this;
    renewHonest(root);
    resetPeakRss([this.pid]);
    const ms = times.attackMs + times.commandMsMax;
    const attacker = startAttacker(attack, target.port, root, ms, this.#wrap);
    try {
      await attacker.begun;
      if (attack.stopped === true) attacker.process.kill("SIGSTOP");
      this.#pinger.start();
      const [got, listed] = await Promise.all([
        get(port, root, times.commandMsMax, this.#wrap),
        list(port, times.commandMsMax, this.#wrap),
        Bun.sleep(times.attackMs),
      ]);
      const pings = await this.#pinger.stop();
      attacker.process.kill("SIGKILL");
      await attacker.process.exited;
      const peak = peakRssBytes([this.pid]);
      const left = await awaitClean(this, this.start, LEFT_MS_MAX);
      renewHonest(root);
      const after = await askAfter(port, times.commandMsMax);
      return { ...pings, get: got, ls: listed, peakRssBytes: peak, left, after };
    } finally {
      attacker.process.kill("SIGKILL");
      await attacker.process.exited;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pinger.end();
    await this.#stop();
  }
}

/** Whether the requests of `attack` mean what it says, asked on a server at rest: null, or not. */
export async function sampleFails({ sample }: Attack, port: number): Promise<string | null> {
  let reply = "";
  const { request } = sample;
  const bytes = typeof request === "string" ? Buffer.from(request, "latin1") : request;
  const came = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, chunk) {
        reply += chunk.toString("latin1");
        if (sample.answer.test(reply)) came.resolve();
      },
      close: () => came.resolve(),
      error: () => came.resolve(),
    },
  });
  // The requests of the attacks fit into any send buffer.
  socket.write(bytes);
  await Promise.race([came.promise, Bun.sleep(LEFT_MS_MAX)]);
  socket.terminate();
  return sample.answer.test(reply) ? null : `${JSON.stringify(reply.slice(0, 200))}`;
}

// --- internal ---

function startAttacker(
  attack: Attack,
  port: number,
  root: string,
  ms: number,
  wrap: readonly string[],
) {
  const args = [attack.name, String(port), root, String(ms)];
  const child = Bun.spawn([...wrap, process.execPath, `${import.meta.dir}/attacker.ts`, ...args], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  });
  const said = child.stdout.getReader().read();
  return { process: child, begun: Promise.race([said, Bun.sleep(START_MS_MAX + BEGIN_MS_MAX)]) };
}

/** `cli6 get` of the honest file; its bytes are compared with the file's. */
async function get(
  port: number,
  root: string,
  msMax: number,
  wrap: readonly string[],
): Promise<Ran> {
  const folder = fs.mkdtempSync(`${root}-got-`);
  try {
    const url = `s6://127.0.0.1:${port}/${SERVED.honest}`;
    const ran = await command(["get", url, "-P", folder], msMax, wrap);
    if (ran.status !== 0) return ran;
    const got = fs.readFileSync(path.join(folder, path.basename(SERVED.honest)));
    const same = got.length === HONEST_BYTES && got.equals(served(root));
    return same ? { ...ran, wrong: "" } : { ...ran, wrong: "status 0, and other bytes" };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** `cli6 ls` of a small folder; its names are compared. */
async function list(port: number, msMax: number, wrap: readonly string[]): Promise<Ran> {
  const ran = await command(["ls", "-1", `s6://127.0.0.1:${port}/${SERVED.some}`], msMax, wrap);
  if (ran.status !== 0) return ran;
  const same = ran.out === SOME_NAMES.map((name) => `${name}\n`).join("");
  return same ? { ...ran, wrong: "" } : { ...ran, wrong: "status 0, and other names" };
}

/** A digest that nobody has asked for before, and a list: each has its place again. */
async function askAfter(port: number, msMax: number): Promise<Ran> {
  const began = performance.now();
  const asked = exchange(port, [`HASH /${SERVED.honest}`, `LIST /${SERVED.some}`]);
  // What never comes ends when the server does.
  const replies = await Promise.race([asked.catch(String), Bun.sleep(msMax)]);
  const ms = performance.now() - began;
  if (replies === undefined) return { status: null, ms, wrong: `no reply for ${msMax} ms` };
  if (typeof replies === "string") return { status: 1, ms, wrong: replies };
  const codes = replies.map(codeOf);
  if (codes.every((code) => code === "OK")) return { status: 0, ms, wrong: "" };
  return { status: 1, ms, wrong: replies.map(({ line }) => line).join("; ") };
}

async function command(
  args: string[],
  msMax: number,
  wrap: readonly string[],
): Promise<Ran & { out: string }> {
  const began = performance.now();
  const child = Bun.spawn([...wrap, ...CLI6_COMMAND, ...args], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", env: environment() },
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, msMax);
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  const ms = performance.now() - began;
  if (late) return { status: null, ms, wrong: `not done after ${msMax} ms`, out };
  return { status: child.exitCode, ms, wrong: err.trim(), out };
}

const contents = new Map<string, Buffer>();

/** The honest file's bytes, which never change. */
function served(root: string): Buffer {
  let bytes = contents.get(root);
  if (bytes === undefined) {
    bytes = fs.readFileSync(path.join(root, SERVED.honest));
    contents.set(root, bytes);
  }
  return bytes;
}
