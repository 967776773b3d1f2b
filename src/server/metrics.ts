/** The numbers of facts.ts as text in the OpenMetrics format: names, types and what they mean. */
import { DOOR_NAMES } from "../observe/counters.ts";
import { type DurationFamily, type Family, openMetrics } from "../observe/openmetrics.ts";
import { allFacts, type Facts, type Observed } from "./facts.ts";
import { VERSION } from "./version.ts";

/** Everything, in the OpenMetrics format. */
export function metrics(observed: Observed): string {
  const facts = allFacts(observed);
  return openMetrics([
    info(),
    ...requestFamilies(facts),
    ...connectionFamilies(facts),
    ...storeFamilies(facts),
    gauge("serv6_workers", "Processes that serve.", facts.now.workers),
    gauge("process_resident_memory_bytes", "Resident memory.", facts.now.rssBytes),
    counter("process_cpu_seconds", "User and system time.", facts.counts.cpuSeconds),
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

function requestFamilies({ counts }: Facts): (Family | DurationFamily)[] {
  const doors = DOOR_NAMES.map((door) => ({ door, ...counts.doors[door]! }));
  return [
    {
      ...{ name: "serv6_requests", type: "counter", help: "Requests that are over." },
      samples: doors.flatMap(({ door, answered, refused, reset }) => [
        { labels: { door, outcome: "answered" }, value: answered },
        { labels: { door, outcome: "refused" }, value: refused },
        { labels: { door, outcome: "reset" }, value: reset },
      ]),
    },
    {
      ...{ name: "serv6_sent_bytes", type: "counter", help: "Content of replies." },
      samples: doors.map(({ door, bytes }) => ({ labels: { door }, value: bytes })),
    },
    {
      ...{ name: "serv6_request_seconds", type: "histogram" },
      help: "From the event that brought a request to the one that ended its reply.",
      series: doors.map(({ door, durations, sumMs }) => ({
        ...{ labels: { door }, durations: { counts: durations, sumMs } },
      })),
    },
  ];
}

function connectionFamilies({ counts, now, peaks }: Facts): Family[] {
  return [
    {
      ...{ name: "serv6_connections", type: "gauge", help: "Open, by what they wait for." },
      samples: Object.entries(now.states).map(([state, value]) => ({ labels: { state }, value })),
    },
    counter("serv6_accepted", "Connections that were let in.", counts.accepted),
    counter("serv6_shed", "Connections refused for want of room, or by address.", counts.shed),
    counter("serv6_displaced", "Connections that gave way to others.", counts.displaced),
    counter("serv6_resets", "Connections ended by RST.", counts.resets),
    counter("serv6_timeouts", "Peers cut for silence or for taking nothing.", counts.timeouts),
    counter("serv6_crashes", "Errors of the server itself.", counts.crashes),
    gauge("serv6_handshakes", "Handshakes of TLS that are not done.", now.handshakes),
    gauge("serv6_loop_lag_seconds", "What the last sweep came late by.", peaks.lagMs / 1000),
    gauge("serv6_loop_lag_max_seconds", "The longest of these.", peaks.lagMsMax / 1000),
  ];
}

function storeFamilies({ counts, now }: Facts): Family[] {
  return [
    gauge("serv6_open_files", "Descriptors of served files.", now.openFiles),
    gauge("serv6_kept_files", "Files that are kept under their names.", now.keptFiles),
    gauge("serv6_kept_bytes", "Contents among them.", now.keptBytes),
    gauge("serv6_arena_files", "Files that lie behind their head in memory.", now.arenaFiles),
    counter("serv6_cache_hits", "Questions for a file that was kept.", counts.hits),
    counter("serv6_cache_misses", "Questions for a file that was not.", counts.misses),
    gauge("serv6_block_bytes", "Blocks of objects in the cache on disk.", now.blockBytes),
    counter("serv6_block_hits", "Blocks of objects that were there.", counts.blockHits),
    counter("serv6_block_misses", "Blocks of objects that had to be brought.", counts.blockMisses),
    gauge("serv6_digest_jobs", "Digests that wait or are computed.", now.digestJobs),
    gauge("serv6_pages", "Pages of directories that wait or are made.", now.pages),
  ];
}
