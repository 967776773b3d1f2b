/**
 * What a client makes of a server's bytes: the right ones at every split and every early end, and
 * all the wrong ones. The server's side is literal bytes; where splits must be exact, a socket
 * without a network.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReadExchange } from "../../src/client/exchange.ts";
import { Session } from "../../src/client/session.ts";
import { connect } from "../../src/client/connect.ts";
import { BytesSink } from "../../src/receive/sink.ts";
import { failureOf } from "./failure.ts";
import { answering, readReply, StillSocket } from "./fake.ts";

const SERVER = { host: "127.0.0.1", port: 1 };
const REPLY =
  "OK 11 size=11 offset=0 etag=0123456789abcdef mtime=1700000000000000000\nhello\nworld";

/** A session on a still socket with one READ under way. */
function reading(length: bigint | null = null, offset = 0n) {
  const socket = new StillSocket();
  const session = new Session(socket, SERVER, 60_000);
  const sink = new BytesSink(1_000_000);
  const exchange = new ReadExchange("/x", sink, offset, length, null);
  session.ask(exchange);
  return { socket, session, sink, exchange, done: exchange.done.promise };
}

const text = (sink: BytesSink): string => Buffer.from(sink.bytes).toString("latin1");
const bytes = (literal: string): Buffer => Buffer.from(literal, "latin1");

test("a reply reads the same at every split", async () => {
  for (let at = 0; at <= REPLY.length; at++) {
    const { session, sink, done } = reading();
    session.data(bytes(REPLY.slice(0, at)));
    session.data(bytes(REPLY.slice(at)));
    expect(await done).toEqual({
      length: 11,
      offset: 0n,
      size: 11n,
      etag: "0123456789abcdef",
      mtime: 1700000000000000000n,
    });
    expect(text(sink)).toBe("hello\nworld");
  }
});

test("a reply reads the same byte by byte, and an ERR too", async () => {
  const { session, sink, done } = reading();
  for (const byte of REPLY) session.data(bytes(byte));
  await done;
  expect(text(sink)).toBe("hello\nworld");
  const failing = reading();
  for (const byte of "ERR ENOENT no such file: /x\n") failing.session.data(bytes(byte));
  const error = await failureOf(failing.done);
  expect(error.message).toBe("ENOENT: no such file: /x (s6://127.0.0.1:1)");
});

test("FIN at every byte of a reply, over a real socket: incomplete until the last one", async () => {
  const attempts = Array.from({ length: REPLY.length }, async (_, at) => {
    using fake = answering(REPLY.slice(0, at), "fin");
    using client = await connect(fake.server);
    const error = await failureOf(client.bytes("/x"));
    expect([at, error.kind, error.unanswered]).toEqual([at, "incomplete", at === 0]);
    return error.message;
  });
  const messages = await Promise.all(attempts);
  expect(messages.at(-1)).toContain("after 10 of 11 bytes: /x (s6://127.0.0.1:");
  using whole = answering(REPLY, "fin");
  using client = await connect(whole.server);
  expect((await client.bytes("/x")).length).toBe(11);
});

test("RST at every byte of a reply: incomplete too", async () => {
  for (let at = 0; at < REPLY.length; at += 3) {
    using fake = answering(REPLY.slice(0, at), "rst");
    using client = await connect(fake.server);
    const error = await failureOf(client.bytes("/x"));
    expect([at, error.kind]).toEqual([at, "incomplete"]);
  }
});

test("surplus bytes are a violation, and no sink gets them", async () => {
  for (const surplus of ["x", "\n", "OK 0\n", "ERR EIO x\n"]) {
    const { socket, session, sink, done } = reading();
    session.data(bytes(REPLY + surplus));
    const error = await failureOf(done);
    expect([surplus, error.kind, text(sink)]).toEqual([surplus, "protocol", "hello\nworld"]);
    expect(socket.endings).toEqual(["terminate"]);
  }
});

test("surplus that comes later ends the connection for whoever asks next", async () => {
  const { session, done } = reading();
  session.data(bytes(REPLY));
  await done;
  session.data(bytes("x"));
  expect(session.open).toBe(false);
});

test("a server's farewell is its reason for whoever asks next", async () => {
  for (const farewell of ["ERR EBUSY too many\n", "ERROR EBUSY: too many\n"]) {
    const session = new Session(new StillSocket(), SERVER, 60_000);
    for (const byte of farewell) session.data(bytes(byte));
    const exchange = new ReadExchange("/x", new BytesSink(10), 0n, null, null);
    session.ask(exchange);
    const error = await failureOf(exchange.done.promise);
    expect([error.code, error.kind, error.unanswered]).toEqual(["EBUSY", "no-connection", true]);
  }
});

test("a bare error in place of a reply tells its errno", async () => {
  const { session, done } = reading();
  session.data(bytes("ERROR EBUSY: too many connections\n"));
  const error = await failureOf(done);
  expect([error.code, error.kind]).toEqual(["EBUSY", "no-connection"]);
});

test("every malformed line is refused as a protocol violation", async () => {
  const facts = "size=11 offset=0 etag=0123456789abcdef mtime=5";
  const lines = [
    "",
    "OK",
    "OK ",
    "OK -1",
    `OK -1 ${facts}`,
    `OK +11 ${facts}`,
    `OK 011 ${facts}`,
    `OK 0x1 ${facts}`,
    `OK 1e1 ${facts}`,
    `OK 11.0 ${facts}`,
    `OK  11 ${facts}`,
    `OK 99999999999999999999 ${facts}`,
    `OK 9007199254740993 ${facts}`,
    "OK 11",
    "OK 11 size=11 offset=0 etag=0123456789abcdef",
    "OK 11 size=11 offset=0 mtime=5",
    "OK 11 size=11 etag=0123456789abcdef mtime=5",
    "OK 11 offset=0 etag=0123456789abcdef mtime=5",
    "OK 11 size=11 offset=0 etag=0123456789abcdef mtime=NaN",
    "OK 11 size=99999999999999999999 offset=0 etag=0123456789abcdef mtime=5",
    `OK 11 ${facts} size=11`,
    `OK 11 ${facts} word`,
    `ok 11 ${facts}`,
    "ERR",
    "ERR ",
    "ERR enoent no",
    "ERR 2 no",
    "HTTP/1.1 400 Bad Request",
    "SSH-2.0-OpenSSH_9.2",
    "\x16\x03\x01",
    "\xff\xfe",
  ];
  for (const line of lines) {
    const { session, sink, done } = reading();
    session.data(bytes(`${line}\nhello\nworld`));
    const error = await failureOf(done);
    expect([line, error.kind, sink.written]).toEqual([line, "protocol", 0]);
    expect(error.message).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  }
});

test("a length, offset or size that is not what was asked is refused before any byte is taken", async () => {
  const etag = "etag=0123456789abcdef mtime=5";
  const cases: [bigint | null, bigint, string][] = [
    // More than the file's rest, less than it, more than asked.
    [null, 0n, `OK 12 size=11 offset=0 ${etag}`],
    [null, 0n, `OK 10 size=11 offset=0 ${etag}`],
    [5n, 0n, `OK 11 size=11 offset=0 ${etag}`],
    [5n, 0n, `OK 6 size=11 offset=0 ${etag}`],
    // From the start although a part was asked for, and from elsewhere.
    [null, 4n, `OK 11 size=11 offset=0 ${etag}`],
    [null, 4n, `OK 8 size=11 offset=3 ${etag}`],
    [null, 0n, `OK 4 size=11 offset=7 ${etag}`],
    [5n, 12n, `OK 0 size=11 offset=12 ${etag}`],
  ];
  for (const [length, offset, line] of cases) {
    const { session, sink, done } = reading(length, offset);
    session.data(bytes(`${line}\nhello\nworld!`));
    const error = await failureOf(done);
    expect([line, error.kind, sink.written]).toEqual([line, "protocol", 0]);
  }
});

test("a header line that never ends is cut, in bounded memory", async () => {
  const long = `OK 11 ${"k=v ".repeat(300_000)}`;
  for (const line of [long, "x".repeat(1_000_000), `OK ${"1".repeat(1_000_000)}`]) {
    using fake = answering(line, "open");
    using client = await connect(fake.server);
    const error = await failureOf(client.bytes("/x"));
    expect([error.kind, error.message]).toEqual([
      "protocol",
      expect.stringContaining("65536 bytes"),
    ]);
  }
});

test("an error line's controls do not reach the terminal, and its words do", async () => {
  const { session, done } = reading();
  session.data(bytes("ERR ENOENT \x1b]0;x\x07 \x9b31m a\\\\b \xe2\x80\xae /x\n"));
  const { message } = await failureOf(done);
  expect(message).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  expect(message).toContain("\\x1b]0;x\\x07");
  // As the server printed it: not doubled a second time.
  expect(message).toContain(" a\\\\b ");
});

test("whatever bytes come, a request is settled once, and only a right reply succeeds", async () => {
  const pieces = fc.oneof(
    fc.constantFrom("OK ", "ERR ", "11", " size=11", " offset=0", "\n", "hello\nworld", " mtime=5"),
    fc.constantFrom(" etag=0123456789abcdef", "EIO x", "ERROR EIO: x", " ", "=", "\r\n", "\0"),
    fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw).toString("latin1")),
  );
  const right = / size=11(?: .*)?\r?\nhello\nworld$/s;
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 12 }), async (chunks) => {
      const { session, sink, done } = reading();
      for (const chunk of chunks) session.data(bytes(chunk));
      session.end();
      const settled = await done.then(
        () => true,
        () => false,
      );
      expect(sink.written).toBeLessThanOrEqual(11);
      if (settled) expect(chunks.join("")).toMatch(right);
    }),
    { numRuns: 2000 },
  );
});

test("an empty file and a clipped part are complete without a body's byte too many", async () => {
  const empty = reading();
  empty.session.data(bytes("OK 0 size=0 offset=0 etag=0123456789abcdef mtime=-5\n"));
  expect((await empty.done).mtime).toBe(-5n);
  const clipped = reading(100n, 6n);
  clipped.session.data(bytes("OK 5 size=11 offset=6 etag=0123456789abcdef mtime=5\nworld"));
  expect((await clipped.done).length).toBe(5);
  const atEnd = reading(100n, 11n);
  atEnd.session.data(bytes("OK 0 size=11 offset=11 etag=0123456789abcdef mtime=5\n"));
  expect((await atEnd.done).length).toBe(0);
});

test("CRLF ends a line as LF does", async () => {
  const { session, done } = reading();
  session.data(bytes(readReply("hello").replace("\n", "\r\n")));
  expect((await done).length).toBe(5);
});
