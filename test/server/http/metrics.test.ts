/**
 * The metrics as somebody else's parser reads them: that of a format which is older than ours, and
 * takes counters and information for families of their own names.
 */
import { expect, test } from "bun:test";
import parse from "parse-prometheus-text-format";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const DOORS = ["s6", "plain", "http", "tls", "none"];

/** Families by name, with what they are; counters and information as the parser takes them. */
const TYPES: Readonly<Record<string, string>> = {
  serv6_build: "INFO",
  serv6_requests: "COUNTER",
  serv6_sent_bytes: "COUNTER",
  serv6_request_seconds: "HISTOGRAM",
  serv6_connections: "GAUGE",
  serv6_accepted: "COUNTER",
  serv6_resets: "COUNTER",
  serv6_timeouts: "COUNTER",
  serv6_crashes: "COUNTER",
  serv6_loop_lag_seconds: "GAUGE",
  serv6_open_files: "GAUGE",
  serv6_cache_hits: "COUNTER",
  serv6_block_bytes: "GAUGE",
  serv6_block_hits: "COUNTER",
  serv6_block_misses: "COUNTER",
  serv6_digest_jobs: "GAUGE",
  process_resident_memory_bytes: "GAUGE",
  process_cpu_seconds: "COUNTER",
};

test("a parser from npm reads every line of it: names, types, help, values and histograms", async () => {
  using tree = new Tree({ f: "content" });
  await using it = new Running(tree.root);
  await it.ask("READ /f\nREAD /none\nPING\n");
  await it.ask("f\n");
  const request = "GET /-/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const { text } = await it.ask(request);
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  const families = new Map(parse(body).map((family) => [family.name, family]));
  for (const [name, type] of Object.entries(TYPES)) {
    expect([name, families.get(name)?.type]).toEqual([name, type]);
    expect(families.get(name)?.help).toMatch(/^[A-Z].*\.$/);
  }
  const values = new Map<string, string>();
  for (const { name, type, metrics } of families.values()) {
    // OpenMetrics adds these words to the family's name; elsewhere they would be another family.
    const suffix = { COUNTER: "_total", INFO: "_info" }[type as string] ?? "";
    const samples = suffix === "" ? metrics : (families.get(name + suffix)?.metrics ?? []);
    if (type !== "UNTYPED") expect([name, samples.length > 0]).toEqual([name, true]);
    else expect(name).toMatch(/_(total|info)$/);
    for (const { value, labels } of metrics) {
      if (value === undefined) continue;
      expect([name, Number(value) >= 0]).toEqual([name, true]);
      values.set(`${name} ${Object.values(labels ?? {}).join(" ")}`, value);
    }
  }
  expect(values.get("serv6_requests_total s6 answered")).toBe("2");
  expect(values.get("serv6_requests_total s6 refused")).toBe("1");
  expect(values.get("serv6_sent_bytes_total plain")).toBe("7");
  for (const door of DOORS) expectHistogram(body, door, { s6: 3, plain: 1 }[door] ?? 0);
});

/**
 * The parser knows one histogram a family, so that it gets that of one door, without the door: with
 * a label it keeps the buckets and loses the count and the sum.
 */
function expectHistogram(body: string, door: string, requests: number): void {
  const name = "serv6_request_seconds";
  const own = body
    .split("\n")
    .filter((line) => line.includes(name) && (line.startsWith("#") || line.includes(`"${door}"`)))
    .map((line) => line.replace(`{door="${door}"}`, "").replace(`door="${door}",`, ""));
  const [family] = parse(`${own.join("\n")}\n`);
  const [metric] = family?.metrics ?? [];
  const buckets = Object.entries(metric?.buckets ?? {});
  const bounds = buckets.map(([bound]) => (bound === "+Inf" ? Infinity : Number(bound)));
  expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
  expect(bounds.at(-1)).toBe(Infinity);
  expect(bounds.length).toBeGreaterThan(8);
  const counts = buckets.map(([, count]) => Number(count));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect([door, counts.at(-1), Number(metric?.count)]).toEqual([door, requests, requests]);
  expect(Number(metric?.sum)).toBeGreaterThanOrEqual(0);
}
