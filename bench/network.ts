/**
 * Owns the network the benchmark runs in: by default a network namespace of its own, with nothing
 * but a loopback interface. There the kernel's TCP counters are ours alone, and the congestion
 * control can be chosen: bbr, a default on many servers, paces each connection by timers, so that
 * large bodies on loopback measure bbr (2 GB/s) and not the servers (10 GB/s and more).
 * Never changes a setting of the machine's own namespace.
 */
import { readFileSync, writeFileSync } from "node:fs";

const INSIDE = "SERV6_BENCH_NETWORK";
const CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control";

/** Controls without pacing, the kernel's own default first; a namespace may not be allowed it. */
const UNPACED = ["cubic", "reno"];

/** As root, and as a user where user namespaces are allowed. */
const WAYS = [
  ["unshare", "--net"],
  ["unshare", "--user", "--map-root-user", "--net"],
];
const UP = 'ip link set lo up && exec "$0" "$@"';

/**
 * Runs this program again in a namespace of its own and exits with its status; or returns a line
 * about the network for the reader, when it is inside already, or when that is not possible.
 */
export async function enterNetwork(wanted: "private" | "host"): Promise<string> {
  if (process.env[INSIDE] !== undefined) return `private namespace, ${chooseCongestionControl()}`;
  if (wanted === "host") return hostLine("as asked");
  const way = WAYS.find((words) => succeeds([...words, "sh", "-c", UP, "true"]));
  if (way === undefined) return hostLine("no private namespace is possible here");
  const child = Bun.spawn([...way, "sh", "-c", UP, process.execPath, ...process.argv.slice(1)], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: ["inherit", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => child.kill(signal));
  }
  process.exit(await child.exited);
}

// --- internal ---

function chooseCongestionControl(): string {
  const before = congestionControl();
  if (UNPACED.includes(before)) return before;
  for (const name of UNPACED) {
    try {
      writeFileSync(CONGESTION, name);
      return `${name} instead of the machine's ${before}`;
    } catch {
      continue;
    }
  }
  return pacingWarning(before);
}

function hostLine(why: string): string {
  return `the machine's own (${why}), ${pacingWarning(congestionControl())}`;
}

function pacingWarning(control: string): string {
  return control === "bbr" ? "bbr: paced, so bodies from 1 MiB on measure bbr" : control;
}

function congestionControl(): string {
  return readFileSync(CONGESTION, "latin1").trim();
}

function succeeds(command: readonly string[]): boolean {
  try {
    return Bun.spawnSync([...command], { stdio: ["ignore", "ignore", "ignore"] }).success;
  } catch {
    return false;
  }
}
