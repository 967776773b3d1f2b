/** What a client does before it believes a server: with real handshakes, and servers that cheat. */
import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { connect, type ConnectOptions } from "../../../src/client/connect.ts";
import { ClientError } from "../../../src/client/error.ts";
import { selfSigned } from "../../../src/identity/selfsigned.ts";
import { eventually } from "../../rig/faults.ts";
import { Peer } from "../../rig/peer.ts";
import { CA, pemOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";

const OWN = selfSigned({ names: ["localhost"], addresses: [], now: Date.now() });
const OWN_PEM = { cert: OWN, key: OWN };

/** A server of TLS that notes what it is sent, and answers a PING as S6/1 does. */
class Fake implements Disposable {
  readonly port: number;
  came = "";
  handshakes = 0;
  /** Names that were asked for. */
  readonly names: unknown[] = [];
  closed = 0;
  readonly #listener: Bun.TCPSocketListener<undefined>;

  constructor(tls: Bun.TLSOptions, answer: (socket: Bun.Socket, asked: string) => void = pong) {
    const note = (socket: Bun.Socket, chunk: Buffer): void => {
      this.came += chunk.toString("latin1");
      answer(socket, chunk.toString("latin1"));
    };
    this.#listener = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0, tls },
      socket: {
        open() {},
        handshake: (socket, ok) => {
          this.handshakes += Number(ok);
          this.names.push(socket.getServername());
        },
        data: note,
        error() {},
        close: () => void (this.closed += 1),
      },
    });
    this.port = this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

function pong(socket: Bun.Socket): void {
  socket.write("OK 0 server=fake version=1 protocol=S6/1\n");
}

/** The code with which a PING of `port` by TLS fails, or what the server calls itself. */
async function pinged(port: number, options: ConnectOptions): Promise<string> {
  try {
    using client = await connect({ host: "127.0.0.1", port, secure: true, ...options });
    return (await client.ping()).server;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

describe("nothing is sent to who can't be believed", () => {
  const cases: [string, Bun.TLSOptions, ConnectOptions, string][] = [
    ["an authority vouches", pemOf("good"), { trust: { ca: CA } }, "fake"],
    ["its name is looked at too", pemOf("good"), { host: "localhost", trust: { ca: CA } }, "fake"],
    ["an authority that is not known", pemOf("good"), {}, "EKEYREJECTED"],
    ["a certificate for another name", pemOf("othername"), { trust: { ca: CA } }, "EKEYREJECTED"],
    ["one that has expired", pemOf("expired"), { trust: { ca: CA } }, "EKEYEXPIRED"],
    ["its own", OWN_PEM, {}, "EKEYREJECTED"],
    ["its own, beside authorities", OWN_PEM, { trust: { ca: CA } }, "EKEYREJECTED"],
    ["its own, as the authority", OWN_PEM, { host: "localhost", trust: { ca: OWN } }, "fake"],
  ];
  test.each(cases)("%s", async (_what, tls, options, expected) => {
    using fake = new Fake(tls);
    expect(await pinged(fake.port, options)).toBe(expected);
    if (expected !== "fake") {
      await eventually("its end", () => fake.closed === 1);
      expect(fake.came).toBe("");
    }
  });

  test("a pin believes the one, and not another between it and the client", async () => {
    using fake = new Fake(OWN_PEM);
    const pairs = new X509Certificate(OWN).fingerprint256;
    const pin = `sha256:${pairs.replaceAll(":", "").toLowerCase()}`;
    expect(await pinged(fake.port, { trust: { pin } })).toBe("fake");
    using between = new Fake(pemOf("good"));
    expect(await pinged(between.port, { trust: { pin, ca: CA } })).toBe("EKEYREJECTED");
    expect(between.came).toBe("");
  });

  test("who was seen first is believed again, and nobody in its place", async () => {
    using tree = new Tree();
    const trust = { knownHosts: tree.path("known_hosts") };
    using fake = new Fake(OWN_PEM);
    expect(await pinged(fake.port, { trust })).toBe("fake");
    expect(await pinged(fake.port, { trust })).toBe("fake");
    const { port } = fake;
    fake[Symbol.dispose]();
    const other = selfSigned({ names: ["localhost"], addresses: [], now: Date.now() });
    let came = 0;
    using between = Bun.listen({
      ...{ hostname: "127.0.0.1", port, tls: { cert: other, key: other } },
      socket: { open() {}, data: (_socket, chunk) => void (came += chunk.length), error() {} },
    });
    expect(await pinged(between.port, { trust })).toBe("EKEYREJECTED");
    expect(came).toBe(0);
  });
});

test("a name is asked for and looked at without the dot that ends it", async () => {
  using fake = new Fake(pemOf("good"));
  for (const host of ["localhost", "localhost."]) {
    expect(await pinged(fake.port, { host, trust: { ca: CA } })).toBe("fake");
  }
  expect(fake.names).toEqual(["localhost", "localhost"]);
});

/** Passes on what both say, and `cut` decides what the server's first words become. */
async function between(port: number, cut: (words: Buffer) => Buffer): Promise<net.Server> {
  const server = net.createServer((client) => {
    const behind = net.connect(port, "127.0.0.1");
    client.on("data", (chunk) => behind.write(chunk)).on("error", () => {});
    behind.once("data", (words: Buffer) => {
      const kept = cut(words);
      if (kept.length < words.length) client.end(kept, () => behind.destroy());
      else client.write(kept);
      behind.on("data", (chunk) => client.write(chunk));
    });
    behind.on("error", () => {});
    client.on("close", () => behind.destroy());
    behind.on("close", () => client.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Where in a record of TLS 1.2 the ServerKeyExchange is, which the certificate's key signed. */
function keyExchangeIn(words: Buffer): number {
  for (let record = 0; record < words.length; record += 5 + words.readUInt16BE(record + 3)) {
    const end = record + 5 + words.readUInt16BE(record + 3);
    for (let at = record + 5; at < end; at += 4 + words.readUIntBE(at + 1, 3)) {
      if (words[at] === 12) return at;
    }
  }
  throw new Error("the server's words came in parts");
}

describe("who shows a certificate, and not that it has its key, is nobody", () => {
  const cases: [string, (words: Buffer) => Buffer][] = [
    ["it signs wrongly", (words) => ((words[keyExchangeIn(words) + 40]! ^= 1), words)],
    ["it hangs up", (words) => words.subarray(0, keyExchangeIn(words))],
  ];
  test.each(cases)("%s", async (_what, cut) => {
    using tree = new Tree();
    const fingerprint = new X509Certificate(OWN).fingerprint256.replaceAll(":", "").toLowerCase();
    const server = tls.createServer({ ...OWN_PEM, maxVersion: "TLSv1.2" });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: own } = server.address() as net.AddressInfo;
    const cheat = await between(own, cut);
    const { port } = cheat.address() as net.AddressInfo;
    try {
      const knownHosts = tree.path("known_hosts");
      for (const trust of [{ pin: `sha256:${fingerprint}` }, { knownHosts }]) {
        expect(await pinged(port, { trust })).toBe("EPROTO");
      }
      expect(fs.existsSync(knownHosts)).toBe(false);
    } finally {
      cheat.close();
      server.close();
    }
  });
});

test("a plaintext server, and one that hangs up, are told as what they are", async () => {
  for (const answer of ["ERR EINVAL\n", "\x15\x03\x01\x00\x02\x02\x46", ""]) {
    using plain = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: {
        data(socket) {
          socket.write(answer);
          socket.end();
        },
      },
    });
    expect(await pinged(plain.port, {})).toBe("EPROTO");
  }
});

test("a handshake that never ends ends at the time to connect, and its connection too", async () => {
  let open = 0;
  using silent = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: { open: () => void (open += 1), data() {}, close: () => void (open -= 1), error() {} },
  });
  expect(await pinged(silent.port, { connectTimeoutMs: 100 })).toBe("ETIMEDOUT");
  await eventually("the connection's end", () => open === 0);
});

test("a body that ends before its length is incomplete, however the connection ended", async () => {
  for (const end of ["end", "terminate"] as const) {
    using fake = new Fake(pemOf("good"), (socket) => {
      socket.write("OK 10 size=10 offset=0 etag=1-2 mtime=1\nhalf");
      setTimeout(() => socket[end](), 10);
    });
    using client = await connect({
      ...{ host: "127.0.0.1", port: fake.port, secure: true, trust: { ca: CA } },
    });
    const failed = await client.bytes("/f").then(
      () => "complete",
      (error: unknown) => (error instanceof ClientError ? error.kind : String(error)),
    );
    expect(failed).toBe("incomplete");
  }
});

test("a plain client that meets TLS, and the other way round, end in one message", async () => {
  using fake = new Fake(pemOf("good"));
  using peer = await Peer.dial(fake.port);
  peer.send("PING\n");
  peer.finish();
  await peer.all();
  expect(fake.came).toBe("");
});
