/** What a client writes can't forge or break a line of the log: fault 69. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually, replaceCall } from "../rig/faults.ts";
import { Running } from "../rig/running.ts";
import { Simulation } from "../rig/simulation.ts";
import { Tree } from "../rig/tree.ts";

const NASTY = ["\x1b]0;x\x07", "\x9b2J", "\xe2\x80\xae", "\r2026-01-01 forged", "\xff", "\\x0a"];

const SHOWN = ["\\x1b]0;x\\x07", "\\x9b2J", "\\u{202e}", "\\x0d2026-01-01", "\\xff", "\\\\x0a"];

test.each(["human", "json"] as const)(
  "69: each request is one line of the log without a control, verb and path escaped (%s)",
  async (format) => {
    using tree = new Tree();
    using logs = new Tree({ log: "" });
    const fd = fs.openSync(logs.path("log"), "a");
    using _closing = { [Symbol.dispose]: () => fs.closeSync(fd) };
    await using running = new Running(tree.root, { log: format, logFd: fd });
    const requests = NASTY.flatMap((text) => [`X${text} /a`, `READ /${text}`, `READ /%0a${text}`]);
    await running.ask(`PING\n${requests.join("\n")}\n`);
    for (const text of NASTY) await running.ask(`/${text}\n`);
    const count = 1 + requests.length + NASTY.length;
    const read = (): string => fs.readFileSync(logs.path("log"), "utf8");
    await eventually("the lines", () => read().split("\n").length > count);
    const lines = read().split("\n").slice(0, -1);
    expect(lines.length).toBe(count);
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\ufffd]/u);
    const shown = format === "json" ? SHOWN.map((it) => JSON.stringify(it).slice(1, -1)) : SHOWN;
    for (const text of shown) {
      const times = lines.filter((line) => line.includes(text)).length;
      expect([text, times]).toEqual([text, 4]);
    }
  },
);

test("who leaves while the store is asked is in the log, and counted, like all who asked", () => {
  using logs = new Tree({ log: "" });
  const fd = fs.openSync(logs.path("log"), "a");
  using _closing = { [Symbol.dispose]: () => fs.closeSync(fd) };
  using simulation = new Simulation({ f: "content" }, { log: "json", logFd: fd });
  using _cold = replaceCall("resident", () => () => 0);
  const { counters } = simulation.running.server;
  for (const asks of ["READ /f\n", "f\n", "GET /f HTTP/1.1\r\nHost: h\r\n\r\n"]) {
    const peer = simulation.connect();
    peer.send(asks);
    expect([peer.connection.state.awaits, peer.text]).toEqual(["store", ""]);
    peer.connection.closed();
  }
  // Who asks nothing has no line.
  simulation.connect().connection.closed();
  simulation.pass(1000);
  const lines = fs.readFileSync(logs.path("log"), "utf8").trim().split("\n");
  const told = lines.map((line) => JSON.parse(line));
  expect(told.map(({ door, path, status, bytes }) => [door, path, status, bytes])).toEqual([
    ["s6", "/f", "RESET", 0],
    ["plain", "f", "RESET", 0],
    ["http", "/f", "RESET", 0],
  ]);
  expect([counters.requests, counters.doors.s6?.reset]).toEqual([3, 1]);
});
