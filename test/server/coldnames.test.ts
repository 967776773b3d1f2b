/**
 * Names and folders that are not in memory: the disk is waited for off the loop, others are
 * answered meanwhile, and the answer is the same whatever was in memory.
 */
import { expect, test } from "bun:test";
import { ERRNO } from "../../src/sys/errno.ts";
import { RESOLVE } from "../../src/sys/types.ts";
import { Tokens } from "../../src/identity/tokens.ts";
import { coldNames, eventually, replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";
import { Tree } from "../rig/tree.ts";

const FILES = {
  small: "content",
  "d/a": "1",
  "d/b": "22",
  "d/e/deep": "x",
  large: content(1, 0, 100_000),
  "index/README.md": "# read me",
};

function ask(simulation: Simulation, text: string): SimulatedPeer {
  const peer = simulation.connect();
  peer.send(text);
  return peer;
}

const HTTP = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

const QUESTIONS = [
  "READ /small\n",
  "READ offset=10 length=20 /large\n",
  "HASH /large\n",
  "STAT /d\n",
  "STAT /nope\n",
  "LIST /d\n",
  "LIST left=1 limit=2 /d\n",
  "LIST /small\n",
  "LIST /nope\n",
  "READ /d/link\n",
  "d/link",
  "nope\n",
  `GET /small${HTTP}`,
  `GET /index/${HTTP}`,
  `GET /index/?json${HTTP}`,
  `GET /d/SHA256SUMS${HTTP}`,
  `GET /nope/${HTTP}`,
];

test("119: while a name is looked up others are answered, by every verb and door", () => {
  using simulation = new Simulation(FILES);
  simulation.tree.link("d/link", "a");
  simulation.tree.link("d/out", "/etc/passwd");
  for (const question of QUESTIONS) {
    const warm = ask(simulation, question);
    if (!question.includes("\n")) warm.finish();
    simulation.flow(warm);
    simulation.running.store.cache.clear();
    using _names = coldNames();
    const cold = ask(simulation, question);
    if (!question.includes("\n")) cold.finish();
    expect([question, cold.connection.state.awaits, cold.text]).toEqual([question, "store", ""]);
    expect(ask(simulation, "PING\n").text).toStartWith("OK 0 server=");
    simulation.flow(cold);
    const undated = (text: string): string => text.replace(/^Date: .*$/m, "");
    expect([question, undated(cold.text)]).toEqual([question, undated(warm.text)]);
    simulation.running.store.cache.clear();
  }
});

test("a half-closed client is told that a cold folder is none, not reset", () => {
  using simulation = new Simulation(FILES);
  using _names = coldNames();
  const peer = ask(simulation, "LIST /nope\nLIST /small\nLIST limit=1 /d\n");
  peer.finish();
  // Whoever has gone is found out by a byte of a reply: none is promised yet.
  for (let turn = 0; turn < 10; turn++) peer.connection.probe();
  simulation.flow(peer);
  expect(peer.text).toMatch(/^ERR ENOENT [^\n]*\nERR ENOTDIR [^\n]*\nOK \d+ count=1 /);
  expect(peer.socket.ending).toBe("fin");
});

test("nor is one whose token opens a file below it", () => {
  using file = new Tree({ tokens: '[anonymous]\npaths = ["/no/x", "/d/a"]\n' });
  using simulation = new Simulation(FILES, { tokens: Tokens.ofFile(file.path("tokens")) });
  using _names = coldNames();
  const peer = ask(simulation, "LIST /no\nLIST /d\n");
  peer.finish();
  for (let turn = 0; turn < 10; turn++) peer.connection.probe();
  simulation.flow(peer);
  expect(peer.text).toMatch(/^ERR ENOENT [^\n]*\nOK \d+ count=1 /);
  expect(peer.socket.ending).toBe("fin");
});

test("who leaves while the disk is waited for costs no look and leaves no descriptor", () => {
  using simulation = new Simulation(FILES);
  const before = openIn(simulation.tree.root);
  using _names = coldNames();
  let looks = 0;
  using _count = replaceCall("openat2", (real) => (...args) => {
    if ((args[3] & RESOLVE.cached) === 0) looks += 1;
    return real(...args);
  });
  for (const line of ["READ /large\n", "STAT /d\n", "LIST /d\n"]) {
    for (let nth = 0; nth < 100; nth++) ask(simulation, line).socket.close();
  }
  simulation.loop.settle();
  expect(looks).toBeLessThan(10);
  const { crashes, connections } = simulation.running.server.counters;
  expect([openIn(simulation.tree.root), crashes, connections]).toEqual([before, 0, 0]);
});

test("the names of a page are brought by the thread where two of them are cold, else not", () => {
  const names = Array.from({ length: 300 }, (_, nth) => `n${1000 + nth}`);
  using simulation = new Simulation(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  ask(simulation, "LIST /d\n");
  simulation.loop.settle();
  const turnsOf = (cold: boolean): [turns: number, text: string] => {
    using _names = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
      const asks = cold && (resolve & RESOLVE.cached) !== 0 && path.startsWith("n1");
      return asks ? -ERRNO.EAGAIN : real(dirfd, path, flags, resolve, mode);
    });
    const peer = ask(simulation, "LIST limit=299 /d\n");
    let turns = 0;
    for (; simulation.loop.immediates > 0; turns++) simulation.loop.turn();
    simulation.flow(peer);
    return [turns, peer.text];
  };
  const [warm, text] = turnsOf(false);
  const [cold, same] = turnsOf(true);
  expect(text).toStartWith("OK ");
  expect(same).toBe(text);
  // 300 names are three steps, and each waits for a look.
  expect(cold - warm).toBeGreaterThanOrEqual(3);
});

test("who may read two files is told the same of the way there, whatever is in memory", () => {
  using file = new Tree({
    tokens: '[anonymous]\npaths = ["/d/a", "/d/e/deep", "/large", "/no/x"]\n',
  });
  using simulation = new Simulation(FILES, { tokens: Tokens.ofFile(file.path("tokens")) });
  const questions = ["LIST /", "LIST limit=1 /", "LIST /d", "LIST /no", "LIST /large", "STAT /d"];
  questions.push("STAT /no", "READ /d", "READ /no", "READ /d/e/deep", "READ /small", "STAT /d/b");
  for (const question of questions) {
    const warm = ask(simulation, `${question}\n`);
    simulation.flow(warm);
    simulation.running.store.cache.clear();
    using _names = coldNames();
    const cold = ask(simulation, `${question}\n`);
    simulation.flow(cold);
    expect([question, cold.text]).toEqual([question, warm.text]);
    simulation.running.store.cache.clear();
  }
  const page = ask(simulation, "LIST /\n");
  simulation.flow(page);
  expect(page.text).toMatch(/^OK \d+ count=2 more=0 left=0\ndir [^\n]* d\nfile [^\n]* large\n$/);
});

test("over real sockets, from a disk of which nothing is known: all comes right, nothing is left", async () => {
  using tree = new Tree();
  for (let nth = 0; nth < 200; nth++) tree.write(`d/f${nth}`, content(1, nth, 3000));
  using _names = coldNames();
  await using running = new Running(tree.root);
  const names = Array.from({ length: 200 }, (_, nth) => `READ /d/f${nth}\n`);
  const { bytes, ending } = await running.ask(names.join(""));
  expect(ending).toBe("fin");
  let at = 0;
  for (let nth = 0; nth < 200; nth++) {
    const end = bytes.indexOf("\n", at) + 1;
    expect(verify(bytes.subarray(end, end + 3000), 1, nth)).toBeNull();
    at = end + 3000;
  }
  expect(at).toBe(bytes.length);
  running.store.cache.clear();
  const visits = Array.from({ length: 20 }, async () => {
    using peer = await running.dial();
    peer.send(`STAT /d/f1\nLIST /d\n${names.join("")}`);
    peer.reset();
  });
  await Promise.all(visits);
  await running.server.stop(0);
  await eventually("all let go of", () => openIn(tree.root) === 0);
});
