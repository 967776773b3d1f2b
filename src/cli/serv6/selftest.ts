/**
 * `serv6 --self-test`: tries from inside, in every thread, what the second wall forbids, and prints
 * what came of it. Each attempt is one that does no harm where nothing stops it: a call with an
 * argument that can't work fails with another error than the wall's.
 */
import fs from "node:fs";
import { DigestThread } from "../../digest/thread.ts";
import { digestLines } from "../../digest/digest.ts";
import { numberOf } from "../../guard/forbidden.ts";
import type { Argument, Confinement } from "../../sys/confine.ts";
import { ERRNO, errnoName } from "../../sys/errno.ts";
import { type LookAnswer, type LookFacts, readFacts } from "../../store/look.ts";
import { lookThreads } from "../../store/lookthread.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../sys/types.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";
import { HERE } from "../../wire/path.ts";
import { EXIT } from "../output/exit.ts";
import { printAnswer } from "../output/text.ts";
import type { Server } from "../../server/serve.ts";

/** A line of the table. */
interface Row {
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly kept: boolean;
}

/** One call, with arguments that do nothing where it is allowed. */
type Attempt = readonly [what: string, call: string, ...given: readonly Argument[]];

const NUMBER_OPENAT = process.arch === "x64" ? 257 : 56;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
/** Without CLONE_VM beside it: EINVAL (clone(2)). */
const CLONE_SIGHAND = 0x800;
const PTRACE_PEEKDATA = 2;
const TIOCSTI = 0x5412;
const SHUT_RDWR = 2;
const F_SETOWN = 8;
/** setresuid(2): leave it as it is. */
const LEAVE = -1;
const NO_FD = -1;
const EMPTY = Buffer.from("\0");

/** What the digest thread is given, and a bound on its start in milliseconds. */
const SAMPLE = Buffer.from("serv6");
const THREAD_MS_MAX = 10_000;

/**
 * Tries everything against the walled `server`: prints the table; 0 when all was kept, else 1.
 * `remote`: it connects to an object store, and so it may connect at all.
 */
export async function selfTest(
  server: Server,
  confinement: Confinement | null,
  remote: boolean,
): Promise<number> {
  const rows: Row[] = [await digestRow()];
  for (const { folder } of server.store.roots) rows.push(await lookRow(folder));
  if (confinement === null) {
    rows.push({ what: "calls in each thread", expected: "refused", seen: "untried", kept: false });
  } else {
    rows.push(...stateRows(), ...fileRows(server, confinement));
    rows.push(...attempts(remote).map((attempt) => callRow(confinement, attempt)));
  }
  const printed = printAnswer(table(rows).trimEnd());
  return rows.every((row) => row.kept) ? printed : EXIT.unexpected;
}

// --- internal ---

/** What has to work: a thread that starts now, from files of this program. */
async function digestRow(): Promise<Row> {
  const expected = digestLines("sha256", SAMPLE, SAMPLE.length);
  const answer = await new Promise<string | number>((resolve) => {
    const timer = setTimeout(() => resolve("no answer"), THREAD_MS_MAX);
    const thread = new DigestThread({
      answered(lines) {
        clearTimeout(timer);
        // It stays for the rows below: it is one of the threads.
        resolve(lines);
      },
      ended: () => resolve("it ended"),
    });
    const whole = { at: 0n, count: SAMPLE.length, chunk: SAMPLE.length, piece: "whole" } as const;
    thread.send({ job: 1, algo: "sha256", source: SAMPLE, ...whole });
  });
  const kept = answer === expected;
  return {
    what: "start a thread for digests",
    expected: "works",
    seen: kept ? "works" : String(answer),
    kept,
  };
}

/** The thread for looks: what it opens is this thread's as well. */
async function lookRow(folder: ByteString): Promise<Row> {
  const root = bufferOf(folder);
  const fd = fs.openSync(root, OPEN.readOnly | OPEN.directory);
  const policy = { hidden: false, symlinks: false, mounts: false, unconfined: false };
  const seen = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve("no answer"), THREAD_MS_MAX);
    const owner = {
      answered(answer: LookAnswer) {
        clearTimeout(timer);
        resolve(typeof answer === "number" ? errnoName(-answer) : opened(answer));
      },
      ended: () => resolve("it ended"),
    };
    const parts = { fd, name: folder, policy, only: null };
    lookThreads.start(owner, parts).send({ kind: "name", path: HERE, want: "folder" });
  });
  return {
    ...{ what: "start a thread that opens names", expected: "works", seen },
    kept: seen === "works",
  };
}

/** The folder that a thread has opened is one here; both stay open, as the thread stays. */
function opened(answer: LookFacts): string {
  const fd = readFacts(answer, new FileStat());
  return fs.fstatSync(fd).isDirectory() ? "works" : "another file";
}

/** What the kernel says of each thread (proc(5)). */
function stateRows(): Row[] {
  const states = fs.readdirSync("/proc/self/task").map((id) => stateOf(id));
  const line = (what: string, field: string, expected: string, kept: RegExp): Row => {
    const values = states.map((state) => new RegExp(`^${field}:\\s*(.*)$`, "m").exec(state)?.[1]);
    const seen = [...new Set(values.map((value) => value ?? "nothing"))].join(", ");
    return {
      ...{ what, expected, seen: `${seen.replaceAll("\t", " ")} in ${states.length} threads` },
      kept: values.every((value) => value !== undefined && kept.test(value)),
    };
  };
  return [
    line("no new privileges", "NoNewPrivs", "1", /^1$/),
    line("filter of system calls", "Seccomp", "2", /^2$/),
    line("capabilities", "CapEff", "0", /^0+$/),
    line("capabilities to be had", "CapPrm", "0", /^0+$/),
    line("one user, with no way back", "Uid", "no other", /^(\d+)\t\1\t\1\t\1$/),
  ];
}

function stateOf(id: string): string {
  try {
    return fs.readFileSync(`/proc/self/task/${id}/status`, "utf8");
  } catch {
    return "";
  }
}

function fileRows(server: Server, confinement: Confinement): Row[] {
  const { roots } = server.store;
  const open = (path: Buffer, flags: number) =>
    confinement.call(NUMBER_OPENAT, AT_FDCWD, path, flags | OPEN.closeOnExec);
  const refused = (what: string, path: string, flags: number): Row =>
    refusal(what, ERRNO.EACCES, open(Buffer.from(`${path}\0`), flags));
  return [
    // Objects are no files: that they are served shows elsewhere.
    ...roots.map(({ at, folder }): Row => {
      const served = open(Buffer.from(`${folder}\0`, "latin1"), OPEN.readOnly);
      const kept = served.failed === 0;
      const seen = kept ? `works in ${served.threads} threads` : errnoName(served.errno);
      return { what: `read ${at === "" ? "ROOT" : at.slice(1)}`, expected: "works", seen, kept };
    }),
    refused("read /etc/passwd", "/etc/passwd", OPEN.readOnly),
    refused("list /", "/", OPEN.readOnly | OPEN.directory),
    refused("write to /dev/null", "/dev/null", OPEN.writeOnly),
  ];
}

function attempts(remote: boolean): Attempt[] {
  const network: Attempt[] = remote
    ? [["make a socket of this machine", "socket", AF_UNIX, SOCK_STREAM, 0]]
    : [
        ["make a socket", "socket", AF_INET, SOCK_STREAM, 0],
        ["connect one", "connect", NO_FD, 0, 0],
      ];
  return [
    ["run a program", "execve", EMPTY, 0, 0],
    ["run a program by its descriptor", "execveat", NO_FD, EMPTY, 0, 0, 0],
    ["start a process", "clone", CLONE_SIGHAND],
    ["trace a process", "ptrace", PTRACE_PEEKDATA, 0, 0, 0],
    ["read a process's memory", "process_vm_readv", 0, 0, 0, 0, 0],
    ["send a signal to another process", "kill", process.ppid, 0],
    ["send one by an event of a file", "fcntl", NO_FD, F_SETOWN, process.ppid],
    ...network,
    ["listen elsewhere", "bind", NO_FD, 0, 0],
    ["make a connection of a listener", "shutdown", NO_FD, SHUT_RDWR],
    ["type into the terminal", "ioctl", NO_FD, TIOCSTI, 0],
    ["make a folder", "mkdirat", AT_FDCWD, EMPTY, 0],
    ["remove a file", "unlinkat", AT_FDCWD, EMPTY, 0],
    ["rename a file", "renameat2", AT_FDCWD, EMPTY, AT_FDCWD, EMPTY, 0],
    ["change a file's mode", "fchmodat", AT_FDCWD, EMPTY, 0],
    ["open a file by its number", "open_by_handle_at", NO_FD, 0, 0],
    ["become another user", "setresuid", LEAVE, LEAVE, LEAVE],
    ["mount a file system", "mount", 0, 0, 0, 0, 0],
    ["have another root", "chroot", EMPTY],
    ["leave a namespace", "unshare", 0],
    ["enter a namespace", "setns", NO_FD, 0],
    ["load a program into the kernel", "bpf", NO_FD, 0, 0],
    ["make calls past the filter", "io_uring_setup", 0, 0],
    ["watch the kernel", "perf_event_open", 0, 0, NO_FD, NO_FD, 0],
    ["use its keys", "keyctl", 0, LEAVE, 0],
  ];
}

function callRow(confinement: Confinement, [what, call, ...given]: Attempt): Row {
  const number = numberOf(call, process.arch === "arm64" ? "arm64" : "x64") ?? NO_FD;
  return refusal(`${what} (${call})`, ERRNO.EPERM, confinement.call(number, ...given));
}

/** Kept when each thread answered, and each with that error. */
function refusal(what: string, errno: number, outcome: ReturnType<Confinement["call"]>): Row {
  const { threads, answered, failed } = outcome;
  const kept = answered === threads && failed === threads && outcome.errno === errno;
  const seen =
    failed === threads
      ? `${errnoName(outcome.errno)} in ${failed} threads`
      : `allowed in ${answered - failed} of ${threads} threads`;
  return { what, expected: errnoName(errno), seen, kept };
}

/** Columns as wide as their widest word. */
function table(rows: readonly Row[]): string {
  const lines = [
    ["", "what", "expected", "seen"],
    ...rows.map(({ what, expected, seen, kept }) => [kept ? "ok" : "FAIL", what, expected, seen]),
  ];
  const widths = [0, 1, 2].map((at) => Math.max(...lines.map((cells) => (cells[at] ?? "").length)));
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
