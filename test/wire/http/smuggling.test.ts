/**
 * Heads that two readers in a row could take for different requests (RFC 9112 11.2). Each gets one
 * refusal, whatever stands behind it is never read, and that at every split.
 */
import { expect, test } from "bun:test";
import { parseHead } from "../../../src/wire/http/head.ts";
import { HeadReader } from "../../../src/wire/http/headreader.ts";
import { HeadRefusal } from "../../../src/wire/http/headrefusal.ts";

const SECOND = "GET /second HTTP/1.1\r\nHost: h\r\n\r\n";
const GET = "GET / HTTP/1.1\r\n";

/** The refusals' statuses and the paths of requests that `chunks` hold, up to the first refusal. */
function asked(chunks: readonly Buffer[]): (number | string)[] {
  const reader = new HeadReader();
  const results: (number | string)[] = [];
  for (const chunk of chunks) {
    if (chunk.length === 0) continue;
    reader.push(Buffer.from(chunk));
    for (let head = reader.next(); head !== null; head = reader.next()) {
      const request = head instanceof HeadRefusal ? head : parseHead(head);
      if (request instanceof HeadRefusal) return [...results, request.status];
      results.push(request.path);
    }
  }
  return results;
}

test.each([
  ["Transfer-Encoding: chunked", `${GET}Host: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [
    "chunks with an extension",
    `${GET}Host: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a="\r\nx\r\n0\r\n\r\n`,
  ],
  ["Transfer-Encoding: identity", `${GET}Host: h\r\nTransfer-Encoding: identity\r\n\r\n`],
  ["Transfer-Encoding: xchunked", `${GET}Host: h\r\nTransfer-Encoding: xchunked\r\n\r\n`],
  ["Transfer-Encoding without a value", `${GET}Host: h\r\nTransfer-Encoding:\r\n\r\n`],
  ["Transfer-Encoding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["Transfer-Encoding of POST", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["TE and CL", `${GET}Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n`],
  [
    "CL and TE",
    `${GET}Host: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ["TE with a space before the colon", `${GET}Host: h\r\nTransfer-Encoding : chunked\r\n\r\n`],
  ["TE with a tab before the colon", `${GET}Host: h\r\nTransfer-Encoding\t: chunked\r\n\r\n`],
  ["TE with a control before it", `${GET}Host: h\r\n\x0bTransfer-Encoding: chunked\r\n\r\n`],
  ["TE with a NUL behind it", `${GET}Host: h\r\nTransfer-Encoding: chunked\0\r\n\r\n`],
  ["TE folded", `${GET}Host: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n`],
  ["TE behind a bare CR", `${GET}Host: h\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n`],
  ["TE behind a bare LF", `${GET}Host: h\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n`],
  [
    "two Content-Lengths that differ",
    `${GET}Host: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n`,
  ],
  ["two Content-Lengths alike", `${GET}Host: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ["a list of Content-Lengths", `${GET}Host: h\r\nContent-Length: 0, 0\r\n\r\n`],
  ["Content-Length with a sign", `${GET}Host: h\r\nContent-Length: +0\r\n\r\n`],
  ["Content-Length below zero", `${GET}Host: h\r\nContent-Length: -1\r\n\r\n`],
  ["Content-Length in hex", `${GET}Host: h\r\nContent-Length: 0x0\r\n\r\n`],
  ["Content-Length without a value", `${GET}Host: h\r\nContent-Length:\r\n\r\n`],
  ["Content-Length with a space in it", `${GET}Host: h\r\nContent-Length: 0 5\r\n\r\n`],
  ["Content-Length with a form feed", `${GET}Host: h\r\nContent-Length: 0\x0c\r\n\r\n`],
  ["no Host", `${GET}\r\n`],
  ["two Hosts", `${GET}Host: h\r\nHost: i\r\n\r\n`],
  ["two Hosts alike", `${GET}Host: h\r\nHost: h\r\n\r\n`],
  ["two Hosts, one empty", `${GET}Host:\r\nHost: h\r\n\r\n`],
  ["two Hosts beside an absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"],
  ["an absolute target without Host", "GET http://h/ HTTP/1.1\r\n\r\n"],
  ["two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n"],
  ["Host with a space before the colon", `${GET}Host : h\r\n\r\n`],
  ["a second Host with a space before the colon", `${GET}Host: h\r\nHost : i\r\n\r\n`],
  ["a folded Host", `${GET}Host:\r\n h\r\n\r\n`],
  ["obs-fold", `${GET}Host: h\r\nX: a\r\n b\r\n\r\n`],
  ["obs-fold with a tab and a colon", `${GET}Host: h\r\nX: a\r\n\tb: c\r\n\r\n`],
  ["a fold in front of the first field", `${GET} Host: h\r\n\r\n`],
  ["a line of blanks", `${GET}Host: h\r\n \r\n\r\n`],
  ["a line without a colon", `${GET}Host: h\r\nGET /x HTTP/1.1\r\n\r\n`],
  ["a field without a name", `${GET}Host: h\r\n: x\r\n\r\n`],
  ["a name that is no token", `${GET}Host: h\r\nX(y): z\r\n\r\n`],
  ["a name that is not ASCII", `${GET}Host: h\r\nX\xe9: z\r\n\r\n`],
  ["a NUL in a value", `${GET}Host: h\r\nX: \0\r\n\r\n`],
  ["a NUL in a name", `${GET}Host: h\r\nX\0: y\r\n\r\n`],
  ["a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["DEL in a value", `${GET}Host: h\r\nX: \x7f\r\n\r\n`],
  ["ESC in a value", `${GET}Host: h\r\nX: \x1b[2J\r\n\r\n`],
  ["a CR in a value", `${GET}Host: h\r\nX: a\rb\r\n\r\n`],
  ["two CRs at a line's end", `${GET}Host: h\r\r\n\r\n`],
  ["a CR in the target", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a LF behind the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n"],
  ["LFs alone", "GET / HTTP/1.1\nHost: h\n\n"],
  ["a LF as the empty line", `${GET}Host: h\r\n\n`],
  ["CR LF CR as the end", `${GET}Host: h\r\n\rX: y\r\n\r\n`],
  ["HTTP/0.9", "GET /\r\n\r\n"],
  ["a tab between the words", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n"],
  ["two empty lines in front", `\r\n\r\n${GET}Host: h\r\n\r\n`],
])("%s: one 400, at every split", (_, head) => {
  const all = Buffer.from(head + SECOND, "latin1");
  expect(asked([all])).toEqual([400]);
  for (let i = 1; i < all.length; i++) {
    expect(asked([all.subarray(0, i), all.subarray(i)])).toEqual([400]);
  }
  expect(asked([...all].map((byte) => Buffer.from([byte])))).toEqual([400]);
});

test.each([
  ["a body", 413, `${GET}Host: h\r\nContent-Length: 40\r\n\r\n`],
  ["a body of POST", 405, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n"],
  ["the preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a hundred and one fields", 431, `${GET}Host: h\r\n${"a:\r\n".repeat(100)}\r\n`],
])("what follows %s is never read as a request: one %d", (_, status, head) => {
  const all = Buffer.from(head + SECOND, "latin1");
  for (let i = 0; i < all.length; i++) {
    expect(asked([all.subarray(0, i), all.subarray(i)])).toEqual([status]);
  }
});

test("a request that is in order leaves the next one whole", () => {
  const all = Buffer.from(`${GET}Host: h\r\nContent-Length: 0\r\n\r\n\r\n${SECOND}`, "latin1");
  for (let i = 0; i < all.length; i++) {
    expect(asked([all.subarray(0, i), all.subarray(i)])).toEqual(["/", "/second"]);
  }
});
