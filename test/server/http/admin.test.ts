/** What HTTP tells who runs the server: to whom, under which names, and whether it adds up. */
import { describe, expect, test } from "bun:test";
import { CALM, FakeKernel, FakeSocket } from "../../rig/fake-socket.ts";
import { eventually } from "../../rig/faults.ts";
import { content } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const TREE = { f: "content", "-/health": "a file of that name" };

const get = (target: string, host = "127.0.0.1:6464"): string =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

async function ask(
  it: Running,
  target: string,
  host?: string,
): Promise<{ status: string; body: string }> {
  const { text } = await it.ask(get(target, host));
  return { status: text.slice(9, 12), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
}

/**
 * The numbers of an OpenMetrics text by name and labels, read strictly; throws where it is none.
 */
function parsed(text: string): Map<string, number> {
  const lines = text.split("\n");
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
  const numbers = new Map<string, number>();
  let family = "";
  for (const line of lines.slice(0, -2)) {
    const told = /^# (TYPE|UNIT|HELP) (\w+) (.+)$/.exec(line);
    if (told !== null) {
      if (told[1] === "TYPE") family = told[2] ?? "";
      expect(told[2]).toBe(family);
      continue;
    }
    const sample = /^(\w+)(\{\w+="[^"\\\n]*"(?:,\w+="[^"\\\n]*")*\})? (-?[0-9.e+-]+)$/.exec(line);
    if (sample === null) throw new Error(`no sample: ${line}`);
    const [, name = "", labels = "", value = ""] = sample;
    expect(name.startsWith(family)).toBe(true);
    expect(numbers.has(name + labels)).toBe(false);
    numbers.set(name + labels, Number(value));
  }
  return numbers;
}

test("health, metrics, numbers and the page; nothing else, and the files beside them", async () => {
  using tree = new Tree(TREE);
  await using it = new Running(tree.root);
  expect(await ask(it, "/-/health")).toEqual({ status: "200", body: "ok\n" });
  expect((await ask(it, "/-/metrics")).body).toEndWith("# EOF\n");
  expect(JSON.parse((await ask(it, "/-/stats")).body)).toMatchObject({ transfers: [] });
  expect((await ask(it, "/-/")).body).toStartWith("<!DOCTYPE html>");
  expect((await ask(it, "/-/none")).status).toBe("404");
  // A folder that is really called so.
  expect(await ask(it, "/%2D/health")).toEqual({ status: "200", body: "a file of that name" });
  expect((await it.ask("READ /-/health\n")).text).toContain("a file of that name");
  const head = await it.ask(get("/-/metrics").replace("GET", "HEAD"));
  expect(head.text).toMatch(
    /Content-Type: application\/openmetrics-text; version=1\.0\.0[^]*\r\n\r\n$/,
  );
});

describe("a name that leads here from elsewhere is misdirected", () => {
  const cases: [string, string][] = [
    ["localhost", "200"],
    ["LOCALHOST:80", "200"],
    ["[::1]:6464", "200"],
    ["192.0.2.1", "200"],
    ["evil.example", "421"],
    ["127.0.0.1.evil.example", "421"],
    ["localhost.evil.example:6464", "421"],
    ["", "421"],
  ];
  test.each(cases)("%j: %s", async (host, status) => {
    using tree = new Tree(TREE);
    await using it = new Running(tree.root);
    for (const path of ["/-/metrics", "/-/stats", "/-/"]) {
      expect((await ask(it, path, host)).status).toBe(status);
    }
    expect((await ask(it, "/f", host)).body).toBe("content");
  });
});

test("for other machines there is nothing there, also where a token lets them in", async () => {
  using tree = new Tree({ f: "content" });
  await using it = new Running(tree.root);
  await it.ask("READ /f\n");
  using fakes = new FakeKernel();
  for (const [address, status] of [
    ["192.0.2.9", "404"],
    ["::ffff:192.0.2.9", "404"],
    ["127.0.0.1", "200"],
    ["::1", "200"],
  ] as const) {
    let came = "";
    const sink = (bytes: Uint8Array): void => void (came += Buffer.from(bytes).toString());
    const socket = new FakeSocket(fakes, CALM, sink, address);
    const connection = it.server.accept(socket);
    socket.connection = connection;
    connection?.data(Buffer.from(get("/-/metrics")));
    await eventually("an answer", () => came !== "");
    expect([address, came.slice(9, 12)]).toEqual([address, status]);
    connection?.terminate();
  }
});

test("a listener of its own has them, and nothing else; the others have them no more", async () => {
  using tree = new Tree(TREE);
  await using it = new Running(tree.root, { adminAddress: { host: "127.0.0.1", port: 0 } });
  const port = it.server.adminAddress?.port ?? 0;
  const there = async (request: string): Promise<string> => {
    const { Peer } = await import("../../rig/peer.ts");
    using peer = await Peer.dial(port);
    peer.send(request);
    peer.finish();
    return (await peer.all()).bytes.toString();
  };
  expect(await there(get("/-/health"))).toMatch(/^HTTP\/1\.1 200 [^]*ok\n$/);
  expect(await there(get("/f"))).toStartWith("HTTP/1.1 404 ");
  for (const line of ["READ /f\n", "f\n"]) expect(await there(line)).not.toContain("content");
  expect((await ask(it, "/-/health")).body).toBe("a file of that name");
});

test("the numbers are those of what was asked, and keep to OpenMetrics", async () => {
  using tree = new Tree({ f: "content", large: content(1, 0, 9_000_000) });
  await using it = new Running(tree.root);
  await it.ask("READ /f\nREAD /none\nPING\n");
  await it.ask("f\n");
  await it.ask(get("/f"));
  await it.ask(get("/none"));
  using stalled = await it.dial();
  stalled.socket.pause();
  stalled.send("READ /large\n");
  await eventually("the stalled one", () => it.server.counters.doors["s6"]!.answered >= 2);
  const numbers = parsed((await ask(it, "/-/metrics")).body);
  const value = (name: string): number => numbers.get(name) ?? Number.NaN;
  const requests = (door: string, outcome: string): number =>
    value(`serv6_requests_total{door="${door}",outcome="${outcome}"}`);
  expect([requests("s6", "answered"), requests("s6", "refused")]).toEqual([2, 1]);
  expect([
    requests("plain", "answered"),
    requests("http", "answered"),
    requests("http", "refused"),
  ]).toEqual([1, 1, 1]);
  expect([
    value('serv6_sent_bytes_total{door="s6"}'),
    value('serv6_sent_bytes_total{door="http"}'),
  ]).toEqual([7, 7]);
  expect(value('serv6_request_seconds_count{door="s6"}')).toBe(3);
  expect(value('serv6_request_seconds_bucket{door="s6",le="+Inf"}')).toBe(3);
  const buckets = [...numbers].filter(([name]) =>
    name.startsWith('serv6_request_seconds_bucket{door="s6"'),
  );
  expect(buckets.map(([, count]) => count)).toEqual(
    buckets.map(([, count]) => count).sort((a, b) => a - b),
  );
  expect(value("serv6_accepted_total")).toBe(6);
  expect(
    value('serv6_connections{state="room"}') + value('serv6_connections{state="turn"}'),
  ).toBeLessThanOrEqual(1);
  expect(value("serv6_cache_misses_total")).toBeGreaterThan(0);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  const live = JSON.parse((await ask(it, "/-/stats")).body) as {
    transfers: { path: string; size: number }[];
  };
  expect(live.transfers).toMatchObject([{ path: "/large", size: 9_000_000 }]);
});

test("the page's style and script are let in by their digests, and nothing else is", async () => {
  using tree = new Tree();
  await using it = new Running(tree.root);
  const { text } = await it.ask(get("/-/"));
  const policy = /\r\nContent-Security-Policy: ([^\r]*)/.exec(text)?.[1] ?? "";
  for (const tag of ["style", "script"]) {
    const inner = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text)?.[1] ?? "";
    const digest = new Bun.CryptoHasher("sha256").update(inner).digest("base64");
    expect(policy).toContain(`${tag}-src 'sha256-${digest}'`);
  }
  expect(policy).toStartWith("default-src 'none'; connect-src 'self'; ");
  expect(text).not.toMatch(/ on\w+=| style=|https?:/);
});
