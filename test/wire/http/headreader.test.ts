/** Bytes into request heads: the same heads and the same refusal at every split. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { HeadReader } from "../../../src/wire/http/headreader.ts";
import { HeadRefusal } from "../../../src/wire/http/headrefusal.ts";
import { parseHead } from "../../../src/wire/http/head.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** What `chunks` give, heads as text and a refusal as its status, and the bytes that are left. */
function read(chunks: readonly Buffer[]): { heads: (string | number)[]; left: number } {
  const reader = new HeadReader();
  const heads: (string | number)[] = [];
  for (const chunk of chunks) {
    if (chunk.length === 0) continue;
    reader.push(Buffer.from(chunk));
    for (let head = reader.next(); head !== null; head = reader.next()) {
      if (head instanceof HeadRefusal) {
        if (typeof heads.at(-1) !== "number") heads.push(head.status);
        break;
      }
      heads.push(head);
    }
  }
  return { heads, left: typeof heads.at(-1) === "number" ? 0 : reader.buffered };
}

const STREAMS: [name: string, text: string, heads: (string | number)[], left: number][] = [
  ["a head", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET / HTTP/1.1\r\nHost: a"], 0],
  ["a head without fields", "GET / HTTP/1.0\r\n\r\n", ["GET / HTTP/1.0"], 0],
  ["an unfinished head", "GET / HTTP/1.1\r\nHost: a\r\n", [], 25],
  ["a pipeline", "A\r\n\r\nB\r\nC\r\n\r\nD\r\n\r\nE", ["A", "B\r\nC", "D"], 1],
  ["an empty line in front is dropped", "\r\nA\r\n\r\n\r\nB\r\n\r\n", ["A", "B"], 0],
  ["two empty lines are an empty head", "\r\n\r\n\r\nA\r\n\r\n", ["", "A"], 0],
  ["bytes stay bytes", "G \0\xff\x80\t\r\n\r\n", ["G \0\xff\x80\t"], 0],
  ["a bare CR is left to the parser", "A\rB\r\n\r\n", ["A\rB"], 0],
  ["a bare LF in a line", "GET / HTTP/1.1\nHost: a\r\n", [400], 0],
  ["a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", [400], 0],
  ["two bare LFs", "GET / HTTP/1.1\n\nGET /b", [400], 0],
  ["a LF in front", "\nGET / HTTP/1.1\r\n", [400], 0],
  ["a LF behind an empty line", "\r\n\nGET / HTTP/1.1\r\n", [400], 0],
  ["a LF in front of the second head", "A\r\n\r\n\nB\r\n", ["A", 400], 0],
  ["a bare LF in the second head", "A\r\n\r\nB\nC\r\n", ["A", 400], 0],
];

test.each(STREAMS)("%s, at every split and byte by byte", (_, text, heads, left) => {
  const all = bytesOf(text);
  const want = { heads, left };
  expect(read([all])).toEqual(want);
  expect(read([...all].map((byte) => Buffer.from([byte])))).toEqual(want);
  for (let i = 0; i <= all.length; i++) {
    for (let k = i; k <= all.length; k++) {
      expect(read([all.subarray(0, i), all.subarray(i, k), all.subarray(k)])).toEqual(want);
    }
  }
});

/** Outcomes with what parseHead() says, so that who finds a bare LF makes no difference. */
function outcomes(chunks: readonly Buffer[]): unknown[] {
  const results: unknown[] = [];
  for (const it of read(chunks).heads) {
    const parsed = typeof it === "number" ? it : parseHead(it);
    results.push(parsed instanceof HeadRefusal ? parsed.status : parsed);
    if (typeof results.at(-1) === "number") return results;
  }
  return results;
}

test("any bytes are the same requests or the same refusal, whole and in any pieces", () => {
  const part = fc.constantFrom(
    ...["GET / HTTP/1.1", "HEAD /a HTTP/1.0", "\r\n", "\r\n", "\r\n\r\n", "\n", "\r", " ", ":"],
    ...["Host: a", "Range: bytes=0-1", "PUT / HTTP/1.1", "GET / HTTP/2.0", "x: y", "\0"],
  );
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 6 }), { maxLength: 6 }), (pieces) => {
      const texts = pieces.map((it) => it.join(""));
      const whole = outcomes([bytesOf(texts.join(""))]);
      const bytes = [...bytesOf(texts.join(""))].map((byte) => Buffer.from([byte]));
      const settled = (it: unknown[]): unknown => JSON.stringify(it);
      expect(settled(outcomes(texts.map(bytesOf)))).toEqual(settled(whole));
      expect(settled(outcomes(bytes))).toEqual(settled(whole));
    }),
    { numRuns: 1500 },
  );
});

const FIRST = "GET / HTTP/1.1\r\nHost: a\r\nx: ";
const padded = (bytes: number): string => FIRST + "y".repeat(bytes - FIRST.length - 4);

test("a head of 8192 bytes with its empty line is read, one of 8193 is too long, at any split", () => {
  for (const at of [0, 1, 10, 4096, 8187, 8188, 8189, 8190, 8191, 8192]) {
    const fits = bytesOf(`${padded(8192)}\r\n\r\n`);
    expect(fits.length).toBe(8192);
    expect(read([fits.subarray(0, at), fits.subarray(at)]).heads).toEqual([padded(8192)]);
    const over = bytesOf(`${padded(8193)}\r\n\r\nGET /b HTTP/1.1\r\n\r\n`);
    expect(read([over.subarray(0, at), over.subarray(at)]).heads).toEqual([431]);
  }
});

test("the limit holds before a head ends, and names what was too long", () => {
  expect(read([bytesOf("G".repeat(8191))]).heads).toEqual([]);
  expect(read([bytesOf("G".repeat(8192))]).heads).toEqual([414]);
  expect(read([bytesOf(`${"G".repeat(8192)}\n`)]).heads).toEqual([414]);
  expect(read([bytesOf(`GET /${"a".repeat(9000)} HTTP/1.1\r\n\r\n`)]).heads).toEqual([414]);
  expect(read([bytesOf(`GET / HTTP/1.1\r\n${"a".repeat(9000)}`)]).heads).toEqual([431]);
  expect(read([bytesOf(`GET / HTTP/1.1\r\n${"a: b\r\n".repeat(2000)}`)]).heads).toEqual([431]);
  const late = `GET / HTTP/1.1\r\n${"a".repeat(9000)}\n`;
  expect(read([bytesOf(late)]).heads).toEqual([431]);
  expect(read([...bytesOf(late)].map((byte) => Buffer.from([byte]))).heads).toEqual([431]);
});

test("a refusal is final, and keeps nothing", () => {
  const reader = new HeadReader();
  reader.push(bytesOf("A\n"));
  const refusal = reader.next();
  expect(refusal).toBeInstanceOf(HeadRefusal);
  expect(reader.buffered).toBe(0);
  reader.push(bytesOf("GET / HTTP/1.1\r\n\r\n"));
  expect(reader.next()).toBe(refusal);
});

test("what is left of a chunk does not pin it", () => {
  const reader = new HeadReader();
  const chunk = bytesOf("A\r\n\r\nB\r\n");
  reader.push(chunk);
  expect([reader.next(), reader.next()]).toEqual(["A", null]);
  chunk.fill(0);
  reader.push(bytesOf("\r\n"));
  expect(reader.next()).toBe("B");
});

test("a large chunk of small heads gives each of them", () => {
  const reader = new HeadReader();
  reader.push(Buffer.alloc(524_288, "A\r\n\r\n", "latin1"));
  let heads = 0;
  for (let head = reader.next(); head !== null; head = reader.next()) heads += 1;
  expect([heads, reader.buffered]).toEqual([104_857, 3]);
});
