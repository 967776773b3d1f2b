/** serv6 --workers: several processes on one port, and what becomes of them. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../../rig/faults.ts";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { cli6 } from "../../rig/program.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";
import { childrenOf, metricsOf, runs, serving } from "./workers.ts";

const TWO = ["-p", "0", "--workers", "2", "--log", "off"];

/** What a bare path brings. */
async function fetched(port: number, path: string): Promise<string> {
  using peer = await Peer.dial(port);
  peer.send(`${path}\n`);
  return (await peer.all()).bytes.toString("latin1");
}

test("two workers share one port, and end with the process that has started them", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, ...TWO]);
  const workers = await serving(started, 2);
  expect(await fetched(await started.port(), "f")).toBe("served");
  // Said once, by one of them.
  expect(started.said.match(/^serv6 [^ ]+ serves /gm)).toHaveLength(1);
  started.child.kill("SIGTERM");
  expect(await started.status()).toBe(0);
  expect(workers.filter(runs)).toEqual([]);
});

test("one worker is no process more, and a mistake is told once", async () => {
  using tree = new Tree({ f: "served" });
  await using alone = new Started([tree.root, "-p", "0", "--workers", "1"]);
  await alone.port();
  expect(childrenOf(alone.child.pid)).toEqual([]);
  await using wrong = new Started([tree.path("none"), ...TWO]);
  expect(await wrong.status()).toBe(3);
  expect(wrong.said.match(/serv6: /g)).toHaveLength(1);
});

test("a cache is one process's own: several are refused with it, and told why", async () => {
  using here = new Tree();
  const keys = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };
  const bucket = ["s3://bucket", "--s3-endpoint", "http://127.0.0.1:1"];
  await using started = new Started([...bucket, "--cache", here.path("cache"), ...TWO], keys);
  expect(await started.status()).toBe(2);
  expect(started.said).toContain("--cache is one process's own: it needs --workers 1");
});

test("a port that another one has is taken, also when that shares it with its own", async () => {
  using tree = new Tree({ f: "served" });
  await using first = new Started([tree.root, ...TWO]);
  const port = String(await first.port());
  await using second = new Started([tree.root, "-p", port, "--workers", "2"]);
  expect(await second.status()).toBe(7);
  expect(second.said).toContain(`port ${port} is taken on 127.0.0.1`);
});

test("72: a worker that is killed costs its own transfers alone, and they are resumed", async () => {
  const bytes = content(7, 0, 24_000_000);
  using tree = new Tree({ f: "served", large: bytes });
  using target = new Tree();
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  const workers = await serving(started, 2);
  // Each stands still in the middle of its file.
  const peers = await Promise.all(Array.from({ length: 12 }, () => Peer.dial(port)));
  for (const peer of peers) {
    peer.send("READ /large\n");
    await peer.until(() => peer.length > 100_000);
    peer.socket.pause();
  }
  const url = `s6://127.0.0.1:${port}/large`;
  const got = cli6(["get", url, "-o", target.path("large"), "--limit-rate", "12M"]);
  await eventually("its first bytes", () => {
    const staged = target.path(`.cli6-${process.geteuid?.() ?? 0}/large`);
    return (fs.statSync(staged, { throwIfNoEntry: false })?.size ?? 0) > 0;
  });
  const killed = performance.now();
  process.kill(workers[0]!, "SIGKILL");
  for (const peer of peers) peer.socket.resume();
  await eventually("a worker in its place", () => {
    return childrenOf(started.child.pid).filter((pid) => !workers.includes(pid)).length === 1;
  });
  const replaced = performance.now() - killed;
  const endings = await Promise.all(
    peers.map(async (peer) => {
      const { line, body } = await peer.reply();
      return line.startsWith("OK 24000000 ") && body.equals(bytes) ? "whole" : "cut";
    }),
  );
  expect(new Set(endings)).toEqual(new Set(["whole", "cut"]));
  expect((await got).status).toBe(0);
  expect(fs.readFileSync(target.path("large")).equals(bytes)).toBe(true);
  await serving(started, 2);
  await started.says(/worker [12] \([0-9]+\) was ended by SIGKILL: it is started again\n/);
  // A second is what is promised; of a busy machine the test asks less.
  expect(replaced).toBeLessThan(5000);
  for (const peer of peers) peer[Symbol.dispose]();
}, 60_000);

test("73: a worker that dies at its start is started at ever longer intervals", async () => {
  using tree = new Tree({ "root/f": "served" });
  await using started = new Started([tree.path("root"), ...TWO]);
  const port = await started.port();
  const [first = 0] = await serving(started, 2);
  // The one that stays has its root open.
  fs.renameSync(tree.path("root"), tree.path("moved"));
  process.kill(first, "SIGKILL");
  await started.says(/ended with status 3 before it served: started again in 0\.5 s\n/);
  await started.says(/ended with status 3 before it served: started again in 1 s\n/);
  await started.says(/ended with status 3 before it served: started again in 2 s\n/);
  // Meanwhile nobody waits: newcomers go to the other one. Half of them would else.
  for (let nth = 0; nth < 24; nth++) expect(await fetched(port, "f")).toBe("served");
  expect(started.said).not.toContain("started again in 8 s");
  fs.renameSync(tree.path("moved"), tree.path("root"));
  await serving(started, 2);
  expect(await fetched(port, "f")).toBe("served");
}, 60_000);

test("74: when the first process is killed nobody is left, and the port is free", async () => {
  using tree = new Tree({ f: "served" });
  // By which the runner of tests has Bun end whatever a program leaves behind.
  const unhelped = { BUN_FEATURE_FLAG_NO_ORPHANS: "0" };
  await using started = new Started([tree.root, ...TWO], unhelped);
  const port = await started.port();
  const workers = await serving(started, 2);
  started.child.kill("SIGKILL");
  await started.child.exited;
  await eventually("all gone", () => workers.filter(runs).length === 0);
  await using next = new Started([tree.root, "-p", String(port), "--workers", "2"]);
  expect(await next.port()).toBe(port);
});

test("a second signal ends all of them at once", async () => {
  using tree = new Tree({ large: content(1, 0, 8_000_000) });
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  const workers = await serving(started, 2);
  using peer = await Peer.dial(port);
  peer.send("READ /large\n");
  await peer.until(() => peer.length > 1000);
  peer.socket.pause();
  started.child.kill("SIGTERM");
  await started.says(/SIGTERM: finishing, again to stop now/);
  started.child.kill("SIGTERM");
  expect(await started.status()).toBe(143);
  await eventually("all gone", () => workers.filter(runs).length === 0);
});

test("60: what one address may have holds over all workers", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, ...TWO, "--max-per-peer", "5"]);
  const port = await started.port();
  // Newcomers of this kind hold nothing, so that all workers are known to serve.
  await eventually("two workers", () => childrenOf(started.child.pid).length === 2);
  const peers = await Promise.all(Array.from({ length: 20 }, () => Peer.dial(port)));
  for (const peer of peers) peer.send("PING\n");
  const replies = await Promise.all(peers.map((peer) => peer.line()));
  expect(replies.filter((line) => line.startsWith("OK"))).toHaveLength(5);
  expect(replies.filter((line) => line.startsWith("ERR EBUSY"))).toHaveLength(15);
  for (const peer of peers) peer[Symbol.dispose]();
  // And they are given back.
  let answer = "";
  while (!answer.startsWith("OK")) {
    using peer = await Peer.dial(port);
    peer.send("PING\n");
    answer = await peer.line();
  }
});

test("60: what a killed worker's peers held is free again", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, ...TWO, "--max-per-peer", "5"]);
  const port = await started.port();
  await eventually("two workers", () => childrenOf(started.child.pid).length === 2);
  const workers = childrenOf(started.child.pid);
  const peers = await Promise.all(Array.from({ length: 5 }, () => Peer.dial(port)));
  for (const peer of peers) peer.send("PING\n");
  await Promise.all(peers.map((peer) => peer.line()));
  for (const worker of workers) process.kill(worker, "SIGKILL");
  await eventually("two others", () => {
    const now = childrenOf(started.child.pid);
    return now.length === 2 && now.every((pid) => !workers.includes(pid));
  });
  const again = await Promise.all(Array.from({ length: 5 }, () => Peer.dial(port)));
  for (const peer of again) peer.send("PING\n");
  const replies = await Promise.all(again.map((peer) => peer.line()));
  expect(replies.filter((line) => line.startsWith("OK"))).toHaveLength(5);
  for (const peer of [...peers, ...again]) peer[Symbol.dispose]();
});

test("81: who shows wrong tokens waits at every worker", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, ...TWO], { SERV6_TOKEN: "right-token" });
  const port = await started.port();
  await eventually("two workers", () => childrenOf(started.child.pid).length === 2);
  const shown = async (peer: Peer, token: string): Promise<string> => {
    peer.send(`AUTH ${token}\n`);
    return await peer.line();
  };
  const waitOf = async (): Promise<number> => {
    using peer = await Peer.dial(port);
    return Number(/wait ([0-9]+) s$/.exec(await shown(peer, "wrong"))?.[1] ?? 0);
  };
  // Until the wait is longer than what follows takes on a busy machine.
  for (let wait = 0; wait < 3; wait = await waitOf()) await Bun.sleep(wait * 1000);
  const peers = await Promise.all(Array.from({ length: 16 }, () => Peer.dial(port)));
  const answers = await Promise.all(peers.map((peer) => shown(peer, "right-token")));
  for (const peer of peers) peer[Symbol.dispose]();
  // Sixteen connections reach both workers.
  expect(answers.filter((line) => !/^ERR EBUSY .*too many wrong tokens/.test(line))).toEqual([]);
}, 40_000);

test("metrics are of all workers together, those that have ended included", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  const workers = await serving(started, 2);
  const name = 'serv6_requests_total{door="plain",outcome="answered"}';
  for (let nth = 0; nth < 40; nth++) expect(await fetched(port, "f")).toBe("served");
  const seen = async (what: string, value: number, times = 1): Promise<void> => {
    const end = performance.now() + 15_000;
    for (let met = 0; met < times;) {
      const now = await metricsOf(port);
      met = now.get(name) === value && now.get("serv6_workers") === 2 ? met + 1 : 0;
      if (performance.now() > end) throw new Error(`never came: ${what}, but ${now.get(name)}`);
    }
  };
  // Both workers have answered, so that each has told the other what it had counted.
  await seen("all requests", 40, 16);
  for (const worker of workers) process.kill(worker, "SIGKILL");
  await eventually("they are gone", () => !workers.some(runs));
  await seen("their past", 40);
  expect(await fetched(port, "f")).toBe("served");
  await seen("one more", 41);
}, 60_000);
