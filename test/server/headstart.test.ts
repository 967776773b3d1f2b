/** What connections send before the kernel paces them, of an address that has a rate. */
import { expect, test } from "bun:test";
import type { Connection } from "../../src/server/connection.ts";
import { HeadStart } from "../../src/server/headstart.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { Peer } from "../rig/peer.ts";
import { Running, type RunningOptions } from "../rig/running.ts";
import { askSecurely, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const FILE_BYTES = 10_000;
const RATE = 100_000;

/** What an address has at once: eight times ten segments of Ethernet. */
const AT_ONCE = 8 * 14_600;

/** TCP_MAXSEG (netinet/tcp.h). */
const MAX_SEGMENT = 2;

/** Segments are those of Ethernet: on loopback ten of them are 655 KB. */
function ethernet(): Disposable {
  return replaceCall(
    "getsockopt",
    (real) => (fd, level, option) =>
      level === 6 && option === MAX_SEGMENT ? 1460 : real(fd, level, option),
  );
}

function limited(tree: Tree, options: RunningOptions = {}): Running {
  return new Running(tree.root, { rates: { total: 0, address: RATE, connection: 0 }, ...options });
}

test("who connects again for each file gets no more than its rate", async () => {
  using tree = new Tree({ f: Buffer.alloc(FILE_BYTES) });
  using _ethernet = ethernet();
  await using running = limited(tree, { limits: { requestMs: 200 } });
  const files = 24;
  const began = performance.now();
  const came = await Promise.all(Array.from({ length: files }, () => running.ask("f\n")));
  for (const { bytes } of came) expect(bytes.length).toBe(FILE_BYTES);
  const seconds = (performance.now() - began) / 1000;
  // The last one may begin when what came before it is paid, but for what is free.
  expect(seconds).toBeGreaterThan(((files - 2) * FILE_BYTES - AT_ONCE) / RATE);
});

test("the same by TLS, and in all instead of by address", async () => {
  using tree = new Tree({ f: Buffer.alloc(FILE_BYTES) });
  using _ethernet = ethernet();
  const rates = { total: RATE, address: 0, connection: 0 };
  await using running = limited(tree, { rates, tls: filesOf("good") });
  const began = performance.now();
  for (let nth = 0; nth < 20; nth++) {
    expect((await askSecurely(running.port, "f\n")).text.length).toBe(FILE_BYTES);
  }
  const seconds = (performance.now() - began) / 1000;
  expect(seconds).toBeGreaterThan((18 * FILE_BYTES - AT_ONCE) / RATE);
});

test("who has to wait does not keep others waiting, and is forgotten when it goes", async () => {
  using tree = new Tree({ f: Buffer.alloc(FILE_BYTES) });
  using _ethernet = ethernet();
  // So slow that nobody who waits is let in while the test runs.
  await using running = limited(tree, { rates: { total: 0, address: 1500, connection: 0 } });
  const peers = await Promise.all(
    Array.from({ length: 12 }, () => Peer.dial(running.port, "127.0.0.2")),
  );
  for (const peer of peers) peer.send("READ /f\n");
  const whole = () => peers.filter(({ length }) => length > FILE_BYTES).length;
  await eventually("those who are free", () => whole() === 8);
  expect((await running.ask("f\n")).bytes.length).toBe(FILE_BYTES);
  expect(whole()).toBe(8);
  for (const peer of peers) peer.socket.resetAndDestroy();
  await eventually("all of them gone", () => running.server.counters.connections === 0);
});

test("beside a download that has all of the rate newcomers of the address are served", async () => {
  using tree = new Tree({ f: Buffer.alloc(FILE_BYTES), large: Buffer.alloc(50_000_000) });
  using _ethernet = ethernet();
  await using running = limited(tree, { rates: { total: 0, address: 1_000_000, connection: 0 } });
  using download = await running.dial();
  download.send("READ /large\n");
  await eventually("its first megabytes", () => download.length > 2_000_000);
  for (let nth = 0; nth < 5; nth++) {
    expect((await running.ask("f\n")).bytes.length).toBe(FILE_BYTES);
  }
  expect(download.ending).toBeNull();
});

test("without a rate of addresses nobody asks how long segments are", async () => {
  using tree = new Tree({ f: "content" });
  let asked = 0;
  using _counted = replaceCall("getsockopt", (real) => (fd, level, option) => {
    asked += Number(option === MAX_SEGMENT);
    return real(fd, level, option);
  });
  await using running = limited(tree, { rates: { total: 0, address: 0, connection: RATE } });
  expect((await running.ask("f\n")).text).toBe("content");
  expect(asked).toBe(0);
});

test("of several processes each pays its part of an address's debts", () => {
  using _ethernet = ethernet();
  const begun = (part: number): { it: HeadStart; resumed: () => number } => {
    let resumed = 0;
    const it = new HeadStart({ total: 0, address: RATE, connection: 0 }, () => part);
    const socket = { fd: -1, pause() {}, resume: () => void (resumed += 1) };
    const fake: object = { peer: "192.0.2.1", socket, since: 0 };
    // Eight are free, and as many wait.
    for (let nth = 0; nth < 16; nth++) it.begin({ ...fake } as Connection);
    return { it, resumed: () => resumed };
  };
  const [whole, half, none] = [begun(1), begun(0.5), begun(0)];
  for (const { it } of [whole, half, none]) {
    expect(it.held).toBe(8);
    for (let quarter = 0; quarter < 4; quarter++) it.settle(0.25, [], 0);
  }
  // A second of the rate has six segments of ten and some in it.
  expect([whole, half, none].map(({ resumed }) => resumed())).toEqual([6, 3, 0]);
});
