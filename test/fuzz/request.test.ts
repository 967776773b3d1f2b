/**
 * Random bytes against everything that reads a request: lines, dialect, grammar, path. Whatever
 * comes, nothing throws, hangs or grows, and where the bytes were split changes nothing.
 */
import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { dialectOf, isFramedStart, isTlsStart } from "../../src/wire/dialect.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { LineReader } from "../../src/wire/lines.ts";
import { relativeOf } from "../../src/wire/path.ts";
import { errLine } from "../../src/wire/reply.ts";
import { parseRequest, type Request } from "../../src/wire/request.ts";
import { Random, RUNS, SEED } from "./random.ts";

/** Words that have a meaning somewhere, and their neighbours. */
const TOKENS = [
  ..."/ = . % & - + : \\ ' \" ~ * ? # @".split(" "),
  ...["READ ", "STAT ", "LIST ", "HASH ", "AUTH ", "PING", "GET ", " HTTP/1.1", "ERR ", "OK "],
  ...["offset=", "length=", "if=", "limit=", "after=", "chunk=", "algo=", "range=", "constructor="],
  ...["0", "1", "9", "01", "1e3", "0x1", "4096", "9007199254740993", "10000000000000000"],
  ...["%00", "%0a", "%2e", "%2E", "%2f", "%25", "%zz", "%", "..", "/..", "/../", "/./", "//"],
  ...["\n", "\n", "\n", "\r\n", "\r", "\0", " ", " ", "\t", "\x16\x03\x01", "\x1b[", "\x9b"],
  ...["\xff", "\xc0\xae", "\xe2\x80\xae", "\xc3\xa9", "a", "b.txt", "/a", "/dir/", "/.hidden"],
];

/** Words at and around the limits of lines, names, etags and numbers. */
const LONG_TOKENS = ["9".repeat(400), "e".repeat(64), "x".repeat(4095), "%41".repeat(2731)].concat(
  [8191, 8192, 8193, 20_000].map((count) => "a".repeat(count)),
);

/** One word in so many is a long one. */
const LONG_EVERY = 2048;

/**
 * So long may one input take, in milliseconds, when nothing else disturbs: the worst are some lines
 * of 8 KB, read twice, and take 2.
 */
const EXECUTION_MS_MAX = 10;

/** The first number that is too large for the grammar. */
const NUMBER_END = 10n ** 16n;

/** Bytes that the heap may have grown by when all is done: what the engine itself keeps. */
const GROWTH_BYTES_MAX = 4 * 1024 * 1024;

const VERBS = ["READ", "STAT", "LIST", "HASH", "PING"];
const KEYS = ["offset", "length", "if", "limit", "after", "chunk"];
const ENDS = ["\n", "\n", "\n", "\r\n", " ", ""];

/** A line that is nearly a request: any part may be one word too many, or the wrong one. */
function lineOf(random: Random): string {
  const words = [random.pick(VERBS)];
  for (let left = random.below(4); left > 0; left--) {
    words.push(`${random.pick(KEYS)}=${random.pick(TOKENS)}`);
  }
  words.push(`/${random.pick(TOKENS)}${random.pick(TOKENS)}`);
  if (random.below(8) === 0) words.push(random.pick(TOKENS));
  return words.join(" ") + random.pick(ENDS);
}

/** A random input: raw bytes, words, words with bytes among them, or lines. */
function inputOf(random: Random): Buffer {
  const kind = random.below(4);
  let text = "";
  for (let left = random.below(kind === 0 ? 120 : kind === 3 ? 4 : 24); left > 0; left--) {
    const raw = kind === 0 || (kind === 2 && random.below(4) === 0);
    if (kind === 3) text += lineOf(random);
    else if (raw) text += String.fromCharCode(random.below(256));
    else text += random.pick(random.below(LONG_EVERY) === 0 ? LONG_TOKENS : TOKENS);
  }
  return Buffer.from(text, "latin1");
}

/** What a reader makes of `pieces`, as one string: its lines, how it ended, what is left. */
function readingOf(pieces: readonly Buffer[]): { lines: string[]; ending: string } {
  const reader = new LineReader();
  const lines: string[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let line = reader.next(); line !== null; line = reader.next()) lines.push(line);
    if (reader.overflowed) return { lines, ending: "too long" };
  }
  if (reader.buffered > 8192) throw new Error(`${reader.buffered} bytes held`);
  return { lines, ending: reader.peek() };
}

/** Throws when `line` is answered in a way that the grammar forbids. */
function judge(line: string): void {
  const dialect = dialectOf(line);
  if (dialect === "framed" && !isFramedStart(line)) throw new Error("framed, but quiet ends it");
  if (dialect === "tls" && !isTlsStart(line)) throw new Error("TLS, but not from its start");
  const request = parseRequest(line);
  if (request instanceof Refusal) {
    const text = errLine(request);
    if (text.length > 1024 || text.indexOf("\n") !== text.length - 1) {
      throw new Error(`no short line: ${JSON.stringify(text)}`);
    }
  } else judgeRequest(request);
  judgePath(line);
}

function judgeRequest({ verb, path, offset, length, limit, etag }: Request): void {
  const numbers = offset >= 0n && offset < NUMBER_END && length >= -1n && length < NUMBER_END;
  const counts = Number.isInteger(limit) && limit >= 0 && limit <= 4096 && etag.length <= 64;
  if (!numbers || !counts) throw new Error("a key out of bounds");
  const pathless = verb === "PING" || verb === "AUTH";
  if (pathless ? path !== "" : !path.startsWith("/")) throw new Error("a path of no form");
  judgePath(path);
}

function judgePath(path: string): void {
  const relative = relativeOf(path);
  if (relative instanceof Refusal) return;
  if (/^\/|\/\/|\0|(?:^|\/)\.\.(?:\/|$)/.test(relative)) {
    throw new Error(`no way to stay inside: ${JSON.stringify(relative)}`);
  }
}

/** One execution. Throws with the seed that repeats it. */
function execute(seed: number): void {
  const random = new Random(seed);
  const bytes = inputOf(random);
  try {
    const whole = readingOf([bytes]);
    const split = readingOf(random.cut(bytes));
    const same =
      whole.ending === split.ending &&
      whole.lines.length === split.lines.length &&
      whole.lines.every((line, index) => line === split.lines[index]);
    if (!same) throw new Error(`split: ${JSON.stringify(split)}, whole: ${JSON.stringify(whole)}`);
    for (const line of whole.lines) judge(line);
    judge(whole.ending);
  } catch (error) {
    const input = JSON.stringify(bytes.toString("latin1"));
    throw new Error(`SEED=${seed} RUNS=1 repeats it: ${String(error)}, input ${input}`);
  }
}

function millisecondsOf(seed: number): number {
  const began = performance.now();
  execute(seed);
  return performance.now() - began;
}

function heapBytes(): number {
  Bun.gc(true);
  return heapStats().heapSize;
}

test(
  `any bytes are read without a throw, a hang or growth (SEED=${SEED} RUNS=${RUNS})`,
  () => {
    const slow: number[] = [];
    for (let i = 0; i < Math.min(RUNS, 2000); i++) execute(SEED + i);
    const before = heapBytes();
    const began = performance.now();
    for (let i = 0; i < RUNS; i++) {
      if (millisecondsOf(SEED + i) > EXECUTION_MS_MAX) slow.push(SEED + i);
    }
    const ms = performance.now() - began;
    const grown = heapBytes() - before;
    // A collection or another process may have come between: only what is slow each time is slow.
    const hanging = slow.filter((seed) => {
      const times = Array.from({ length: 20 }, () => millisecondsOf(seed));
      return Math.min(...times) > EXECUTION_MS_MAX;
    });
    if (RUNS >= 1_000_000) {
      const rate = Math.round((RUNS / ms) * 1000);
      console.log(`${RUNS} executions, ${rate} a second, heap ${grown} bytes, SEED=${SEED}`);
    }
    expect(hanging).toEqual([]);
    expect(grown).toBeLessThan(GROWTH_BYTES_MAX);
  },
  60_000 + RUNS,
);
