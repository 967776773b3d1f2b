/**
 * `bun bench/growth.ts`: what more servers with a cache each buy in front of one object store, by
 * simulation: hit ratio, what the store is asked for, and the busiest server, for requests by
 * Zipf's law, with the balancer choosing by connections and by a hash of what is asked for.
 *
 * Owns the table. The same seed gives the same numbers on every machine.
 */
import { parseArgs } from "node:util";
import { parsed, refuse, run } from "./command.ts";
import { seeded } from "./download/link.ts";
import { ObjectCache } from "./growth/cache.ts";
import { run as ask, type Seen } from "./growth/fleet.ts";
import { byHash, leastBusy, type Route } from "./growth/route.ts";
import { zipf } from "./growth/zipf.ts";
import { number, whole } from "./value.ts";

const HELP = `bun bench/growth.ts [flags]    what more servers buy, by simulation
  --objects N     of one size (50000)
  --cache SHARE   of all objects that one server's cache holds (0.02)
  --exponent S    of Zipf's law (0.9)
  --requests N    that are counted, behind as many that are not (400000)
  --seed N        (1)
  --help          this text`;

const SERVERS = [1, 2, 4, 8, 16];

/** Requests under way at each server. */
const UNDER_WAY = 32;

/** hash-balance-factor of the example, in hundredths there. */
const FACTOR = 1.25;

const ROUTES: readonly [name: string, make: (servers: number) => Route][] = [
  ["leastconn", leastBusy],
  ["hash", (servers) => byHash(servers)],
  [`hash, at most ${FACTOR} x the mean`, (servers) => byHash(servers, FACTOR)],
];

/** What is told of each way. */
const HEADS = ["hits", "store, of 1,000", "busiest / mean"];

interface Options {
  readonly objects: number;
  readonly cache: number;
  readonly exponent: number;
  readonly requests: number;
  readonly seed: number;
  readonly help: boolean;
}

function main(): number {
  const flags = parsed(parseFlags);
  if ("error" in flags) return refuse(flags.error, HELP, "bench/growth.ts");
  if (flags.options.help) console.log(HELP);
  else tell(flags.options);
  return 0;
}

function parseFlags(): Options {
  const { values } = parseArgs({
    options: {
      objects: { type: "string", default: "50000" },
      cache: { type: "string", default: "0.02" },
      exponent: { type: "string", default: "0.9" },
      requests: { type: "string", default: "400000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    objects: whole("--objects", values.objects, 100, 10_000_000),
    cache: number("--cache", values.cache, 0.0001, 1),
    exponent: number("--exponent", values.exponent, 0, 3),
    requests: whole("--requests", values.requests, 1_000, 100_000_000),
    seed: whole("--seed", values.seed, 0, 2 ** 31),
    help: values.help,
  };
}

function tell(options: Options): void {
  const { objects, cache, exponent, requests, seed } = options;
  console.log(
    `${objects} objects, Zipf ${exponent}; a cache holds ${(cache * 100).toFixed(1)} % of them; ` +
      `${requests} requests; seed ${seed}\n`,
  );
  const names = ROUTES.flatMap(([name]) => HEADS.map((head) => `${name}: ${head}`));
  console.log(`| servers | ${names.join(" | ")} |\n| ---: |${" ---: |".repeat(names.length)}`);
  for (const servers of SERVERS) {
    const cells = ROUTES.flatMap(([, make]) => cellsOf(simulate(servers, make(servers), options)));
    console.log(`| ${[servers, ...cells].join(" | ")} |`);
  }
}

function simulate(servers: number, route: Route, options: Options): Seen {
  const { objects, cache, exponent, requests, seed } = options;
  const room = Math.max(Math.round(objects * cache), 1);
  const draw = zipf(objects, exponent, seeded(seed));
  const held = Array.from({ length: servers }, () => new ObjectCache(room));
  const fleet = { servers: held, route, underWay: UNDER_WAY };
  return ask(fleet, draw, { warm: requests, count: requests });
}

function cellsOf({ hitRatio, busiest }: Seen): string[] {
  const store = ((1 - hitRatio) * 1000).toFixed(0);
  return [`${(hitRatio * 100).toFixed(1)} %`, store, busiest.toFixed(2)];
}

await run(main, "bench/growth.ts");
