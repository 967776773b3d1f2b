/** Request heads: what is understood, and how. What is refused stands in smuggling.test.ts too. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type RequestHead, parseHead } from "../../../src/wire/http/head.ts";
import { HeadRefusal } from "../../../src/wire/http/headrefusal.ts";
import { parameterOf } from "../../../src/wire/http/target.ts";

/** The request in `head`, which is none that is refused. */
function accepted(head: string): RequestHead {
  const parsed = parseHead(head);
  if (parsed instanceof HeadRefusal) throw new Error(`${parsed.status} ${parsed.message}`);
  return parsed;
}

/** The status of a refusal, or 0. */
function statusOf(head: string): number {
  const parsed = parseHead(head);
  return parsed instanceof HeadRefusal ? parsed.status : 0;
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h`;

test("a request is its method, path, query, host, connection and fields", () => {
  expect(parseHead("GET /a%20b?x=1&y HTTP/1.1\r\nHost: h:80\r\nRange: bytes=0-1\r\nX: z")).toEqual({
    method: "GET",
    path: "/a b",
    own: false,
    query: "x=1&y",
    host: "h:80",
    connection: "",
    old: false,
    fields: new Map([["range", "bytes=0-1"]]),
  });
  expect(parseHead("HEAD / HTTP/1.0")).toEqual({
    method: "HEAD",
    path: "/",
    own: false,
    query: "",
    host: "",
    connection: "close",
    old: true,
    fields: new Map(),
  });
});

test.each([
  ["/", "/", ""],
  ["/a/b", "/a/b", ""],
  ["/%61%2Fb", "/a/b", ""],
  ["/a%2f..%2fb", "/a/../b", ""],
  ["/%2e%2e/x", "/../x", ""],
  ["/../x", "/../x", ""],
  ["/%252e%252e/x", "/%2e%2e/x", ""],
  ["//host/x", "//host/x", ""],
  ["/a%5Cb", "/a\\b", ""],
  ["/%ff%C3%A9", "/\xff\xc3\xa9", ""],
  ["/\xc3\xa9", "/\xc3\xa9", ""],
  ["/%c0%ae%c0%ae/x", "/\xc0\xae\xc0\xae/x", ""],
  ["/%0d%0aX:y", "/\r\nX:y", ""],
  ["/a+b", "/a+b", ""],
  ["/a?", "/a", ""],
  ["/a?b?c", "/a", "b?c"],
  ["/a?%00%zz", "/a", "%00%zz"],
  ["/a%3Fb", "/a?b", ""],
  ["/a%23b", "/a#b", ""],
  ['/{a}|^`"<>', '/{a}|^`"<>', ""],
  ["/*", "/*", ""],
  ["/http://x/", "/http://x/", ""],
])("the target %j is the path %j and the query %j", (target, path, query) => {
  const head = accepted(get(target));
  expect([head.path, head.query, head.host]).toEqual([path, query, "h"]);
});

test.each([
  ["http://o/a?b", "/a", "b", "o"],
  ["HTTP://O:80/a", "/a", "", "O:80"],
  ["http://o", "/", "", "o"],
  ["http://o?q", "/", "q", "o"],
  ["http://[::1]:8/a", "/a", "", "[::1]:8"],
  ["http://o//x", "//x", "", "o"],
])("the absolute target %j counts more than Host", (target, path, query, host) => {
  const head = accepted(get(target));
  expect([head.path, head.query, head.host]).toEqual([path, query, host]);
});

test.each([
  ["a/b"],
  ["*"],
  ["/a#b"],
  ["/a\\b"],
  ["/a%"],
  ["/a%2"],
  ["/a%zz"],
  ["/%u0041"],
  ["/a%00b"],
  ["/%"],
  ["/a\tb"],
  ["?a"],
  ["https://o/a"],
  ["ftp://o/a"],
  ["http:///a"],
  ["http://user@o/a"],
  ["http://o:80:80/a"],
  ["http://o,p/a"],
  ["o:443"],
])("the target %j is refused", (target) => {
  expect(statusOf(get(target))).toBe(400);
});

test.each([
  ["GET / HTTP/1.1", 400],
  ["GET /", 400],
  ["GET", 400],
  ["", 400],
  [" GET / HTTP/1.1\r\nHost: h", 400],
  ["GET  / HTTP/1.1\r\nHost: h", 400],
  ["GET /  HTTP/1.1\r\nHost: h", 400],
  ["GET / HTTP/1.1 \r\nHost: h", 400],
  ["GET\t/ HTTP/1.1\r\nHost: h", 400],
  ["GET /a b HTTP/1.1\r\nHost: h", 400],
  ["G(T / HTTP/1.1\r\nHost: h", 400],
  ["GET / http/1.1\r\nHost: h", 400],
  ["GET / HTTP/1.10\r\nHost: h", 400],
  ["GET / HTTP/11\r\nHost: h", 400],
  ["GET / HTTP/1,1\r\nHost: h", 400],
  ["GET / ICY/1.1\r\nHost: h", 400],
  ["PUT /\n HTTP/1.1\r\nHost: h", 400],
  ["PUT /\0 HTTP/1.1\r\nHost: h", 400],
  ["PUT /\r HTTP/2.0\r\nHost: h", 400],
  ["PUT / HTTP/2.0\r\nHost: h\r\nX: \n", 400],
  ["GET / HTTP/1.2\r\nHost: h", 505],
  ["GET / HTTP/0.9\r\nHost: h", 505],
  ["GET / HTTP/2.0\r\nHost: h", 505],
  ["GET / HTTP/3.1\r\nHost: h", 505],
  ["PRI * HTTP/2.0", 505],
  ["POST / HTTP/1.1\r\nHost: h", 405],
  ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5", 405],
  ["PUT / HTTP/1.1\r\nHost: h", 405],
  ["DELETE / HTTP/1.1\r\nHost: h", 405],
  ["OPTIONS * HTTP/1.1\r\nHost: h", 405],
  ["OPTIONS / HTTP/1.1\r\nHost: h", 405],
  ["CONNECT o:443 HTTP/1.1\r\nHost: o", 405],
  ["TRACE / HTTP/1.1\r\nHost: h", 405],
  ["get / HTTP/1.1\r\nHost: h", 405],
  ["GETX / HTTP/1.1\r\nHost: h", 405],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1", 413],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999", 413],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0", 0],
  ["HEAD / HTTP/1.0\r\nContent-Length: 0", 0],
])("%j gets %d", (head, status) => {
  expect(statusOf(head)).toBe(status);
});

test.each([
  ["1.1", "", ""],
  ["1.1", "Connection: keep-alive", ""],
  ["1.1", "Connection: close", "close"],
  ["1.1", "connection:CLOSE", "close"],
  ["1.1", "Connection: foo, \tClose ,bar", "close"],
  ["1.1", "Connection: keep-alive\r\nConnection: close", "close"],
  ["1.1", "Connection: closed", ""],
  ["1.1", "Connection: not close", ""],
  ["1.1", "Connection:", ""],
  ["1.1", "Proxy-Connection: close", ""],
  ["1.0", "", "close"],
  ["1.0", "Connection: keep-alive", "keep-alive"],
  ["1.0", "Connection: Keep-Alive, TE", "keep-alive"],
  ["1.0", "Connection: keep-alive, close", "close"],
  ["1.0", "Connection: upgrade", "close"],
  ["1.0", "Keep-Alive: 300", "close"],
])("HTTP/%s with %j says %j", (version, line, connection) => {
  const head = `GET / HTTP/${version}\r\nHost: h${line === "" ? "" : `\r\n${line}`}`;
  expect(accepted(head).connection).toBe(connection as RequestHead["connection"]);
});

test.each([
  ["h", true],
  ["", true],
  ["h:6464", true],
  ["h:", true],
  ["127.0.0.1:80", true],
  ["[::1]", true],
  ["[fe80::1%25eth0]:80", true],
  ["a_b-c.example", true],
  ["h/x", false],
  ["h x", false],
  ["h,h", false],
  ["u@h", false],
  ["h:80:80", false],
  ["h:x", false],
  ["[::1", false],
  ["\xe9", false],
  ["h?", false],
  ["h#", false],
  ["h\\", false],
])("Host: %s is taken: %p", (host, taken) => {
  expect(statusOf(`GET / HTTP/1.1\r\nHost: ${host}`)).toBe(taken ? 0 : 400);
});

test("values lose blanks around them, and nothing else", () => {
  const head = accepted("GET / HTTP/1.1\r\nHOST: \t h\t \r\nACCEPT:\xa0a b\xa0\r\nif-MATCH:");
  expect(head.host).toBe("h");
  expect([...head.fields]).toEqual([
    ["accept", "\xa0a b\xa0"],
    ["if-match", ""],
  ]);
});

test("lines of one name are one value", () => {
  const { fields } = accepted(
    'GET / HTTP/1.1\r\nHost: h\r\nIf-Match: "a"\r\nX: y\r\nif-match: "b"',
  );
  expect(fields.get("if-match")).toBe('"a", "b"');
});

test("fields that change the answer are kept, whatever their case, and no others", () => {
  const kept = [
    ...["range", "if-range", "if-match", "if-none-match", "if-modified-since"],
    ...["if-unmodified-since", "accept", "want-repr-digest", "authorization", "cookie"],
  ];
  const lines = ["User-Agent", ...kept].map((name, nth) => `\r\n${name.toUpperCase()}: ${nth}`);
  const { fields } = accepted(`GET / HTTP/1.1\r\nHost: h${lines.join("")}`);
  expect([...fields]).toEqual(kept.map((name, nth) => [name, `${nth + 1}`]) as never);
});

test.each([
  ["GET / HTTP/1.1\r\nHost: h\r\nno field", "a line of the head is no field"],
  ["GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x", "bodies are not read"],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x", "Content-Length is not one number"],
  ["GET / HTTP/1.1\r\nHost: h/", "no valid Host"],
  ["GET /", "the first line is no request"],
  ["GET / ", "the first line is no request"],
  ["GET  HTTP/1.1\r\nHost: h", "the first line is no request"],
  ["\r\nHost: h", "the first line is no request"],
  ["\r\nno field", "a line of the head is no field"],
  ["GET / HTTP/2.0\r\nHost: h", "only HTTP/1.0 and HTTP/1.1"],
  ["G / HTTP/1.1\r\nHost: h", "only GET, HEAD"],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1", "bodies are not read"],
  ["GET / HTTP/1.1", "no Host"],
  ["GET /\n HTTP/1.1\r\nHost: h", "a control character or a bare CR or LF in the head"],
  ["GET /# HTTP/1.1\r\nHost: h", "a character that no target may have"],
  ["GET a HTTP/1.1\r\nHost: h", "the target is no path and no http:// address"],
  ["GET /% HTTP/1.1\r\nHost: h", "a % without two hex digits"],
  ["GET /%00 HTTP/1.1\r\nHost: h", "a NUL in the path"],
])("%j is refused in words: %s", (head, words) => {
  const { message } = parseHead(head) as HeadRefusal;
  expect(message).toEndWith(`: ${words}`);
});

test("each status of a refused head has the code that the log knows it by", () => {
  const statuses = [400, 405, 413, 414, 421, 431, 505] as const;
  expect(statuses.map((status) => new HeadRefusal(status, "").code)).toEqual([
    ...(["EPROTO", "ENOSYS", "E2BIG", "E2BIG", "EACCES", "E2BIG", "ENOSYS"] as const),
  ]);
});

test("what was just read is not read again", () => {
  const head = "GET /again HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0";
  expect(parseHead(head)).toBe(parseHead(head));
  expect(accepted(head).fields).toBe(accepted(head.replace("again", "another")).fields);
});

test("a hundred fields are read, and not one more", () => {
  const head = (count: number): string =>
    `GET / HTTP/1.1\r\nHost: h${"\r\na: b".repeat(count - 1)}`;
  expect(statusOf(head(100))).toBe(0);
  expect(statusOf(head(101))).toBe(431);
});

test("fields that are those of the request before are not mixed with it", () => {
  const ranged = "GET /a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0";
  const plain = "HEAD /b HTTP/1.1\r\nHost: i";
  for (const head of [ranged, plain, plain, ranged, "GET / HTTP/1.0", plain, ranged, ranged]) {
    const { host, path, fields } = accepted(head);
    const want = { [ranged]: ["h", "/a", 1], [plain]: ["i", "/b", 0] }[head] ?? ["", "/", 0];
    expect([host, path, fields.size]).toEqual(want);
  }
});

test("any path comes back from its escapes, decoded once", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, upper) => {
      const raw = Buffer.from(bytes.filter((byte) => byte !== 0));
      const hex = raw.toString("hex").replaceAll(/../g, "%$&");
      const target = `/${upper ? hex.toUpperCase() : hex}`;
      expect(accepted(get(target)).path).toBe(`/${raw.toString("latin1")}`);
    }),
    { numRuns: 500 },
  );
});

test("any text is a request that says what it was, or a refusal, and never throws", () => {
  const part = fc.constantFrom(
    ...[
      "GET",
      "HEAD",
      "PUT",
      " ",
      "/",
      "/a",
      "%2F",
      "%",
      "HTTP/1.1",
      "HTTP/1.0",
      "HTTP/2.0",
      "\r\n",
    ],
    ...[
      "Host",
      ":",
      "h",
      "Content-Length",
      "Transfer-Encoding",
      "chunked",
      "0",
      "5",
      "\t",
      "\r",
      "\n",
    ],
    ...[
      "\0",
      "\x7f",
      "\xff",
      "#",
      "?",
      "http://",
      "Connection: close",
      "Range: bytes=0-",
      ",",
      "\\",
    ],
  );
  const line = fc.constantFrom("GET / HTTP/1.1\r\nHost: h", "HEAD /%2F?a HTTP/1.0", "GET /", "");
  fc.assert(
    fc.property(line, fc.array(part, { maxLength: 20 }), (start, parts) => {
      const text = start + parts.join("");
      const parsed = parseHead(text);
      if (parsed instanceof HeadRefusal) return;
      expect(text).toMatch(/^(?:GET|HEAD) [!-~\x80-\xff]+ HTTP\/1\.[01](?:\r\n|$)/);
      expect(text.replaceAll("\r\n", "")).not.toMatch(/[\0-\x08\n-\x1f\x7f]/);
      for (const field of text.split("\r\n").slice(1)) expect(field).toMatch(/^[^\s:]+:/);
      expect(text).not.toMatch(/\r\ntransfer-encoding:/i);
      expect([...text.matchAll(/\r\nhost:/gi)].length).toBeLessThan(2);
      expect(parsed.path.startsWith("/")).toBe(true);
      expect(parsed.path).not.toContain("\0");
    }),
    { numRuns: 4000 },
  );
});

test("what was read before changes nothing, the same head or another", () => {
  const heads = [
    get("/a"),
    get("/b"),
    `${get("/a")}\r\nRange: bytes=0-1`,
    `${get("/a")}\r\nConnection: close`,
    "HEAD /a HTTP/1.1\r\nHost: h",
    "GET /a HTTP/1.0\r\nHost: h",
    "GET /a HTTP/1.1",
    "POST /a HTTP/1.1\r\nHost: h",
    "",
  ];
  // One with another in front, so that nothing was kept of it.
  const alone = heads.map((head) => {
    parseHead(get("/another"));
    return parseHead(head);
  });
  for (const [first] of heads.entries()) {
    for (const [second] of heads.entries()) {
      const seen = [first, second, second].map((nth) => parseHead(heads[nth]!));
      expect(seen).toEqual([alone[first]!, alone[second]!, alone[second]!]);
    }
  }
});

test.each([
  ["json", "json", ""],
  ["a&json", "json", ""],
  ["json=", "json", ""],
  ["json=1", "json", "1"],
  ["after=%C3%A9%2F", "after", "\xc3\xa9/"],
  ["after=a+b", "after", "a+b"],
  ["after=1&after=2", "after", "1"],
  ["after=%zz", "after", null],
  ["jsonp", "json", null],
  ["a=json", "json", null],
  ["", "json", null],
  ["", "", null],
])("in the query %j the parameter %j is %j", (query, name, value) => {
  expect(parameterOf(query, name)).toBe(value);
});
