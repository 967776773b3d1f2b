/**
 * The parts of the client's benchmark that judge: the model of the long thin link, the comparison
 * of what arrived, the ratios and the flags. Nothing here is timed: the model is told the time.
 */
import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { appendFileSync, cpSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { LONG_LINK, MANY_FILES, ONE_FILE } from "../../bench/download/contender.ts";
import { checkBytes, checkSizes, makeFile, makeTree } from "../../bench/download/corpus.ts";
import { parseFlags } from "../../bench/download/flags.ts";
import { Flow, Link, type LinkShape, seeded, SEGMENT_BYTES } from "../../bench/download/link.ts";
import { Relay } from "../../bench/download/relay.ts";
import { baselineOf, block, type Sample, speedRatio } from "../../bench/download/report.ts";
import { temporaryFolder } from "../../bench/temporary.ts";

const CLEAN: LinkShape = {
  ...{ bytesPerSecond: 125_000_000, oneWayMs: 25, lossRate: 0, queueBytes: Infinity },
};

/** Sends all the window lets out, each millisecond for `ms`; returns the bytes. */
function fill(flow: Flow, ms: number, fromMs = 0): number {
  let sent = 0;
  for (let now = fromMs; now < fromMs + ms; now++) {
    for (let room = flow.room(now); room >= SEGMENT_BYTES; room = flow.room(now)) {
      flow.send(now, SEGMENT_BYTES);
      sent += SEGMENT_BYTES;
    }
  }
  return sent;
}

describe("the long thin link", () => {
  test("a byte takes the delay and its time on the line", () => {
    const flow = new Flow(new Link(CLEAN), Math.random);
    expect(flow.send(100, 1250)).toBeCloseTo(100 + 0.01 + 25, 6);
  });

  test("the window starts at ten segments and doubles each round trip", () => {
    const flow = new Flow(new Link(CLEAN), Math.random);
    const windows = [0, 51, 102, 153].map((from) => fill(flow, 51, from) / SEGMENT_BYTES);
    expect(windows).toEqual([10, 20, 40, 80]);
  });

  test("a window that is not used does not grow, and after a pause it starts anew", () => {
    const flow = new Flow(new Link(CLEAN), Math.random);
    for (let now = 0; now < 1000; now += 60) flow.send(now, flow.room(now) > 0 ? 100 : 0);
    expect(flow.room(1000) + 100).toBeGreaterThanOrEqual(10 * SEGMENT_BYTES);
    expect(flow.windowBytes).toBe(10 * SEGMENT_BYTES);
    fill(flow, 300, 1000);
    expect(flow.windowBytes).toBeGreaterThan(100 * SEGMENT_BYTES);
    expect(flow.room(2000)).toBe(10 * SEGMENT_BYTES);
  });

  test("a loss halves the window once a round trip later, and holds up what is behind it", () => {
    const draws = [0, 0, 0.999_999];
    const flow = new Flow(new Link({ ...CLEAN, lossRate: 0.01 }), () => draws.shift() ?? 0.999_999);
    const [first, second, third] = [0, 0, 0].map((now) => flow.send(now, SEGMENT_BYTES));
    // Both of the first two were lost, in one window: one retransmission time, one halving.
    expect(first).toBeGreaterThan(75);
    expect(third! - second!).toBeLessThan(1);
    expect(flow.windowBytes).toBe(10 * SEGMENT_BYTES);
    flow.room(51);
    expect(flow.windowBytes).toBe(5 * SEGMENT_BYTES);
  });

  test("connections share the rate, and a queue that is full is a loss", () => {
    const link = new Link({ ...CLEAN, bytesPerSecond: 1_000_000, queueBytes: 50_000 });
    const flows = [new Flow(link, Math.random), new Flow(link, Math.random)];
    let sent = 0;
    for (let now = 0; now < 4000; now++) for (const flow of flows) sent += fill(flow, 1, now);
    expect(sent).toBeGreaterThan(3_500_000);
    expect(sent).toBeLessThan(4_300_000);
    expect(Math.max(...flows.map((flow) => flow.windowBytes))).toBeLessThan(150_000);
  });

  test("room is whole bytes, also when the window grew by a part of one", () => {
    const flow = new Flow(new Link({ ...CLEAN, lossRate: 1e-2 }), seeded(5));
    const rooms: number[] = [];
    for (let now = 0; now < 3000; now++) {
      const room = flow.room(now);
      rooms.push(room);
      if (room > 0) flow.send(now, room);
    }
    expect(rooms.filter((room) => !Number.isInteger(room))).toEqual([]);
    expect(Number.isInteger(flow.windowBytes)).toBeFalse();
  });

  test("with loss, a connection gets about what the square root law says", () => {
    const lossRate = 1e-3;
    const flow = new Flow(new Link({ ...CLEAN, lossRate }), seeded(7));
    fill(flow, 10_000);
    const perSecond = fill(flow, 60_000, 10_000) / 60;
    const law = ((SEGMENT_BYTES / 0.05) * 1.22) / Math.sqrt(lossRate);
    expect(perSecond / law).toBeGreaterThan(0.75);
    expect(perSecond / law).toBeLessThan(1.25);
  });

  test("the same seed draws the same numbers, another one others", () => {
    const draw = (seed: number): number[] => Array.from({ length: 50 }, seeded(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1).every((x) => x >= 0 && x < 1)).toBeTrue();
  });
});

describe("the relay", () => {
  /** Every byte that the sender gave comes out, whatever the window was and however it ends. */
  test("brings all bytes in order, and the end, through losses", async () => {
    const bytes = Buffer.alloc(1_000_001).map((_, i) => (i * 7919) >> 5);
    const origin = createServer({ allowHalfOpen: true }, (socket) => {
      // Nothing is sent before the request has come, whole.
      socket.once("data", (request) => socket.end(request.toString() === "go" ? bytes : "no"));
    });
    const relays = new Set<Relay>();
    const link = new Link({ ...CLEAN, oneWayMs: 1, lossRate: 1e-2 });
    const nowMs = (): number => performance.now();
    const middle = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: portOf(origin), host: "127.0.0.1", allowHalfOpen: true });
      relays.add(new Relay(client, server, link, seeded(3), nowMs));
    });
    const timer = setInterval(() => relays.forEach((relay) => relay.step(nowMs())), 1);
    try {
      await Promise.all(
        [origin, middle].map((one) => once(one.listen(0, "127.0.0.1"), "listening")),
      );
      const client = connect({ port: portOf(middle), host: "127.0.0.1" });
      const came: Buffer[] = [];
      client.on("data", (piece: Buffer) => came.push(piece));
      client.write("go");
      await once(client, "end");
      expect(Bun.hash(Buffer.concat(came))).toBe(Bun.hash(bytes));
      expect(relays.size).toBe(1);
    } finally {
      clearInterval(timer);
      origin.close();
      middle.close();
    }
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it does not listen");
  return address.port;
}

describe("what arrived", () => {
  test("a copy passes; a missing, short, longer, strange or changed file does not", () => {
    const folder = temporaryFolder();
    try {
      const [root, to] = [folder.path, join(folder.path, "to")];
      const corpus = makeTree(root, "tree", 120);
      const from = join(root, "tree");
      const copy = (): void => {
        rmSync(to, { recursive: true, force: true });
        cpSync(from, to, { recursive: true });
      };
      const file = join(to, "d1/f7");
      expect(() => checkBytes(corpus, from, to)).toThrow("nothing arrived");
      copy();
      checkBytes(corpus, from, to);
      renameSync(file, `${file}.part`);
      expect(() => checkSizes(corpus, to)).toThrow("d1/f7 is missing");
      copy();
      truncateSync(file, 4095);
      expect(() => checkSizes(corpus, to)).toThrow("d1/f7 has 4095 bytes");
      appendFileSync(file, "ab");
      expect(() => checkSizes(corpus, to)).toThrow("d1/f7 has 4097 bytes");
      copy();
      writeFileSync(join(to, "more"), "");
      expect(() => checkSizes(corpus, to)).toThrow("more came besides");
      copy();
      writeFileSync(file, Buffer.alloc(4096));
      checkSizes(corpus, to);
      expect(() => checkBytes(corpus, from, to)).toThrow("d1/f7 differs");
    } finally {
      folder.remove();
    }
  });

  test("a single file that differs in its last byte, behind the first block", () => {
    const folder = temporaryFolder();
    try {
      const corpus = makeFile(folder.path, "big", 4.5);
      const [from, to] = [join(folder.path, "big"), join(folder.path, "copy")];
      cpSync(from, to);
      checkBytes(corpus, from, to);
      truncateSync(to, corpus.bytes - 1);
      appendFileSync(to, "\0");
      expect(() => checkBytes(corpus, from, to)).toThrow("differs within 4 MiB after byte 4194304");
    } finally {
      folder.remove();
    }
  });
});

describe("ratios", () => {
  const sample = (round: number, seconds: number): Sample => ({
    ...{ round, seconds, bytes: 1e9, files: 1, clientCpuSeconds: 0.5, serverCpuSeconds: 0.25 },
    ...{ otherCpuSeconds: 0, clientPeakRssBytes: 2 ** 20, serverPeakRssBytes: 2 ** 21 },
  });
  const results = new Map([
    ["cli6 get", [sample(1, 1), sample(2, 1), sample(3, 1)]],
    ["curl", [sample(1, 2), sample(2, 2), sample(3, 4)]],
    ["nc", [sample(3, 1.5)]],
  ]);

  test("speeds of one round are compared, whoever has fewer rounds", () => {
    const [ours, theirs] = [results.get("cli6 get")!, results.get("curl")!];
    expect(speedRatio(ours, theirs)).toEqual({ median: 2, min: 2, max: 4 });
    expect(speedRatio(results.get("nc")!, theirs)).toMatchObject({ min: 4 / 1.5, max: 4 / 1.5 });
  });

  test("neither ours nor netcat is the measure", () => {
    const more = new Map([...results, ["rsync", [sample(1, 1.9)]]]);
    expect(baselineOf(more, "best rival")).toBe("rsync");
    expect(baselineOf(results, "best rival")).toBe("curl");
    expect(baselineOf(results, "curl")).toBe("curl");
    expect(baselineOf(new Map([["cli6 get", [sample(1, 1)]]]), "best rival")).toBeNull();
  });

  test("a block tells rates, who was busy, and the ratio", () => {
    const lines = block("A: a title", results, "curl").split("\n");
    expect(lines[0]).toBe("A: a title");
    expect(lines[1]).toContain("speed / curl");
    expect(lines[2]).toMatch(/cli6 get +1,000 .* 50 % +25 % .*2\.00 \(2\.00-4\.00\)$/);
  });
});

describe("contenders and flags", () => {
  test("each scenario names its contenders once, and ours asks for what the rivals ask for", () => {
    for (const contenders of [ONE_FILE, MANY_FILES, LONG_LINK]) {
      expect(new Set(contenders.map(({ name }) => name)).size).toBe(contenders.length);
      const corpus = { name: "it", files: 1, bytes: 1, sizes: new Map([["", 1]]) };
      const job = { port: 4711, corpus, to: "/x/to/it", lists: "/x/lists", entry: "cli6.ts" };
      for (const contender of contenders) {
        const words = contender.command(job).join(" ");
        const list = contender.entry?.("http://127.0.0.1:4711/it/f", "/x/to/it/f");
        expect(list ?? words).toContain("4711");
        // Of ours the server alone may be another's program.
        const [program = contender.server] = contender.needs;
        if (program !== contender.server) expect(words).toContain(program);
      }
    }
  });

  test("without any flag A and B; each flag; and what is refused", () => {
    const options = (...argv: string[]) => {
      const parsed = parseFlags(argv);
      return "error" in parsed ? parsed.error : parsed.options;
    };
    expect(options()).toMatchObject({ only: ["A", "B"], samples: null, scale: 1, contenders: [] });
    expect(options("--only", "C", "--samples", "7", "--rivals-only", "--seed", "9")).toMatchObject({
      ...{ only: ["C"], samples: 7, rivalsOnly: true, seed: 9 },
    });
    expect(options("--contender", "curl", "--json", "x", "--scale", "0.5")).toMatchObject({
      ...{ contenders: ["curl"], json: "x", scale: 0.5 },
    });
    expect(options("--only", "G")).toContain("A, B, C, D, E, F");
    expect(options("--samples", "1.5")).toContain("whole number");
    expect(options("--scale", "0")).toContain("--scale");
    expect(options("--network", "moon")).toContain("private, host");
    expect(options("stray")).toContain("stray");
  });
});
