/**
 * Owns what is measured: each scenario is one row of this table. Never how. A new door is new rows.
 * `mustReach` is what the project promises against a rival, as ours divided by the rival's.
 */
import type { FileName } from "./files.ts";
import type { DoorName } from "./load/door.ts";

export interface Scenario {
  readonly name: string;
  /** The runs that have it: the quick one's are in the full one too. */
  readonly run: "quick" | "full";
  readonly door: DoorName;
  readonly file: FileName;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Open loop: requests a second that are due. Null: closed loop. */
  readonly ratePerSecond: number | null;
  /** One plot shows all scenarios of a series along its axis; those of none stand alone. */
  readonly series: string;
  readonly axis: "size" | "connections" | "rate" | null;
  /** Names of the rivals it is measured against, each by the door that rival has. */
  readonly rivals: readonly string[];
  readonly mustReach: Readonly<Record<string, number>>;
}

/** Servers for production, which every comparison should have. */
const SERVERS = ["nginx", "lighttpd", "h2o", "caddy", "bun-serve"];

/** For 1 KiB, where nginx has two ways and neither is best for all (rivals/nginx.ts). */
const SMALL = ["nginx", "nginx-read", "lighttpd"];

const CLOSED = { depth: 1, ratePerSecond: null } as const;

function sized(
  file: FileName,
  run: Scenario["run"],
  connections: number,
  rivals: readonly string[],
  mustReach: Scenario["mustReach"],
): Scenario {
  const common = { door: "s6", ...CLOSED, series: "size", axis: "size" } as const;
  return { name: `s6-${file}`, run, file, connections, rivals, mustReach, ...common };
}

/** The same requests for everybody: ours over HTTP too. */
function web(file: FileName, connections: number, least: number, rivals = ["nginx"]): Scenario {
  const common = { door: "http", ...CLOSED, series: "http", axis: null, run: "quick" } as const;
  return {
    name: `http-${file}`,
    file,
    connections,
    rivals,
    mustReach: { nginx: least },
    ...common,
  };
}

function held(connections: number): Scenario {
  const common = { door: "s6", file: "1k", ...CLOSED, axis: "connections" } as const;
  const name = `s6-1k-c${connections}`;
  return {
    name,
    run: "full",
    connections,
    series: "connections",
    // The bare loop, for what the kernel alone makes of many connections.
    rivals: [...SMALL, "c"],
    mustReach: {},
    ...common,
  };
}

function paced(ratePerSecond: number, run: Scenario["run"]): Scenario {
  const common = { door: "s6", file: "1k", connections: 64, depth: 1, axis: "rate" } as const;
  const name = `s6-1k-at${ratePerSecond / 1000}k`;
  return { name, run, ratePerSecond, series: "rate", rivals: SMALL, mustReach: {}, ...common };
}

/** By TLS, without the kernel's. A door ending in "-new": handshakes, each for one small file. */
function secure(
  door: "https" | "https12" | "https-new" | "https12-new",
  file: FileName,
  connections: number,
  run: Scenario["run"],
): Scenario {
  const name = door.endsWith("-new") ? door : `${door}-${file}`;
  const common = { ...CLOSED, series: "https", axis: null, rivals: ["nginx-tls"] } as const;
  return { name, door, file, connections, run, mustReach: {}, ...common };
}

export const SCENARIOS: readonly Scenario[] = [
  sized("1k", "quick", 64, [...SERVERS, "nginx-read", "python"], { nginx: 1.3 }),
  {
    ...{ name: "s6-1k-x16", run: "quick", door: "s6", file: "1k", connections: 64, depth: 16 },
    ...{ ratePerSecond: null, series: "pipelined", axis: null },
    rivals: ["nginx", "lighttpd", "h2o", "caddy"],
    mustReach: { nginx: 4 },
  },
  sized("16k", "quick", 64, [...SERVERS, "c"], { nginx: 1.1 }),
  web("1k", 64, 1.3, ["nginx", "nginx-read"]),
  {
    ...web("1k", 64, 3),
    ...{ name: "http-1k-x16", depth: 16, series: "http-pipelined" },
  },
  web("16k", 64, 1.1),
  web("100k", 64, 1),
  web("1m", 64, 1),
  web("100m", 4, 1),
  secure("https", "1m", 16, "quick"),
  secure("https", "100m", 4, "quick"),
  secure("https-new", "1k", 16, "quick"),
  secure("https", "1k", 64, "full"),
  secure("https12", "100m", 4, "full"),
  secure("https12-new", "1k", 16, "full"),
  sized("32k", "full", 64, ["nginx", "lighttpd", "c"], { nginx: 1.1 }),
  sized("64k", "full", 64, ["nginx", "lighttpd", "c"], { nginx: 1.1 }),
  sized("100k", "quick", 64, [...SERVERS, "c"], { nginx: 1.1 }),
  sized("1m", "quick", 64, [...SERVERS, "c", "python"], { nginx: 1.1 }),
  sized("10m", "full", 16, [...SERVERS, "c"], {}),
  sized("100m", "quick", 4, [...SERVERS, "c"], { nginx: 1, c: 0.95 }),
  {
    ...{ name: "bare-1k", run: "full", door: "bare", file: "1k", connections: 16, ...CLOSED },
    ...{ series: "bare", axis: null, rivals: ["naive"], mustReach: {} },
  },
  ...[1, 16, 64, 256, 1024, 4096, 10_000].map(held),
  paced(10_000, "full"),
  paced(40_000, "quick"),
  paced(80_000, "full"),
  paced(120_000, "full"),
];
