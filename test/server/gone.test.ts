/**
 * Peers that have gone while the store works for them. FIN alone does not tell them from those who
 * have only half-closed; a byte does, and the head of a reply is one that is known early.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import { Started } from "../cli/serv6/started.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { OPEN } from "../../src/sys/types.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** More than anybody hashes within a test. */
const SPARSE = 2 ** 42;
const FOREVER = "HASH algo=sha256 /sparse\n";

function sparse(tree: Tree, size = SPARSE): void {
  tree.write("sparse", "");
  fs.truncateSync(tree.path("sparse"), size);
}

/** A program that connects `count` times, sends `line` on each, and exits when all is sent. */
async function visit(port: number, count: number, line: string): Promise<void> {
  const code = `
    const { createConnection } = require("node:net");
    let left = ${count};
    for (let nth = 0; nth < ${count}; nth++) {
      const socket = createConnection(${port}, "127.0.0.1", () =>
        socket.write(${JSON.stringify(line)}, () => --left === 0 && process.exit(0)));
    }`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdin: "ignore", stdout: "ignore" });
  expect(await child.exited).toBe(0);
}

test("a program that asks for endless digests and exits leaves no connection, job or descriptor", async () => {
  using tree = new Tree({ f: "content" });
  sparse(tree);
  await using running = new Running(tree.root, { limits: { files: 300 } });
  const { server, store } = running;
  await visit(running.port, 100, FOREVER);
  await eventually("all of them accepted", () => server.counters.accepted === 100);
  await eventually("their connections' end", () => server.counters.connections === 0);
  await eventually("their jobs' end", () => store.digester.jobs === 0);
  store.cache.clear();
  await eventually("the file let go of", () => openIn(tree.path("sparse")) === 0);
});

test("so does one that asked for more than can wait, whose FIN is not read", async () => {
  using tree = new Tree();
  sparse(tree);
  await using running = new Running(tree.root);
  const { server, store } = running;
  await visit(running.port, 3, FOREVER + "PING\n".repeat(20_000));
  await eventually("all of them accepted", () => server.counters.accepted === 3);
  await eventually("their connections' end", () => server.counters.connections === 0);
  await eventually("their jobs' end", () => store.digester.jobs === 0);
});

test("a half-closed client gets its head at once and its digests in order", async () => {
  const size = 40_000_000;
  using tree = new Tree({ big: content(1, 0, size), small: "abc" });
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send("HASH algo=sha256 /big\nHASH chunk=4096 length=20000000 offset=1 /big\nREAD /small\n");
  peer.finish();
  const { bytes, ending } = await peer.all();
  const file = fs.readFileSync(tree.path("big"));
  const sha256 = new Bun.CryptoHasher("sha256").update(file).digest("hex");
  const text = bytes.toString("latin1");
  expect(text).toStartWith(`OK 65 size=${size} etag=`);
  const [, whole, refused, , small] = text.split("\n");
  expect([whole, small, ending]).toEqual([sha256, "abc", "fin"]);
  expect(refused).toStartWith("ERR EINVAL ");
});

test("digests that were promised and can't be had end in a reset", async () => {
  using tree = new Tree();
  sparse(tree);
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send(FOREVER);
  await eventually("the job", () => running.store.digester.portions > 2);
  peer.finish();
  await peer.until(() => peer.length > 0);
  fs.appendFileSync(tree.path("sparse"), "x");
  fs.truncateSync(tree.path("sparse"), 5);
  const { bytes, ending } = await peer.all();
  expect(bytes.toString()).toMatch(/^OK 65 size=4398046511104 etag=\S+ algo=sha256 chunk=\d+\n$/);
  expect(ending).toBe("reset");
  await eventually("the job's end", () => running.store.digester.jobs === 0);
});

/** A directory gives the same names again and again, until `ended` gives an -errno. */
function endless(ended: () => number): Disposable {
  let first = 0;
  return replaceCall("getdents", (real) => (fd, into) => {
    if (first === 0) first = real(fd, into);
    return ended() || first;
  });
}

test("programs that ask for endless lists and exit leave no connection and no open directory", async () => {
  using tree = new Tree({ "d/f": "x", "e/f": "x" });
  await using running = new Running(tree.root);
  using _fault = endless(() => 0);
  const { counters } = running.server;
  // Each limit is a page of its own.
  const lists = Array.from({ length: 12 }, (_, nth) => `LIST limit=${nth + 1} /d\n`);
  await Promise.all(lists.map((line) => visit(running.port, 10, line)));
  await eventually("all of them accepted", () => counters.accepted === 120);
  await eventually("their connections' end", () => counters.connections === 0);
  await eventually("the directory let go of", () => openIn(tree.path("d")) === 0);
});

test("a half-closed client gets its lists, and why there is none", async () => {
  using tree = new Tree({ "d/f": "x", file: "y" });
  fs.utimesSync(tree.path("d/f"), 1, 1);
  await using running = new Running(tree.root);
  using _fault = replaceCall("openat", (real) => (dirfd, name, flags) => {
    const opens = name.startsWith("/proc/self/fd/") && (flags & OPEN.directory) !== 0;
    return opens && forbidden ? -ERRNO.EACCES : real(dirfd, name, flags);
  });
  let forbidden = false;
  const answer = async (lines: string): Promise<string> => {
    using peer = await running.dial();
    peer.send(lines);
    peer.finish();
    const { bytes, ending } = await peer.all();
    return `${bytes.toString("latin1")}${ending}`;
  };
  expect(await answer("LIST /d\nLIST /none\nLIST /file\nLIST limit=0 /d\n")).toMatch(
    /^OK \d+ count=1 more=0 left=0 id=\S+\nfile size=1 mtime=1000000000 etag=\S+ f\nERR ENOENT [^\n]*\nERR ENOTDIR [^\n]*\nOK 0 count=0 more=1 left=0 id=\S+\nfin$/,
  );
  forbidden = true;
  expect(await answer("LIST /d\n")).toMatch(/^ERR EACCES [^\n]*\nfin$/);
});

test("a list that was promised and can't be read ends in a reset, one that was not in a refusal", async () => {
  using tree = new Tree({ "d/f": "x" });
  await using running = new Running(tree.root);
  let failure = 0;
  using _fault = endless(() => failure);
  using closed = await running.dial();
  using open = await running.dial();
  closed.send("LIST /d\n");
  closed.finish();
  await closed.until(() => closed.length > 0);
  open.send("LIST /d\n");
  failure = -ERRNO.EIO;
  const { bytes, ending } = await closed.all();
  expect([bytes.toString(), ending]).toEqual(["OK ", "reset"]);
  expect((await open.reply()).line).toMatch(/^ERR EIO /);
});

test("a request that the store can't answer in time is refused, or reset where it was promised", async () => {
  using tree = new Tree();
  sparse(tree);
  await using running = new Running(tree.root, { limits: { storeMs: 1000 } });
  using waiting = await running.dial();
  using closed = await running.dial();
  waiting.send(FOREVER);
  closed.send(FOREVER);
  closed.finish();
  expect((await waiting.all()).bytes.toString()).toMatch(/^ERR ETIMEDOUT .*not done within/);
  expect((await closed.all()).ending).toBe("reset");
  expect(running.server.counters.timeouts).toBe(2);
});

test("SIGTERM does not wait for those who have gone", async () => {
  using tree = new Tree();
  sparse(tree);
  await using started = new Started([tree.root, "-p", "0", "--log", "off", "--grace", "60"]);
  const port = await started.port();
  const proc = path.join("/proc", String(started.child.pid), "fd");
  const sockets = (): number =>
    fs.readdirSync(proc).filter((fd) => {
      try {
        return fs.readlinkSync(path.join(proc, fd)).startsWith("socket:");
      } catch {
        return false;
      }
    }).length;
  const before = sockets();
  await visit(port, 20, FOREVER);
  await eventually("their connections' end", () => sockets() === before);
  const began = performance.now();
  started.child.kill("SIGTERM");
  expect(await started.status()).toBe(0);
  // Its grace is 60 s: a tenth of it tells the two apart on any machine.
  expect(performance.now() - began).toBeLessThan(6000);
});
