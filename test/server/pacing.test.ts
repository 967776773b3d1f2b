/** What the kernel is told of rates, while clients come, send and go; and who may not connect. */
import { expect, test } from "bun:test";
import { networkOf, Networks } from "../../src/guard/networks.ts";
import { Tokens } from "../../src/identity/tokens.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { eventually } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Peer } from "../rig/peer.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** SO_MAX_PACING_RATE (asm-generic/socket.h). */
const OPTION = 47;

/** Rates that the kernel has been told, the last one of each socket. */
class Told implements Disposable {
  readonly rates = new Map<number, number>();
  readonly #real = kernel.setsockopt;

  constructor() {
    kernel.setsockopt = (fd, level, option, value) => {
      const result = this.#real(fd, level, option, value);
      if (option === OPTION && result === 0) this.rates.set(fd, value);
      return result;
    };
  }

  get sorted(): number[] {
    return [...this.rates.values()].sort((a, b) => a - b);
  }

  [Symbol.dispose](): void {
    kernel.setsockopt = this.#real;
  }
}

test("addresses share the total, their connections share what is theirs, and what is free goes to the rest", async () => {
  using tree = new Tree({ large: content(1, 0, 9_000_000) });
  using told = new Told();
  await using running = new Running(tree.root, {
    rates: { total: 600_000, address: 0, connection: 0 },
  });
  const peers = await Promise.all(
    ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2"].map((from) =>
      Peer.dial(running.port, from),
    ),
  );
  await eventually("a first rate for each", () => told.rates.size === 4);
  expect(new Set(told.sorted)).toEqual(new Set([600_000]));
  for (const peer of peers) peer.send("READ /large\n");
  await eventually("their shares", () => told.sorted.join() === "100000,100000,100000,300000");
  peers[0]!.socket.destroy();
  peers[1]!.socket.destroy();
  await eventually("what is free now", () => told.sorted.slice(-2).join() === "300000,300000");
  for (const peer of peers) peer.socket.destroy();
});

test("without bounds nobody is told anything", async () => {
  using tree = new Tree({ f: "content" });
  using told = new Told();
  await using running = new Running(tree.root);
  expect((await running.ask("READ /f\n")).text).toContain("content");
  expect(told.rates.size).toBe(0);
});

test("a rate is kept by the kernel: the option says what it was told", async () => {
  using tree = new Tree({ f: "content" });
  using told = new Told();
  await using running = new Running(tree.root, {
    rates: { total: 0, address: 0, connection: 50_000 },
  });
  using peer = await running.dial();
  await eventually("its rate", () => told.rates.size === 1);
  const [[fd, rate] = [-1, 0]] = told.rates;
  expect([rate, kernel.getsockopt(fd, 1, OPTION)]).toEqual([50_000, 50_000]);
  peer.send("PING\n");
  peer.finish();
  expect((await peer.all()).bytes.toString()).toStartWith("OK 0 ");
});

test("who shows no token has the rate of [anonymous], all of them together", async () => {
  using tree = new Tree({ large: content(1, 0, 9_000_000) });
  using keys = new Tree({ tokens: '[anonymous]\nrate = "1M"\n' });
  using told = new Told();
  await using running = new Running(tree.root, {
    rates: { total: 0, address: 0, connection: 0 },
    tokens: Tokens.ofFile(keys.path("tokens")),
  });
  const peers = await Promise.all([Peer.dial(running.port), Peer.dial(running.port)]);
  for (const peer of peers) peer.send("READ /large\n");
  await eventually("half of it for each", () => told.sorted.join() === "524288,524288");
  for (const peer of peers) peer.socket.destroy();
});

test("a program whose server finds its port taken can end", async () => {
  using tree = new Tree({ f: "content" });
  await using running = new Running(tree.root);
  const program = `
    const { serve } = await import("./src/server/start.ts");
    try {
      serve({ root: process.argv[1], port: ${running.port}, rates: { address: 1000 } });
    } catch (error) {
      console.log(error.code);
    }`;
  const command = [process.execPath, "--config=/dev/null", "-e", program, tree.root];
  const child = Bun.spawnSync(command, { stderr: "inherit", timeout: 15_000 });
  expect([child.stdout.toString(), child.exitCode]).toEqual(["EADDRINUSE\n", 0]);
}, 20_000);

test("who may not connect is cut without a word, and costs others nothing", async () => {
  using tree = new Tree({ f: "content" });
  const networks = new Networks([networkOf("127.0.0.1")!], []);
  await using running = new Running(tree.root, { networks });
  using stranger = await Peer.dial(running.port, "127.0.0.2");
  const { bytes, ending } = await stranger.all();
  expect([bytes.length, ending]).toEqual([0, "reset"]);
  expect((await running.ask("READ /f\n")).text).toContain("content");
  expect([running.server.counters.shed, running.server.counters.accepted]).toEqual([1, 1]);
});
