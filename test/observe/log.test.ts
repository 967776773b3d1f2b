/**
 * The log against its own descriptor (fault 67): a pipe that is full, a reader that is gone, a disk
 * that fails. It never waits, never throws, never grows, and says what was lost.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Log } from "../../src/observe/log.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { openIn } from "../rig/open-files.ts";
import { replaceCall } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";
import { LINE } from "./line.ts";

/** A FIFO: what is written to it, read without waiting. */
class Pipe implements Disposable {
  readonly #tree = new Tree();
  #reader: number;
  readonly writer: number;

  constructor() {
    expect(Bun.spawnSync(["mkfifo", this.#tree.path("p")]).exitCode).toBe(0);
    this.#reader = this.#open(fs.constants.O_RDONLY);
    this.writer = this.#open(fs.constants.O_WRONLY);
  }

  /** The reader goes: writing is EPIPE from now on. */
  leave(): void {
    fs.closeSync(this.#reader);
    this.#reader = -1;
  }

  come(): void {
    this.#reader = this.#open(fs.constants.O_RDONLY);
  }

  /** All that is in it. */
  read(): string {
    const chunk = Buffer.alloc(1 << 20);
    try {
      return chunk.toString("utf8", 0, fs.readSync(this.#reader, chunk));
    } catch {
      return "";
    }
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.writer);
    if (this.#reader >= 0) fs.closeSync(this.#reader);
    this.#tree[Symbol.dispose]();
  }

  get path(): string {
    return this.#tree.path("p");
  }

  #open(flags: number): number {
    return fs.openSync(this.path, flags | fs.constants.O_NONBLOCK);
  }
}

function isNonBlocking(fd: number): boolean {
  const [, flags = ""] =
    /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) ?? [];
  return (Number.parseInt(flags, 8) & fs.constants.O_NONBLOCK) !== 0;
}

test("67: a pipe that others fill between poll and write is not waited for", () => {
  using pipe = new Pipe();
  // As a shell makes it: who writes to it waits.
  const shared = fs.openSync(`/proc/self/fd/${pipe.writer}`, fs.constants.O_WRONLY);
  using _closing = { [Symbol.dispose]: () => fs.closeSync(shared) };
  const before = openIn(pipe.path);
  const log = new Log("human", shared);
  let written = -1;
  using _write = replaceCall("write", (real) => (fd, bytes, count) => {
    written = fd;
    return isNonBlocking(fd) ? real(fd, bytes, count) : count;
  });
  using _poll = replaceCall("pollOut", () => () => 1);
  for (let nth = 0; nth < 3000; nth++) log.note("x".repeat(100));
  log.flush();
  expect([isNonBlocking(written), isNonBlocking(shared)]).toEqual([true, false]);
  expect(pipe.read()).toStartWith("20");
  expect(openIn(pipe.path)).toBe(before + 1);
  log.close();
  expect(openIn(pipe.path)).toBe(before);
});

test("67: a pipe without a reader loses lines, is told so, and gets the next ones", () => {
  using pipe = new Pipe();
  const log = new Log("human", pipe.writer);
  log.request(LINE);
  log.flush();
  expect(pipe.read()).toMatch(/^\S+ 127\.0\.0\.1 s6 READ \/f OK 6 B 0\.1 ms\n$/);
  pipe.leave();
  for (let i = 0; i < 10; i++) {
    log.request(LINE);
    log.flush();
  }
  expect(log.dropped).toBeGreaterThan(0);
  pipe.come();
  log.request(LINE);
  log.flush();
  const lost = /^\(([0-9]+) log lines were lost: nobody took them in time\)\n/.exec(pipe.read());
  expect(Number(lost?.[1])).toBeGreaterThan(0);
  expect(log.dropped).toBe(0);
});

test("67: a full pipe holds a bounded number of lines back, in order, none cut", () => {
  using pipe = new Pipe();
  const log = new Log("json", pipe.writer);
  const count = 20_000;
  {
    using _waits = replaceCall("pollOut", (real) => (fd, timeoutMs) => {
      expect(timeoutMs).toBe(0);
      return real(fd, timeoutMs);
    });
    for (let i = 0; i < count; i++) log.request({ ...LINE, bytes: i });
    log.flush();
  }
  expect(log.dropped).toBeGreaterThan(0);
  const { dropped } = log;
  let text = "";
  for (let chunk = pipe.read(); chunk !== ""; chunk = pipe.read()) {
    text += chunk;
    log.flush();
  }
  const numbers = text
    .trimEnd()
    .split("\n")
    .map((line) => Number((JSON.parse(line) as { bytes: number }).bytes));
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect(numbers.length + dropped).toBe(count);
  log.request(LINE);
  log.flush();
  expect(JSON.parse(pipe.read().split("\n")[0]!)).toMatchObject({
    note: `${dropped} log lines were lost: nobody took them in time`,
    lost: dropped,
  });
});

test("each write ends a line, so that other processes' lines come between lines", () => {
  using tree = new Tree();
  using pipe = new Pipe();
  const ends: string[] = [];
  using _written = replaceCall("write", (real) => (fd, bytes, count) => {
    ends.push(String.fromCharCode(bytes[count - 1] ?? 0));
    return real(fd, bytes, count);
  });
  const file = tree.path("log");
  const logs = [new Log("human", pipe.writer), new Log("human", file)];
  for (const log of logs) {
    for (let i = 0; i < 500; i++) log.request({ ...LINE, path: `/${"x".repeat(i)}` });
    log.flush();
  }
  // Only a file takes such lines in one piece.
  for (const length of [5000, 8000]) logs[1]!.request({ ...LINE, path: "x".repeat(length) });
  logs[1]!.close();
  expect(ends.length).toBeGreaterThan(50);
  expect(new Set(ends)).toEqual(new Set(["\n"]));
  expect(fs.readFileSync(file, "utf8")).toMatch(/^(?:\S+ 127.* READ \/?x* OK 6 B .*\n){502}$/);
});

test.each(["ENOSPC", "EIO"] as const)("67: %s costs the lines, and nothing else", (name) => {
  using pipe = new Pipe();
  const log = new Log("human", pipe.writer);
  {
    using _fault = replaceCall("write", () => () => -ERRNO[name]);
    for (let i = 0; i < 5; i++) log.request(LINE);
    log.flush();
    expect(log.dropped).toBe(5);
  }
  log.request(LINE);
  log.flush();
  expect(pipe.read().split("\n").length).toBe(3);
});

test("67: a write that is taken in part goes on where it stopped, EINTR and EAGAIN lose nothing", () => {
  using pipe = new Pipe();
  const log = new Log("human", pipe.writer);
  let calls = 0;
  using _fault = replaceCall("write", (real) => (fd, bytes, count) => {
    calls += 1;
    if (calls % 3 === 1) return -ERRNO.EINTR;
    if (calls % 3 === 2) return -ERRNO.EAGAIN;
    return real(fd, bytes, Math.min(count, 7));
  });
  for (let i = 0; i < 3; i++) log.request({ ...LINE, path: `/${i}` });
  let text = "";
  for (let i = 0; i < 500; i++) {
    log.flush();
    text += pipe.read();
  }
  expect(text).toMatch(/^.* READ \/0 OK .*\n.* READ \/1 OK .*\n.* READ \/2 OK .*\n$/);
  expect(log.dropped).toBe(0);
});
