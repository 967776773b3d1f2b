/**
 * `bun bench/rates.ts [CLIENTS] [BYTES_A_SECOND]`: whether limited clients get what they are
 * promised, and what that costs the others. CLIENTS connections (1,000) of one server read a large
 * file, each bounded to BYTES_A_SECOND (100,000) by --rate-per-connection; beside them a client
 * pings every 4 ms. Printed: the rates that came within 4 s, the round trips, the server's CPU.
 *
 * The server is a process of its own; clients and pings are this one's.
 */
import { Arrivals } from "./arrivals.ts";
import { Histogram } from "./load/histogram.ts";
import { parsed, refuse, run, settle } from "./command.ts";
import { cpuSeconds } from "./proc.ts";
import { SERV6_ENTRY } from "./server.ts";
import { startServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";
import { whole } from "./value.ts";

const NAME = "rates";
const USAGE = "bun bench/rates.ts [CLIENTS] [BYTES_A_SECOND]";

const WARM_MS = 2000;
const SECONDS = 8;
const PING_MS = 4;

/** How far from its rate a client may be. */
const NEAR = 0.1;

/** Worst p99 of a PING beside them, in nanoseconds. */
const PING_NS_MAX = 5e6;
const FILE_BYTES = 1 << 30;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const [many = "1000", most = "100000", ...more] = process.argv.slice(2);
  const asked = parsed(() => {
    if (more.length > 0) throw new Error(`one too many: ${more[0]}`);
    return {
      clients: whole("CLIENTS", many, 1, 20_000),
      rate: whole("BYTES_A_SECOND", most, 1500, 4 * 1024 ** 3 - 1),
    };
  });
  if ("error" in asked) return refuse(asked.error, USAGE, NAME);
  const { clients, rate } = asked.options;
  await settle("private");
  const folder = temporaryFolder();
  await Bun.$`truncate -s ${FILE_BYTES} ${folder.path}/large`.quiet();
  const server = await startServer([
    ...[process.execPath, "--config=/dev/null", "--no-env-file", SERV6_ENTRY, folder.path],
    ...["-p", "0", "--log", "off", "--rate-per-connection", String(rate)],
    ...["--max-per-peer", String(clients + 10)],
  ]);
  try {
    const came = Array.from({ length: clients }, () => new Arrivals());
    await Promise.all(came.map((it) => read(server.port, it)));
    await Bun.sleep(WARM_MS);
    const [pid = 0] = server.pids();
    const cpu = cpuSeconds([pid]);
    const began = performance.now();
    for (const it of came) it.start();
    const pings = await pingFor(server.port, SECONDS * 1000);
    const used = (cpuSeconds([pid]) - cpu) / ((performance.now() - began) / 1000);
    const rates = Float64Array.from(came, (it) => it.rate).sort();
    return tell(rates, rate, pings, used) ? 0 : 1;
  } finally {
    await server.stop();
    folder.remove();
  }
}

/** Prints them; whether they are as they should be. */
function tell(rates: Float64Array, rate: number, pings: Histogram, used: number): boolean {
  const share = (nth: number): string => `${((100 * (rates.at(nth) ?? 0)) / rate).toFixed(1)} %`;
  const near = rates.filter((it) => Math.abs(it - rate) <= rate * NEAR).length;
  const half = Math.floor(rates.length / 2);
  console.log(`${rates.length} clients of ${rate} bytes a second each, for ${SECONDS} s:`);
  console.log(`  least ${share(0)}, median ${share(half)}, most ${share(-1)} of that`);
  console.log(`  within 10 %: ${near} of ${rates.length}`);
  const ms = (fraction: number): string => (pings.quantile(fraction) / 1e6).toFixed(2);
  console.log(`  PING beside them: p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, max ${ms(1)} ms`);
  console.log(`  server: ${(100 * used).toFixed(0)} % of a core`);
  return near === rates.length && pings.quantile(0.99) < PING_NS_MAX;
}

async function read(port: number, came: Arrivals): Promise<void> {
  await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      open: (socket) => void socket.write("READ /large\n"),
      data: (_socket, chunk) => came.note(chunk.length, performance.now()),
      error() {},
    },
  });
}

async function pingFor(port: number, ms: number): Promise<Histogram> {
  const histogram = new Histogram();
  let sent = 0;
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      data() {
        histogram.record(Bun.nanoseconds() - sent);
      },
      error() {},
    },
  });
  const end = performance.now() + ms;
  while (performance.now() < end) {
    sent = Bun.nanoseconds();
    socket.write("PING\n");
    await Bun.sleep(PING_MS);
  }
  socket.end();
  return histogram;
}

await run(main, NAME);
