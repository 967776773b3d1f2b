/**
 * Owns one sample: an empty place, a quiet disk, one client from its start to its end, and what
 * both sides used. Never decides who or how often. Invariant: a client that failed, or did not
 * bring everything, is an Error and not a sample.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { machineCpuSeconds } from "../proc.ts";
import { startServer } from "../spawn.ts";
import type { Backend } from "./backend.ts";
import type { Contender, Job } from "./contender.ts";
import { checkBytes, checkSizes } from "./corpus.ts";
import { run } from "./program.ts";
import type { Sample } from "./report.ts";

/** A client that takes longer is ended, and its sample is an error. */
const CLIENT_MS_MAX = 240_000;

const LONG_LINK = join(import.meta.dir, "longlink.ts");

export interface Course {
  readonly contender: Contender;
  readonly backend: Backend;
  /** Everything but the port. */
  readonly job: Omit<Job, "port">;
  /** The folder that is served. */
  readonly root: string;
  /** Between client and server lies the long thin link. */
  readonly longLink: boolean;
}

/** Takes one; `bytewise` compares every byte afterwards, otherwise names and sizes. */
export async function takeSample(
  course: Course,
  round: number,
  seed: number,
  bytewise: boolean,
): Promise<Sample> {
  const { contender, backend, job, root, longLink } = course;
  const { corpus, to } = job;
  clear(dirname(to), corpus.files > 1);
  if (corpus.old !== undefined) {
    copyFileSync(corpus.old, to);
    utimesSync(to, 1, 1);
  }
  Bun.spawnSync(["sync"]);
  const session = await backend.begin(corpus.name);
  const link = longLink ? await startLink(session.port, seed) : null;
  try {
    const before = machineCpuSeconds();
    const port = link?.port ?? session.port;
    const client = await runClient(contender, { ...job, port });
    const server = await session.finish();
    const machine = machineCpuSeconds() - before;
    if (bytewise) checkBytes(corpus, join(root, corpus.name), to);
    else checkSizes(corpus, to);
    return {
      ...{ round, seconds: client.seconds, bytes: corpus.bytes, files: corpus.files },
      clientCpuSeconds: client.cpuSeconds,
      serverCpuSeconds: server.cpuSeconds,
      otherCpuSeconds: Math.max(0, machine - client.cpuSeconds - server.cpuSeconds),
      clientPeakRssBytes: client.peakRssBytes,
      serverPeakRssBytes: server.peakRssBytes,
    };
  } finally {
    await link?.stop();
  }
}

// --- internal ---

let retired = 0;

/**
 * Makes an empty folder. Many files are moved away and stay until the end: ext4 passes over inodes
 * that were freed in the last minutes one by one, and every creation would pay for that.
 */
function clear(folder: string, many: boolean): void {
  if (many && existsSync(folder)) renameSync(folder, `${folder}-${++retired}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function startLink(port: number, seed: number) {
  const command = [process.execPath, "--config=/dev/null", "--no-env-file", LONG_LINK];
  return startServer([...command, String(port), String(seed)]);
}

async function runClient(contender: Contender, job: Job) {
  const output = contender.prints === true ? openSync(job.to, "wx") : openSync("/dev/null", "w");
  try {
    const program = run(contender.command(job), output);
    const timer = setTimeout(program.kill, CLIENT_MS_MAX);
    const ended = await program.ended;
    clearTimeout(timer);
    if (ended.exitCode === 0) return ended;
    throw new Error(`status ${ended.exitCode}: ${ended.lastWords || "no message"}`);
  } finally {
    closeSync(output);
  }
}
