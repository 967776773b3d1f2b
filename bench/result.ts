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
  /** Why the machine could not do it, where that is so; then it has no samples. */
  readonly skipped?: string;
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
  /**
   * Open loop: the 99th percentile of the microseconds by which the load sent later than was due.
   * The latencies include it: where it is large, they are the load's and not the server's.
   */
  readonly sentLateP99Us?: number;
}

/** A sample with its place. */
export interface NamedSample extends Sample {
  readonly scenario: string;
  readonly server: string;
  /** Samples of one round belong together: a ratio compares within a round. */
  readonly round: number;
}

/**
 * Everything that is wrong with `value` as a BenchResult, in words; empty when it is one. What an
 * older reader does not know is wrong too, so that a new field comes with a new check.
 */
export function checkResult(value: unknown): string[] {
  const wrong: string[] = [];
  result("result", value, wrong);
  if (wrong.length === 0) consistency(value as BenchResult, wrong);
  return wrong;
}

// --- internal ---

/** Adds to `wrong` what is wrong with `value`, which stands at `at`. */
type Check = (at: string, value: unknown, wrong: string[]) => void;

function leaf(what: string, fits: (value: unknown) => boolean): Check {
  return (at, value, wrong) => {
    if (!fits(value)) wrong.push(`${at} is not ${what}`);
  };
}

const text = leaf("a text", (value) => typeof value === "string" && value !== "");
const amount = leaf("a number from 0 up", (value) => Number.isFinite(value) && Number(value) >= 0);
const count = leaf(
  "a whole number from 1 up",
  (value) => Number.isInteger(value) && Number(value) >= 1,
);
const oneOf = (...words: readonly unknown[]): Check =>
  leaf(`one of ${words.join(", ")}`, (value) => words.includes(value));

function orNull(check: Check): Check {
  return (at, value, wrong) => {
    if (value !== null) check(at, value, wrong);
  };
}

/** For fields that need not be there. */
function ifThere(check: Check): Check {
  return (at, value, wrong) => {
    if (value !== undefined) check(at, value, wrong);
  };
}

function listOf(check: Check): Check {
  return (at, value, wrong) => {
    if (!Array.isArray(value)) wrong.push(`${at} is not a list`);
    else value.forEach((one, i) => check(`${at}[${i}]`, one, wrong));
  };
}

/** `fields` must name every field of T: one that is forgotten does not compile. */
function object<T>(fields: Readonly<Record<keyof T, Check>>): Check {
  const known = new Map(Object.entries<Check>(fields));
  return (at, value, wrong) => {
    if (!isRecord(value)) return void wrong.push(`${at} is not an object`);
    for (const [name, check] of known) check(`${at}.${name}`, value[name], wrong);
    for (const name of Object.keys(value)) {
      if (!known.has(name)) wrong.push(`${at}.${name} is not known`);
    }
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ratios: Check = (at, value, wrong) => {
  if (!isRecord(value)) return void wrong.push(`${at} is not an object`);
  for (const [name, ratio] of Object.entries(value)) amount(`${at}.${name}`, ratio, wrong);
};

const sampled = {
  ...{ scenario: text, server: text, round: count, seconds: amount },
  ...{ requestsPerSecond: amount, bodyBytesPerSecond: amount },
  ...{ p50Us: amount, p90Us: amount, p99Us: amount, p999Us: amount, maxUs: amount },
  ...{ serverCpuSeconds: amount, loadCpuSeconds: amount, otherCpuSeconds: amount },
  ...{ serverPeakRssBytes: amount, syscallsPerRequest: orNull(amount) },
  sentLateP99Us: ifThere(amount),
};

const result = object<BenchResult>({
  schema: oneOf(RESULT_SCHEMA),
  began: leaf("a time in UTC", (value) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(String(value))),
  mode: oneOf("quick", "full", "custom"),
  machine: object<Machine>({
    ...{ cpu: text, cores: count, memoryBytes: count, kernel: text, bun: text },
  }),
  ...{ network: text, command: text },
  servers: listOf(
    object<ServerFacts>({ name: text, version: orNull(text), about: text, skipped: orNull(text) }),
  ),
  scenarios: listOf(
    object<ScenarioFacts>({
      ...{ name: text, title: text, series: text, fileBytes: amount, connections: count },
      ...{ axis: oneOf("size", "connections", "rate", null), depth: count, seconds: amount },
      ...{ ratePerSecond: orNull(amount), mustReach: ratios, skipped: ifThere(text) },
    }),
  ),
  samples: listOf(object<NamedSample>(sampled)),
  failures: listOf(text),
});

/** What no single field shows: samples of nobody, samples twice, percentiles that fall. */
function consistency({ servers, scenarios, samples }: BenchResult, wrong: string[]): void {
  const there = (facts: readonly (ServerFacts | ScenarioFacts)[]): string[] =>
    facts.filter(({ skipped }) => skipped == null).map(({ name }) => name);
  const [present, measured] = [there(servers), there(scenarios)];
  for (const names of [servers, scenarios].map((facts) => facts.map(({ name }) => name))) {
    if (new Set(names).size < names.length)
      wrong.push(`a name is there twice: ${names.join(", ")}`);
  }
  const places = new Set<string>();
  for (const { scenario, server, round, ...one } of samples) {
    const place = `${scenario}, ${server}, round ${round}`;
    if (places.has(place)) wrong.push(`${place}: there twice`);
    places.add(place);
    if (!present.includes(server)) wrong.push(`${place}: no such server took part`);
    if (!measured.includes(scenario)) wrong.push(`${place}: no such scenario was measured`);
    const rising = [0, one.p50Us, one.p90Us, one.p99Us, one.p999Us, one.maxUs];
    if (rising.some((us, i) => us < (rising[i - 1] ?? 0))) wrong.push(`${place}: percentiles fall`);
  }
}
