/** TLS on the port of all dialects: each of them by it, who may do without, and who is kept out. */
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { CALM, FakeKernel, FakeSocket } from "../../rig/fake-socket.ts";
import { eventually } from "../../rig/faults.ts";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { Running, type RunningOptions } from "../../rig/running.ts";
import { askSecurely, CA_FILE, filesOf, pemOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";

const GOOD = filesOf("good");
const LARGE = 9_000_000;
const large = content(7, 0, LARGE);

/** The first record of a TLS 1.2 or 1.3 handshake, whose 300 bytes are never sent. */
const HELLO_START = "\x16\x03\x01\x01\x2c\x01\x00\x01\x28\x03\x03";

function served(tree: Tree, options: RunningOptions = {}): Running {
  return new Running(tree.root, { tls: GOOD, ...options });
}

describe("each dialect, by TLS and beside it without", () => {
  const cases: [string, string, RegExp][] = [
    ["S6/1", "READ /f\n", /^OK 7 size=7 offset=0 etag=\S+ mtime=\S+\ncontent$/],
    ["pipelined", "PING\nREAD /f\nSTAT /none\n", /^OK 0 .*\nOK 7 .*\ncontentERR ENOENT /],
    ["a bare path", "f\n", /^content$/],
    ["a bare path without LF", "f", /^content$/],
    [
      "HTTP",
      "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 200 [^]*\r\n\r\ncontent$/,
    ],
  ];
  test.each(cases)("%s", async (_dialect, request, reply) => {
    using tree = new Tree({ f: "content" });
    await using running = served(tree);
    const { text, ending } = await askSecurely(running.port, request);
    expect(text).toMatch(reply);
    expect(ending).toBe("closed");
    expect((await running.ask(request)).text).toMatch(reply);
    await eventually("both gone", () => running.server.counters.connections === 0);
  });
});

test("a large file comes whole, by the copy branch, also to who half-closes", async () => {
  using tree = new Tree({ large });
  await using running = served(tree);
  const { text } = await askSecurely(running.port, "READ offset=1 /large\n");
  const body = Buffer.from(text.slice(text.indexOf("\n") + 1), "latin1");
  expect(body.equals(large.subarray(1))).toBe(true);
});

test("from other machines plaintext is refused in its own dialect, unless it is allowed", async () => {
  using tree = new Tree({ f: "content" });
  const asks = [
    ["READ /f\n", "ERR EACCES "],
    ["f\n", "ERROR EACCES: "],
    ["GET /f HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 403 "],
  ] as const;
  for (const plaintext of [false, true]) {
    await using running = served(tree, { plaintext });
    // Held in memory from then on, so that the answer comes at once.
    expect((await running.ask("f\n")).text).toBe("content");
    using fakes = new FakeKernel();
    for (const [request, refusal] of asks) {
      for (const address of ["192.0.2.9", "2001:db8::9", "::ffff:192.0.2.9", "127.0.0.9", "::1"]) {
        let came = "";
        const sink = (bytes: Uint8Array): void =>
          void (came += Buffer.from(bytes).toString("latin1"));
        const socket = new FakeSocket(fakes, CALM, sink, address);
        const connection = running.server.accept(socket);
        socket.connection = connection;
        connection?.data(Buffer.from(request));
        await eventually("an answer", () => came !== "");
        const refused = !plaintext && !/^127|^::1/.test(address);
        expect([address, came.startsWith(refusal)]).toEqual([address, refused]);
        expect(came.includes("content")).toBe(!refused);
        connection?.terminate();
      }
    }
  }
});

test("who wants a client's certificate serves who has one of its authority, and nobody else", async () => {
  using tree = new Tree({ f: "content" });
  await using running = served(tree, { tls: { ...GOOD, clientCa: CA_FILE } });
  const none = await askSecurely(running.port, "f\n");
  expect(none.text).toBe("");
  const right = await askSecurely(running.port, "f\n", pemOf("client"));
  expect(right.text).toBe("content");
  using own = new Tree();
  const { selfSigned } = await import("../../../src/identity/selfsigned.ts");
  own.write("own", selfSigned({ names: ["client"], addresses: [], now: Date.now() }));
  const pem = fs.readFileSync(own.path("own"), "utf8");
  expect((await askSecurely(running.port, "f\n", { cert: pem, key: pem })).text).toBe("");
  // This machine may do without TLS: who can reach it there has an account on it.
  expect((await running.ask("f\n")).text).toBe("content");
});

test("a new certificate is used for the next connection, without a restart", async () => {
  using tree = new Tree({ f: "content" });
  using keys = new Tree();
  const files = { ...GOOD, cert: keys.path("cert"), key: keys.path("key") };
  fs.copyFileSync(GOOD.cert, files.cert);
  fs.copyFileSync(GOOD.key, files.key);
  await using running = served(tree, { tls: files });
  const ask = () => askSecurely(running.port, "f\n", { rejectUnauthorized: false });
  const before = await ask();
  expect(before.text).toBe("content");
  const other = filesOf("expired");
  fs.copyFileSync(other.cert, files.cert);
  fs.copyFileSync(other.key, files.key);
  const { credentials } = running.server;
  await eventually("the files read again", () => credentials?.fingerprint !== before.fingerprint);
  expect((await ask()).fingerprint).toBe(credentials?.fingerprint ?? "");
});

test("a handshake that does not go on is cut, and costs nobody else theirs", async () => {
  using tree = new Tree({ f: "content" });
  await using running = served(tree, { limits: { requestMs: 300 } });
  const slow = await Promise.all(Array.from({ length: 20 }, () => running.dial()));
  for (const peer of slow) peer.send(HELLO_START);
  await eventually("all of them accepted", () => running.server.counters.accepted === 20);
  expect((await askSecurely(running.port, "f\n")).text).toBe("content");
  await eventually("all of them cut", () => running.server.counters.connections === 0);
  for (const peer of slow) {
    const { bytes, ending } = await peer.all();
    expect([bytes.length, ending]).toEqual([0, "reset"]);
  }
});

test("one address has 128 handshakes at most, and finds its place again when they are over", async () => {
  using tree = new Tree({ f: "content" });
  await using running = served(tree);
  const { counters } = running.server;
  const slow = await Promise.all(
    Array.from({ length: 140 }, () => Peer.dial(running.port, "127.0.0.2")),
  );
  for (const peer of slow) peer.send(HELLO_START);
  await eventually("those over it cut", () => slow.filter((p) => p.ending !== null).length >= 12);
  expect(counters.connections).toBe(128);
  expect((await askSecurely(running.port, "f\n")).text).toBe("content");
  for (const peer of slow) peer.socket.destroy();
  await eventually("all of them gone", () => counters.connections === 0);
  using again = await Peer.dial(running.port, "127.0.0.2");
  again.send(HELLO_START);
  await eventually("another one accepted", () => counters.connections === 1);
});

test("what is no handshake behind its first byte ends, and the server goes on", async () => {
  using tree = new Tree({ f: "content" });
  await using running = served(tree);
  for (const garbage of ["\x16", "\x16\x03\x01\x00\x05hello", `\x16\x03\x03${"\0".repeat(300)}`]) {
    using peer = await running.dial();
    peer.send(garbage);
    peer.finish();
    await peer.all();
  }
  expect((await askSecurely(running.port, "f\n")).text).toBe("content");
  await eventually("all of them gone", () => running.server.counters.connections === 0);
});

test("versions before TLS 1.2, ciphers without forward secrecy and other protocols are refused", async () => {
  using tree = new Tree({ f: "content" });
  await using running = served(tree);
  const refused: Bun.TLSOptions[] = [
    { maxVersion: 0x0302, minVersion: 0x0301 } as Bun.TLSOptions,
    { maxVersion: 0x0303, ciphers: "ECDHE-ECDSA-AES128-SHA:AES128-SHA" } as Bun.TLSOptions,
    { ALPNProtocols: Buffer.from("\x02h2") },
  ];
  for (const options of refused) {
    expect((await askSecurely(running.port, "f\n", options)).text).toBe("");
  }
  for (const protocol of ["\x04s6/1", "\x08http/1.1", "\x02h2\x08http/1.1"]) {
    const options = { ALPNProtocols: Buffer.from(protocol, "latin1") };
    expect((await askSecurely(running.port, "f\n", options)).text).toBe("content");
  }
});
