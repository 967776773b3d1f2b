/** The first line decides what a connection speaks: each near miss beside the real thing. */
import { expect, test } from "bun:test";
import { type Dialect, dialectOf, isFramedStart, isTlsStart } from "../../src/wire/dialect.ts";

const LINES: [line: string, dialect: Dialect][] = [
  ["READ /a", "framed"],
  ["READ x", "framed"],
  ["READ ", "framed"],
  ["STAT /a", "framed"],
  ["LIST /", "framed"],
  ["HASH /a", "framed"],
  ["AUTH secret", "framed"],
  ["PING", "framed"],
  ["PING ", "framed"],
  ["READ / HTTP/1.1", "framed"],
  ["./READ x", "plain"],
  ["/READ x", "plain"],
  [" READ x", "plain"],
  ["READ", "plain"],
  ["STAT", "plain"],
  ["READ\tx", "plain"],
  ["READx", "plain"],
  ["read /a", "plain"],
  ["Read /a", "plain"],
  ["PINGS", "plain"],
  ["PING\t", "plain"],
  ["PING/", "plain"],
  ["PUT /a", "plain"],
  ["", "plain"],
  ["/a/b", "plain"],
  ["constructor x", "plain"],
  ["GET / HTTP/1.1", "http"],
  ["GET / HTTP/1.0", "http"],
  ["POST /x HTTP/1.1", "http"],
  ["get HTTP/1.1 HTTP/1.1", "http"],
  ["get HTTP/1.1 ", "plain"],
  ["GET / HTTP/2", "plain"],
  ["GET / HTTP/1.", "plain"],
  ["GET / HTTP/1.10", "plain"],
  ["GET / http/1.1", "plain"],
  ["GET /HTTP/1.1", "plain"],
  ["\x16\x03\x01\x02\x00", "tls"],
  ["/\x16", "plain"],
  ["SSH-2.0-OpenSSH_9.9", "plain"],
  ["EHLO mail", "plain"],
];

test.each(LINES)("%j is %s", (line, dialect) => {
  expect(dialectOf(line)).toBe(dialect);
});

test("a start that is framed so far waits for its LF, any other for quiet", () => {
  for (const start of ["READ ", "READ /a", "STAT /", "LIST ", "PING", "PING ", "AUTH x"]) {
    expect([start, isFramedStart(start)]).toEqual([start, true]);
  }
  for (const start of ["", "R", "READ", "PIN", "PINGS", "/READ ", "GET / HTTP/1.1", "PING\n"]) {
    expect([start, isFramedStart(start)]).toEqual([start, false]);
  }
});

test("quiet never ends a line that would be framed, not even between its CR and LF", () => {
  for (const [line] of LINES.filter(([, dialect]) => dialect === "framed")) {
    for (const start of [line, `${line}\r`]) {
      expect([start, isFramedStart(start)]).toEqual([start, true]);
    }
  }
});

test("one byte tells a TLS record", () => {
  expect(isTlsStart("\x16")).toBe(true);
  expect(isTlsStart("")).toBe(false);
  expect(isTlsStart("/\x16")).toBe(false);
});
