/**
 * What HTTP requests are answered with, in literal bytes: methods, heads, connections, ranges,
 * conditions. Each row is one connection: what is sent, and the status of each reply to it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { Running } from "../../rig/running.ts";
import { Simulation } from "../../rig/simulation.ts";
import { Tree } from "../../rig/tree.ts";

const BODY = "0123456789";
const TIME = Date.UTC(2024, 0, 15, 10, 20, 30) / 1000;
const MODIFIED = "Mon, 15 Jan 2024 10:20:30 GMT";
const BEFORE = "Mon, 15 Jan 2024 10:20:29 GMT";
const AFTER = "Mon, 15 Jan 2024 10:20:31 GMT";

let tree: Tree;
let running: Running;
let etag = "";

beforeAll(async () => {
  tree = new Tree({ f: BODY, empty: "", "d/x": "x", "with space": "s", "a%41": "p" });
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

/** Statuses of the replies to `text`, and "close" where the last one says so. */
async function statuses(text: string, count: number): Promise<(number | string)[]> {
  const { bytes, ending } = await httpExchange(running, text);
  expect(ending).toBe("fin");
  const heads = text.split("\r\n\r\n").map((head) => head.split(" ")[0] ?? "");
  const replies = httpReplies(bytes, heads.slice(0, count));
  const said = replies.at(-1)?.fields.get("connection");
  return [...replies.map(({ status }) => status), ...(said === undefined ? [] : [said])];
}

describe("methods and heads", () => {
  test.each([
    ["GET", get("/f"), [200]],
    ["HEAD", get("/f", "", "HEAD"), [200]],
    ["HTTP/1.0 without Host", "GET /f HTTP/1.0\r\n\r\n", [200, "close"]],
    [
      "HTTP/1.0 that wants to go on",
      get("/f", "Connection: Keep-Alive\r\n", "GET", "1.0"),
      [200, "keep-alive"],
    ],
    ["absolute-form", get("http://other:80/f"), [200]],
    ["absolute-form of nothing", get("http://other"), [200]],
    ["an escape in the target", get("/with%20space"), [200]],
    ["an escaped percent sign, decoded once", get("/a%2541"), [200]],
    ["the same without", get("/a%41"), [404]],
    ["a query", get("/f?x=1"), [200]],
    ["a Content-Length of 0", get("/f", "Content-Length: 0\r\n"), [200]],
    ["an empty line between two", `${get("/f")}\r\n${get("/f")}`, [200, 200]],
    ["an unknown field", get("/f", "X-Odd: \xff\r\n"), [200]],
    ["100 fields", get("/f", "A: b\r\n".repeat(99)), [200]],
    ["8 KiB", get(`/f?${"q".repeat(8192 - get("/f?").length)}`), [200]],
    ["a folder without its slash", get("/d"), [301]],
    ["a folder", get("/d/"), [200]],
    ["the root", get("/"), [200]],
    ["what is not there", get("/none"), [404]],
    ["a file as a folder", get("/f/x"), [404]],
    ["out of the root", get("/../f"), [403]],
    ["out of the root, escaped", get("/%2e%2e/f"), [403]],
    ["a hidden name", get("/.git"), [404]],
  ])("%s", async (_name, text, expected) => {
    const count = expected.filter((one) => typeof one === "number").length;
    expect(await statuses(text, count)).toEqual([...expected]);
  });
});

describe("refused, and the connection ends", () => {
  test.each([
    ["POST", get("/f", "", "POST"), 405],
    ["OPTIONS *", get("*", "", "OPTIONS"), 405],
    ["a method of our own dialect", get("/f", "", "get"), 405],
    ["HTTP/1.2", get("/f", "", "GET", "1.2"), 505],
    ["no Host", "GET /f HTTP/1.1\r\n\r\n", 400],
    ["two Hosts", get("/f", HOST), 400],
    ["a Host that is none", "GET /f HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["a body", get("/f", "Content-Length: 3\r\n"), 413],
    ["two lengths", get("/f", "Content-Length: 0\r\nContent-Length: 5\r\n"), 400],
    ["a length that is no number", get("/f", "Content-Length: +0\r\n"), 400],
    ["chunks", get("/f", "Transfer-Encoding: chunked\r\n"), 400],
    ["both", get("/f", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400],
    ["a folded line", get("/f", "A: b\r\n c\r\n"), 400],
    ["white space before the colon", get("/f", "Range : bytes=0-1\r\n"), 400],
    ["no colon", get("/f", "odd\r\n"), 400],
    ["a bare LF behind the first line", `GET /f HTTP/1.1\n${HOST}\r\n`, 400],
    ["a bare LF behind a field", `GET /f HTTP/1.1\r\nHost: h\nA: b\r\n\r\n`, 400],
    ["a bare CR", get("/f", "A: b\rc\r\n"), 400],
    ["a NUL", get("/f", "A: \0\r\n"), 400],
    ["an escape that is none", get("/%zz"), 400],
    ["an escaped NUL", get("/%00"), 400],
    ["a fragment", get("/f#x"), 400],
    ["a backslash", get("/a\\b"), 400],
    ["101 fields", get("/f", "A: b\r\n".repeat(100)), 431],
    ["more than 8 KiB of fields", get("/f", `A: ${"b".repeat(8192)}\r\n`), 431],
    ["no address", get("f"), 400],
    ["another scheme", get("https://h/f"), 400],
  ])("%s", async (_name, text, status) => {
    // Whatever follows is not read as a request.
    expect(await statuses(`${text}${get("/f")}`, 1)).toEqual([status, "close"]);
  });
});

describe("ranges", () => {
  test.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=5-", 206, "56789", "bytes 5-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, BODY, "bytes 0-9/10"],
    ["bytes=8-100", 206, "89", "bytes 8-9/10"],
    ["Bytes=1-1", 206, "1", "bytes 1-1/10"],
    ["bytes=0-9", 206, BODY, "bytes 0-9/10"],
    ["bytes=10-", 416, null, "bytes */10"],
    ["bytes=-0", 416, null, "bytes */10"],
    ["bytes=99999999999999999999-", 416, null, "bytes */10"],
    ["bytes=0-1,3-4", 200, BODY, undefined],
    ["bytes=4-2", 200, BODY, undefined],
    ["bytes=", 200, BODY, undefined],
    ["bytes=a-b", 200, BODY, undefined],
    ["lines=0-1", 200, BODY, undefined],
    ["bytes 0-1", 200, BODY, undefined],
  ])("%s", async (range, status, body, told) => {
    const { bytes } = await httpExchange(running, get("/f", `Range: ${range}\r\n`));
    const [reply] = httpReplies(bytes, ["GET"]);
    expect([reply?.status, reply?.fields.get("content-range")]).toEqual([status, told]);
    if (body !== null) expect(reply?.body.toString()).toBe(body);
    // A range is for GET alone.
    const head = await httpExchange(running, get("/f", `Range: ${range}\r\n`, "HEAD"));
    const [whole] = httpReplies(head.bytes, ["HEAD"]);
    expect([whole?.status, whole?.fields.get("content-length")]).toEqual([200, "10"]);
  });

  test("of an empty file", async () => {
    for (const [range, status] of [
      ["0-", 416],
      ["-1", 200],
    ] as const) {
      const { bytes } = await httpExchange(running, get("/empty", `Range: bytes=${range}\r\n`));
      expect(httpReplies(bytes, ["GET"])[0]?.status).toBe(status);
    }
  });
});

describe("conditions", () => {
  const tag = (): string => etag;
  const other = (): string => '"other"';
  test.each([
    ["If-None-Match", tag, 304],
    ["If-None-Match", () => `W/${etag}`, 304],
    ["If-None-Match", () => `"a", ${etag}`, 304],
    ["If-None-Match", () => "*", 304],
    ["If-None-Match", other, 200],
    ["If-None-Match", () => "odd", 200],
    ["If-Match", tag, 200],
    ["If-Match", () => "*", 200],
    ["If-Match", other, 412],
    ["If-Match", () => `W/${etag}`, 412],
    ["If-Modified-Since", () => MODIFIED, 304],
    ["If-Modified-Since", () => AFTER, 304],
    ["If-Modified-Since", () => BEFORE, 200],
    ["If-Modified-Since", () => "Monday, 15-Jan-24 10:20:30 GMT", 304],
    ["If-Modified-Since", () => "Mon Jan 15 10:20:30 2024", 304],
    ["If-Modified-Since", () => "yesterday", 200],
    ["If-Unmodified-Since", () => MODIFIED, 200],
    ["If-Unmodified-Since", () => BEFORE, 412],
    ["If-Unmodified-Since", () => "yesterday", 200],
    ["Range: bytes=0-1\r\nIf-Range", tag, 206],
    ["Range: bytes=0-1\r\nIf-Range", other, 200],
    ["Range: bytes=0-1\r\nIf-Range", () => `W/${etag}`, 200],
    ["Range: bytes=0-1\r\nIf-Range", () => MODIFIED, 206],
    ["Range: bytes=0-1\r\nIf-Range", () => AFTER, 200],
    ["Range: bytes=99-\r\nIf-Range", other, 200],
    ["Range: bytes=0-1\r\nIf-None-Match", tag, 304],
    ["Range: bytes=0-1\r\nIf-Match", other, 412],
    // If-None-Match stands in for If-Modified-Since (RFC 9110 13.1.3), If-Match for the other.
    [`If-Modified-Since: ${AFTER}\r\nIf-None-Match`, other, 200],
    [`If-Unmodified-Since: ${BEFORE}\r\nIf-Match`, tag, 200],
  ])("%s %#: %i", async (name, value, status) => {
    const { bytes } = await httpExchange(running, get("/f", `${name}: ${value()}\r\n`));
    const [reply] = httpReplies(bytes, ["GET"]);
    expect(reply?.status).toBe(status);
    const told = [reply?.body.toString(), reply?.fields.get("etag")];
    if (status === 412) expect(told[0]).toMatch(/^412 Precondition Failed\nESTALE [^\n]+\n$/);
    else expect(told).toEqual([{ 200: BODY, 206: "01", 304: "" }[status], etag]);
  });
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
