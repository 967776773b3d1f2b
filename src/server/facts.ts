/**
 * What a server is doing, as numbers for who runs it: gathered when somebody asks. Transfers are
 * told by path and address: they go to who runs the server, and to nobody else.
 */
import { shownAddress } from "../guard/address.ts";
import { DOOR_NAMES, type Counters } from "../observe/counters.ts";
import { type DurationFamily, type Family, openMetrics } from "../observe/openmetrics.ts";
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

/** The numbers of the live page. */
export function liveFacts({ store, counters, connections, started }: Observed): LiveFacts {
  const all = [...connections];
  const bytes = DOOR_NAMES.reduce((sum, name) => sum + (counters.doors[name]?.bytes ?? 0), 0);
  return {
    version: VERSION,
    upSeconds: (Date.now() - started) / 1000,
    requests: counters.requests,
    refused: counters.refused,
    bytes: bytes + all.reduce((sum, { sending }) => sum + (sending?.sent ?? 0), 0),
    connections: counters.connections,
    states: statesOf(all),
    lagMs: counters.lagMs,
    ...processFacts(),
    openFiles: store.facts.openFiles,
    digestJobs: store.facts.digestJobs,
    transfers: all
      .flatMap((connection) => transferOf(connection) ?? [])
      .sort((a, b) => b.quietSeconds - a.quietSeconds)
      .slice(0, TRANSFERS_MAX),
  };
}

/** Everything, in the OpenMetrics format. */
export function metrics(observed: Observed): string {
  const { rssBytes, cpuSeconds } = processFacts();
  return openMetrics([
    info(),
    ...requestFamilies(observed.counters),
    ...connectionFamilies(observed),
    ...storeFamilies(observed.store),
    gauge("process_resident_memory_bytes", "Resident memory.", rssBytes),
    counter("process_cpu_seconds", "User and system time.", cpuSeconds),
    gauge("process_start_time_seconds", "When it started.", observed.started / 1000),
  ]);
}

// --- internal ---

function counter(name: string, help: string, value: number): Family {
  return { name, type: "counter", help, samples: [{ value }] };
}

function gauge(name: string, help: string, value: number): Family {
  return { name, type: "gauge", help, samples: [{ value }] };
}

function info(): Family {
  const labels = { version: VERSION, bun: Bun.version };
  const help = "Version of the server and of Bun.";
  return { name: "serv6_build", type: "info", help, samples: [{ labels, value: 1 }] };
}

function requestFamilies(counters: Counters): (Family | DurationFamily)[] {
  const doors = DOOR_NAMES.map((door) => ({ door, counts: counters.doors[door]! }));
  return [
    {
      ...{ name: "serv6_requests", type: "counter", help: "Requests that are over." },
      samples: doors.flatMap(({ door, counts: { answered, refused, reset } }) => [
        { labels: { door, outcome: "answered" }, value: answered },
        { labels: { door, outcome: "refused" }, value: refused },
        { labels: { door, outcome: "reset" }, value: reset },
      ]),
    },
    {
      ...{ name: "serv6_sent_bytes", type: "counter", help: "Content of replies." },
      samples: doors.map(({ door, counts }) => ({ labels: { door }, value: counts.bytes })),
    },
    {
      ...{ name: "serv6_request_seconds", type: "histogram" },
      help: "From the event that brought a request to the one that ended its reply.",
      series: doors.map(({ door, counts }) => ({ labels: { door }, durations: counts.durations })),
    },
  ];
}

function connectionFamilies({ connections, counters, handshakes }: Observed): Family[] {
  return [
    {
      ...{ name: "serv6_connections", type: "gauge", help: "Open, by what they wait for." },
      samples: Object.entries(statesOf(connections)).map(([state, value]) => ({
        ...{ labels: { state }, value },
      })),
    },
    counter("serv6_accepted", "Connections that were let in.", counters.accepted),
    counter("serv6_shed", "Connections refused for want of room, or by address.", counters.shed),
    counter("serv6_displaced", "Connections that gave way to others.", counters.displaced),
    counter("serv6_resets", "Connections ended by RST.", counters.resets),
    counter("serv6_timeouts", "Peers cut for silence or for taking nothing.", counters.timeouts),
    counter("serv6_crashes", "Errors of the server itself.", counters.crashes),
    gauge("serv6_handshakes", "Handshakes of TLS that are not done.", handshakes),
    gauge("serv6_loop_lag_seconds", "What the last sweep came late by.", counters.lagMs / 1000),
    gauge("serv6_loop_lag_max_seconds", "The longest of these.", counters.lagMsMax / 1000),
  ];
}

function storeFamilies({ facts }: Store): Family[] {
  return [
    gauge("serv6_open_files", "Descriptors of served files.", facts.openFiles),
    gauge("serv6_kept_files", "Files that are kept under their names.", facts.keptFiles),
    gauge("serv6_kept_bytes", "Contents among them.", facts.keptBytes),
    gauge("serv6_arena_files", "Files that lie behind their head in memory.", facts.arenaFiles),
    counter("serv6_cache_hits", "Questions for a file that was kept.", facts.hits),
    counter("serv6_cache_misses", "Questions for a file that was not.", facts.misses),
    gauge("serv6_digest_jobs", "Digests that wait or are computed.", facts.digestJobs),
    gauge("serv6_pages", "Pages of directories that wait or are made.", facts.pages),
  ];
}

function processFacts(): { rssBytes: number; cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
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
