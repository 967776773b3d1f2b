/** `get` of a file that changes: the result is one version of it, whole, or none. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { deliver } from "../../rig/delivering.ts";
import { type FakeConnection, until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;
const first = content(5, 1, 12 * MIB);
const second = content(5, 2, 12 * MIB);
const size = BigInt(first.length);

test("a file that changed since the stopped run: the new version, no byte of the old", async () => {
  using tree = new Tree();
  let cut = true;
  using server = new Scripted({ "/f": first }, ({ verb, key }, honest) =>
    cut && verb === "READ" && Number(key("offset") ?? 0) >= 4 * MIB
      ? { bytes: honest().subarray(0, 2 * MIB), ending: "fin" }
      : undefined,
  );
  const stopped = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(stopped.error?.kind).toBe("incomplete");
  expect(fs.statSync(tree.path(`${STAGING}/f`)).size).toBe(first.length);
  cut = false;
  server.put("/f", second, 2);
  const etag = "0000000000000002";
  const resumed = await deliver(server.fake.server, "/f", { size, etag }, tree.root);
  expect(resumed.error).toBeNull();
  expect(verify(fs.readFileSync(tree.path("f")), 5, 2)).toBeNull();
});

test("a file that changes between two ranges is started over and is the new version", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": first }, ({ verb }, honest) => {
    if (verb !== "READ" || server.requests("READ").length !== 1) return undefined;
    const bytes = honest();
    server.put("/f", second, 2);
    return { bytes };
  });
  const { error, notes } = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(error).toBeNull();
  expect(notes.filter((note) => note.includes("starting over")).length).toBeGreaterThanOrEqual(1);
  expect(verify(fs.readFileSync(tree.path("f")), 5, 2)).toBeNull();
});

test("a file that changes when a second connection has joined is one version, the new", async () => {
  using tree = new Tree();
  const turns = new WeakMap<FakeConnection, Promise<void>>();
  let connections = 0;
  using server = new Scripted({ "/f": first }, ({ verb, connection }, honest) => {
    if (verb !== "READ") return undefined;
    const reading = new Set(server.requests("READ").map((asked) => asked.connection));
    connections = Math.max(connections, reading.size);
    // What the first connection brings is the old version, to its last byte.
    if (reading.size === 2) server.put("/f", second, 2);
    const before = turns.get(connection) ?? Promise.resolve();
    const bytes = honest();
    if (connections > 1) return { bytes };
    turns.set(
      connection,
      before.then(() => slowly(connection, bytes)),
    );
    return null;
  });
  const { error, notes } = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(error).toBeNull();
  expect(connections).toBeGreaterThan(1);
  expect(notes.join()).toContain("starting over");
  expect(verify(fs.readFileSync(tree.path("f")), 5, 2)).toBeNull();
});

/** About 6 MB/s, so that another connection pays. */
async function slowly(connection: FakeConnection, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !connection.closed; at += MIB / 8) {
    connection.say(bytes.subarray(at, at + MIB / 8));
    await Bun.sleep(20);
  }
}

test("a file that changes with every range is given up: exit 6, no file", async () => {
  using tree = new Tree();
  let version = 1;
  using server = new Scripted({ "/f": first }, ({ verb }, honest) => {
    if (verb !== "READ") return undefined;
    const bytes = honest();
    version += 1;
    server.put("/f", version % 2 === 0 ? second : first, version);
    return { bytes };
  });
  const { error } = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(error?.kind).toBe("changed");
  expect(fs.readdirSync(tree.root)).toEqual([STAGING]);
});

test("shorter, longer or gone between the look and the reading", async () => {
  for (const bytes of [first, content(5, 1, 3000)]) {
    for (const now of [bytes.length - 100, bytes.length + 100]) {
      using tree = new Tree();
      using server = new Scripted({ "/f": bytes });
      server.put("/f", content(5, 2, now), 2);
      const entry = { size: BigInt(bytes.length) };
      const { error } = await deliver(server.fake.server, "/f", entry, tree.root);
      expect(error).toBeNull();
      expect(fs.statSync(tree.path("f")).size).toBe(now);
      expect(verify(fs.readFileSync(tree.path("f")), 5, 2)).toBeNull();
      server.files.delete("/f");
      const gone = await deliver(server.fake.server, "/f", entry, tree.path("elsewhere"));
      expect(gone.error?.kind).toBe("not-found");
    }
  }
});

test("a server that ignores if= and has a shorter file leaves nobody waiting for the rest", async () => {
  using tree = new Tree();
  const shorter = 9 * MIB;
  using server = new Scripted({ "/f": first }, ({ verb, key }) => {
    if (verb !== "READ") return undefined;
    const from = Number(key("offset") ?? 0);
    const part = first.subarray(
      Math.min(from, shorter),
      Math.min(shorter, from + Number(key("length"))),
    );
    const head = `OK ${part.length} size=${shorter} offset=${from} etag=0000000000000001 mtime=5\n`;
    return from > shorter ? { bytes: "ERR ERANGE past the end\n" } : { bytes: [head, part] };
  });
  const { error } = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(["usage", "changed", "protocol"]).toContain(error?.kind ?? "");
  expect(fs.existsSync(tree.path("f"))).toBe(false);
});

test("the real server's file, replaced under four connections, is one version in the end", async () => {
  using from = new Tree({ f: content(6, 1, 12 * MIB), next: content(6, 2, 10 * MIB) });
  using to = new Tree();
  await using running = new Running(from.root);
  const url = `s6://127.0.0.1:${running.port}/f`;
  const args = ["get", "-x", "4", "--limit-rate", "16M", "-P", to.root, url];
  const child = Bun.spawn([...CLI6_COMMAND, ...args], { stderr: "pipe", stdin: "ignore" });
  const staged = to.path(`${STAGING}/f`);
  await until(() => fs.existsSync(staged) && fs.statSync(staged).blocks > 2048);
  fs.renameSync(from.path("next"), from.path("f"));
  const err = await child.stderr.text();
  expect(err).toContain("has changed on the server: starting over");
  expect(await child.exited).toBe(0);
  expect(fs.statSync(to.path("f")).size).toBe(10 * MIB);
  expect(verify(fs.readFileSync(to.path("f")), 6, 2)).toBeNull();
});

test("what this run brought before it started over is not told as an earlier run's", async () => {
  using tree = new Tree();
  const later = Buffer.from(first);
  later.fill(0, later.length - MIB);
  let hashes = 0;
  using server = new Scripted({ "/f": first }, ({ verb }) => {
    if (verb === "HASH" && ++hashes === 2) server.put("/f", later, 2);
    return undefined;
  });
  const run = await cli6(["get", "-v", "-x", "1", "-P", tree.root, server.url("/f")]);
  expect(run.err).toContain("starting over");
  expect(run.err).toMatch(/1 file, .* all verified\n$/);
  expect(run.err).not.toContain("kept");
  expect(fs.readFileSync(tree.path("f")).equals(later)).toBe(true);
});

test("killed in the middle, and the file replaced before the next run: the new one", async () => {
  using from = new Tree({ f: content(6, 1, 12 * MIB) });
  using to = new Tree();
  await using running = new Running(from.root);
  const args = ["get", "-P", to.root, `s6://127.0.0.1:${running.port}/f`];
  const child = Bun.spawn([...CLI6_COMMAND, ...args, "--limit-rate", "8M"], { stdin: "ignore" });
  const staged = to.path(`${STAGING}/f`);
  await until(() => fs.existsSync(staged) && fs.statSync(staged).size === 12 * MIB);
  child.kill("SIGKILL");
  await child.exited;
  expect(fs.existsSync(to.path("f"))).toBe(false);
  from.write("next", content(6, 2, 12 * MIB));
  fs.renameSync(from.path("next"), from.path("f"));
  await until(() => fs.statSync(from.path("f")).size === 12 * MIB);
  expect((await cli6(args)).status).toBe(0);
  expect(verify(fs.readFileSync(to.path("f")), 6, 2)).toBeNull();
});
