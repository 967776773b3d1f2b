/** What goes out over HTTP: each byte of every size, beside other doors, and RST where it fails. */
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { LIMITS_DEFAULT } from "../../../src/guard/limits.ts";
import { replaceCall } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { content, verify } from "../../rig/oracle.ts";
import { BRANCHES, Running } from "../../rig/running.ts";
import { Simulation } from "../../rig/simulation.ts";
import { Tree } from "../../rig/tree.ts";

const get = (target: string, fields = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;

describe.each(BRANCHES)("by %s", (_branch, zeroCopy) => {
  test("files of every size, whole and in part, again and again on one connection", async () => {
    using tree = new Tree();
    const sizes = [0, 1, 8192, 8193, 16_384, 49_152, 65_537, 3_000_001];
    for (const size of sizes) tree.write(`f${size}`, content(1, 0, size));
    await using running = new Running(tree.root, { zeroCopy });
    // Eight times: what is asked for often moves into memory.
    const whole = sizes.flatMap((size) => Array.from({ length: 8 }, () => size));
    const parts = sizes.filter((size) => size > 20);
    const text = [
      ...whole.map((size) => get(`/f${size}`)),
      ...parts.map((size) => get(`/f${size}`, `Range: bytes=16-${size - 2}\r\n`)),
    ].join("");
    const { bytes, ending } = await httpExchange(running, text);
    const methods = Array.from({ length: whole.length + parts.length }, () => "GET");
    const replies = httpReplies(bytes, methods);
    expect(ending).toBe("fin");
    for (const [nth, size] of whole.entries()) {
      const { status, body } = replies[nth]!;
      expect([size, status, body.length, verify(body, 1, 0)]).toEqual([size, 200, size, null]);
    }
    for (const [nth, size] of parts.entries()) {
      const { status, body } = replies[whole.length + nth]!;
      const wanted = content(1, 0, size).subarray(16, size - 1);
      expect([size, status, body.equals(wanted)]).toEqual([size, 206, true]);
    }
  });

  test("a file that is cut while it is sent ends in RST, never in a short body", async () => {
    using tree = new Tree({ large: content(1, 0, 60_000_000) });
    await using running = new Running(tree.root, { zeroCopy });
    using peer = await running.dial();
    peer.send(get("/large"));
    await peer.until(() => peer.length > 100_000);
    peer.socket.pause();
    fs.truncateSync(tree.path("large"), 1000);
    peer.socket.resume();
    const { bytes, ending } = await peer.all();
    expect([ending, bytes.length < 60_000_000]).toEqual(["reset", true]);
  });
});

test("heads of two dialects beside a reader that has stopped: no byte of one is another's", () => {
  const body = content(2, 0, 6000);
  using simulation = new Simulation({ f: body });
  const stalled = simulation.connect({ room: 3000 });
  stalled.send("READ /f\n".repeat(40));
  const readers = Array.from({ length: 3 }, () => simulation.connect());
  for (const reader of readers) reader.send(get("/f").repeat(20));
  const framed = simulation.connect();
  framed.send("READ /f\nHASH /f\nREAD offset=5 length=5 /f\n");
  simulation.flow(...readers, framed);
  for (const reader of readers) {
    const replies = httpReplies(
      reader.bytes,
      Array.from({ length: 20 }, () => "GET"),
    );
    expect(replies.every((reply) => reply.body.equals(body))).toBe(true);
  }
  simulation.flow(stalled);
  const first = stalled.bytes.subarray(0, stalled.bytes.indexOf(10) + 1);
  const whole = Buffer.concat([first, body]);
  expect(stalled.bytes.equals(Buffer.concat(Array.from({ length: 40 }, () => whole)))).toBe(true);
  expect(framed.bytes.subarray(0, whole.length).equals(whole)).toBe(true);
});

test("what is prepared for a second is made anew in the next, with its date", () => {
  using simulation = new Simulation({ f: "x" });
  const peer = simulation.connect();
  const now = Date.now;
  try {
    // The third of a second has head and content in one piece.
    const dates = [0, 400, 500, 600, 1600, 1700, 1800].map((ms) => {
      Date.now = () => Date.UTC(2026, 0, 1) + ms;
      peer.send(get("/f"));
      simulation.flow(peer);
      return ms;
    });
    const replies = httpReplies(
      peer.bytes,
      dates.map(() => "GET"),
    );
    expect(replies.map(({ fields }) => fields.get("date")?.slice(17))).toEqual(
      [0, 0, 0, 0, 1, 1, 1].map((second) => `00:00:0${second} GMT`),
    );
    // A time that is later than the reply's is no Last-Modified.
    expect(replies.some(({ fields }) => fields.has("last-modified"))).toBe(false);
    expect(replies.map(({ body }) => body.toString())).toEqual(dates.map(() => "x"));
  } finally {
    Date.now = now;
  }
});

test("a file that leaves from memory has the date of its second, and is seen to be another", async () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  await using running = new Running(tree.root);
  const now = Date.now;
  try {
    for (const second of [0, 1, 2]) {
      Date.now = () => Date.UTC(2026, 0, 1, 0, 0, second);
      if (second === 2) fs.writeFileSync(tree.path("f"), content(1, 1, 20_000));
      const { bytes } = await httpExchange(running, get("/f").repeat(12));
      const replies = httpReplies(
        bytes,
        Array.from({ length: 12 }, () => "GET"),
      );
      const version = second === 2 ? 1 : 0;
      expect(replies.map(({ body }) => verify(body, 1, version))).toEqual(replies.map(() => null));
      const dates = new Set(replies.map(({ fields }) => fields.get("date")?.slice(17)));
      expect([...dates]).toEqual([`00:00:0${second} GMT`]);
    }
  } finally {
    Date.now = now;
  }
});

test("more files than are held in one piece, in turns: each has its own bytes", () => {
  const names = Array.from({ length: 150 }, (_, nth) => `f${nth}`);
  using simulation = new Simulation(Object.fromEntries(names.map((name) => [name, `of ${name}`])));
  const peer = simulation.connect();
  // Two in a row make a piece, and let go the oldest; then each is asked for once more.
  const asked = [...names.flatMap((name) => [name, name]), ...names, ...names];
  peer.send(asked.map((name) => get(`/${name}`)).join(""));
  simulation.flow(peer);
  const replies = httpReplies(
    peer.bytes,
    asked.map(() => "GET"),
  );
  expect(replies.map(({ body }) => body.toString())).toEqual(asked.map((name) => `of ${name}`));
});

test("a head that does not end is 408, and a request without one leaves nothing", () => {
  using simulation = new Simulation({ f: "x" });
  const peer = simulation.connect();
  peer.send("GET /f HTTP/1.1\r\nHost: h\r\n");
  simulation.pass(LIMITS_DEFAULT.requestMs + 2000);
  const [reply] = httpReplies(peer.bytes, ["GET"]);
  expect([reply?.status, reply?.fields.get("connection")]).toEqual([408, "close"]);
  const other = simulation.connect();
  other.send("GET /f HTTP/1.1\r\nHost: h\r\n");
  other.finish();
  simulation.flow(other);
  expect([other.bytes.length, other.socket.ending]).toEqual([0, "fin"]);
});

test("a disk that fails is 500, and the connection goes on", async () => {
  using tree = new Tree({ f: "x", g: "y" });
  await using running = new Running(tree.root);
  using _fault = replaceCall("openat", (real) => (dirfd, name, flags) => {
    return name.startsWith("/proc/self/fd/") && broken-- > 0 ? -5 : real(dirfd, name, flags);
  });
  let broken = 1;
  const { bytes } = await httpExchange(running, get("/f") + get("/g"));
  expect(httpReplies(bytes, ["GET", "GET"]).map(({ status }) => status)).toEqual([500, 200]);
});

test("a server of one file gives it for its own address, under its name", async () => {
  using tree = new Tree({ "page.html": "<p>" });
  await using running = new Running(tree.path("page.html"));
  const { bytes } = await httpExchange(running, get("/") + get("/?download"));
  const [reply, saved] = httpReplies(bytes, ["GET", "GET"]);
  expect([reply?.body.toString(), reply?.fields.get("content-type")]).toEqual([
    ...["<p>", "text/html;charset=utf-8"],
  ]);
  expect(saved?.fields.get("content-disposition")).toBe('attachment; filename="page.html"');
});

test("it is a line of the log, and --no-http turns it away", async () => {
  using tree = new Tree({ f: "content" });
  const out = tree.path("log");
  const fd = fs.openSync(out, "w");
  {
    await using running = new Running(tree.root, { log: "json", logFd: fd });
    await httpExchange(running, `${get("/f")}HEAD /f HTTP/1.1\r\nHost: h\r\n\r\n${get("/none")}`);
    await httpExchange(running, "BREW /pot HTTP/1.1\r\n\r\n");
  }
  fs.closeSync(fd);
  const lines = fs.readFileSync(out, "utf8").trim().split("\n");
  const told = lines.map((line) => {
    const { door, verb, path, status, bytes } = JSON.parse(line) as Record<string, unknown>;
    return [door, verb, path, status, bytes];
  });
  expect(told).toEqual([
    ["http", "GET", "/f", "OK", 7],
    ["http", "HEAD", "/f", "OK", 0],
    ["http", "GET", "/none", "ENOENT", 0],
    ["http", "BREW", "", "ENOSYS", 0],
  ]);
  await using closed = new Running(tree.root, { http: false });
  const { bytes, ending } = await httpExchange(closed, get("/f"));
  expect([httpReplies(bytes, ["GET"])[0]?.status, ending]).toEqual([501, "fin"]);
});
