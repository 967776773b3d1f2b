/** What a client sends in the middle of a TLS session that is none of its records. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { eventually } from "../../rig/faults.ts";
import { needing, OPENSSL } from "../../rig/needs.ts";
import { Peer } from "../../rig/peer.ts";
import { Running } from "../../rig/running.ts";
import { askSecurely, CA, CA_FILE, filesOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";

/** A record of two bytes that are an alert, in the open (RFC 8446 6). */
function alert(level: number, description: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, level, description]);
}

const SENT: [string, Uint8Array, string][] = [
  ["a fatal alert", alert(2, 80), "bad packet length"],
  ["a warning", alert(1, 90), "bad packet length"],
  ["an end that anybody could have sent", alert(1, 0), "bad packet length"],
  ["a record under another key", Buffer.from([23, 3, 3, 0, 20, ...Buffer.alloc(20)]), "decryption"],
  ["plaintext", Buffer.from("READ /f\nREAD /f\n"), "wrong version number"],
];

/** A server that logs, and what it has logged. */
class Logged extends Running {
  readonly #logs: Tree;

  constructor(root: string, logs: Tree) {
    const logFd = fs.openSync(logs.path("log"), "a");
    super(root, { tls: filesOf("good"), log: "human", logFd });
    this.#logs = logs;
  }

  get logged(): string {
    return fs.readFileSync(this.#logs.path("log"), "utf8");
  }
}

/** A client of TLS in front of `raw`, which a test may write to as well. */
async function secured(raw: Peer): Promise<tls.TLSSocket> {
  const relay = net.createServer((inner) => {
    inner.on("data", (bytes: Buffer) => raw.send(bytes));
    raw.socket.on("data", (bytes: Buffer) => void inner.write(bytes));
    raw.socket.on("close", () => inner.destroy());
    inner.on("error", () => {});
    relay.close();
  });
  await new Promise<void>((resolve) => void relay.listen(0, "127.0.0.1", resolve));
  const { port } = relay.address() as net.AddressInfo;
  const secure = tls.connect({ port, ca: CA, servername: "localhost" });
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  secure.on("error", () => {});
  return secure;
}

test.each(SENT)("%s is a reset, a line of the log and no crash", async (_name, bytes, words) => {
  using tree = new Tree({ f: "content", large: Buffer.alloc(9_000_000) });
  using logs = new Tree({ log: "" });
  await using running = new Logged(tree.root, logs);
  const { counters } = running.server;
  for (const request of ["PING\n", "READ /large\n"]) {
    using raw = await running.dial();
    const secure = await secured(raw);
    secure.write(request);
    await new Promise((resolve) => secure.once("data", resolve));
    raw.send(bytes);
    await eventually("its end", () => raw.ending === "reset" && counters.connections === 0);
    secure.destroy();
  }
  expect([counters.crashes, counters.resets]).toEqual([0, 2]);
  const line = `the TLS of 127.0.0.1 broke: ${words}`;
  await eventually("its lines", () => running.logged.split(line).length === 3);
  expect(running.logged).toMatch(/ 127\.0\.0\.1 s6 READ \/large RESET /);
  expect(running.logged).not.toContain("internal error");
  expect((await askSecurely(running.port, "f\n")).text).toBe("content");
});

needing(OPENSSL)("85: who wants to negotiate anew is cut", async () => {
  using tree = new Tree({ f: "content" });
  using logs = new Tree({ log: "" });
  await using running = new Logged(tree.root, logs);
  const to = ["-connect", `127.0.0.1:${running.port}`, "-CAfile", CA_FILE];
  // A line that begins with R makes s_client ask for it.
  const child = Bun.spawn(["openssl", "s_client", "-tls1_2", ...to], {
    ...{ stdin: "pipe", stdout: "ignore", stderr: "ignore" },
  });
  void child.stdin.write("R\n");
  void child.stdin.flush();
  await eventually("its line", () => running.logged.includes("broke: no renegotiation"));
  await eventually("its end", () => running.server.counters.connections === 0);
  await child.stdin.end();
  await child.exited;
  expect(running.server.counters.crashes).toBe(0);
});
