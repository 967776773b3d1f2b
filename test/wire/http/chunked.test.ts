/** Chunked bodies: at every split, at each bound, and each way to break the grammar. */
import { expect, test } from "bun:test";
import { ChunkedBody } from "../../../src/wire/http/chunked.ts";

interface Read {
  readonly content: string;
  readonly done: boolean;
  readonly broken: string | null;
  /** Bytes that were read. */
  readonly count: number;
}

/** What becomes of `text`, in pieces of `size` bytes. */
function readOf(text: string, size = text.length): Read {
  const body = new ChunkedBody();
  const bytes = Buffer.from(text, "latin1");
  let content = "";
  let count = 0;
  for (let from = 0; from < bytes.length; from += size) {
    const piece = bytes.subarray(from, from + size);
    const read = body.read(piece, (got) => (content += got.toString("latin1")));
    count += read;
    if (read < piece.length) break;
  }
  return { content, done: body.done, broken: body.broken, count };
}

const LAST = "0\r\n\r\n";

test.each([
  ["one chunk", `3\r\nabc\r\n${LAST}`, "abc"],
  ["several, in hex of any case", `a\r\n0123456789\r\nB\r\n\r\nbcdefghi\n\r\n${LAST}`, undefined],
  ["with extensions", `1;a=b\r\nx\r\n1 ; c\t\r\ny\r\n0;d\r\n\r\n`, "xy"],
  ["of sixteen bytes", `10\r\n0123456789abcdef\r\n${LAST}`, "0123456789abcdef"],
  ["with trailers", `1\r\nx\r\n0\r\nA: b\r\nc-d:\r\n\r\n`, "x"],
  ["without content", LAST, ""],
])("%s, at every split; what follows is left", (_, text, content = "0123456789\r\nbcdefghi\n") => {
  for (let size = 1; size <= text.length; size++) {
    const { length: count } = text;
    expect(readOf(text, size)).toEqual({ content, done: true, broken: null, count });
  }
  expect(readOf(`${text}HTTP/1.1 200`).count).toBe(text.length);
  for (let cut = 0; cut < text.length; cut++) {
    const { done, broken, count } = readOf(text.slice(0, cut));
    expect([done, broken, count]).toEqual([false, null, cut]);
  }
});

test.each([
  ["the size of a chunk is no number", "g\r\n"],
  ["the size of a chunk is no number", "\r\n"],
  ["the size of a chunk is no number", "-1\r\n"],
  ["the size of a chunk is no number", " 1\r\n"],
  ["the size of a chunk is no number", `${"0".repeat(13)}1\r\n`],
  ["a bare line end in a chunked body", "1\n"],
  ["a bare line end in a chunked body", "1\r\nx\n"],
  ["a chunk is longer than its size says", "1\r\nxy\r\n"],
  ["a trailer is no field", "0\r\nno field\r\n"],
  ["a trailer is no field", "0\r\n: b\r\n"],
  ["a line of a chunked body is longer than 4096 bytes", `1;${"a".repeat(4095)}\r\n`],
  ["more than 64 trailers", `0\r\n${"A: b\r\n".repeat(65)}`],
  ["too many chunk extensions", `1;${"a".repeat(1023)}\r\nx\r\n`.repeat(64) + "1;\r\n"],
])("%s, at every split", (broken, text) => {
  const sizes = text.length > 100 ? [1, 7, text.length] : Array.from(text, (_, nth) => nth + 1);
  for (const size of sizes) {
    const read = readOf(text, size);
    expect([read.broken, read.done]).toEqual([broken, false]);
    // Nothing is read any more.
    expect(readOf(`${text}${LAST}`).done).toBe(false);
  }
});

test("what breaks a body is not read: who asks gets no more than came before it", () => {
  for (const [before, broken] of [
    ["1\r\nx", "\n"],
    ["1\r\nx\r\n", `1;${"a".repeat(4095)}\r\n`],
  ] as const) {
    expect(readOf(before + broken)).toMatchObject({ count: before.length, content: "x" });
  }
});

test("just below each bound nothing is broken", () => {
  const whole = (text: string): Read => readOf(text);
  expect(whole(`1;${"a".repeat(4093)}\r\nx\r\n${LAST}`).done).toBe(true);
  expect(whole(`0\r\n${"A: b\r\n".repeat(64)}\r\n`).done).toBe(true);
  expect(whole(`1;${"a".repeat(1023)}\r\nx\r\n`.repeat(64) + LAST).done).toBe(true);
  expect(whole(`${"0".repeat(12)}1\r\nx\r\n${LAST}`).content).toBe("x");
  // A line's length is bounded however it comes.
  const long = `1;${"a".repeat(4094)}`;
  expect([
    readOf(`${long}\r\n`).broken === null,
    readOf(`${long}a\r\n`, 5).broken === null,
  ]).toEqual([false, false]);
});
