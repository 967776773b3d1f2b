/**
 * The parts of the benchmark that judge: its histogram, its arithmetic, its flags, and the reader
 * that must notice every wrong reply however it was cut. Nothing here is timed.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FILES, fillRandom } from "../../bench/files.ts";
import { parseFlags } from "../../bench/flags.ts";
import { DOORS } from "../../bench/load/door.ts";
import { bucketOf, Histogram, middleOf } from "../../bench/load/histogram.ts";
import { Expected, HEAD_BYTES_MAX, ReplyReader } from "../../bench/load/reply.ts";
import { busySide, scenarioBlock, table } from "../../bench/report.ts";
import type { Sample } from "../../bench/result.ts";
import { SCENARIOS } from "../../bench/scenario.ts";
import { median, pairedRatio, shuffled } from "../../bench/stats.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("histogram", () => {
  test("a bucket's middle is within 0.4 % of every value that falls into it", () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 1 }));
    fc.assert(
      fc.property(value, fc.nat(1024), (base, factor) => {
        const v = Math.min(base * (factor + 1), 2 ** 40 - 1);
        expect(Math.abs(middleOf(bucketOf(v)) - v)).toBeLessThanOrEqual(v * 0.004);
      }),
    );
  });

  test("buckets rise with values, without a gap at powers of two", () => {
    for (let bits = 0; bits < 40; bits++) {
      const step = bucketOf(2 ** bits) - bucketOf(2 ** bits - 1);
      expect({ bits, step }).toEqual({ bits, step: 1 });
    }
  });

  test("quantiles of 1 to 1000", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 1000; i++) histogram.record(i * 1000);
    for (const fraction of [0.5, 0.9, 0.99, 0.999]) {
      const exact = fraction * 1_000_000;
      expect(Math.abs(histogram.quantile(fraction) - exact)).toBeLessThan(exact * 0.005);
    }
    expect(histogram.quantile(1)).toBe(1_000_000);
    expect(histogram.max).toBe(1_000_000);
  });

  test("no records give 0, absurd ones the nearest bucket", () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBe(0);
    histogram.record(-5);
    histogram.record(NaN);
    expect(histogram.quantile(0.5)).toBe(0);
    histogram.record(2 ** 60);
    expect(histogram.quantile(1)).toBe(2 ** 60);
  });

  test("merging what another recorded equals recording it here", () => {
    const [one, two, both] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < 500; i++) {
      one.record(i * 7);
      two.record(i * 31_337);
      both.record(i * 7);
      both.record(i * 31_337);
    }
    one.merge(JSON.parse(JSON.stringify(two.toData())));
    expect(one.toData()).toEqual(both.toData());
    expect(one.count).toBe(both.count);
    expect(() => one.merge({ max: 1, buckets: [1e9, 1] })).toThrow("bucket");
    one.reset();
    expect(one.toData()).toEqual(new Histogram().toData());
  });
});

describe("reply reader", () => {
  const heads: Record<"s6" | "http", readonly string[]> = {
    s6: ["OK 5 size=5 etag=00ff mtime=1\n", "OK 5 size=5 etag=00ff mtime=1\n", "OK 5\n"],
    http: ["Mon", "Mon", "Tue"].map(
      (day) => `HTTP/1.1 200 OK\r\nDate: ${day}\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n`,
    ),
  };

  for (const name of ["s6", "http"] as const) {
    const stream = bytesOf(heads[name].map((head) => `${head}a\nb\r\n`).join(""));

    test(`${name}: three replies, cut at every two places`, () => {
      const wrong: string[] = [];
      for (let first = 0; first <= stream.length; first++) {
        for (let second = first; second <= stream.length; second++) {
          const reader = new ReplyReader(new Expected(DOORS[name], 5));
          const cuts = [0, first, second, stream.length];
          let completed = 0;
          for (let i = 0; i < 3; i++) {
            const piece = stream.subarray(cuts[i], cuts[i + 1]);
            completed += reader.feed(piece, piece.length);
          }
          if (completed !== 3 || reader.bodyLeft !== 0) wrong.push(`${first}, ${second}`);
        }
      }
      expect(wrong).toEqual([]);
    });

    test(`${name}: byte by byte, each reply is complete with its last byte`, () => {
      const reader = new ReplyReader(new Expected(DOORS[name], 5));
      const ends: number[] = [];
      for (let i = 0; i < stream.length; i++) {
        if (reader.feed(stream.slice(i, i + 1), 1) === 1) ends.push(i + 1);
      }
      let end = 0;
      expect(ends).toEqual(heads[name].map((head) => (end += head.length + 5)));
    });
  }

  test("only the first `length` bytes count", () => {
    const reader = new ReplyReader(new Expected(DOORS.s6, 3));
    expect(reader.feed(bytesOf("OK 3\nabcOK 9\n"), 8)).toBe(1);
  });

  test("a body that is discarded counts as one that is read", () => {
    const reader = new ReplyReader(new Expected(DOORS.s6, 100));
    expect(reader.feed(bytesOf("OK 100\nab"), 9)).toBe(0);
    expect([reader.bodyLeft, reader.bodyTaken]).toEqual([98, 2]);
    expect([reader.skip(97), reader.skip(1)]).toEqual([0, 1]);
    expect(reader.bodyTaken).toBe(0);
    expect(() => reader.skip(1)).toThrow("past the end");
  });

  test("replies without a body complete with their head", () => {
    const reader = new ReplyReader(new Expected(DOORS.s6, 0));
    expect(reader.feed(bytesOf("OK 0 server=x\nOK 0 server=x\nOK"), 30)).toBe(2);
  });

  test("a head that never ends", () => {
    const reader = new ReplyReader(new Expected(DOORS.s6, 5));
    const feed = (length: number): number => reader.feed(new Uint8Array(length).fill(120), length);
    expect(feed(HEAD_BYTES_MAX - 1)).toBe(0);
    expect(() => feed(1)).toThrow("without an end");
  });

  const wrong: readonly (readonly ["s6" | "http", string, string])[] = [
    ["s6", "ERR ENOENT no such file\n", "not an OK"],
    ["s6", "OK 6\n", "6 bytes was announced, not 5"],
    ["s6", "OK 05\n", "not an OK"],
    ["s6", "OK 5x\n", "not an OK"],
    ["http", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", "not a 200"],
    ["http", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "4 bytes was announced, not 5"],
    ["http", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "without Content-Length"],
    ["http", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", "keep alive"],
  ];

  test.each(wrong)("%s: %j fails, also as the second reply", (name, reply, message) => {
    const good = { s6: "OK 5\n", http: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" }[name];
    for (const before of ["", `${good}12345`]) {
      const reader = new ReplyReader(new Expected(DOORS[name], 5));
      const bytes = bytesOf(before + reply);
      expect(() => reader.feed(bytes, bytes.length)).toThrow(message);
    }
  });
});

describe("arithmetic", () => {
  test("medians", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, NaN]);
  });

  test("a ratio pairs the samples of one round", () => {
    expect(pairedRatio([10, 30, 20], [10, 10, 10])).toEqual({ median: 2, min: 1, max: 3 });
    expect(() => pairedRatio([1], [1, 2])).toThrow("not paired");
  });

  test("shuffling keeps every item once", () => {
    const order = [0.9, 0, 0.5];
    const mixed = shuffled(["a", "b", "c", "d"], () => order.pop() ?? 0);
    expect([...mixed].sort()).toEqual(["a", "b", "c", "d"]);
  });

  test("files have the same bytes in every run, and no two blocks alike", () => {
    const [one, two, next] = [new Uint32Array(64), new Uint32Array(64), new Uint32Array(64)];
    const state = fillRandom(one, 1025);
    expect(fillRandom(two, 1025)).toBe(state);
    fillRandom(next, state);
    expect(one).toEqual(two);
    expect(one).not.toEqual(next);
  });
});

describe("flags", () => {
  const options = (...argv: string[]) => {
    const parsed = parseFlags(argv);
    if ("error" in parsed) throw new Error(parsed.error);
    return parsed.options;
  };

  test("without any, the quick run of everything", () => {
    expect(options()).toMatchObject({
      ...{ only: [], seconds: 0.4, samples: 9, rivals: null, serv6Args: [], mode: "quick" },
      ...{ network: "private", json: null, list: false, help: false },
    });
  });

  test("each flag", () => {
    const given = "--only 1k --only 1m --seconds 1.5 --samples 9 --procs 2 --rival nginx --rival c";
    const more = ["--serv6-args", " --workers 2  ", "--json", "x.json", "--network", "host"];
    expect(options(...given.split(" "), ...more, "--list")).toMatchObject({
      ...{ only: ["1k", "1m"], seconds: 1.5, samples: 9, procs: 2, rivals: ["nginx", "c"] },
      ...{ serv6Args: ["--workers", "2"], json: "x.json", network: "host", list: true },
    });
    expect(options("--full", "--seconds", "1")).toMatchObject({ seconds: 1, samples: 11 });
    expect(options("--full", "--json", "x").mode).toBe("full");
    for (const flags of ["--full --only 1k", "--full --samples 9", "--rival none"]) {
      expect(options(...flags.split(" ")).mode).toBe("custom");
    }
    expect(options("--rival", "none").rivals).toEqual([]);
  });

  test.each([
    [["--bogus"], "--bogus"],
    [["stray"], "stray"],
    [["--seconds", "0"], "--seconds"],
    [["--seconds", "1e9"], "--seconds"],
    [["--samples", "1.5"], "whole number"],
    [["--samples", "many"], "--samples"],
    [["--procs", "99"], "--procs"],
    [["--rival", "apache"], "nginx, c, lighttpd"],
    [["--network", "moon"], "private, host"],
  ])("%j is refused in words", (argv, words) => {
    expect(parseFlags(argv)).toEqual({ error: expect.stringContaining(words) });
  });
});

describe("scenarios and report", () => {
  test("every scenario has its own name, a file, and promises only about its rivals", () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    for (const { file, rivals, mustReach } of SCENARIOS) {
      expect(FILES[file]).toBeGreaterThan(0);
      expect(rivals).toEqual(expect.arrayContaining(Object.keys(mustReach)));
    }
  });

  test("columns line up", () => {
    const rows = [
      ["", "rate"],
      ["serv6", "1"],
    ];
    expect(table(rows)).toBe("         rate\n  serv6     1");
  });

  test("the busy side is the one that never waits", () => {
    const sides = [busySide(1, 0.5), busySide(0.5, 1), busySide(1, 1), busySide(0.5, 0.5)];
    expect(sides).toEqual(["server", "load", "both", "neither"]);
  });

  test("a block names what was promised, and whether it was reached", () => {
    const sample = (rate: number): Sample => ({
      ...{ seconds: 1, requestsPerSecond: rate, bodyBytesPerSecond: rate * 1024 },
      ...{ p50Us: 1, p90Us: 2, p99Us: 3, p999Us: 4, maxUs: 5, serverPeakRssBytes: 2 ** 20 },
      ...{ serverCpuSeconds: 1, loadCpuSeconds: 0.5, otherCpuSeconds: 0.5, syscallsPerRequest: 3 },
    });
    const results = new Map([
      ["serv6", [sample(300), sample(260)]],
      ["nginx", [sample(200), sample(200)]],
    ]);
    const block = scenarioBlock(SCENARIOS[0]!, results);
    expect(block).toContain("1.40 (1.30-1.50) of 1.3: ok");
    expect(block).toContain("Other processes used 50 % of a core.");
    results.set("nginx", [sample(300), sample(260)]);
    expect(scenarioBlock(SCENARIOS[0]!, results)).toContain("1.00 (1.00-1.00) of 1.3: LESS");
  });
});
