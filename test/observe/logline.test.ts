/** What the log's lines are, in each format: tables of values and their text. */
import { expect, test } from "bun:test";
import {
  type LogFormat,
  type LogLine,
  lostLine,
  noteLine,
  requestLine,
} from "../../src/observe/logline.ts";

const LINE: LogLine = {
  peer: "192.0.2.7",
  door: "http",
  verb: "GET",
  path: "/a b",
  status: "OK",
  bytes: 6,
  ms: 0.12345,
  http: {
    request: "GET /a%20b?x HTTP/1.1\r\nHost: nas\r\nUser-Agent: curl/8\r\nREFERER:\thttp://a/ ",
    code: "206",
  },
};

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
const APACHE = /\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\]/;

/** The line with its time replaced by T; only one time may be there. */
function shown(format: LogFormat, line: Partial<LogLine> = {}): string {
  const text = requestLine(format, { ...LINE, ...line });
  return text.replace(format === "combined" ? APACHE : ISO, "T");
}

test("human, json and combined tell the same request", () => {
  expect(shown("human")).toBe("T 192.0.2.7 http GET /a b OK 6 B 0.1 ms\n");
  expect(shown("json")).toBe(
    '{"time":"T","peer":"192.0.2.7","door":"http","verb":"GET","path":"/a b","status":"OK",' +
      '"bytes":6,"ms":0.123}\n',
  );
  expect(shown("combined")).toBe(
    '192.0.2.7 - - T "GET /a%20b?x HTTP/1.1" 206 6 "http://a/" "curl/8"\n',
  );
});

test("combined has Apache's dashes and escapes", () => {
  const http = (request: string, code = "200"): Partial<LogLine> => ({
    http: { request, code },
    bytes: 0,
  });
  const cases: [Partial<LogLine>, string][] = [
    [http("", "431"), '192.0.2.7 - - T "-" 431 - "-" "-"\n'],
    [http("HEAD / HTTP/1.0"), '192.0.2.7 - - T "HEAD / HTTP/1.0" 200 - "-" "-"\n'],
    [
      http("GET / HTTP/1.1\r\nReferer:\r\nUser-Agent:  "),
      '192.0.2.7 - - T "GET / HTTP/1.1" 200 - "-" "-"\n',
    ],
    [
      http('GET /"\\ HTTP/1.1\r\nX-User-Agent: no\r\nUser-Agent: a"b\\c\xe9\x1b'),
      '192.0.2.7 - - T "GET /\\"\\\\ HTTP/1.1" 200 - "-" "a\\"b\\\\c\\xe9\\x1b"\n',
    ],
  ];
  cases.push([
    http("GET http://any:secret@nas/f HTTP/1.1\r\nReferer: https://any:secret@nas/?a@b"),
    '192.0.2.7 - - T "GET http://nas/f HTTP/1.1" 200 - "https://nas/?a@b" "-"\n',
  ]);
  for (const [line, text] of cases) expect(shown("combined", line)).toBe(text);
});

test("combined tells the other dialects with the status that HTTP has", () => {
  const cases: [string, string][] = [
    ["OK", '192.0.2.7 - - T "READ /\\x0a s6" 200 6 "-" "-"\n'],
    ["ENOENT", '192.0.2.7 - - T "READ /\\x0a s6" 404 6 "-" "-"\n'],
    ["EBUSY", '192.0.2.7 - - T "READ /\\x0a s6" 503 6 "-" "-"\n'],
    ["RESET", '192.0.2.7 - - T "READ /\\x0a s6" 200 6 "-" "-"\n'],
  ];
  for (const [status, text] of cases) {
    expect(shown("combined", { door: "s6", verb: "READ", path: "/\n", status, http: null })).toBe(
      text,
    );
  }
});

test("notes, and what was lost, are lines of the same kind", () => {
  const lines = (format: LogFormat): string[] =>
    [noteLine(format, "said"), lostLine(format, 7)].map((line) => line.replace(ISO, "T"));
  expect(lines("human")).toEqual([
    "T said\n",
    "(7 log lines were lost: nobody took them in time)\n",
  ]);
  expect(lines("json")).toEqual([
    '{"time":"T","note":"said"}\n',
    '{"time":"T","note":"7 log lines were lost: nobody took them in time","lost":7}\n',
  ]);
  expect(lines("combined")).toEqual([
    "# T said\n",
    "# (7 log lines were lost: nobody took them in time)\n",
  ]);
});
