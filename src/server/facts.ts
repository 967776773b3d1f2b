/**
 * What a server is doing, as numbers for who runs it: gathered when somebody asks, and put together
 * with those of the other processes of the same server. Transfers are told by path and address:
 * they go to who runs the server, and to nobody else.
 */
import { shownAddress } from "../guard/address.ts";
import { Counters, DOOR_NAMES } from "../observe/counters.ts";
import { merged, most, sum } from "../observe/tally.ts";
import type { Store } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import { printable } from "../wire/printable.ts";
import type { Connection } from "./connection.ts";
import { VERSION } from "./version.ts";

/** What is asked. */
export interface Observed {
  readonly store: Store;
  readonly counters: Counters;
  readonly connections: Iterable<Connection>;
  /** Handshakes of TLS that are not done. */
  readonly handshakes: number;
  /** When it started, in milliseconds since 1970. */
  readonly started: number;
  /** What other processes of this server have told, and the past of those that have ended. */
  readonly others: readonly unknown[];
}

/** One transfer that is under way. */
export interface TransferFacts {
  readonly path: string;
  readonly peer: string;
  /** Content bytes, and those of them that were given to the kernel. */
  readonly size: number;
  readonly sent: number;
  /** Since the peer last took something, in seconds. */
  readonly quietSeconds: number;
}

/** The numbers of the live page. */
export interface LiveFacts {
  readonly version: string;
  readonly upSeconds: number;
  /** Since the start. */
  readonly requests: number;
  readonly refused: number;
  readonly bytes: number;
  readonly connections: number;
  readonly states: Readonly<Record<string, number>>;
  readonly lagMs: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  readonly openFiles: number;
  readonly digestJobs: number;
  /** Those that have stood still longest first. */
  readonly transfers: readonly TransferFacts[];
}

/** The numbers of one process, or of several together. */
export type Facts = ReturnType<typeof ownFacts>;

/** Transfers that the live page shows. */
const TRANSFERS_MAX = 20;

/** What connections wait for, as the metrics and the page name it. */
const STATES = ["request", "silence", "store", "room", "turn", "window", "linger"] as const;

/** Connections by what they wait for. */
export function statesOf(connections: Iterable<Connection>): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(STATES.map((state) => [state, 0]));
  for (const { state } of connections) {
    if (state.awaits in counts) counts[state.awaits] = (counts[state.awaits] ?? 0) + 1;
  }
  return counts;
}

/** What this process tells of itself: `counts` only grow, `now` is what there is, `peaks` worst. */
export function ownFacts({ store, counters, connections, handshakes }: Observed) {
  const { user, system } = process.cpuUsage();
  const { hits, misses, blockHits, blockMisses, ...files } = store.facts;
  const { openFiles, keptFiles, keptBytes, arenaFiles, blockBytes, digestJobs, pages } = files;
  const all = [...connections];
  return {
    counts: {
      ...{ ...countedBy(counters), hits, misses, blockHits, blockMisses },
      cpuSeconds: (user + system) / 1e6,
    },
    now: {
      ...{ connections: counters.connections, handshakes, rssBytes: process.memoryUsage.rss() },
      ...{ openFiles, keptFiles, keptBytes, arenaFiles, blockBytes, digestJobs, pages, workers: 1 },
      underWayBytes: all.reduce((bytes, { sending }) => bytes + (sending?.sent ?? 0), 0),
      states: statesOf(all),
    },
    peaks: { lagMs: counters.lagMs, lagMsMax: counters.lagMsMax },
    transfers: slowest(all.flatMap((connection) => transferOf(connection) ?? [])),
  };
}

/** This process and the others, together. */
export function allFacts(observed: Observed): Facts {
  return observed.others.reduce<Facts>(together, ownFacts(observed));
}

/**
 * `facts` with those that another process told, in whatever shape it did: what is missing or of
 * another kind counts as nothing.
 */
export function together(facts: Facts, told: unknown): Facts {
  const other = told as Partial<Record<keyof Facts, unknown>> | null;
  return {
    counts: merged(facts.counts, other?.counts, sum),
    now: merged(facts.now, other?.now, sum),
    peaks: merged(facts.peaks, other?.peaks, most),
    transfers: slowest([...facts.transfers, ...transfersOf(other?.transfers)]),
  };
}

/** What is left of a process that ended: what it counted, and `before`, what others had. */
export function pastOf(before: unknown, told: unknown): Pick<Facts, "counts"> {
  const asked = { hits: 0, misses: 0, blockHits: 0, blockMisses: 0 };
  const nothing = { ...countedBy(new Counters()), ...asked, cpuSeconds: 0 };
  const all = [before, told].map((one) => (one as Partial<Facts> | null)?.counts);
  return { counts: all.reduce<Facts["counts"]>((past, one) => merged(past, one, sum), nothing) };
}

/** The numbers of the live page. */
export function liveFacts(observed: Observed): LiveFacts {
  const { counts, now, peaks, transfers } = allFacts(observed);
  const { connections, states, rssBytes, openFiles, digestJobs, underWayBytes } = now;
  const bytes = Object.values(counts.doors).reduce((all, door) => all + door.bytes, 0);
  return {
    version: VERSION,
    upSeconds: (Date.now() - observed.started) / 1000,
    requests: counts.requests,
    refused: counts.refused,
    bytes: bytes + underWayBytes,
    cpuSeconds: counts.cpuSeconds,
    lagMs: peaks.lagMs,
    ...{ connections, states, rssBytes, openFiles, digestJobs, transfers },
  };
}

// --- internal ---

function countedBy(counters: Counters) {
  const { requests, refused, accepted, shed, displaced, resets, timeouts, crashes } = counters;
  const doors = Object.fromEntries(DOOR_NAMES.map((name) => [name, doorFacts(counters, name)]));
  return { requests, refused, accepted, shed, displaced, resets, timeouts, crashes, doors };
}

function doorFacts(counters: Counters, name: string) {
  const { answered, refused, reset, bytes, durations } = counters.doors[name]!;
  const { counts, sumMs } = durations;
  return { answered, refused, reset, bytes, durations: [...counts], sumMs };
}

function slowest(transfers: readonly TransferFacts[]): readonly TransferFacts[] {
  return [...transfers].sort((a, b) => b.quietSeconds - a.quietSeconds).slice(0, TRANSFERS_MAX);
}

function transferOf({ sending, address, progressAt }: Connection): TransferFacts | null {
  if (sending === null) return null;
  return {
    path: printable(sending.path),
    peer: shownAddress(address),
    size: sending.size,
    sent: sending.sent,
    quietSeconds: progressAt > 0 ? Math.max(0, clock.now - progressAt) / 1000 : 0,
  };
}

/** Of another process: as text and numbers, whatever it told. */
function transfersOf(told: unknown): TransferFacts[] {
  if (!Array.isArray(told)) return [];
  const all: readonly unknown[] = told.slice(0, TRANSFERS_MAX);
  return all.flatMap((one) => {
    if (typeof one !== "object" || one === null) return [];
    const { path, peer, size, sent, quietSeconds } = one as Partial<Record<string, unknown>>;
    if (typeof path !== "string" || typeof peer !== "string") return [];
    const numbers = merged(
      { size: 0, sent: 0, quietSeconds: 0 },
      { size, sent, quietSeconds },
      sum,
    );
    return [{ path, peer, ...numbers }];
  });
}
