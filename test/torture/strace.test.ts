/**
 * Every system call of the receiving side fails in the real command, by strace(1): once at its
 * first and second time, and from then on, with each errno; and SIGKILL comes at the very call.
 * Never a hang, never a wrong file under a final name, a status that fits, and the next run ends
 * it. `make torture` runs all of them, the default suite a few.
 */
import { expect } from "bun:test";
import fs from "node:fs";
import { Random, SEED, SEED_GIVEN } from "../fuzz/random.ts";
import { needing, STRACE } from "../rig/needs.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { completes, read, run, runs, stagingOf, timeFor } from "./rig.ts";

/** Calls of the disk, and those that concern only what lies in the destination. */
const DISK = [
  ...["fallocate", "ftruncate", "flock", "fsync", "syncfs", "fsetxattr", "utimensat"],
  ...["renameat2", "sync_file_range", "lseek", "pwrite64", "fgetxattr"],
];
const BELOW = ["openat", "mkdirat", "unlinkat", "statx", "pread64"];

/** Calls that also bring bytes: when they fail the network seems to have. */
const NETWORK = ["splice", "pipe2", "recvfrom", "poll", "setsockopt"];

const ERRORS = ["ENOSPC", "EIO", "EINTR", "EDQUOT", "EAGAIN"];
const TIMES = ["1", "2", "1+", "2+", "5+"];

/** Statuses that say what happened: by a disk, and by what looks like the network. */
const DISK_STATUS = [0, 9];
const NETWORK_STATUS = [0, 5, 7, 9, 10];

/** One run with a fault. */
interface Fault {
  readonly call: string;
  /** strace's words behind the call's name. */
  readonly how: string;
  readonly command: "get" | "mirror";
}

function allFaults(): Fault[] {
  const faults: Fault[] = [];
  for (const command of ["get", "mirror"] as const) {
    for (const call of [...DISK, ...BELOW, ...NETWORK]) {
      for (const times of TIMES) {
        for (const error of ERRORS) {
          // The runtime's own socket reads go on for as long as they are interrupted.
          if (call === "recvfrom" && error === "EINTR" && times.endsWith("+")) continue;
          faults.push({ command, call, how: `error=${error}:when=${times}` });
        }
        if (!times.endsWith("+")) faults.push({ command, call, how: `signal=KILL:when=${times}` });
      }
    }
  }
  return faults;
}

/** Each run takes others of the thousand; this seed takes the same again. */
const OWN_SEED = SEED_GIVEN ? SEED : Math.floor(Math.random() * 2 ** 31);

/** For the test's name: how the same run is had again. */
const HERE = `SEED=${OWN_SEED}`;

/** A few in the default suite: the first of each seed's order; all of them when RUNS says so. */
function chosen(): Fault[] {
  const random = new Random(OWN_SEED);
  const faults = allFaults();
  for (let at = faults.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const [one, two] = [faults[at], faults[other]];
    if (one !== undefined && two !== undefined) [faults[at], faults[other]] = [two, one];
  }
  return faults.slice(0, runs(8, faults.length));
}

const MIB = 1024 * 1024;
const SMALL = 40;
const NEW: Record<string, Buffer> = {
  large: content(1, 2, 9 * MIB + 77),
  "d/large": content(2, 2, 5 * MIB),
};
for (let nth = 0; nth < SMALL; nth++) NEW[`d/f${nth}`] = content(10 + nth, 2, nth * 777);
const OLD = content(1, 1, 100_000);

/** Says whether every file that has its final name is whole; `large` may be the old one. */
function wrongFiles(folder: string, names: readonly string[]): string[] {
  return names.filter((name) => {
    const found = read(`${folder}/${name}`);
    if (found === null || found.equals(NEW[name] ?? OLD)) return false;
    return !(name === "large" && found.equals(OLD));
  });
}

/** Runs of the command with a fault. */
class Injected {
  readonly #port: number;
  readonly #trace: string;
  /** Faults that were met: the call came so often. */
  met = 0;
  readonly #folder: string;
  readonly statuses = new Map<string, number>();

  constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
    this.#trace = `${folder}.trace`;
  }

  async run({ call, how, command }: Fault): Promise<void> {
    const folder = this.#folder;
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
    fs.writeFileSync(`${folder}/large`, OLD);
    const url = `s6://127.0.0.1:${this.#port}`;
    const args =
      command === "get" ? ["get", "-f", "-P", folder, `${url}/large`] : ["mirror", url, folder];
    const names = command === "get" ? ["large"] : Object.keys(NEW);
    const staging = stagingOf(folder);
    const below = BELOW.includes(call);
    const places = below ? [folder, staging, `${staging}/large`, `${folder}/d`] : [];
    const wrap = [
      ...["strace", "-f", "-qq", "-o", this.#trace, "-e", `trace=${call}`],
      ...places.flatMap((path) => ["-P", path]),
      ...["-e", `inject=${call}:${how}`],
    ];
    const { status, signal, err, hung } = await run(
      [...args, "--timeout", "2", "--retry", "2"],
      wrap,
    );
    const killed = how.startsWith("signal");
    if (/INJECTED|killed by SIGKILL/.test(read(this.#trace)?.toString("latin1") ?? ""))
      this.met += 1;
    const came = killed && status !== 0 ? "killed" : String(status);
    this.statuses.set(came, (this.statuses.get(came) ?? 0) + 1);
    if (hung) throw new Error(`it hangs: ${err}`);
    expect(wrongFiles(folder, names)).toEqual([]);
    const fits = NETWORK.includes(call) ? NETWORK_STATUS : DISK_STATUS;
    const died = killed && (signal !== null || status === 137);
    if (!died && !fits.includes(status ?? -1)) throw new Error(`status ${status}: ${err}`);
    if (status === 0) this.#expectAll(names);
    await completes(args, folder);
    this.#expectAll(names);
  }

  #expectAll(names: readonly string[]): void {
    for (const name of names) {
      expect(read(`${this.#folder}/${name}`)?.equals(NEW[name] ?? OLD)).toBe(true);
    }
  }
}

needing(STRACE)(
  `each system call fails at each of its times, with each error (${HERE})`,
  async () => {
    using source = new Tree(NEW);
    await using server = new Running(source.root);
    using tree = new Tree();
    const injected = new Injected(server.port, tree.path("to"));
    const faults = chosen();
    const failed: string[] = [];
    for (const fault of faults) {
      try {
        await injected.run(fault);
      } catch (error) {
        failed.push(`${fault.command} ${fault.call} ${fault.how}: ${String(error)}`);
      }
    }
    const told = [...injected.statuses].map(([status, count]) => `${status}: ${count}`);
    console.log(
      `${faults.length} runs, ${injected.met} met their fault; status ${told.join(", ")}`,
    );
    expect(failed).toEqual([]);
  },
  timeFor(runs(8, 2000), 4000),
);
