/** Heads and bodies of replies: the same at every split, and nothing can be read in two ways. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ChunkedBody } from "../../../src/wire/http/chunked.ts";
import { parseReplyHead } from "../../../src/wire/http/replyhead.ts";
import { ReplyReader } from "../../../src/wire/http/replyreader.ts";

const REPLY_HEAD_BYTES_MAX = 65_536;

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

test.each([
  ["HTTP/1.1 200 OK", 200, "OK", null, false, true],
  ["HTTP/1.1 200", 200, "", null, false, true],
  ["HTTP/1.1 206 \xe9t\xe9\r\nContent-Length: 0", 206, "\xe9t\xe9", 0n, false, true],
  ["HTTP/1.1 200 OK\r\nCONTENT-LENGTH:\t7 ", 200, "OK", 7n, false, true],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", 200, "OK", null, true, true],
  ["HTTP/1.1 200 OK\r\nConnection: x, Close", 200, "OK", null, false, false],
  ["HTTP/1.0 200 OK", 200, "OK", null, false, false],
  ["HTTP/1.0 200 OK\r\nConnection: keep-alive", 200, "OK", null, false, true],
  ["HTTP/1.1 200 OK\r\nX:\r\nY: :a", 200, "OK", null, false, true],
])("%j is read", (head, status, reason, length, chunked, persists) => {
  expect(parseReplyHead(head)).toMatchObject({ status, reason, length, chunked, persists });
});

test.each([
  "",
  "HTTP/1.1",
  "HTTP/1.1 099 x",
  "HTTP/1.1 600 x",
  "HTTP/1.1 2000",
  "HTTP/1.1  200 OK",
  "HTTP/1.2 200 OK",
  "HTTP/2 200",
  "http/1.1 200 OK",
  "ICY 200 OK",
  "HTTP/1.1 200 O\x1bK",
  "HTTP/1.1 200 OK\r\nA",
  "HTTP/1.1 200 OK\r\n: a",
  "HTTP/1.1 200 OK\r\nA : a",
  "HTTP/1.1 200 OK\r\n A: a",
  "HTTP/1.1 200 OK\r\nA: a\rB: b",
  "HTTP/1.1 200 OK\r\nA: a\nB: b",
  "HTTP/1.1 200 OK\r\nA: \0",
  "HTTP/1.1 200 OK\r\nContent-Length: ",
  "HTTP/1.1 200 OK\r\nContent-Length: 07",
  "HTTP/1.1 200 OK\r\nContent-Length: -1",
  "HTTP/1.1 200 OK\r\nContent-Length: 1e3",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
  "HTTP/1.1 200 OK\r\nContent-Length: 10000000000000000000",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
])("%j is refused", (head) => {
  expect(parseReplyHead(head)).toBeString();
});

test.each([
  ["ICY 200 OK", "the first line is no status of HTTP/1.1"],
  ["HTTP/1.1 200 OK\r\nA: \0", "a control character or a bare line end in the head"],
  [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
    "both Content-Length and Transfer-Encoding",
  ],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip", "a Transfer-Encoding other than chunked"],
  ["HTTP/1.1 200 OK\r\nContent-Length: x", "Content-Length is not one number"],
  ["HTTP/1.1 200 OK\r\nA", "a line of the head is no field"],
])("%j is refused in words: %s", (head, words) => {
  expect(parseReplyHead(head)).toBe(words);
});

test("fields that are acted upon are kept, whatever their case, and no others", () => {
  const kept = [
    ...["content-length", "connection", "content-encoding", "content-range", "etag"],
    ...["last-modified", "date", "location", "retry-after", "repr-digest"],
  ];
  const lines = ["Server", ...kept].map((name, nth) => `\r\n${name.toUpperCase()}: ${nth}`);
  const head = parseReplyHead(`HTTP/1.1 200 OK${lines.join("")}`);
  if (typeof head === "string") return expect.unreachable(head);
  expect([...head.fields]).toEqual(kept.map((name, nth) => [name, `${nth + 1}`]) as never);
  const chunked = parseReplyHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked");
  expect(chunked).toMatchObject({ chunked: true, length: null });
});

test("100 fields are read, one more is refused", () => {
  const head = (count: number) => `HTTP/1.1 200 OK${"\r\nA: a".repeat(count)}`;
  expect(parseReplyHead(head(100))).toMatchObject({ status: 200 });
  expect(parseReplyHead(head(101))).toBe("more than 100 fields");
});

test("heads and what lies between are the same at every split", () => {
  const stream = bytesOf("A\r\nb: c\r\n\r\nbodyB\r\n\r\n\r\n\r\nC\r\n");
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const reader = new ReplyReader();
      const heads: string[] = [];
      let body = "";
      let from = 0;
      for (const end of [first, second, stream.length]) {
        if (end > from) reader.push(Buffer.from(stream.subarray(from, end)));
        from = end;
        for (let more = true; more;) {
          const inBody = heads.length === 1 && body.length < 4;
          const next = inBody
            ? (reader.take(4 - body.length)?.toString("latin1") ?? null)
            : reader.head();
          more = next !== null;
          if (next === null) continue;
          if (inBody) body += next;
          else heads.push(next);
        }
      }
      expect([heads, body, reader.buffered]).toEqual([["A\r\nb: c", "B", ""], "body", 3]);
    }
  }
});

test("a head of the longest length is read, and one byte more is not", () => {
  for (const [extra, overflowed] of [
    [0, false],
    [1, true],
  ] as const) {
    const reader = new ReplyReader();
    reader.push(bytesOf(`${"a".repeat(REPLY_HEAD_BYTES_MAX - 4 + extra)}\r\n\r\n`));
    expect([reader.head() === null, reader.overflowed]).toEqual([overflowed, overflowed]);
  }
  const endless = new ReplyReader();
  for (let at = 0; at < 70; at++) {
    endless.push(Buffer.alloc(1000, 97));
    expect(endless.head()).toBeNull();
  }
  expect(endless.overflowed).toBe(true);
});

test("a head without a byte is one, however much comes behind it", () => {
  const reader = new ReplyReader();
  reader.push(bytesOf(`\r\n\r\n${"a".repeat(REPLY_HEAD_BYTES_MAX)}`));
  expect([reader.head(), reader.overflowed]).toEqual(["", false]);
});

test("what is left of a chunk does not pin it", () => {
  const reader = new ReplyReader();
  const chunk = bytesOf("A\r\n\r\nB\r\n");
  reader.push(chunk);
  expect([reader.head(), reader.head()]).toEqual(["A", null]);
  chunk.fill(0);
  reader.push(bytesOf("\r\n"));
  expect(reader.head()).toBe("B");
});

/** What a chunked body in `pieces` gives. */
function unchunked(pieces: readonly Uint8Array[]) {
  const body = new ChunkedBody();
  let text = "";
  let rest = "";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    const read = body.read(bytes, (content) => (text += content.toString("latin1")));
    rest += bytes.toString("latin1", read);
  }
  return { text, rest, done: body.done, broken: body.broken !== null };
}

const WHOLE = "5;a=b\r\nhello\r\n1 ;x\r\n\n\r\nA\r\n\r\n12345678\r\n000\r\nT: x\r\nU:\r\n\r\nHTTP";

test("a chunked body is the same at every split, and ends where it ends", () => {
  const stream = bytesOf(WHOLE);
  const whole = { text: "hello\n\r\n12345678", rest: "HTTP", done: true, broken: false };
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const pieces = [
        stream.subarray(0, first),
        stream.subarray(first, second),
        stream.subarray(second),
      ];
      expect(unchunked(pieces)).toEqual(whole);
    }
  }
  expect(unchunked(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole);
});

test("whatever is put into chunks comes out, and no prefix of it is done", () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(chunks, fc.nat(), (parts, at) => {
      const text = parts.map((part) => Buffer.from(part).toString("latin1"));
      const lines = text.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
      const stream = bytesOf(`${lines.join("")}0\r\n\r\n`);
      const cut = at % stream.length;
      expect(unchunked([stream.subarray(0, cut), stream.subarray(cut)])).toEqual({
        text: text.join(""),
        rest: "",
        done: true,
        broken: false,
      });
      expect(unchunked([stream.subarray(0, cut)])).toMatchObject({ done: false, broken: false });
    }),
  );
});

test.each([
  "\r\n",
  "5\nhello\r\n",
  "5\r\nhello\n",
  "5\r\nhelloo\r\n",
  "5\r\nhell\r\n\r\n",
  "-5\r\n",
  "+5\r\n",
  "0x5\r\n",
  " 5\r\n",
  "5 \r\n",
  "5\r;\r\n",
  "5;\x01\r\n",
  "5_0\r\n",
  "fffffffffffff0\r\n",
  "0\r\nno field\r\n",
  "0\r\n folded: x\r\n",
  `0;${"x".repeat(5000)}`,
  `0\r\nT: ${"x".repeat(5000)}`,
  `${"1;".padEnd(4000, "x")}\r\na\r\n`.repeat(20),
  `0\r\n${"T: x\r\n".repeat(65)}`,
])("%j is no chunked body, at any split", (text) => {
  const stream = bytesOf(text);
  expect(unchunked([stream])).toMatchObject({ done: false, broken: true });
  for (let cut = 0; cut <= Math.min(stream.length, 40); cut++) {
    expect(unchunked([stream.subarray(0, cut), stream.subarray(cut)])).toMatchObject({
      broken: true,
    });
  }
});
