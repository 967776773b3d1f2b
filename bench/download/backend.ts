/**
 * Owns the servers that clients are measured against: those that stay for the run, and netcat,
 * which is started for each download. Tells what each used of the machine for one download.
 * Invariant: a session is finished only when the server has nothing left to do for it.
 */
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nginx } from "../rivals/nginx.ts";
import { cpuSeconds, resetPeakRss } from "../proc.ts";
import { SERV6_ENTRY, serv6 } from "../server.ts";
import { freePort, type RunningServer, startServer } from "../spawn.ts";
import type { ServerName } from "./contender.ts";
import { run } from "./program.ts";
import { PeakWatch } from "./peak.ts";

/** How long a server may be busy after its client has gone. */
const FINISH_MS_MAX = 3_000;
const START_MS_MAX = 3_000;
const POLL_MS = 2;

export interface Usage {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

/** A server during one download. */
export interface Session {
  readonly port: number;
  finish(): Promise<Usage>;
}

export interface Backend {
  /** `port` and `name` are what the client will be told. */
  begin(corpusName: string): Promise<Session>;
  stop(): Promise<void>;
}

/** Starts what stays; `root` is what is served, `work` a folder for configurations. */
export async function startBackend(name: ServerName, root: string, work: string): Promise<Backend> {
  if (name === "nc" || name === "tar") {
    const script = name === "nc" ? `${NC} < "$1"` : `tar -c -C "$2" "$3" | ${NC}`;
    return once((corpus, port) => {
      return ["sh", "-c", script, String(port), join(root, corpus), root, corpus];
    });
  }
  if (name === "rsync") return lasting(await startRsync(root, work));
  return lasting(await (name === "nginx" ? nginx : serv6("s6", SERV6_ENTRY, [])).start(root));
}

// --- internal ---

const NC = `nc -l -N 127.0.0.1 "$0"`;

function lasting(server: RunningServer): Backend {
  return {
    async begin() {
      const pids = server.pids();
      const before = cpuSeconds(pids);
      resetPeakRss(pids);
      const watch = new PeakWatch(pids[0]!);
      const finish = async (): Promise<Usage> => {
        await until(() => server.pids().length <= pids.length, FINISH_MS_MAX);
        const peakRssBytes = watch.stop();
        return { cpuSeconds: cpuSeconds(pids) - before, peakRssBytes };
      };
      return { port: server.port, finish };
    },
    stop: () => server.stop(),
  };
}

function once(command: (corpus: string, port: number) => readonly string[]): Backend {
  return {
    async begin(corpus) {
      const port = freePort();
      const nothing = openSync("/dev/null", "r+");
      const program = run(command(corpus, port), nothing);
      closeSync(nothing);
      await until(() => listens(port), START_MS_MAX);
      const finish = async (): Promise<Usage> => {
        const timer = setTimeout(program.kill, FINISH_MS_MAX);
        const { cpuSeconds: used, peakRssBytes } = await program.ended;
        clearTimeout(timer);
        return { cpuSeconds: used, peakRssBytes };
      };
      return { port, finish };
    },
    stop: async () => {},
  };
}

async function startRsync(root: string, work: string): Promise<RunningServer> {
  const port = freePort();
  const file = join(work, "rsyncd.conf");
  const user = process.getuid?.() === 0 ? "uid = root\ngid = root\n" : "";
  const module = `[data]\npath = ${root}\nread only = yes\n`;
  writeFileSync(file, `use chroot = no\nlog file = /dev/null\n${user}${module}`);
  const flags = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`];
  return startServer(["rsync", ...flags, `--config=${file}`], port);
}

/** Whether a socket listens there; to connect would use up a server for one connection. */
function listens(port: number): boolean {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  return readFileSync("/proc/net/tcp", "latin1").includes(local);
}

async function until(ready: () => boolean, msMax: number): Promise<void> {
  for (const deadline = Date.now() + msMax; !ready();) {
    if (Date.now() > deadline) throw new Error(`a server was not ready within ${msMax} ms`);
    await Bun.sleep(POLL_MS);
  }
}
