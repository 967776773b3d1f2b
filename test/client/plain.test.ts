/** The bare dialect against servers that know nothing else, in the terms of FIN and RST. */
import { needing } from "../rig/needs.ts";
import { expect, test } from "bun:test";
import fs from "node:fs";
import { plainRequest, readPlain } from "../../src/client/plain.ts";
import { BytesSink } from "../../src/receive/sink.ts";
import { failureOf, thrownBy } from "./failure.ts";
import { answering, type Ending, FakeServer, until } from "./fake.ts";

const SETTINGS = { connectTimeoutMs: 5000, stallTimeoutMs: 5000 };

/** What a fake that says `chunks` and ends so gives: the content, or the error. */
async function outcome(chunks: string | string[], ending: Ending = "fin") {
  using fake = answering(chunks, ending);
  const sink = new BytesSink(100_000_000);
  const asked = readPlain(fake.server, "x", sink, SETTINGS);
  return await asked.then(
    () => Buffer.from(sink.bytes).toString("latin1"),
    () => failureOf(asked),
  );
}

test("sends the path and FIN, without LF, in one go", async () => {
  using fake = new FakeServer(
    () => {},
    (connection) => connection.say("content", "fin"),
  );
  const sink = new BytesSink(100);
  expect(await readPlain(fake.server, "a/b c%20\xff", sink, SETTINGS)).toBe(7);
  expect(fake.connections[0]?.received).toBe("a/b c%20\xff");
  await until(() => fake.connections[0]?.closed === true);
});

test("a server that receives once, sends all and closes gives its content whole", async () => {
  const content = Buffer.alloc(9_000_000, "0123456789abcdef");
  using fake = new FakeServer((connection) => connection.say(content, "fin"));
  const sink = new BytesSink(content.length);
  await readPlain(fake.server, "big", sink, SETTINGS);
  expect(content.equals(sink.bytes)).toBe(true);
});

const python = Bun.which("python3");
const NAIVE = `
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    path = c.recv(1024)
    c.sendall(b"<" + path + b">" + b"x" * 5000000)
    c.close()
`;

const PYTHON = { here: python !== null, what: "python3" };

needing(PYTHON)("the exercise's own server, in Python, is understood", async () => {
  const server = Bun.spawn([python ?? "", "-c", NAIVE], { stdout: "pipe" });
  try {
    const { value } = await server.stdout.getReader().read();
    const port = Number(Buffer.from(value ?? []).toString());
    for (const path of ["a/b", "READ x", "/abs"]) {
      const sink = new BytesSink(6_000_000);
      await readPlain({ host: "127.0.0.1", port }, path, sink, SETTINGS);
      const asked = path === "READ x" ? "./READ x" : path;
      expect(sink.written).toBe(5_000_000 + asked.length + 2);
      expect(Buffer.from(sink.bytes.subarray(0, asked.length + 2)).toString()).toBe(`<${asked}>`);
    }
  } finally {
    server.kill();
  }
});

test("RST is incomplete at every place, FIN never", async () => {
  for (const content of ["", "a", "hello\nworld", "E", "ERROR E", "ERROR ENOENT: x"]) {
    const reset = await outcome(content, "rst");
    expect([content, reset]).toEqual([content, expect.objectContaining({ kind: "incomplete" })]);
  }
  for (const content of ["", "a", "hello\nworld", "E", "ERROR E", "ERROR ENOENT", "ERROR EX:"]) {
    expect(await outcome(content, "fin")).toBe(content);
  }
});

test("RST behind many bytes is incomplete, however much has come", async () => {
  for (const size of [1, 1000, 100_000, 3_000_000]) {
    const failure = await outcome("x".repeat(size), "rst");
    expect(failure).toMatchObject({ kind: "incomplete", code: "ECONNRESET" });
  }
});

test("one line ERROR and FIN is an error, at every split, with its errno's kind", async () => {
  const line = "ERROR ENOENT: no such file: x\n";
  for (let at = 0; at <= line.length; at++) {
    const failure = await outcome([line.slice(0, at), line.slice(at)].filter(Boolean));
    expect(failure).toMatchObject({ kind: "not-found", code: "ENOENT" });
  }
  for (const [said, kind] of [
    ["ERROR EACCES: permission denied: x\n", "denied"],
    ["ERROR EBUSY: too many connections\n", "no-connection"],
    ["ERROR EINVAL: no LF behind it", "usage"],
    ["ERROR EWEIRD: unknown\r\n", "unexpected"],
  ] as const) {
    expect(await outcome(said)).toMatchObject({ kind });
  }
});

test("the error's message is told once, with the path, and without controls", async () => {
  using fake = answering("ERROR ENOENT: no such file: \x1b[2Jx\n", "fin");
  const error = await failureOf(readPlain(fake.server, "x", new BytesSink(1), SETTINGS));
  expect(error.message).toBe(`ENOENT: no such file: \\x1b[2Jx: x (s6://${fake.address})`);
});

test("what only looks like an error is content", async () => {
  const long = `ERROR ENOENT: ${"x".repeat(70_000)}\n`;
  for (const content of [
    "ERROR ENOENT: no such file\nand more\n",
    "ERROR ENOENT: no such file\n\n",
    "ERROR enoent: small letters\n",
    "ERROR NOENT: another letter\n",
    "ERROR: no errno\n",
    "ERROR ENOENT no colon\n",
    `ERROR E${"X".repeat(60)}: too long a name\n`,
    " ERROR ENOENT: indented\n",
    long,
  ]) {
    expect(await outcome(content)).toBe(content);
    expect(await outcome([...content.slice(0, 20), content.slice(20)])).toBe(content);
  }
});

test("nothing is held back that can't be an error any more", async () => {
  using fake = answering("ERROR ENOENT: x\nm", "open");
  const sink = new BytesSink(100);
  void readPlain(fake.server, "x", sink, SETTINGS).catch(() => {});
  // The line that might have been an error is none: it comes before the connection has ended.
  await until(() => sink.written === 17);
  expect(Buffer.from(sink.bytes).toString()).toBe("ERROR ENOENT: x\nm");
});

test("a name that reads as another dialect's first line goes with ./", () => {
  for (const name of ["READ x", "PING", "STAT ", "AUTH x", "x HTTP/1.1", "x HTTP/1.0", "\x16x"]) {
    expect(plainRequest(name)).toBe(`./${name}`);
  }
  for (const name of ["READ", "READx", "PINGx", "ping", "x HTTP/2", "a", "/READ x", "\xff"]) {
    expect(plainRequest(name)).toBe(name);
  }
});

test("a path that the dialect can't carry is refused before connecting", () => {
  for (const path of ["", "a\nb", "a\0b", "x".repeat(8193)]) {
    expect(thrownBy(() => plainRequest(path)).kind).toBe("usage");
  }
  expect(plainRequest("x".repeat(8192)).length).toBe(8192);
});

test("a silent server is given up", async () => {
  for (const start of ["", "E", "some content"]) {
    using fake = answering(start);
    const asked = readPlain(fake.server, "x", new BytesSink(100), {
      connectTimeoutMs: 5000,
      stallTimeoutMs: 60,
    });
    expect(await failureOf(asked)).toMatchObject({ kind: "timed-out" });
  }
});

test("a server that closes before it reads is incomplete, or empty", async () => {
  using fake = new FakeServer(
    () => {},
    () => {},
    (connection) => connection.socket.terminate(),
  );
  const error = await failureOf(readPlain(fake.server, "x", new BytesSink(1), SETTINGS));
  expect(error.kind).toBe("incomplete");
});

test("a local failure ends it and tells the disk's error", async () => {
  const fd = fs.openSync("/dev/null", "r");
  const { FdSink } = await import("../../src/receive/sink.ts");
  using fake = answering("content", "fin");
  const error = await failureOf(readPlain(fake.server, "x", new FdSink(fd, "x"), SETTINGS));
  fs.closeSync(fd);
  expect([error.kind, error.code]).toEqual(["local", "EBADF"]);
});
