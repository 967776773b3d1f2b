/** The bare dialect, byte for byte: how a path ends, and what may follow it (faults 25 to 27). */
import { expect, test } from "bun:test";
import path from "node:path";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { sendApart, watch } from "./watch.ts";

const MIB = 1024 * 1024;

/** More than a client's kernel takes for a program that does not read. */
const BIG = 12 * MIB;
const big = content(1, 0, BIG);

/** Some steps of sending and a bit. */
const ODD_BYTES = 5_000_001;

test.each(BRANCHES)(
  "25: bytes behind a path that quiet has ended are RST (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ "data/a": big, "data/ab": content(2, 0, 100) });
    await using running = new Running(tree.root, { zeroCopy });
    const { counters } = running.server;
    for (const [index, late] of ["b", "b\n", " ", "\0", "\rb", "b".repeat(100_000)].entries()) {
      using peer = await running.dial();
      peer.socket.pause();
      peer.send("/data/a");
      // Quiet has ended the path: the file is on its way, but it does not fit.
      await eventually("the file's first bytes", () => running.store.openFds > 0);
      peer.send(late);
      await eventually("the RST", () => counters.resets === index + 1);
      peer.socket.resume();
      const { bytes, ending } = await peer.all();
      expect([late.length, ending]).toEqual([late.length, "reset"]);
      expect(bytes.length).toBeLessThan(BIG);
      running.store.cache.clear();
      await eventually("the file closed", () => running.store.openFds === 0);
    }
  },
);

test("25: bytes behind a small file that quiet has ended are RST as well", async () => {
  using tree = new Tree({ a: "prefix", ab: "meant" });
  await using running = new Running(tree.root);
  const { counters } = running.server;
  using peer = await running.dial();
  peer.send("/a");
  expect((await peer.take(6)).toString()).toBe("prefix");
  peer.send("b\n");
  await eventually("the RST", () => counters.resets === 1 && counters.connections === 0);
});

test("25: nothing is served while the bytes keep coming within quiet", async () => {
  using tree = new Tree({ a: "prefix", abcdefghijkl: "meant" });
  await using running = new Running(tree.root);
  const seen = watch(running);
  let answer = { text: "", ending: "" };
  // A machine that stood still for as long as quiet lasts has proved nothing: once more.
  for (let longest = Infinity; longest > 100; seen.length = 0) {
    using peer = await running.dial();
    longest = 0;
    for (const piece of ["/a", ..."bcdefghijkl"]) {
      const began = performance.now();
      await sendApart(peer, seen, [piece]);
      // Together longer than quiet lasts, each alone much shorter.
      await new Promise((resolve) => setTimeout(resolve, 30));
      longest = Math.max(longest, performance.now() - began);
    }
    const { bytes, ending } = await peer.all();
    answer = { text: bytes.toString(), ending };
  }
  expect(answer).toEqual({ text: "meant", ending: "fin" });
});

test("25: a late line end is no other path", async () => {
  using tree = new Tree({ a: "whole" });
  await using running = new Running(tree.root);
  const seen = watch(running);
  for (const late of [["\n"], ["\r\n"], ["\r", "\n"], ["\n", "b\n"], ["\nb"]]) {
    using peer = await running.dial();
    peer.send("/a");
    expect((await peer.take(5)).toString()).toBe("whole");
    await sendApart(peer, seen, late);
    peer.finish();
    expect([late, (await peer.all()).ending]).toEqual([late, "fin"]);
    await eventually("the end", () => running.server.counters.connections === 0);
  }
  expect(running.server.counters.resets).toBe(0);
});

test("26: LF, CR LF and FIN end a path; one CR before them is dropped, and only one", async () => {
  using tree = new Tree({ f: "content", "f\r": "with CR" });
  await using running = new Running(tree.root);
  const answers: [request: string, answer: string][] = [
    ["/f", "content"],
    ["/f\n", "content"],
    ["/f\r\n", "content"],
    ["/f\r", "content"],
    ["/f\r\r\n", "with CR"],
    ["/f\r\r", "with CR"],
    ["/f \n", "ERROR ENOENT: no such file: /f \n"],
    ["\n", "ERROR EINVAL: invalid request: the path is empty\n"],
    ["\r\n", "ERROR EINVAL: invalid request: the path is empty\n"],
    ["\r", "ERROR EINVAL: invalid request: the path is empty\n"],
    ["", ""],
  ];
  for (const [request, answer] of answers) {
    const { text, ending } = await running.ask(request);
    expect([request, text, ending]).toEqual([request, answer, "fin"]);
  }
  expect(running.server.counters.resets).toBe(0);
});

test("27: only the first line is a bare request: what follows is neither read nor answered", async () => {
  using tree = new Tree({ a: "first", b: "second" });
  await using running = new Running(tree.root);
  for (const request of ["/a\n/b\n", "/a\nREAD /b\n", "/a\n\n\n", "a\r\nPING\n", "a\n\0\xff"]) {
    const { text, ending } = await running.ask(request);
    expect([request, text, ending]).toEqual([request, "first", "fin"]);
  }
  expect(running.server.counters.requests).toBe(5);
});

test.each(BRANCHES)(
  "27: 1 MB of junk behind a path costs no byte of the file (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ big, small: content(2, 0, 100) });
    await using running = new Running(tree.root, { zeroCopy });
    const junk = Buffer.alloc(MIB, "junk\n");
    for (const [name, file, size] of [
      ["big", 1, BIG],
      ["small", 2, 100],
    ] as const) {
      for (const early of [true, false]) {
        using peer = await running.dial();
        peer.send(`/${name}\n`);
        if (!early) await peer.until(() => peer.length > 0);
        peer.send(junk);
        peer.finish();
        const { bytes, ending } = await peer.all();
        expect([name, early, ending, bytes.length]).toEqual([name, early, "fin", size]);
        expect(verify(bytes, file, 0)).toBeNull();
      }
    }
    expect(running.server.counters.resets).toBe(0);
  },
);

test("27: junk without end is read up to a bound, then cut", async () => {
  using tree = new Tree({ f: "content" });
  await using running = new Running(tree.root);
  const seen = watch(running);
  using peer = await running.dial();
  peer.send("/f\n");
  expect((await peer.take(7)).toString()).toBe("content");
  const junk = Buffer.alloc(65_536, "x");
  const write = (): void => {
    while (!peer.socket.destroyed && peer.socket.write(junk));
  };
  peer.socket.on("drain", write);
  write();
  await eventually("the cut", () => running.server.counters.connections === 0);
  expect(running.server.counters.resets).toBe(1);
  expect(seen[0]?.received).toBeLessThan(5 * MIB);
});

test.each(BRANCHES)(
  "every way to end a path gives the content and FIN (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({
      "a/small": content(1, 0, 1000),
      "a/big": content(2, 0, ODD_BYTES),
      empty: "",
    });
    await using running = new Running(tree.root, { zeroCopy });
    const sizes: [string, number, number][] = [
      ["a/small", 1, 1000],
      ["a/big", 2, ODD_BYTES],
      ["empty", 3, 0],
    ];
    for (const [name, file, size] of sizes) {
      for (const form of [`/${name}`, name, `./${name}`, `//${name}`, path.join(tree.root, name)]) {
        for (const [end, fin] of [
          ["\n", false],
          ["\r\n", false],
          ["", true],
          ["\n", true],
          ["", false],
        ] as const) {
          using peer = await running.dial();
          peer.send(form + end);
          if (fin) peer.finish();
          const { bytes, ending } = await peer.all();
          expect([form, end, fin, ending, bytes.length]).toEqual([form, end, fin, "fin", size]);
          expect(verify(bytes, file, 0)).toBeNull();
        }
      }
    }
  },
);

test.each(BRANCHES)(
  "a connection that is closed on both sides still brings what its peer has not taken (%s)",
  async (_, zeroCopy) => {
    // The kernels' buffers of both sides hold it.
    const bytes = content(5, 0, 150_000);
    using tree = new Tree({ f: bytes });
    await using running = new Running(tree.root, { zeroCopy });
    using peer = await running.dial();
    peer.socket.pause();
    peer.send("f\n");
    peer.finish();
    await eventually("the end", () => running.server.counters.connections === 0);
    peer.socket.resume();
    const got = await peer.all();
    expect([got.ending, got.bytes.equals(bytes)]).toEqual(["fin", true]);
  },
);
