/** Bytes into lines: the same lines at every split, never more held than one unfinished line. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineReader } from "../../src/wire/lines.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** All lines of `chunks`, read as they come, and what is left. */
function read(chunks: Buffer[], reader = new LineReader()): { lines: string[]; rest: string } {
  const lines: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let line = reader.next(); line !== null; line = reader.next()) lines.push(line);
  }
  return { lines, rest: reader.peek() };
}

const STREAMS: [name: string, text: string, lines: string[], rest: string][] = [
  ["a line", "READ /a\n", ["READ /a"], ""],
  ["a line without LF", "READ /a", [], "READ /a"],
  ["a CR before the LF is dropped", "a\r\nb\n", ["a", "b"], ""],
  ["only the last CR is dropped", "a\r\r\n\rb\n\r\n", ["a\r", "\rb", ""], ""],
  ["a CR inside stays", "a\rb\n", ["a\rb"], ""],
  ["a CR at the end waits for what follows", "a\r", [], "a\r"],
  ["empty lines are lines", "\n\n\na\n\n", ["", "", "", "a", ""], ""],
  ["bytes stay bytes", "\0\xff\x80\xe2\n\x16", ["\0\xff\x80\xe2"], "\x16"],
  ["a pipeline", "PING\r\nREAD /a b\nSTAT /c\nLI", ["PING", "READ /a b", "STAT /c"], "LI"],
];

test.each(STREAMS)("%s, at every split and byte by byte", (_, text, lines, rest) => {
  const all = bytesOf(text);
  expect(read([all])).toEqual({ lines, rest });
  expect(read([...all].map((byte) => Buffer.from([byte])))).toEqual({ lines, rest });
  for (let i = 0; i <= all.length; i++) {
    for (let k = i; k <= all.length; k++) {
      const chunks = [all.subarray(0, i), all.subarray(i, k), all.subarray(k)];
      expect(read(chunks.filter((it) => it.length > 0))).toEqual({ lines, rest });
    }
  }
});

test("any bytes give the same lines whole and in any pieces", () => {
  const piece = fc.array(fc.constantFrom("a", "\n", "\r", "\r\n", "\0", "\xff"), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const texts = pieces.map((it) => it.join("")).filter((it) => it !== "");
      const lines = texts.join("").split("\n");
      const rest = lines.pop() ?? "";
      const want = { lines: lines.map((it) => it.replace(/\r$/, "")), rest };
      expect(read(texts.map(bytesOf))).toEqual(want);
      expect(read([bytesOf(texts.join(""))])).toEqual(want);
    }),
    { numRuns: 2000 },
  );
});

test("a line of 8192 bytes is read, one of 8193 never, wherever it is split", () => {
  const fits = bytesOf(`${"x".repeat(8192)}\n`);
  const over = bytesOf(`${"x".repeat(8193)}\n`);
  for (const at of [0, 1, 4096, 8191, 8192, 8193, 8194]) {
    const reader = new LineReader();
    const split = (it: Buffer): Buffer[] => [it.subarray(0, at), it.subarray(at)];
    expect(read(split(fits), reader).lines).toEqual(["x".repeat(8192)]);
    expect([at, reader.overflowed]).toEqual([at, false]);
    expect(read(split(over), reader).lines).toEqual([]);
    expect([at, reader.overflowed]).toEqual([at, true]);
  }
});

test("the limit counts the CR, and holds before the LF has come", () => {
  const reader = new LineReader(4);
  expect(read([bytesOf("abc\r\n")], reader).lines).toEqual(["abc"]);
  expect(read([bytesOf("abcd")], reader).rest).toBe("abcd");
  expect(reader.overflowed).toBe(false);
  expect(read([bytesOf("\r")], reader).lines).toEqual([]);
  expect(reader.overflowed).toBe(true);
});

test("lines before one that is too long are read, and nothing behind it ever", () => {
  const reader = new LineReader(8);
  const { lines } = read([bytesOf("a\nb\n123456789\nc\n"), bytesOf("d\n")], reader);
  expect(lines).toEqual(["a", "b"]);
  expect(reader.overflowed).toBe(true);
  reader.discard();
  reader.push(bytesOf("e\n"));
  expect(reader.next()).toBeNull();
});

test("bodies are taken between lines, at every split", () => {
  const all = bytesOf("head 5\nb\no\nyhead 0\nrest");
  for (let i = 0; i <= all.length; i++) {
    const reader = new LineReader();
    let got = "";
    const pump = (): void => {
      for (;;) {
        const owed = (/head 5\n(.*)$/s.exec(got)?.[1] ?? "12345").length;
        const piece = owed < 5 ? reader.take(5 - owed) : reader.next();
        if (piece === null) return;
        got += typeof piece === "string" ? `${piece}\n` : piece.toString("latin1");
      }
    };
    for (const chunk of [all.subarray(0, i), all.subarray(i)]) {
      if (chunk.length === 0) continue;
      reader.push(chunk);
      pump();
    }
    expect([i, got, reader.peek(), reader.buffered]).toEqual([
      i,
      "head 5\nb\no\nyhead 0\n",
      "rest",
      4,
    ]);
  }
});

test("taking counts, and never gives an empty piece", () => {
  const reader = new LineReader();
  expect(reader.take(1)).toBeNull();
  reader.push(bytesOf("abc"));
  expect(reader.take(0)).toBeNull();
  expect(reader.take(2)?.toString()).toBe("ab");
  expect(reader.buffered).toBe(1);
  reader.push(bytesOf("de"));
  expect(reader.take(9)?.toString()).toBe("cde");
  expect(reader.take(9)).toBeNull();
});

test("a short rest does not keep the large chunk alive that it came in", () => {
  const reader = new LineReader();
  const chunk = Buffer.alloc(524_288, "x".repeat(99) + "\n", "latin1");
  chunk.write("rest", chunk.length - 4, "latin1");
  read([chunk], reader);
  expect(reader.take(1000)?.buffer.byteLength ?? 0).toBeLessThan(16_384);
});

test("an empty line in front of a long pipeline is a line, however much follows", () => {
  const lines = ["", ...Array.from({ length: 5000 }, () => "PING")];
  expect(read([bytesOf(`${lines.join("\n")}\n`)])).toEqual({ lines, rest: "" });
});
