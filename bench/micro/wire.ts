/** Owns the rows about the wire: lines, requests, replies, escapes. */
import { LineReader } from "../../src/wire/lines.ts";
import { parseListLine } from "../../src/wire/entry.ts";
import { escapePath, unescape } from "../../src/wire/escape.ts";
import { parseReply } from "../../src/wire/reply.ts";
import { parseRequest, type Request } from "../../src/wire/request.ts";
import { repeated, type Row, same } from "./row.ts";

const ETAG = "0123456789abcdef";
const random = (below: number): number => Math.floor(Math.random() * below);

function randomBytes(length: number): string {
  return String.fromCharCode(...Array.from({ length }, () => random(256)));
}

/** Different strings, so that nothing is found out once for all. */
function many(make: (nth: number) => string): readonly string[] {
  return Array.from({ length: 64 }, (_, nth) => make(nth));
}

const paths = many((nth) => `/models/llama-${nth}/shard-0000${nth % 10}.safetensors`);
const requests = paths.map(
  (path, nth) => `READ offset=${nth * 4096} length=65536 if=${ETAG} ${path}`,
);
const replies = paths.map(
  (_, nth) => `OK 65536 size=${nth + 1}7 offset=0 etag=${ETAG} mtime=17${nth}5`,
);
const entries = paths.map(
  (path, nth) => `file size=${nth + 1}12 mtime=17${nth}123 etag=${ETAG} ${path.slice(1)}`,
);
const chunk = Buffer.from(requests.map((line) => `${line}\n`).join(""), "latin1");

/** Byte by byte, with a decoder that says what is UTF-8. */
function naiveEscape(bytes: string): string {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let out = "";
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    for (let n = 4; n > 0 && length === 0; n--) {
      try {
        const decoded = utf8.decode(Buffer.from(bytes.slice(at, at + n), "latin1"));
        const plain = !/[\u0000-\u001f\u007f-\u009f%]/u.test(decoded);
        if ([...decoded].length === 1 && at + n <= bytes.length && plain) length = n;
      } catch {
        // No UTF-8 of that length.
      }
    }
    const code = bytes.charCodeAt(at).toString(16).toUpperCase().padStart(2, "0");
    out += length > 0 ? bytes.slice(at, at + length) : `%${code}`;
    at += Math.max(1, length);
  }
  return out;
}

function naiveUnescape(text: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  return text.replace(/%(..)/g, (_, pair: string) => String.fromCharCode(parseInt(pair, 16)));
}

/** By words and a map, for READ alone. */
function naiveRequest(line: string) {
  const words = line.split(" ");
  const keys = new Map<string, string>();
  let at = 1;
  for (; words[at]?.startsWith("/") === false; at++) {
    const [key = "", value = ""] = words[at]!.split("=");
    keys.set(key, value);
  }
  return {
    ...{ verb: words[0], path: naiveUnescape(words.slice(at).join(" ")) },
    ...{ offset: BigInt(keys.get("offset") ?? 0), length: BigInt(keys.get("length") ?? -1) },
    etag: keys.get("if") ?? "",
  };
}

function naiveReply(line: string) {
  const [, length, ...words] = line.split(" ");
  return {
    length: Number(length),
    facts: new Map(words.map((word) => word.split("=") as [string, string])),
  };
}

function naiveEntry(line: string) {
  const [type, ...words] = line.split(" ");
  const facts = new Map(words.slice(0, 3).map((word) => word.split("=") as [string, string]));
  const [size, mtime] = [BigInt(facts.get("size") ?? 0), BigInt(facts.get("mtime") ?? 0)];
  return {
    entry: { type, size, mtime, etag: facts.get("etag") },
    name: naiveUnescape(words.slice(3).join(" ")),
  };
}

function linesOf(reader: LineReader, bytes: Buffer): string[] {
  reader.push(bytes);
  const lines: string[] = [];
  for (let line = reader.next(); line !== null; line = reader.next()) lines.push(line);
  return lines;
}

const naiveLines = (bytes: Buffer): string[] => bytes.toString("latin1").split("\n").slice(0, -1);
const reader = new LineReader();
const at = (list: readonly string[], nth: number): string => list[nth % list.length]!;

export const WIRE: readonly Row[] = [
  {
    ...{ name: "64 lines of a chunk", twin: "one string, split" },
    fast: repeated(() => linesOf(reader, chunk).length),
    naive: repeated(() => naiveLines(chunk).length),
    check: () => same("lines", linesOf(new LineReader(), chunk), naiveLines(chunk)),
  },
  {
    ...{ name: "a READ's line", twin: "words into a map" },
    fast: repeated((nth) => (parseRequest(at(requests, nth)) as Request).path.length),
    naive: repeated((nth) => naiveRequest(at(requests, nth)).path!.length),
    check() {
      for (const line of [...requests, ...paths.map((path) => `READ ${path}`)]) {
        const { verb, path, offset, length, etag } = parseRequest(line) as Request;
        same(line, { verb, path, offset, length, etag }, naiveRequest(line));
      }
    },
  },
  {
    ...{ name: "an OK line, two facts", twin: "words into a map" },
    fast: repeated((nth) => {
      const reply = parseReply(at(replies, nth));
      return reply?.ok === true
        ? reply.facts.get("size")!.length + reply.facts.get("etag")!.length
        : 0;
    }),
    naive: repeated((nth) => {
      const { facts } = naiveReply(at(replies, nth));
      return facts.get("size")!.length + facts.get("etag")!.length;
    }),
    check() {
      for (const line of replies) {
        const reply = parseReply(line);
        const naive = naiveReply(line);
        if (reply?.ok !== true) throw new Error(line);
        const facts = [...naive.facts.keys()].map((key) => [key, reply.facts.get(key)]);
        same(line, [reply.length, facts], [naive.length, [...naive.facts]]);
      }
    },
  },
  {
    ...{ name: "a LIST's line", twin: "words into a map" },
    fast: repeated((nth) => parseListLine(at(entries, nth))!.name.length),
    naive: repeated((nth) => naiveEntry(at(entries, nth)).name!.length),
    check() {
      for (const line of entries) same(line, parseListLine(line), naiveEntry(line));
    },
  },
  {
    ...{ name: "escaping a path", twin: "byte by byte, by a decoder" },
    fast: repeated((nth) => escapePath(at(paths, nth)).length),
    naive: repeated((nth) => naiveEscape(at(paths, nth)).length),
    check() {
      for (let i = 0; i < 2000; i++) {
        const bytes = randomBytes(random(12));
        same(JSON.stringify(bytes), escapePath(bytes), naiveEscape(bytes));
      }
    },
  },
  {
    ...{ name: "unescaping a path", twin: "two regular expressions" },
    fast: repeated((nth) => unescape(at(paths, nth))!.length),
    naive: repeated((nth) => naiveUnescape(at(paths, nth))!.length),
    check() {
      for (let i = 0; i < 2000; i++) {
        const text = randomBytes(random(12)).replaceAll(/[G-Z\u0080-\u00ff]/g, "%4f");
        same(JSON.stringify(text), unescape(text), naiveUnescape(text));
      }
    },
  },
];
