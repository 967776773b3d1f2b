/** Connections that a proxy passes on: whose they are, by every door, and who is believed. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { networkOf, Networks } from "../../src/guard/networks.ts";
import { Proxies } from "../../src/server/proxied.ts";
import { HeaderProxy } from "../rig/headerproxy.ts";
import { Peer } from "../rig/peer.ts";
import { Running, type RunningOptions } from "../rig/running.ts";
import { askSecurely, CA, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
/** 192.0.2.7 to 127.0.0.1. */
const FROM_7 = Buffer.from(`${SIGNATURE}2111000cc00002077f000001d4311940`, "hex");
const FROM_8 = Buffer.from(`${SIGNATURE}2111000cc00002087f000001d4311940`, "hex");
const FROM_V6 = Buffer.from(
  `${SIGNATURE}2121002420010db8000000010000000000000005${"00".repeat(16)}d4311940`,
  "hex",
);
const CHECK = Buffer.from(`${SIGNATURE}20000000`, "hex");

const only = (...networks: string[]): Networks =>
  new Networks(
    networks.map((text) => networkOf(text)!),
    [],
  );

const believing = (network: string): Proxies => new Proxies(only(network));

async function logged(
  options: RunningOptions,
  work: (running: Running) => Promise<void>,
): Promise<string> {
  using tree = new Tree({ f: "content" });
  using logs = new Tree();
  const log = fs.openSync(logs.path("log"), "w");
  try {
    await using running = new Running(tree.root, { log: "json", logFd: log, ...options });
    await work(running);
  } finally {
    fs.closeSync(log);
  }
  return fs.readFileSync(logs.path("log"), "utf8");
}

async function asked(port: number, ...bytes: (string | Uint8Array)[]): Promise<string> {
  const peer = await Peer.dial(port);
  for (const each of bytes) peer.send(each);
  peer.finish();
  return (await peer.all()).bytes.toString();
}

test("the log tells whose a connection is, by every door", async () => {
  const log = await logged({ proxies: believing("127.0.0.0/8") }, async ({ port }) => {
    expect(await asked(port, FROM_7, "f\n")).toBe("content");
    expect(await asked(port, FROM_8, "READ /f\n")).toMatch(/^OK 7 [^]*\ncontent$/);
    expect(await asked(port, FROM_V6, "GET /f HTTP/1.0\r\n\r\n")).toMatch(/\r\n\r\ncontent$/);
    expect(await asked(port, CHECK, "PING\n")).toStartWith("OK 0 ");
  });
  const peers = log.match(/"peer":"[^"]+"/g);
  expect(peers).toEqual([
    '"peer":"192.0.2.7"',
    '"peer":"192.0.2.8"',
    '"peer":"[2001:db8:0:1::5]"',
    '"peer":"127.0.0.1"',
  ]);
});

test("a header may come in pieces, and nothing behind it is lost or read as part of it", async () => {
  await logged({ proxies: believing("127.0.0.1") }, async ({ port }) => {
    for (const at of [1, 12, 16, FROM_7.length - 1, FROM_7.length]) {
      const whole = Buffer.concat([FROM_7, Buffer.from("READ /f\nPING\n")]);
      const peer = await Peer.dial(port);
      peer.send(whole.subarray(0, at));
      await Bun.sleep(30);
      peer.send(whole.subarray(at));
      peer.finish();
      expect((await peer.all()).bytes.toString()).toMatch(/^OK 7 [^]*\ncontentOK 0 [^\n]*\n$/);
    }
  });
});

test("with TLS the header comes before the handshake, and a client behind it is no loopback", async () => {
  const options = { proxies: believing("127.0.0.1"), tls: filesOf("good") };
  const log = await logged(options, async ({ port }) => {
    using proxy = await HeaderProxy.before(port, FROM_7);
    expect((await askSecurely(proxy.port, "READ /f\n")).text).toMatch(/^OK 7 [^]*\ncontent$/);
    // In plaintext only this machine may come.
    expect(await asked(port, FROM_7, "READ /f\n")).toStartWith("ERR EACCES ");
    expect(await asked(port, CHECK, "READ /f\n")).toStartWith("OK 7 ");
  });
  expect(log).toContain('"peer":"192.0.2.7"');
});

test("who comes by a proxy and says nothing keeps nobody else from TLS", async () => {
  const options = { proxies: believing("127.0.0.1"), tls: filesOf("good") };
  await logged(options, async ({ port }) => {
    const silent = await Promise.all(Array.from({ length: 40 }, () => Peer.dial(port)));
    for (const peer of silent) peer.send(FROM_8);
    const raw = net.connect({ port, host: "127.0.0.1" });
    raw.write(FROM_7);
    // Who came before is in the lobby by then, and its own first byte comes behind that.
    expect(await asked(port, CHECK, "PING\n")).toStartWith("OK 0 ");
    const secured = await new Promise<boolean>((resolve) => {
      const client = tls.connect({ socket: raw, ca: CA, servername: "localhost" });
      client.on("secureConnect", () => resolve(true));
      client.on("error", () => resolve(false));
    });
    expect(secured).toBe(true);
    raw.destroy();
    for (const peer of silent) peer[Symbol.dispose]();
  });
}, 20_000);

test("shares and networks go by whose a connection is", async () => {
  const options = {
    proxies: believing("127.0.0.1"),
    networks: only("192.0.2.7"),
    limits: { connectionsPerPeer: 1 },
  };
  await logged(options, async ({ port }) => {
    expect(await asked(port, FROM_8, "READ /f\n")).toBe("");
    const held = await Peer.dial(port);
    held.send(FROM_7);
    held.send("PING\n");
    expect(await held.line()).toStartWith("OK 0 ");
    expect(await asked(port, FROM_7, "READ /f\n")).toStartWith("ERR EBUSY ");
    held.finish();
    await held.all();
    const again = async (): Promise<boolean> =>
      (await asked(port, FROM_7, "READ /f\n")).startsWith("OK 7 ");
    while (!(await again())) continue;
  });
});

test("a proxy that sends none is cut and told once; who is no proxy is not believed", async () => {
  const log = await logged({ proxies: believing("127.0.0.1") }, async ({ port }) => {
    for (const bytes of ["READ /f\n", "PROXY TCP4 192.0.2.7 127.0.0.1 5 6\r\nREAD /f\n"]) {
      expect(await asked(port, bytes)).toBe("");
    }
    const other = await Peer.dial(port, "127.0.0.2");
    other.send("READ /f\n");
    expect(await other.line()).toStartWith("OK 7 ");
    other.reset();
    const liar = await Peer.dial(port, "127.0.0.2");
    liar.send(FROM_7);
    liar.send("READ /f\n");
    liar.finish();
    expect((await liar.all()).bytes.toString()).not.toContain("content");
  });
  expect(log.match(/sent no PROXY header/g)).toHaveLength(1);
  expect(log).not.toContain("192.0.2.7");
});
