/** SIGHUP to serv6 --workers: fresh workers, and nothing lost. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import tls from "node:tls";
import { MEMORY_FD } from "../../../src/cli/serv6/worker.ts";
import { Colleagues } from "../../../src/server/colleagues.ts";
import { eventually } from "../../rig/faults.ts";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { filesOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";
import { childrenOf, runs, serving, socketsOf } from "./workers.ts";

const TWO = ["-p", "0", "--workers", "2", "--log", "off"];

/** The count of lines that say that it has been reloaded. */
function reloads(started: Started): number {
  return started.said.match(/ reloaded in [0-9]+ ms: 2 fresh workers serve/g)?.length ?? 0;
}

test("71: reloads under load cost no request, nor a transfer that is under way", async () => {
  const bytes = content(3, 0, 30_000_000);
  using tree = new Tree({ f: "served", large: bytes });
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  const before = await serving(started, 2);
  using slow = await Peer.dial(port);
  slow.send("READ /large\n");
  await slow.until(() => slow.length > 100_000);
  slow.socket.pause();
  let over = false;
  let requests = 0;
  const wrong: string[] = [];
  const load = async (): Promise<void> => {
    while (!over) {
      using peer = await Peer.dial(port);
      peer.send("f\n");
      const { bytes: got, ending } = await peer.all();
      requests += 1;
      if (got.toString() !== "served" || ending !== "fin") wrong.push(`${ending} behind "${got}"`);
    }
  };
  const all = Array.from({ length: 8 }, load);
  for (let nth = 1; nth <= 4; nth++) {
    const asked = requests;
    started.child.kill("SIGHUP");
    await eventually("a reload", () => reloads(started) === nth, 60_000);
    await eventually("requests behind it", () => requests > asked + 20, 60_000);
  }
  over = true;
  await Promise.all(all);
  expect(wrong).toEqual([]);
  slow.socket.resume();
  const { body } = await slow.reply();
  expect(body.equals(bytes)).toBe(true);
  await eventually("those of before are gone", () => {
    const now = childrenOf(started.child.pid);
    return now.length === 2 && !now.some((pid) => before.includes(pid));
  });
}, 300_000);

test("HTTP is told that a connection ends when its worker is replaced", async () => {
  using tree = new Tree({ f: "served", large: content(3, 0, 8_000_000) });
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  await serving(started, 2);
  using peer = await Peer.dial(port);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  peer.send(get("/large"));
  await peer.until(() => peer.length > 1000);
  peer.socket.pause();
  started.child.kill("SIGHUP");
  await eventually("a reload", () => reloads(started) === 1, 60_000);
  // Only now is the second one sent: it is answered, and last.
  peer.send(get("/f"));
  peer.socket.resume();
  const { bytes, ending } = await peer.all();
  const second = bytes.toString("latin1").slice(bytes.lastIndexOf("HTTP/1.1 200"));
  expect(second).toContain("\r\nConnection: close\r\n");
  expect(second).toEndWith("\r\n\r\nserved");
  expect(ending).toBe("fin");
}, 150_000);

test("a certificate that can't be used leaves all as it is, and says why", async () => {
  using tree = new Tree({ f: "served" });
  using keys = new Tree();
  const { cert, key } = filesOf("good");
  fs.copyFileSync(cert, keys.path("cert.pem"));
  fs.copyFileSync(key, keys.path("key.pem"));
  const flags = ["--tls-cert", keys.path("cert.pem"), "--tls-key", keys.path("key.pem")];
  await using started = new Started([tree.root, ...TWO, ...flags]);
  const port = Number((await started.says(/s6s:\/\/[^ ]*:([0-9]+)\//))[1]);
  const workers = await serving(started, 2, port);
  fs.writeFileSync(keys.path("cert.pem"), "nonsense");
  started.child.kill("SIGHUP");
  await started.says(/not reloaded, all is as before: a fresh worker ended with status 2/);
  expect(started.said).toMatch(/serv6: --tls-cert: .*cert\.pem/);
  expect(childrenOf(started.child.pid).sort()).toEqual(workers.sort());
  const secured = await new Promise<boolean>((resolve) => {
    const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
  expect(secured).toBe(true);
  // Once it can be used again, so can a reload.
  fs.copyFileSync(cert, keys.path("cert.pem"));
  started.child.kill("SIGHUP");
  await eventually("a reload", () => reloads(started) === 1, 60_000);
}, 150_000);

test("a worker that dies starts again as at the last reload, whatever the file has", async () => {
  using tree = new Tree({ "d/f": "served" });
  using own = new Tree();
  const root = `root = ${JSON.stringify(tree.path("d"))}\n`;
  own.write("serv6.toml", `port = 0\nworkers = 2\nlog = "off"\n${root}`);
  const file = own.path("serv6.toml");
  await using started = new Started(["-c", file]);
  const port = await started.port();
  const [first = 0] = await serving(started, 2);
  fs.writeFileSync(file, `workers = 2\nhiden = true\n${root}`);
  process.kill(first, "SIGKILL");
  await eventually("another one", () => {
    const now = childrenOf(started.child.pid);
    return now.length === 2 && !now.includes(first);
  });
  await serving(started, 2);
  expect(started.said).not.toContain("before it served");
  started.child.kill("SIGHUP");
  expect((await started.says(/not reloaded.*/))[0]).toContain("unknown key hiden: did you mean");
  using peer = await Peer.dial(port);
  peer.send("f\n");
  expect((await peer.all()).bytes.toString()).toBe("served");
});

test("what a configuration file says by then is taken, and a mistake in it is told", async () => {
  using tree = new Tree({ "root/.hidden": "seen", "serv6.toml": "port = 0\nworkers = 2\n" });
  const file = tree.path("serv6.toml");
  const flags = ["--log", "off", "-c", file];
  await using started = new Started([tree.path("root"), ...flags]);
  const port = await started.port();
  await serving(started, 2);
  const ask = async (): Promise<string> => {
    using peer = await Peer.dial(port);
    peer.send(".hidden\n");
    return (await peer.all()).bytes.toString();
  };
  expect(await ask()).toStartWith("ERROR ENOENT");
  fs.writeFileSync(file, "port = 0\nworkers = 2\nhiden = true\n");
  started.child.kill("SIGHUP");
  await started.says(/not reloaded, all is as before: .*hiden/);
  expect(await ask()).toStartWith("ERROR ENOENT");
  fs.writeFileSync(file, "port = 0\nworkers = 3\nhidden = true\n");
  started.child.kill("SIGHUP");
  await started.says(/ reloaded in [0-9]+ ms: 3 fresh workers serve/);
  // Those of before accept nobody any more once they have been told.
  let answer = "";
  while (answer !== "seen") answer = await ask();
  await serving(started, 3);
}, 150_000);

test("more workers that can't start leave nobody waiting at sockets of theirs", async () => {
  using tree = new Tree({ "root/f": "served" });
  const file = tree.path("serv6.toml");
  const say = (workers: number, root: string): void => {
    fs.writeFileSync(file, `port = 0\nworkers = ${workers}\nroot = "${root}"\n`);
  };
  say(2, "root");
  await using started = new Started(["-c", file, "--log", "off"]);
  const port = await started.port();
  const workers = await serving(started, 2);
  say(6, "none");
  started.child.kill("SIGHUP");
  await started.says(/not reloaded, all is as before: a fresh worker ended with status 3/);
  const all = Array.from({ length: 48 }, async () => {
    using peer = await Peer.dial(port);
    peer.send("f\n");
    return (await peer.all()).bytes.toString();
  });
  expect(new Set(await Promise.all(all))).toEqual(new Set(["served"]));
  say(6, "root");
  started.child.kill("SIGHUP");
  await started.says(/ reloaded in [0-9]+ ms: 6 fresh workers serve/);
  await eventually("those of before are gone", () => !workers.some(runs));
  await serving(started, 6);
}, 60_000);

/**
 * What 48 newcomers are told behind a reload from two workers to six of which the last one is
 * killed before it serves, while all others do and can't hear that they are to end; null where it
 * served before it could be stopped.
 */
async function askedBehindFailure(): Promise<Set<string> | null> {
  using tree = new Tree({ "root/f": "served" });
  const file = tree.path("serv6.toml");
  const say = (workers: number): void => {
    fs.writeFileSync(file, `port = 0\nworkers = ${workers}\nroot = "root"\n`);
  };
  say(2);
  await using started = new Started(["-c", file, "--log", "off"]);
  const port = await started.port();
  const before = await serving(started, 2);
  const fd = fs.openSync(`/proc/${before[0]}/fd/${MEMORY_FD}`, "r+");
  const colleagues = Colleagues.open(fd)!;
  fs.closeSync(fd);
  say(6);
  started.child.kill("SIGHUP");
  const fresh = (): number[] =>
    childrenOf(started.child.pid).filter((pid) => !before.includes(pid));
  await eventually("all of them start", () => fresh().length === 6);
  const [, ...others] = fresh().sort((a, b) => a - b);
  const last = others.pop() ?? 0;
  process.kill(last, "SIGSTOP");
  // Each that starts has the first plane that is free: eight have one by now.
  await eventually("all others serve", () =>
    [2, 3, 4, 5, 6].every((nth) => colleagues.serves(nth)),
  );
  if (colleagues.serves(7)) return null;
  for (const pid of others) process.kill(pid, "SIGSTOP");
  process.kill(last, "SIGKILL");
  await started.says(/not reloaded, all is as before: a fresh worker was ended by SIGKILL/);
  const asking = Array.from({ length: 48 }, async () => {
    using peer = await Peer.dial(port);
    peer.send("f\n");
    return (await peer.all()).bytes.toString();
  });
  const answered = await Promise.race([Promise.all(asking), Bun.sleep(20_000)]);
  for (const pid of others) process.kill(pid, "SIGCONT");
  await eventually("they are gone", () => fresh().length === 0);
  await serving(started, 2);
  return new Set(answered ?? ["waits"]);
}

test("nobody waits at a worker that ends because another one of more can't be had", async () => {
  let answered: Set<string> | null = null;
  // On a busy machine one may serve before this program comes to stop it.
  for (let tries = 0; tries < 5 && answered === null; tries++)
    answered = await askedBehindFailure();
  expect(answered).toEqual(new Set(["served"]));
}, 120_000);

test("a fresh worker finishes what it has accepted when another one can't be had", async () => {
  const bytes = content(3, 0, 12_000_000);
  using tree = new Tree({ large: bytes });
  await using started = new Started([tree.root, ...TWO]);
  const port = await started.port();
  const before = await serving(started, 2);
  started.child.kill("SIGHUP");
  const fresh = (): number[] =>
    childrenOf(started.child.pid).filter((pid) => !before.includes(pid));
  await eventually("the second one starts", () => fresh().length === 2);
  const [first = 0, second = 0] = fresh().sort((a, b) => a - b);
  process.kill(second, "SIGSTOP");
  const held = socketsOf(first);
  const peers: Peer[] = [];
  while (socketsOf(first) < held + 2) {
    const peer = await Peer.dial(port);
    peers.push(peer);
    peer.send("READ /large\n");
    await peer.until(() => peer.length > 100_000);
    peer.socket.pause();
  }
  process.kill(second, "SIGKILL");
  await started.says(/not reloaded, all is as before: a fresh worker was ended by SIGKILL/);
  const replies = peers.map(async (peer) => {
    peer.socket.resume();
    return (await peer.reply()).body.equals(bytes);
  });
  expect(new Set(await Promise.all(replies))).toEqual(new Set([true]));
  for (const peer of peers) peer[Symbol.dispose]();
  await eventually("it is gone", () => fresh().length === 0);
}, 60_000);

/** Names by which `pid` has the log open. */
function logsOf(pid: number): string[] {
  try {
    const links = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    return links.map((link) => fs.readlinkSync(link)).filter((file) => /\/log(?:\.1)?$/.test(file));
  } catch {
    return [];
  }
}

test("a log that gets another name while a worker starts is opened anew by that one too", async () => {
  using tree = new Tree({ "root/f": "served", logs: null });
  const flags = ["-p", "0", "--workers", "2", "--log-file", tree.path("logs/log")];
  await using started = new Started([tree.path("root"), ...flags]);
  const { pid } = started.child;
  const before = await serving(started, 2);
  started.child.kill("SIGHUP");
  const fresh = (): number[] => childrenOf(pid).filter((child) => !before.includes(child));
  // It has opened the file, and nobody has seen yet that it serves.
  while (!fresh().some((child) => logsOf(child).length > 0)) await Bun.sleep(1);
  process.kill(pid, "SIGSTOP");
  fs.renameSync(tree.path("logs/log"), tree.path("logs/log.1"));
  process.kill(pid, "SIGUSR1");
  process.kill(pid, "SIGCONT");
  await started.says(/ reloaded in [0-9]+ ms: 2 fresh workers serve/);
  await eventually("those of before are gone", () => !before.some(runs));
  await eventually("the new file alone", () => {
    const open = fresh().map((child) => logsOf(child).join());
    return open.length === 2 && open.every((files) => files === tree.path("logs/log"));
  });
}, 60_000);
