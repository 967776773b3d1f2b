/**
 * What a run of the benchmark leaves behind: one JSON file, read by the report page (page.ts) and
 * by whoever wants to check us. Owns its shape and the check of it; never measures.
 * Invariant: every number has its unit in its name; what was not measured is null, never 0.
 */

/** Changes when a reader of older files would go wrong. */
export const RESULT_SCHEMA = "serv6-bench/1";

/** One run. */
export interface BenchResult {
  readonly schema: typeof RESULT_SCHEMA;
  /** ISO 8601, UTC, when it began. */
  readonly began: string;
  readonly mode: "quick" | "full" | "custom";
  readonly machine: Machine;
  /** How loopback was set up, in words. */
  readonly network: string;
  /** The command line that makes it again. */
  readonly command: string;
  readonly servers: readonly ServerFacts[];
  readonly scenarios: readonly ScenarioFacts[];
  readonly samples: readonly NamedSample[];
  /** Scenarios or servers that failed, in words: a run with any is not a claim. */
  readonly failures: readonly string[];
}

/** Where it ran; nothing that names the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly bun: string;
}

/** Who took part, or why not. */
export interface ServerFacts {
  readonly name: string;
  readonly version: string | null;
  /** Its configuration, in a line. */
  readonly about: string;
  /** Why it could not take part, or null. */
  readonly skipped: string | null;
}

/** What was asked of everybody. */
export interface ScenarioFacts {
  readonly name: string;
  readonly title: string;
  /** One plot shows all scenarios of a series, along `axis`. */
  readonly series: string;
  readonly axis: "size" | "connections" | "rate" | null;
  readonly fileBytes: number;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Requests a second that were due in an open loop; null: closed loop. */
  readonly ratePerSecond: number | null;
  readonly seconds: number;
  /** Ours divided by the rival's requests a second that the project promises, by rival. */
  readonly mustReach: Readonly<Record<string, number>>;
}

/** What one sample saw; CPU times lie within the window of `seconds`. */
export interface Sample {
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly bodyBytesPerSecond: number;
  /** Latencies in microseconds; in an open loop from the time at which the request was due. */
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
  /** What the rest of the machine used meanwhile. */
  readonly otherCpuSeconds: number;
  readonly serverPeakRssBytes: number;
  /** System calls of the server for each request, from a sample of its own; null: not counted. */
  readonly syscallsPerRequest: number | null;
}

/** A sample with its place. */
export interface NamedSample extends Sample {
  readonly scenario: string;
  readonly server: string;
  /** Samples of one round belong together: a ratio compares within a round. */
  readonly round: number;
}
