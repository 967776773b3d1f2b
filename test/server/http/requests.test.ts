/**
 * What HTTP tells of a file, and a pipeline cut at every byte. What each request is answered with
 * stands in conformance/.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import fs from "node:fs";
import { LIMITS_DEFAULT } from "../../../src/guard/limits.ts";
import { SWEEP_MS } from "../../../src/server/sweep.ts";
import { replaceCall } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { Running } from "../../rig/running.ts";
import { Simulation } from "../../rig/simulation.ts";
import { Tree } from "../../rig/tree.ts";

const BODY = "0123456789";
const TIME = Date.UTC(2024, 0, 15, 10, 20, 30) / 1000;
const MODIFIED = "Mon, 15 Jan 2024 10:20:30 GMT";

let tree: Tree;
let running: Running;
let etag = "";

beforeAll(async () => {
  tree = new Tree({ f: BODY, "d/x": "x" });
  fs.utimesSync(tree.path("f"), TIME, TIME);
  running = new Running(tree.root);
  const [reply] = httpReplies(
    (await httpExchange(running, "GET /f HTTP/1.1\r\nHost: h\r\n\r\n")).bytes,
    ["GET"],
  );
  etag = reply?.fields.get("etag") ?? "";
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
});

const HOST = "Host: h\r\n";

/** A request with Host and `fields`, each a whole line. */
function get(target: string, fields = "", method = "GET", version = "1.1"): string {
  return `${method} ${target} HTTP/${version}\r\n${HOST}${fields}\r\n`;
}

test("a condition that fails says so, and one that is met tells the tag again", async () => {
  const { bytes } = await httpExchange(
    running,
    get("/f", 'If-Match: "other"\r\n') + get("/f", `If-None-Match: ${etag}\r\n`),
  );
  const [failed, met] = httpReplies(bytes, ["GET", "GET"]);
  expect([failed?.status, failed?.body.toString()]).toEqual([
    ...[412, expect.stringMatching(/^412 Precondition Failed\nESTALE [^\n]+\n$/)],
  ]);
  expect([met?.status, met?.fields.get("etag")]).toEqual([304, etag]);
});

test("what a reply tells of a file", async () => {
  const { bytes } = await httpExchange(running, get("/f") + get("/f?download", "", "HEAD"));
  const [whole, head] = httpReplies(bytes, ["GET", "HEAD"]);
  expect(Object.fromEntries(whole!.fields)).toEqual({
    date: expect.stringMatching(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/),
    ...{ "content-length": "10", "content-type": "application/octet-stream" },
    ...{ "x-content-type-options": "nosniff", etag, "last-modified": MODIFIED },
    "accept-ranges": "bytes",
  });
  expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
  expect(head?.fields.get("content-disposition")).toBe('attachment; filename="f"');
});

test("on one connection, in order: a pipeline of everything, cut at every byte", () => {
  const lines = [
    get("/f"),
    get("/none"),
    get("/f", "", "HEAD"),
    get("/d"),
    get("/f", "Range: bytes=1-2\r\n"),
  ];
  const text = lines.join("");
  const methods = ["GET", "GET", "HEAD", "GET", "GET"];
  const expected = [200, 404, 200, 301, 206];
  for (let cut = 1; cut < text.length; cut++) {
    using simulation = new Simulation({ f: BODY, "d/x": "x" });
    const peer = simulation.connect();
    peer.send(text.slice(0, cut));
    peer.send(text.slice(cut));
    simulation.flow(peer);
    const replies = httpReplies(peer.bytes, methods).map(({ status }) => status);
    expect([cut, replies]).toEqual([cut, expected]);
  }
});

test("a refusal behind which the connection ends says so", () => {
  using simulation = new Simulation({ f: BODY });
  using _cold = replaceCall("resident", () => () => 0);
  const waits = simulation.connect();
  waits.send(get("/none"));
  expect(httpReplies(waits.bytes, ["GET"])[0]?.fields.get("connection")).toBeUndefined();
  const before = waits.bytes.length;
  waits.send(get("/f"));
  expect(waits.connection.state.awaits).toBe("store");
  // The disk says nothing for an hour.
  simulation.loop.pass(LIMITS_DEFAULT.storeMs + 2 * SWEEP_MS);
  const [late] = httpReplies(waits.bytes.subarray(before), ["GET"]);
  expect([late?.status, late?.fields.get("connection"), waits.socket.ending]).toEqual([
    ...[408, "close", "fin"],
  ]);
  simulation.loop.settle();
  // A server that stops.
  const last = simulation.connect();
  last.connection.ending = true;
  last.send(get("/none"));
  const [refused] = httpReplies(last.bytes, ["GET"]);
  expect([refused?.status, refused?.fields.get("connection"), last.socket.ending]).toEqual([
    ...[404, "close", "fin"],
  ]);
});
