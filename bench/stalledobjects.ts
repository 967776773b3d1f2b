/**
 * `bun bench/stalledobjects.ts [READERS...]`: what readers cost that asked a server of objects for
 * 100 MiB each and take nothing (250, 1,000 and 4,000 of them), without a cache and with one. The
 * memory of the server before them, the highest while they are there, and when it has come to rest.
 * Then one more reader brings an object whole, so that nobody is kept out.
 *
 * Owns the order of things. Exit status: 0 done, 1 the reader beside them did not get its object.
 */
import { join } from "node:path";
import { hold, release, settledMemory } from "./held.ts";
import { DOORS } from "./load/door.ts";
import * as sys from "./load/sys.ts";
import { machineLine, peakRssBytes, userMemory } from "./proc.ts";
import { table } from "./report.ts";
import { SERV6_ENTRY } from "./server.ts";
import { type RunningServer, startServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";

const MIB = 1024 ** 2;
const ASKED = 100 * MIB;
const BESIDE = 8 * MIB;
const PROGRAM = [process.execPath, "--config=/dev/null", "--no-env-file"];

/** Starts a server of the objects at `store`; `more` are its further flags. */
function serverOf(store: string, more: readonly string[]): Promise<RunningServer> {
  const keys = ["env", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"];
  const flags = ["-p", "0", "--s3-endpoint", store, ...more];
  return startServer([...keys, ...PROGRAM, SERV6_ENTRY, "s3://bucket", ...flags]);
}

/** One row: `readers` stall at a server of their own. */
async function rowOf(
  title: string,
  server: RunningServer,
  readers: number,
): Promise<readonly string[]> {
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  const before = userMemory(server.pids());
  const request = DOORS.s6.request(`/at50-${ASKED}`);
  const stalled = hold(server.port, readers, (fd) => {
    if (sys.transmit(fd, request, request.length) < request.length) throw new Error("send: short");
  });
  await settledMemory(server);
  const began = performance.now();
  const reply = await fetch(`http://127.0.0.1:${server.port}/o${BESIDE}`);
  const body = await reply.bytes();
  const count = body.length;
  if (!reply.ok) throw new Error(`beside them: ${reply.status} ${Buffer.from(body)}`);
  if (count !== BESIDE) throw new Error(`the reader beside them got ${count} bytes of ${BESIDE}`);
  const beside = performance.now() - began;
  const rest = await settledMemory(server);
  const peak = peakRssBytes(server.pids());
  release(stalled);
  return [
    title,
    String(readers),
    ...[before.rssBytes, peak, rest.rssBytes, rest.anonymousBytes].map(mib),
    beside.toFixed(0),
  ];
}

async function main(): Promise<number> {
  const given = process.argv.slice(2).map(Number);
  const counts = given.length > 0 ? given : [250, 1000, 4000];
  const folder = temporaryFolder();
  const origin = await startServer([...PROGRAM, join(import.meta.dir, "cached/origin.ts")]);
  const store = `http://127.0.0.1:${origin.port}`;
  const rows: (readonly string[])[] = [
    ["", "readers", "before MiB", "peak", "at rest", "anonymous", "8 MiB beside ms"],
  ];
  try {
    for (const [title, flags] of [
      ["no cache", []],
      ["a cache", ["--cache", join(folder.path, "cache"), "--cache-size", "1G"]],
    ] as const) {
      for (const readers of counts) {
        const server = await serverOf(store, flags);
        rows.push(await rowOf(title, server, readers).finally(() => server.stop()));
      }
    }
  } finally {
    await origin.stop();
    folder.remove();
  }
  console.log(machineLine());
  console.log(table(rows));
  return 0;
}

process.exit(await main());
