/**
 * What an honest client may expect beside any attack. The bounds hold on a machine ten times slower
 * than the one they were made on, where the worst of a good server is a tenth of them; how much
 * better it is tells `make bench-abuse`. Pure.
 */
import { LEFT_MS_MAX, type Observation, type Ran } from "./beside.ts";

/** Half of the pings are answered within this, in milliseconds: the 10 that are wanted, tenfold. */
export const PING_P50_MS_MAX = 100;

/** All but one in a hundred; of the few pings of a short attack it is the worst. */
export const PING_P99_MS_MAX = 500;

/** The worst. */
export const PING_MS_MAX = 2_000;

/** A get of 3 MB, the start of the program included: 0.1 s alone. In milliseconds. */
export const COMMAND_MS_MAX = 5_000;

/** Resident memory at its peak over what the server had before the first attack. */
export const RSS_BYTES_MAX = 256 * 1024 * 1024;

/** What is wrong with what was seen: a sentence each; none when all is well. */
export function faultsOf(seen: Observation, rssBefore: number): string[] {
  const { get, ls, left, after } = seen;
  const rss = seen.peakRssBytes - rssBefore;
  const late = (what: string, ms: number, most: number): string[] =>
    ms <= most ? [] : [`${what} took ${Math.round(ms)} ms, ${most} at most`];
  return [
    ...(seen.pings > 0 ? [] : ["nothing was pinged"]),
    ...(seen.pingsWrong === null ? [] : [`pings: ${seen.pingsWrong}`]),
    ...(seen.pingsLost === 0 ? [] : [`${seen.pingsLost} of ${seen.pings} pings were lost`]),
    ...late("half of the pings", seen.pingP50, PING_P50_MS_MAX),
    ...late("one ping in a hundred", seen.pingP99, PING_P99_MS_MAX),
    ...late("the slowest ping", seen.pingMax, PING_MS_MAX),
    ...failed("get", get),
    ...failed("ls", ls),
    ...(left.clean ? [] : [`${LEFT_MS_MAX / 1000} s after the attacker: ${leftLine(seen)}`]),
    ...failed("HASH and LIST after the attack", after),
    ...(rss <= RSS_BYTES_MAX ? [] : [`${Math.round(rss / 1024 ** 2)} MiB of memory more`]),
  ];
}

/** What was left, in words. */
export function leftLine({ left }: Observation): string {
  const { connections, closeWait, sockets, cpuShare } = left;
  const cpu = Math.round(cpuShare * 100);
  return `${connections} connections, ${closeWait} of them closed by the peer; ${sockets} sockets; ${cpu} % of a processor`;
}

// --- internal ---

function failed(what: string, { status, ms, wrong }: Ran): string[] {
  if (status === 0 && wrong === "" && ms <= COMMAND_MS_MAX) return [];
  return [`${what} ended with status ${status} after ${Math.round(ms)} ms: ${wrong}`];
}
