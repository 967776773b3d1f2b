/** `get` and servers that are away, silent, slow, or reset whoever comes. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Tree } from "../../rig/tree.ts";
import { deliver } from "../../rig/delivering.ts";
import { type FakeConnection, FakeServer } from "../../client/fake.ts";
import { cli6, shell } from "../../rig/program.ts";
import type { Answer } from "../../rig/misbehaving.ts";
import { type Asked, Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;
const large = content(3, 1, 9 * MIB);
const size = BigInt(large.length);
/** Far from the 60 s that a stall takes when nothing is said, and enough for a slow machine. */
const SOON_MS = 10_000;
const SHORT = { connectTimeoutMs: 1000, stallTimeoutMs: 300 };

test("a server that stalls for ever, at any verb: exit 10 within the timeout", async () => {
  for (const silent of ["STAT", "READ", "HASH"]) {
    using tree = new Tree();
    let mute = false;
    using server = new Scripted({ "/f": "forty-two" }, ({ verb }) => {
      mute ||= verb === silent;
      return mute ? null : undefined;
    });
    const began = performance.now();
    const args = ["--retry", "0", "--timeout", "300ms", "-P", tree.root, server.url("/f")];
    const run = await cli6(["get", ...args]);
    expect(run.err).toContain("ETIMEDOUT: nothing came for 0.3 s");
    expect(run.status).toBe(10);
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    expect(fs.readdirSync(tree.root)).toEqual([]);
  }
});

test("of what has brought nothing no folder stays: not a byte, or a disk that is too small", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": large }, ({ verb }) => (verb === "READ" ? null : undefined));
  const args = ["get", "--retry", "0", "--timeout", "300ms", "-P", tree.root, server.url("/f")];
  expect((await cli6(args)).status).toBe(10);
  expect(fs.readdirSync(tree.root)).toEqual([]);
  // ulimit counts KiB: a file of 9 MiB can't be reserved.
  const run = await shell('ulimit -f 4096; trap "" XFSZ; cli6 "$@"', args);
  expect(run.err).toContain("reserving");
  expect(run.status).toBe(9);
  expect(fs.readdirSync(tree.root)).toEqual([]);
});

test("a body that stalls, or trickles byte by byte, is given up too, and kept", async () => {
  for (const trickles of [false, true]) {
    using tree = new Tree();
    using server = new Scripted({ "/f": large }, ({ verb, connection }, honest) => {
      if (verb !== "READ") return undefined;
      const bytes = honest();
      let at = MIB;
      const timer = setInterval(() => {
        if (connection.closed) clearInterval(timer);
        else if (trickles) connection.say(bytes.subarray(at, ++at));
      }, 100);
      return { bytes: bytes.subarray(0, MIB) };
    });
    const began = performance.now();
    const { error } = await deliver(server.fake.server, "/f", { size }, tree.root, {
      connection: SHORT,
    });
    expect(error?.kind).toBe("timed-out");
    expect(performance.now() - began).toBeLessThan(SOON_MS);
    expect(fs.readdirSync(tree.root)).toEqual([STAGING]);
  }
});

test("--max-time ends everything with 10, however well it goes, and the next run goes on", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": large });
  const args = ["get", "-P", tree.root, server.url("/f")];
  const run = await cli6([...args, "--max-time", "1s", "--limit-rate", "1M"]);
  expect(run.err).toContain("not done within 1 s (--max-time)");
  expect(run.status).toBe(10);
  expect(fs.readdirSync(tree.root)).toEqual([STAGING]);
  expect((await cli6(args)).status).toBe(0);
  expect(verify(fs.readFileSync(tree.path("f")), 3, 1)).toBeNull();
});

test("--max-time also ends the waits between tries", async () => {
  using tree = new Tree();
  const run = await cli6([
    "get",
    "--max-time",
    "400ms",
    "--retry",
    "1000",
    "--retry-connrefused",
    "-P",
    tree.root,
    "s6://127.0.0.1:1/f",
  ]);
  expect(run.err).toContain("--max-time");
  expect(run.status).toBe(10);
});

test.each(["get", "mirror"])(
  "%s: nobody there fails at once, unless told to wait",
  async (word) => {
    using tree = new Tree();
    const url = "s6://127.0.0.1:1/f";
    const place = word === "get" ? ["-P", tree.root, url] : [url, tree.path("to")];
    const refused = "cli6: ECONNREFUSED: no server answers on 127.0.0.1:1: refused or unreachable";
    const advice = "start one with: serv6 DIR -p 1";
    const run = await cli6([word, ...place]);
    expect(run.err).toBe(`${refused}; ${advice}\n`);
    expect(run.status).toBe(7);
    const waited = await cli6([word, "--retry-connrefused", "--retry", "2", ...place]);
    expect(waited.err.split("\n")).toEqual([
      `${refused}; ${advice}; trying again, up to 2 times in a row`,
      "cli6: gave up after 2 more tries",
      "",
    ]);
    expect(waited.status).toBe(7);
  },
);

test("several files and nobody there: told once, with how many are missing", async () => {
  using tree = new Tree();
  const urls = ["a", "b", "c"].map((name) => `s6://127.0.0.1:1/${name}`);
  const { err, status } = await cli6(["get", "-P", tree.root, ...urls]);
  expect(err.split("\n").slice(1)).toEqual(["cli6: 3 files are missing", ""]);
  expect(status).toBe(7);
});

test("a server that is stopped under many files is told once, and that it can go on", async () => {
  using tree = new Tree();
  const names = ["/a", "/b", "/c", "/d", "/e", "/f"];
  const files = Object.fromEntries(names.map((name) => [name, large]));
  const begun = new Set<FakeConnection>();
  using server = new Scripted(files, ({ verb, connection }, honest) => {
    // The reply to a request that comes behind would be taken for the rest of the first one's.
    if (verb === "READ" && begun.has(connection)) return null;
    begun.add(connection);
    if (verb === "READ") return { bytes: honest().subarray(0, MIB) };
    // A digest is asked for when the first byte has come.
    if (verb === "HASH") server[Symbol.dispose]();
    return verb === "HASH" ? null : undefined;
  });
  const urls = names.map((name) => server.url(name));
  const run = await cli6(["get", "-v", "--retry", "1", "-P", tree.root, ...urls]);
  expect(run.err.split("start one with: ")).toHaveLength(2);
  const lines = run.err.split("\n");
  expect(lines.length).toBeLessThan(6);
  const last = "gave up after another try, 6 files are missing";
  expect(lines.at(-2)).toBe(`cli6: ${last}; the same command goes on where it stopped`);
  expect([5, 7]).toContain(run.status ?? 0);
});

test("a name that does not exist is not tried again", async () => {
  using tree = new Tree();
  const run = await cli6(["get", "-P", tree.root, "s6://no-such-host.invalid/f"]);
  expect(run.err).toContain("there is no host of that name");
  expect(run.err).not.toContain("trying again");
  expect(run.status).toBe(7);
});

test("resets without end: waits that grow, then exit 5", async () => {
  using tree = new Tree();
  using server = new FakeServer((connection) => connection.say("", "rst"));
  for (const bytes of [9n, size]) {
    const { error, waits } = await deliver(server.server, "/f", { size: bytes }, tree.root, {
      retries: 2,
    });
    expect(error?.kind).toBe("incomplete");
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBeGreaterThanOrEqual(125);
    expect(waits[1]).toBeGreaterThanOrEqual(250);
  }
});

test("a reset after every megabyte or so: each try goes on, and none counts against the next", async () => {
  using tree = new Tree();
  let resets = 0;
  const dies = ({ verb, connection }: Asked, honest: () => Buffer): Answer | undefined => {
    if (verb !== "READ") return undefined;
    const reply = honest();
    if (reply.length < 3 * MIB || connection.finished) return { bytes: reply };
    resets += 1;
    return { bytes: reply.subarray(0, 3 * MIB), ending: "fin" };
  };
  using server = new Scripted({ "/f": large }, dies);
  const entry = { size };
  const { error, waits } = await deliver(server.fake.server, "/f", entry, tree.root, {
    retries: 2,
  });
  expect(error).toBeNull();
  expect(verify(fs.readFileSync(tree.path("f")), 3, 1)).toBeNull();
  // Two tries in a row are allowed, and it took more than two: progress starts the count anew.
  expect(resets).toBeGreaterThan(1);
  expect(waits.length).toBe(resets);
});

test("a server that is full is asked again, and the file comes", async () => {
  using tree = new Tree();
  let full = 1;
  using server = new Scripted({ "/f": "forty-two" }, ({ verb }) =>
    verb === "READ" && full-- > 0
      ? { bytes: "ERR EBUSY server is busy, try again\n", ending: "fin" }
      : undefined,
  );
  const entry = { size: 9n };
  const { error, waits } = await deliver(server.fake.server, "/f", entry, tree.root, {
    retries: 2,
  });
  expect(error).toBeNull();
  expect(waits).toHaveLength(1);
  expect(fs.readFileSync(tree.path("f"), "latin1")).toBe("forty-two");
});
