/**
 * `bun bench/reconnects.ts [BYTES_A_SECOND] [FILE_BYTES]`: whether a rate holds for an address that
 * connects again for each file. The kernel paces a connection from its eleventh segment on, so that
 * what is small leaves at once. CLIENTS loops of one address read a file of FILE_BYTES (10,000), on
 * a new connection each, from a server with --rate-per-address BYTES_A_SECOND (100,000). Printed:
 * what came in all, behind a pause in which what an address may have at once is used up.
 *
 * On a loopback of its own with the segments of Ethernet; the server is a process of its own.
 */
import { parsed, refuse, run, settle } from "./command.ts";
import { SERV6_ENTRY } from "./server.ts";
import { startServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";
import { whole } from "./value.ts";

const NAME = "reconnects";
const USAGE = "bun bench/reconnects.ts [BYTES_A_SECOND] [FILE_BYTES]";

const CLIENTS = 4;
const WARM_MS = 3000;
const SECONDS = 10;

/** More than this share of the rate is too much: the status is 1. */
const SHARE_MAX = 1.1;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const [most = "100000", size = "10000", ...more] = process.argv.slice(2);
  const asked = parsed(() => {
    if (more.length > 0) throw new Error(`one too many: ${more[0]}`);
    return {
      rate: whole("BYTES_A_SECOND", most, 1500, 4 * 1024 ** 3 - 1),
      bytes: whole("FILE_BYTES", size, 1, 1 << 30),
    };
  });
  if ("error" in asked) return refuse(asked.error, USAGE, NAME);
  const { rate, bytes } = asked.options;
  const { network } = await settle("private");
  if (network.startsWith("private")) await Bun.$`ip link set lo mtu 1500`.quiet();
  const folder = temporaryFolder();
  await Bun.$`head -c ${bytes} /dev/zero > ${folder.path}/f`.quiet();
  const server = await startServer([
    ...[process.execPath, "--config=/dev/null", "--no-env-file", SERV6_ENTRY, folder.path],
    ...["-p", "0", "--log", "off", "--rate-per-address", String(rate)],
  ]);
  try {
    const came = { bytes: 0, connections: 0, over: false };
    const loops = Array.from({ length: CLIENTS }, async () => {
      while (!came.over) await read(server.port, came);
    });
    await Bun.sleep(WARM_MS);
    const before = { ...came };
    const began = performance.now();
    await Bun.sleep(SECONDS * 1000);
    const seconds = (performance.now() - began) / 1000;
    const share = (came.bytes - before.bytes) / seconds / rate;
    came.over = true;
    const each = (came.connections - before.connections) / seconds;
    console.log(`${CLIENTS} clients of one address, a connection for each ${bytes} bytes:`);
    console.log(`  ${(100 * share).toFixed(0)} % of ${rate} bytes a second`);
    console.log(`  ${each.toFixed(1)} connections a second`);
    await Promise.race([Promise.all(loops), Bun.sleep(1000)]);
    return share <= SHARE_MAX ? 0 : 1;
  } finally {
    await server.stop();
    folder.remove();
  }
}

/** One connection, one file; resolves at its end, however that comes. */
async function read(port: number, came: { bytes: number; connections: number }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      open: (socket) => void socket.write("f\n"),
      data: (_socket, chunk) => void (came.bytes += chunk.length),
      end: (socket) => void socket.end(),
      error() {},
      close: () => resolve(),
    },
  }).catch(() => resolve());
  await promise;
  came.connections += 1;
}

await run(main, NAME);
