/** Heads of replies, to the byte. */
import { expect, test } from "bun:test";
import { Refusal, Unauthorized } from "../../../src/wire/errors.ts";
import { parseHead } from "../../../src/wire/http/head.ts";
import { refusalReply, statusOfRefusal } from "../../../src/wire/http/refusalreply.ts";
import {
  dateAt,
  field,
  fileFields,
  responseHead,
  typeFields,
  validatorFields,
} from "../../../src/wire/http/responsehead.ts";

const NOW = 784_111_777n;
const DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const FILE = {
  type: "file",
  size: 9_223_372_036_854_775_807n,
  mtime: 784_111_776_999_999_999n,
  etag: "0123456789abcdef",
} as const;

test("the head of a file", () => {
  const fields = fileFields(FILE, "text/plain;charset=utf-8", NOW);
  expect(responseHead(200, NOW, FILE.size, "", fields)).toBe(
    "HTTP/1.1 200 OK\r\n" +
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" +
      "Content-Length: 9223372036854775807\r\n" +
      "Content-Type: text/plain;charset=utf-8\r\n" +
      "X-Content-Type-Options: nosniff\r\n" +
      'ETag: "0123456789abcdef"\r\n' +
      "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n" +
      "Accept-Ranges: bytes\r\n" +
      "\r\n",
  );
});

test("the head of a range, on a connection that HTTP/1.0 keeps", () => {
  const fields = typeFields("a/b") + field("Content-Range", "bytes 0-0/10");
  expect(responseHead(206, NOW, 1, "keep-alive", fields)).toBe(
    `HTTP/1.1 206 Partial Content\r\n${DATE}Content-Length: 1\r\nConnection: keep-alive\r\n` +
      "Content-Type: a/b\r\nX-Content-Type-Options: nosniff\r\nContent-Range: bytes 0-0/10\r\n\r\n",
  );
});

test("a 304 has validators, and neither length nor type", () => {
  expect(responseHead(304, NOW, "none", "", validatorFields(FILE, NOW))).toBe(
    `HTTP/1.1 304 Not Modified\r\n${DATE}ETag: "0123456789abcdef"\r\n` +
      "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n\r\n",
  );
});

test("a body whose length is not known comes in chunks", () => {
  expect(responseHead(200, NOW, "chunks", "", "")).toBe(
    `HTTP/1.1 200 OK\r\n${DATE}Transfer-Encoding: chunked\r\n\r\n`,
  );
});

test("a clock that no date can tell is told as 1970", () => {
  const head = responseHead(200, 10n ** 12n, 0, "", "");
  expect(head).toContain("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
});

test("the date stands where dateAt says, in each status", () => {
  for (const status of [200, 206, 304, 404, 416, 431, 503] as const) {
    const head = responseHead(status, NOW, 0, "close", "");
    const at = dateAt(status);
    expect(head.slice(at, at + 31)).toBe("Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  }
});

test("a time in the second of the reply is told", () => {
  expect(validatorFields({ ...FILE, mtime: 784_111_777_999_999_999n }, NOW)).toBe(
    'ETag: "0123456789abcdef"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n',
  );
});

test("a time later than the reply, or that no date can tell, is not told", () => {
  expect(validatorFields({ ...FILE, mtime: 784_111_778_000_000_000n }, NOW)).toBe(
    'ETag: "0123456789abcdef"\r\n',
  );
  const old = { ...FILE, mtime: -9_000_000_000_000_000_000_000n };
  expect(validatorFields(old, NOW)).toBe('ETag: "0123456789abcdef"\r\n');
});

test("no value can end its line", () => {
  for (const value of ["a\r\nb: c", "a\n", "\0", "", "é", "\x7f", "\t"]) {
    expect(() => field("X", value)).toThrow(RangeError);
    expect(() => typeFields(value)).toThrow(RangeError);
  }
});

test.each([
  ["ENOENT", 404],
  ["ENOTDIR", 404],
  ["ENAMETOOLONG", 404],
  ["EACCES", 403],
  ["EISDIR", 403],
  ["EINVAL", 400],
  ["EPROTO", 400],
  ["ERANGE", 416],
  ["ESTALE", 412],
  ["ETIMEDOUT", 408],
  ["E2BIG", 431],
  ["EBUSY", 503],
  ["EOVERFLOW", 500],
  ["EIO", 500],
  ["ENOSYS", 501],
] as const)("%s is a %d", (code, status) => {
  expect(statusOfRefusal(new Refusal(code))).toBe(status);
});

test("a refused request gets a line for a person, in UTF-8, and the connection goes on", () => {
  const refusal = new Refusal("ENOENT", "/é");
  const text = "404 Not Found\nENOENT no such file: /é\n";
  const head =
    `HTTP/1.1 404 Not Found\r\n${DATE}Content-Length: 39\r\n` +
    "Content-Type: text/plain;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\r\n";
  expect(Buffer.byteLength(text)).toBe(39);
  expect(refusalReply(refusal, NOW, "", false)).toBe(head + text);
  expect(refusalReply(refusal, NOW, "", true)).toBe(head);
});

test("a busy server says when to ask again, an unsatisfiable range what there is", () => {
  expect(refusalReply(new Refusal("EBUSY"), NOW, "close", true)).toBe(
    `HTTP/1.1 503 Service Unavailable\r\n${DATE}Content-Length: 56\r\nConnection: close\r\n` +
      "Content-Type: text/plain;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n" +
      "Retry-After: 1\r\n\r\n",
  );
  const fields = field("Content-Range", "bytes */10");
  expect(refusalReply(new Refusal("ERANGE"), NOW, "", false, fields)).toBe(
    `HTTP/1.1 416 Range Not Satisfiable\r\n${DATE}Content-Length: 53\r\n` +
      "Content-Type: text/plain;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n" +
      "Content-Range: bytes */10\r\n\r\n" +
      "416 Range Not Satisfiable\nERANGE offset past the end\n",
  );
});

test.each([
  ["GET / HTTP/1.1", 400, ""],
  ["PUT / HTTP/1.1\r\nHost: h", 405, "Allow: GET, HEAD\r\n"],
  ["GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1", 413, ""],
  ["GET / HTTP/2.0\r\nHost: h", 505, ""],
])("a refused head %j closes the connection: %d", (head, status, advice) => {
  const refusal = parseHead(head);
  if (!(refusal instanceof Refusal)) throw new Error("not refused");
  const reply = refusalReply(refusal, NOW, "", false);
  expect(reply).toStartWith(`HTTP/1.1 ${status} `);
  expect(reply).toContain("\r\nConnection: close\r\n");
  expect(reply).toContain(`nosniff\r\n${advice}\r\n${status} `);
  const [, length, body] = /Content-Length: ([0-9]+)\r\n[^]*?\r\n\r\n([^]*)/.exec(reply) ?? [];
  expect(Number(length)).toBe(body!.length);
});

test("who shows no token, or a wrong one, is told both ways to show it", () => {
  const unauthorized = new Unauthorized("a token, please");
  const text = refusalReply(unauthorized, 0n, "", false);
  expect(text).toStartWith("HTTP/1.1 401 Unauthorized\r\n");
  expect(text).toContain(
    '\r\nWWW-Authenticate: Bearer realm="serv6", Basic realm="serv6", charset="UTF-8"\r\n',
  );
});
