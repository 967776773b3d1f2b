/**
 * Owns honest newcomers: every few milliseconds one connects, asks for a file by HTTP, compares
 * each byte and goes. Their times count from when they were due.
 * Invariant: who is refused, cut or given other bytes is counted as failed, with the reason.
 */
import net from "node:net";
import { Histogram } from "../load/histogram.ts";

/** Between two newcomers, in milliseconds. */
const EVERY_MS = 20;

/** A newcomer that is not served by then has failed. */
const PATIENCE_MS = 5_000;

/** What newcomers saw. */
export interface Visits {
  /** Nanoseconds of those who were served. */
  readonly served: Histogram;
  readonly failed: number;
  /** Why the last of them failed, or null. */
  readonly why: string | null;
}

/** Lets newcomers come from `address` to `port` for `seconds`; resolves when all have gone. */
export async function visit(
  port: number,
  address: string,
  path: string,
  content: Uint8Array,
  seconds: number,
): Promise<Visits> {
  const served = new Histogram();
  const visits: Promise<void>[] = [];
  let failed = 0;
  let why: string | null = null;
  const began = performance.now();
  for (let nth = 0; nth * EVERY_MS < seconds * 1000; nth++) {
    const due = began + nth * EVERY_MS;
    await Bun.sleep(Math.max(0, due - performance.now()));
    const one = comeAndGo(port, address, path, content).then(
      () => served.record((performance.now() - due) * 1e6),
      (error: Error) => {
        failed += 1;
        why = error.message;
      },
    );
    visits.push(one);
  }
  await Promise.all(visits);
  return { served, failed, why };
}

// --- internal ---

function comeAndGo(
  port: number,
  localAddress: string,
  path: string,
  content: Uint8Array,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  const chunks: Buffer[] = [];
  const late = setTimeout(() => reject(new Error(`not served in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  socket.on("connect", () => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", reject);
  socket.on("end", () => {
    const reply = Buffer.concat(chunks);
    const body = reply.subarray(reply.indexOf("\r\n\r\n") + 4);
    if (reply.toString("latin1", 0, 13) === "HTTP/1.1 200 " && body.equals(content)) resolve();
    else reject(new Error(`answered ${JSON.stringify(reply.toString("latin1", 0, 40))}`));
  });
  return promise.finally(() => {
    clearTimeout(late);
    socket.destroy();
  });
}
