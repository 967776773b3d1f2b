/**
 * Files that several connections bring: what a slow one still sends after its work was taken over
 * is never written, and a connection is never lent to two at once.
 */
import { expect, test } from "bun:test";
import { type FakeConnection, FakeServer, until } from "../client/fake.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { read, run, start } from "./rig.ts";

const CHUNK = 4 * 1024 * 1024;
const SIZE = 5 * CHUNK;
const FACTS = `size=${SIZE} etag=0123456789abcdef mtime=5`;
const bytes = content(1, 1, SIZE);

/** HASH's reply to `line`, for the file as it should be. */
function hashReply(line: string): string {
  const offset = offsetOf(line);
  const length = Number(/ length=(\d+)/.exec(line)?.[1] ?? SIZE);
  // Smaller ones are asked for where the machine is so busy that the line seems long.
  const chunk = Number(/ chunk=(\d+)/.exec(line)?.[1] ?? CHUNK);
  let lines = "";
  for (let at = offset; at < offset + length; at += chunk) {
    const digest = Bun.hash.xxHash3(bytes.subarray(at, Math.min(at + chunk, offset + length)));
    lines += `${digest.toString(16).padStart(16, "0")}\n`;
  }
  return `OK ${lines.length} ${FACTS} algo=xxh3 chunk=${chunk}\n${lines}`;
}

function readReply(line: string): { readonly head: string; readonly body: Buffer } {
  const offset = offsetOf(line);
  const length = Number(/ length=(\d+)/.exec(line)?.[1] ?? SIZE);
  const head = `OK ${length} offset=${offset} ${FACTS}\n`;
  return { head, body: bytes.subarray(offset, offset + length) };
}

/** So much of its first range comes at first: slow enough for others to be called. */
const DRIBBLE = 100_000;

/** And so much of its end comes together with the rubbish. */
const TAIL = 100;

/**
 * A server whose first connection for bytes is slow, until another has been asked for what was to
 * be its second range: then it sends its first range but for the end, and, when all the rest has
 * been had elsewhere, that end and in the same breath rubbish as its second range.
 */
class Laggard implements Disposable {
  readonly fake: FakeServer;
  readonly #read = new WeakMap<FakeConnection, number>();
  #slow: FakeConnection | null = null;
  readonly #asked: string[] = [];
  /** Resolves when the client has nothing to do. */
  asleep: () => Promise<void> = () => Promise.reject(new Error("no client"));

  constructor() {
    this.fake = new FakeServer((connection) => {
      const lines = connection.received.split("\n").slice(0, -1);
      const before = this.#read.get(connection) ?? 0;
      this.#read.set(connection, lines.length);
      for (const line of lines.slice(before)) this.#on(connection, line);
    });
  }

  #on(connection: FakeConnection, line: string): void {
    if (line.startsWith("STAT")) connection.say(`OK 0 type=file ${FACTS}\n`);
    else if (line.startsWith("HASH")) connection.say(hashReply(line));
    else this.#onRead(connection, line);
  }

  #onRead(connection: FakeConnection, line: string): void {
    const { head, body } = readReply(line);
    this.#slow ??= connection;
    if (connection !== this.#slow) {
      connection.say([head, body]);
      if (offsetOf(line) === offsetOf(this.#asked[1] ?? "")) void this.#goOn(this.#slow);
    } else if (this.#asked.push(line) === 1) {
      connection.say([head, body.subarray(0, DRIBBLE)]);
    }
  }

  async #goOn(slow: FakeConnection): Promise<void> {
    const [first = "", second = ""] = this.#asked;
    const { body } = readReply(first);
    slow.say(body.subarray(DRIBBLE, -TAIL));
    await until(() => hashed(this.fake) === SIZE / CHUNK);
    // The end comes in one event with what follows: the client waits for events again, and polls
    // no socket.
    await this.asleep();
    const rubbish = Buffer.alloc(50_000, "rubbish");
    slow.say(Buffer.concat([body.subarray(-TAIL), Buffer.from(readReply(second).head), rubbish]));
  }

  [Symbol.dispose](): void {
    this.fake[Symbol.dispose]();
  }
}

/**
 * Waits until a process sleeps for some 60 ms, or has ended: a client that polls its sockets wakes
 * every 4 ms (receive/pump.ts), one that waits for events does not.
 */
async function asleep(child: Bun.Subprocess): Promise<void> {
  const wakes = (): string => {
    const status = read(`/proc/${child.pid}/status`)?.toString("latin1") ?? "";
    return /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? "";
  };
  let [before, since] = [wakes(), performance.now()];
  await until(() => {
    const now = wakes();
    if (now !== before) [before, since] = [now, performance.now()];
    return performance.now() - since > 60;
  });
}

function offsetOf(line: string): number {
  return Number(/ offset=(\d+)/.exec(line)?.[1] ?? 0);
}

/** Chunks whose digests were asked for. */
function hashed({ connections }: FakeServer): number {
  const chunks = new Set<number>();
  for (const { received } of connections) {
    for (const [line] of received.matchAll(/^HASH .*$/gm)) {
      const offset = offsetOf(line);
      const length = Number(/ length=(\d+)/.exec(line)?.[1] ?? SIZE);
      for (let at = offset; at < offset + length; at += CHUNK) chunks.add(Math.floor(at / CHUNK));
    }
  }
  return chunks.size;
}

test("what a connection sends after its work was taken over does not reach the file", async () => {
  let slept = false;
  // A client that was done before it came to rest has proved nothing: once more.
  for (let tries = 0; tries < 8 && !slept; tries++) {
    using tree = new Tree();
    using laggard = new Laggard();
    const client = start(["get", "-P", tree.root, `s6://${laggard.fake.address}/f`]);
    laggard.asleep = async () => {
      await asleep(client.child);
      if (client.child.exitCode === null) slept = true;
    };
    expect(await client.ended).toMatchObject({ status: 0, err: "" });
    expect(verify(read(tree.path("f")) ?? Buffer.alloc(0), 1, 1)).toBeNull();
  }
  expect(slept).toBe(true);
});

test("one connection is never lent to two files", async () => {
  const names = Array.from({ length: 12 }, (_, nth) => `f${nth}`);
  using source = new Tree();
  using tree = new Tree();
  for (const [nth, name] of names.entries()) source.write(name, content(nth, 1, CHUNK + nth));
  await using server = new Running(source.root);
  const got = await run(["mirror", `s6://127.0.0.1:${server.port}/`, tree.path("m")]);
  expect(got).toMatchObject({ status: 0, err: "" });
  for (const [nth, name] of names.entries()) {
    expect(verify(read(tree.path(`m/${name}`)) ?? Buffer.alloc(0), nth, 1)).toBeNull();
  }
});
