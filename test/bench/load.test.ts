/**
 * The load generator, as the process it is, against servers of a few lines: what a pause of the
 * server costs in either kind of loop, and a door whose replies end with their connection.
 */
import { expect, test } from "bun:test";
import net from "node:net";
import { join } from "node:path";
import { Histogram } from "../../bench/load/histogram.ts";
import type { LoadPlan, LoadReport } from "../../bench/load/plan.ts";
import { keepsUp } from "../../bench/report.ts";
import { totalOf } from "../../bench/syscalls.ts";
import { parseWrk } from "../../bench/wrk.ts";

const MAIN = join(import.meta.dir, "..", "..", "bench", "load", "main.ts");
const BODY = "abcd";

async function run(plan: Partial<LoadPlan> & { readonly port: number }): Promise<LoadReport> {
  const whole: LoadPlan = {
    ...{ door: "s6", path: "/f", bodyLength: BODY.length, connections: 1, depth: 1 },
    ...{ ratePerSecond: null, warmupSeconds: 0.1, seconds: 1, serverPids: [] },
    ...plan,
  };
  const words = [process.execPath, "--config=/dev/null", MAIN, JSON.stringify(whole)];
  const child = Bun.spawn(words, { stdin: new Blob(["go\n"]), stdout: "pipe" });
  const lines = (await child.stdout.text()).trimEnd().split("\n");
  expect(lines.slice(0, -1)).toEqual(lines.length > 1 ? ["ready"] : []);
  return JSON.parse(lines.at(-1)!) as LoadReport;
}

/** The result's share `fraction` of latencies, in milliseconds, and how many there are. */
function seen(report: LoadReport, fraction: number): { ms: number; count: number } {
  if ("error" in report) throw new Error(report.error);
  const histogram = new Histogram();
  histogram.merge(report.result.latency);
  return { ms: histogram.quantile(fraction) / 1e6, count: histogram.count };
}

/** Answers each line; from the request number `after` on nothing for `pauseMs`, once. */
function pausing(after: number, pauseMs: number) {
  let asked = 0;
  let held = 0;
  let paused = false;
  const reply = `OK ${BODY.length}\n${BODY}`;
  return Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      data(socket, chunk) {
        const lines = chunk.toString("latin1").split("\n").length - 1;
        asked += lines;
        if (asked >= after && !paused) {
          paused = true;
          held = 1;
          setTimeout(() => {
            socket.write(reply.repeat(held + lines - 1));
            held = 0;
          }, pauseMs);
          return;
        }
        if (held > 0) held += lines;
        else socket.write(reply.repeat(lines));
      },
    },
  });
}

test("a pause is charged to all who were due meanwhile; a closed loop would hide it", async () => {
  using open = pausing(150, 300);
  const due = await run({ port: open.port, ratePerSecond: 500 });
  // 150 of some 500 were due within the pause: the median of those is half of it.
  expect(seen(due, 0.9).ms).toBeGreaterThan(100);
  expect(seen(due, 1).ms).toBeGreaterThan(280);
  expect(seen(due, 1).count).toBeGreaterThan(100);
  using closed = pausing(150, 300);
  const next = await run({ port: closed.port });
  expect(seen(next, 1).ms).toBeGreaterThan(280);
  // One request of them all.
  expect(seen(next, 0.9).ms).toBeLessThan(100);
}, 20_000);

test("what never had a reply counts with the time it waited", async () => {
  using server = pausing(150, 10_000);
  const report = await run({ port: server.port, ratePerSecond: 500, seconds: 0.8 });
  // Some 300 of 400 are without a reply, the oldest since 0.6 s; without them all took 1 ms.
  expect(seen(report, 0.5).ms).toBeGreaterThan(50);
  expect(seen(report, 1).ms).toBeGreaterThan(400);
  expect(seen(report, 1).count).toBeGreaterThan(300);
  if ("error" in report) throw new Error(report.error);
  expect(report.result.requests).toBeLessThan(200);
});

test("what the load itself sends too late is counted", async () => {
  using server = pausing(Infinity, 0);
  const lateP90Ms = async (ratePerSecond: number): Promise<number> => {
    const report = await run({ port: server.port, ratePerSecond, seconds: 0.4, connections: 4 });
    if ("error" in report) throw new Error(report.error);
    const histogram = new Histogram();
    histogram.merge(report.result.lateness);
    return histogram.quantile(0.9) / 1e6;
  };
  // A load that another program holds up is late as well: it is not, when it is let alone once.
  let best = Infinity;
  for (let tries = 0; tries < 10 && best >= 20; tries++) {
    best = Math.min(best, await lateP90Ms(100));
  }
  expect(best).toBeLessThan(20);
  // No load process makes twenty million requests a second.
  expect(await lateP90Ms(2e7)).toBeGreaterThan(100);
});

test("an open loop sends no more than is due", async () => {
  using server = pausing(Infinity, 0);
  const beganMs = performance.now();
  const report = await run({ port: server.port, ratePerSecond: 200, connections: 3 });
  const { count } = seen(report, 1);
  expect(count).toBeGreaterThan(50);
  // So many are due from the very start on; who was held up sends those of the warm-up later.
  expect(count).toBeLessThan((200 * (performance.now() - beganMs)) / 1000);
});

test("an open loop takes all large replies that came at once", async () => {
  const body = Buffer.alloc(20_000);
  const reply = Buffer.concat([Buffer.from(`OK ${body.length}\n`), body]);
  let held = 0;
  const server = net.createServer((socket) => {
    // Several at a time: what is left of them in the socket is no event of its own.
    socket.on("data", (chunk) => {
      held += chunk.toString("latin1").split("\n").length - 1;
      for (; held >= 8; held -= 8) for (let nth = 0; nth < 8; nth++) socket.write(reply);
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const report = await run({ port, ratePerSecond: 400, bodyLength: body.length });
  server.close();
  if ("error" in report) throw new Error(report.error);
  expect(report.result.requests).toBeGreaterThan(200);
});

/** One reply a connection, of `body`. */
function closing(body: string) {
  let connections = 0;
  const server = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      open: () => void (connections += 1),
      data(socket, chunk) {
        if (chunk.toString("latin1") === "/f\n") socket.end(body);
      },
    },
  });
  return { server, connections: () => connections };
}

test("the bare door has a connection for each request", async () => {
  const { server, connections } = closing(BODY);
  using _server = server;
  const report = await run({ port: server.port, door: "bare", connections: 2, seconds: 0.3 });
  const { count } = seen(report, 1);
  expect(count).toBeGreaterThan(5);
  expect(connections()).toBeGreaterThanOrEqual(count);
});

test("and notices a reply that is too short or too long, and what it can't do", async () => {
  for (const body of ["abc", "abcde", ""]) {
    const { server } = closing(body);
    using _server = server;
    const report = await run({ port: server.port, door: "bare", seconds: 0.2 });
    expect(report).toEqual({ error: `a reply of ${body.length} bytes` });
  }
  const { server } = closing(BODY);
  using _server = server;
  const why = "bare: one request a connection, so depth 1 in a closed loop";
  for (const wrong of [{ depth: 2 }, { ratePerSecond: 100 }]) {
    expect(await run({ port: server.port, door: "bare", ...wrong })).toEqual({ error: why });
  }
});

test("the sum of strace's table", () => {
  const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 71.34    0.141502           7     19310           sendto
 28.66    0.056857           2     19402        75 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.198359           5     38712        75 total
`;
  expect(totalOf(table)).toBe(38_712);
  expect(totalOf(table.replace("        75 total", "           total"))).toBe(38_712);
  expect(totalOf(table.replace("           5     38712", "                 38712"))).toBe(38_712);
  expect(() => totalOf("strace: attach: ptrace: Operation not permitted")).toThrow("no total");
});

test("an open loop that is itself late is told apart from a server that is slow", () => {
  expect([keepsUp(1000, 990), keepsUp(1000, 500)]).toEqual(["paced", "50 % of what is due"]);
  expect(keepsUp(1000, 1000, 300, 200)).toBe("load, 200 us late");
  expect(keepsUp(1000, 500, 300, 200)).toBe("load, 200 us late");
  expect([keepsUp(1000, 1000, 10_000, 200), keepsUp(1000, 1000, 90, 80)]).toEqual([
    "paced",
    "paced",
  ]);
});

test("what wrk prints", () => {
  const text = `Running 1s test @ http://127.0.0.1:1/1k
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   711.00us  402.00us   9.02ms   88.11%
    Req/Sec    98.64k     3.12k  104.02k    70.00%
  Latency Distribution
     50%  571.00us
     75%    1.02ms
     90%    1.51ms
     99%    2.41ms
  98144 requests in 1.00s, 120.1MB read
Requests/sec:  98144.25
Transfer/sec:    120.07MB
`;
  expect(parseWrk(text)).toEqual({ requestsPerSecond: 98_144.25, p50Us: 571, p99Us: 2410 });
  const errors = "  Socket errors: connect 0, read 0, write 0, timeout 3\n";
  for (const line of [errors, "  Non-2xx or 3xx responses: 7\n"]) {
    expect(() => parseWrk(text + line)).toThrow(line.trim());
  }
  expect(() => parseWrk(text.replace("99%", "98%"))).toThrow("no 99%");
  expect(() => parseWrk("unable to connect to 127.0.0.1:1")).toThrow("no rate");
});
