/**
 * The load generator by TLS, as the process it is, against servers of a few lines: that it speaks
 * the version it says, takes whole replies in records of any size, and has a handshake for each
 * request where it should.
 */
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import tls from "node:tls";
import { DOORS } from "../../bench/load/door.ts";
import { verify } from "../../bench/load/fetch.ts";
import type { LoadPlan, LoadReport } from "../../bench/load/plan.ts";
import { tlsMissing } from "../../bench/load/tls.ts";
import { temporaryFolder } from "../../bench/temporary.ts";
import { selfSigned } from "../../src/identity/selfsigned.ts";
import { needing } from "../rig/needs.ts";

const MAIN = join(import.meta.dir, "..", "..", "bench", "load", "main.ts");
const BODY = Buffer.alloc(100_000, "0123456789abcdef!");
const PEM = selfSigned({ names: ["localhost"], addresses: [], now: Date.now() });

const reason = tlsMissing();
const withTls = needing({ here: reason === null, what: String(reason) });

/** Answers each head with `body`, in writes of `piece` bytes. */
async function serving(body: Uint8Array, piece: number, announced = body.length) {
  const seen = { connections: 0, requests: 0, suites: new Set<string>() };
  const reply = Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${announced}\r\n\r\n`),
    body,
  ]);
  const server = tls.createServer({ cert: PEM, key: PEM }, (socket) => {
    seen.connections += 1;
    seen.suites.add(`${socket.getProtocol()} ${socket.getCipher().name}`);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const requests = chunk.toString("latin1").split("\r\n\r\n").length - 1;
      for (let nth = 0; nth < requests; nth++) {
        seen.requests += 1;
        for (let at = 0; at < reply.length; at += piece)
          socket.write(reply.subarray(at, at + piece));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, seen, [Symbol.dispose]: () => void server.close() };
}

async function run(plan: Partial<LoadPlan> & { readonly port: number }): Promise<LoadReport> {
  const whole: LoadPlan = {
    ...{ door: "https", path: "/f", bodyLength: BODY.length, connections: 2, depth: 1 },
    ...{ ratePerSecond: null, warmupSeconds: 0.05, seconds: 0.3, serverPids: [] },
    ...plan,
  };
  const words = [process.execPath, "--config=/dev/null", MAIN, JSON.stringify(whole)];
  const child = Bun.spawn(words, { stdin: new Blob(["go\n"]), stdout: "pipe" });
  return JSON.parse((await child.stdout.text()).trimEnd().split("\n").at(-1)!) as LoadReport;
}

function requestsOf(report: LoadReport): number {
  if ("error" in report) throw new Error(report.error);
  return report.result.requests;
}

withTls("each version with its suite, and replies in records of any size", async () => {
  for (const [door, suite, piece] of [
    ["https", "TLSv1.3 TLS_AES_128_GCM_SHA256", 7_001],
    ["https12", "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256", BODY.length + 100],
  ] as const) {
    using server = await serving(BODY, piece);
    const requests = requestsOf(await run({ port: server.port, door, depth: 2 }));
    expect([door, requests > 5, server.seen.connections]).toEqual([door, true, 2]);
    expect([...server.seen.suites]).toEqual([suite]);
  }
});

withTls("a handshake for each request", async () => {
  const body = BODY.subarray(0, 1024);
  using server = await serving(body, 2048);
  const report = await run({ port: server.port, door: "https-new", bodyLength: body.length });
  expect(requestsOf(report)).toBeGreaterThan(5);
  expect(server.seen.connections).toBeGreaterThanOrEqual(server.seen.requests);
});

withTls("what is wrong is noticed: a length, and bytes", async () => {
  using short = await serving(BODY, 20_000, BODY.length - 1);
  expect(await run({ port: short.port })).toEqual({
    error: `a body of ${BODY.length - 1} bytes was announced, not ${BODY.length}`,
  });
  // In a process of its own: the check waits, and the server here would not answer.
  const file = join(temporaryFolder().path, "f");
  writeFileSync(file, BODY.toString("latin1").replace("f!", "F!"));
  const source = `
    import { DOORS } from ${JSON.stringify(join(MAIN, "..", "door.ts"))};
    import { verify } from ${JSON.stringify(join(MAIN, "..", "fetch.ts"))};
    const [, port, file] = process.argv;
    try {
      verify(DOORS.https, Number(port), "/f", file);
      console.log("well");
    } catch (error) {
      console.log(error.message);
    }`;
  using whole = await serving(BODY, 20_000);
  const child = Bun.spawn([process.execPath, "-e", source, "--", String(whole.port), file]);
  expect((await child.stdout.text()).trim()).toBe("/f is not what is on the disk");
  expect(() => verify(DOORS.https, 1, "/f", file)).toThrow("connect");
});
