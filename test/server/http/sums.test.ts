/** SHA256SUMS of a folder: what sha256sum(1) checks, line by line, or RST. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { Refusal } from "../../../src/wire/errors.ts";
import { Random } from "../../fuzz/random.ts";
import { eventually, replaceCall } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { needing, works } from "../../rig/needs.ts";
import { content } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Simulation } from "../../rig/simulation.ts";
import { Tree } from "../../rig/tree.ts";

const SHA256SUM = { here: works("sha256sum", "--version"), what: "sha256sum" };
const CURL = { here: works("curl", "--version"), what: "curl" };

const get = (target: string, method = "GET"): string =>
  `${method} ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;

const line = (name: string, bytes: string | Uint8Array): string =>
  `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, nth) => `f${String(nth).padStart(4, "0")}`);

/** Files of names that have to be escaped, in folder "d", and what is no file of it. */
function oddTree(): Tree {
  const tree = new Tree({ "d/sub/below": "x", "d/.hidden": "x", "d/empty": "" });
  const names = ["b\\ack", "l\nf", "c\rr", " a", "*b", "é", "n".repeat(255), "\\n"];
  for (const name of names) tree.write(`d/${name}`, name);
  fs.writeFileSync(Buffer.from(`${tree.root}/d/\xff`, "latin1"), "byte");
  tree.write("d/large", content(5, 0, 9_000_001));
  tree.link("d/link", "large");
  tree.link("d/nowhere", "none");
  return tree;
}

async function check(tree: Tree, sums: Buffer): Promise<string> {
  const child = Bun.spawn(["sha256sum", "-c", "--strict", "--quiet"], {
    ...{ cwd: tree.path("d"), stdin: sums, stdout: "pipe", stderr: "pipe" },
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return `${child.exitCode} ${out}${err}`;
}

needing(SHA256SUM)("sha256sum finds each file right, by chunks and without", async () => {
  using tree = oddTree();
  await using running = new Running(tree.root);
  const { bytes, ending } = await httpExchange(running, get("/d/SHA256SUMS") + get("/d/empty"));
  const [reply, behind] = httpReplies(bytes, ["GET", "GET"]);
  expect([ending, reply?.fields.get("transfer-encoding"), behind?.status]).toEqual([
    ...["fin", "chunked", 200],
  ]);
  // Eleven files and a link to one.
  expect(reply!.body.toString("latin1").match(/\n/g)).toHaveLength(12);
  expect(await check(tree, reply!.body)).toBe("0 ");
  const old = await httpExchange(
    running,
    "GET /d/SHA256SUMS HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  );
  const body = old.bytes.indexOf("\r\n\r\n") + 4;
  expect(old.bytes.toString("latin1", 0, body)).toMatch(/\r\nConnection: close\r\n/);
  expect([old.ending, old.bytes.subarray(body).equals(reply!.body)]).toEqual(["fin", true]);
});

needing(SHA256SUM, CURL)("curl | sha256sum -c, as in the README", async () => {
  using tree = new Tree({ "d/a": content(1, 0, 3_000_000), "d/b": "b" });
  await using running = new Running(tree.root);
  const url = `http://127.0.0.1:${running.port}/d/SHA256SUMS`;
  const child = Bun.spawn(["sh", "-c", 'curl -sS "$0" | sha256sum -c', url], {
    ...{ cwd: tree.path("d"), stdout: "pipe", stderr: "inherit" },
  });
  expect(await child.stdout.text()).toBe("a: OK\nb: OK\n");
});

test("a file of that name counts more, and where no folder is there is no list", async () => {
  using tree = new Tree({ "real/SHA256SUMS": "mine", "real/x": "", f: "x", ".h/x": "x" });
  tree.write("folder/SHA256SUMS/x", "x");
  await using running = new Running(tree.root);
  const targets = ["/real", "/none", "/f", "/.h", "/folder", "", "//real/."];
  for (const method of ["GET", "HEAD"]) {
    const text = targets.map((folder) => get(`${folder}/SHA256SUMS`, method)).join("");
    const { bytes } = await httpExchange(running, text);
    const replies = httpReplies(
      bytes,
      targets.map(() => method),
    );
    expect(replies.map(({ status }) => status)).toEqual([200, 404, 404, 404, 301, 200, 200]);
    expect(replies[0]?.fields.get("content-length")).toBe("4");
    const body = method === "HEAD" ? "" : line("f", "x");
    expect([replies[5]?.body.toString(), replies[5]?.fields.get("content-type")]).toEqual([
      ...[body, "text/plain;charset=utf-8"],
    ]);
  }
  await using single = new Running(tree.path("f"));
  const { bytes } = await httpExchange(single, get("/SHA256SUMS"));
  expect(httpReplies(bytes, ["GET"])[0]?.body.toString()).toBe(line("f", "x"));
});

test("a folder of many pages: each file once, in order, and an empty one has no line", async () => {
  const names = many(300);
  using tree = new Tree({ "d/sub/x": "x", empty: null });
  for (const name of names) tree.write(`d/${name}`, name);
  await using running = new Running(tree.root);
  const { bytes } = await httpExchange(running, get("/d/SHA256SUMS") + get("/empty/SHA256SUMS"));
  const [reply, empty] = httpReplies(bytes, ["GET", "GET"]);
  expect(reply?.body.toString()).toBe(names.map((name) => line(name, name)).join(""));
  expect([empty?.status, empty?.body.length]).toEqual([200, 0]);
  using peer = await running.dial();
  peer.send("GET /d/SHA256SUMS HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const old = await peer.all();
  expect(old.ending).toBe("fin");
  expect(old.bytes.toString()).toEndWith(`\r\n\r\n${reply!.body.toString()}`);
});

test("who does not read has no more made for it, and all of it when it reads", () => {
  const names = many(3000);
  using simulation = new Simulation(Object.fromEntries(names.map((name) => [name, name])));
  let asked = 0;
  const { store } = simulation.running;
  const real = store.digests.bind(store);
  store.digests = (...args) => (asked++, real(...args));
  const peer = simulation.connect({ room: 1000 });
  peer.send(get("/SHA256SUMS") + get("/f0000"));
  simulation.loop.settle();
  // What is gathered for one write, and what the peer's kernel takes.
  expect(asked).toBeWithin(10, 600);
  simulation.flow(peer);
  const [reply, behind] = httpReplies(peer.bytes, ["GET", "GET"]);
  expect(reply?.body.toString()).toBe(names.map((name) => line(name, name)).join(""));
  expect(behind?.body.toString()).toBe("f0000");
});

test("peers whose sockets take what they like, one beside the other, have each their own list", () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Random(seed);
    const names = many(1 + random.below(300));
    using simulation = new Simulation(Object.fromEntries(names.map((name) => [name, name])));
    simulation.kernel.random = random;
    const peers = Array.from({ length: 3 }, () => {
      const room = random.pick([100, 500, 5000, 60_000]);
      return simulation.connect({ room, short: random.pick([0, 2]), refuse: random.pick([0, 3]) });
    });
    for (const peer of peers) {
      peer.send(get("/f0000") + get("/SHA256SUMS") + get("/f0000"));
      if (random.below(2) === 0) peer.finish();
      else peer.drainWithoutCause();
    }
    // A drain may be refused as well: what seems to stand still goes on with the next one.
    for (let left = 5000; left > 0; left--) simulation.flow(...peers);
    for (const peer of peers) {
      const [, reply] = httpReplies(peer.bytes, ["GET", "GET", "GET"]);
      expect(reply?.body.toString()).toBe(names.map((name) => line(name, name)).join(""));
    }
  }
});

test("others have their turn while a list is made", () => {
  const names = many(2000);
  using simulation = new Simulation(Object.fromEntries(names.map((name) => [name, name])));
  const lister = simulation.connect();
  lister.send(get("/SHA256SUMS"));
  const other = simulation.connect();
  other.send("PING\n");
  expect(other.text).toStartWith("OK ");
  expect(lister.text).not.toContain("f1999");
  simulation.flow(lister);
  expect(lister.text).toEndWith("f1999\n\r\n0\r\n\r\n");
});

test.each(["1.1", "1.0"])("HTTP/%s: a file that is edited while it is read is RST", async (of) => {
  using tree = new Tree({ a: "a", m: "", z: "z" });
  fs.truncateSync(tree.path("m"), 2 ** 40);
  const log = tree.path(".log");
  const logFd = fs.openSync(log, "w");
  {
    await using running = new Running(tree.root, { log: "json", logFd });
    using peer = await running.dial();
    peer.send(`GET /SHA256SUMS HTTP/${of}\r\nHost: h\r\n\r\n`);
    await eventually("hashing", () => running.store.digester.portions > 1);
    fs.writeFileSync(tree.path("m"), "short");
    const { bytes, ending } = await peer.all();
    // Perhaps the head and the first line did not get out before the RST.
    expect(ending).toBe("reset");
    expect(bytes.toString("latin1")).not.toMatch(/  z\n|0\r\n\r\n/);
  }
  fs.closeSync(logFd);
  const told = JSON.parse(fs.readFileSync(log, "utf8")) as Record<string, unknown>;
  expect([told["path"], told["status"], told["bytes"]]).toEqual([
    ...["/SHA256SUMS", "RESET", line("a", "a").length],
  ]);
});

test("what can't be read is RST, and what has gone is left out", async () => {
  using tree = new Tree({ "d/a": "a", "d/bad": "it fails", "e/a": "a", "e/b": "b", "e/c": "c" });
  await using running = new Running(tree.root);
  using _fault = replaceCall("pread", (real) => (fd, into, count, offset) => {
    // One byte more than it has: how small files are read.
    return count === "it fails".length + 1 ? -5 : real(fd, into, count, offset);
  });
  const failed = await httpExchange(running, get("/d/SHA256SUMS"));
  expect([failed.ending, failed.bytes.includes("0\r\n\r\n")]).toEqual(["reset", false]);
  // What was gathered of the list that failed is not in front of another's reply.
  const { store } = running;
  const real = store.open.bind(store);
  store.open = (path, waiter) => {
    const first = path === "/e/SHA256SUMS" && !fs.existsSync(tree.path("e/SHA256SUMS"));
    if (first) tree.write("e/SHA256SUMS", "made meanwhile");
    if (path === "/e/a") fs.rmSync(tree.path("e/b"), { force: true });
    return first ? new Refusal("ENOENT") : real(path, waiter);
  };
  const { bytes } = await httpExchange(running, get("/e/SHA256SUMS"));
  const [reply] = httpReplies(bytes, ["GET"]);
  expect(reply?.body.toString()).toBe(line("a", "a") + line("c", "c"));
});

test.each(["with a FIN", "at once"])("who has gone, %s, is worked for no more", async (how) => {
  using tree = new Tree({ a: "a", endless: "" });
  fs.truncateSync(tree.path("endless"), 2 ** 42);
  await using running = new Running(tree.root);
  const peers = await Promise.all(Array.from({ length: 5 }, () => running.dial()));
  for (const peer of peers) {
    peer.send(get("/SHA256SUMS"));
    if (how === "with a FIN") peer.finish();
  }
  const wanted = how === "with a FIN" ? `\r\n${(66 + 8).toString(16)}\r\n` : "  a\n";
  await eventually("what is known", () => peers.every(({ length }) => length > 200));
  for (const peer of peers) {
    expect((await peer.take(peer.length)).toString()).toContain(wanted);
    peer.reset();
  }
  await eventually("their end", () => running.server.counters.connections === 0);
  running.store.sweep();
  expect(running.store.digester.jobs).toBe(0);
});

test("a list that is not read is cut", () => {
  const names = many(1000);
  using simulation = new Simulation(Object.fromEntries(names.map((name) => [name, name])));
  const peer = simulation.connect({ room: 1000 });
  peer.send(get("/SHA256SUMS"));
  simulation.loop.settle();
  simulation.pass(200_000);
  expect(peer.socket.ending).toBe("reset");
});
