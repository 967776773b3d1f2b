/** `get` when what is on the disk or what arrives is not what the server has. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Tree } from "../../rig/tree.ts";
import { deliver } from "../../rig/delivering.ts";
import { cli6 } from "../../rig/program.ts";
import { type Misbehave, Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const CHUNK = 4 * MIB;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

/** Three chunks, the last of five bytes. */
const large = content(9, 1, 2 * CHUNK + 5);
const size = BigInt(large.length);

/** Bytes that `server` was asked for by READ. */
function bytesAsked(server: Scripted): number {
  return server
    .requests("READ")
    .reduce((sum, asked) => sum + Number(asked.key("length") ?? large.length), 0);
}

function changedAt(at: number): Buffer {
  const bytes = Buffer.from(large);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

const zeroed = Buffer.from(large).fill(0, CHUNK, 2 * CHUNK);

test.each<[string, Buffer, number]>([
  ["the whole of it", large, 0],
  ["more than the file has", Buffer.concat([large, Buffer.alloc(MIB, "x")]), 0],
  ["a bit of the first chunk turned", changedAt(0), CHUNK],
  ["a bit of the last chunk turned", changedAt(large.length - 1), 5],
  ["the second chunk zeroed", zeroed, CHUNK],
  ["cut in the second chunk", large.subarray(0, CHUNK + 17), CHUNK + 5],
  ["one byte", large.subarray(0, 1), large.length],
  ["nothing", large.subarray(0, 0), large.length],
])("an earlier run left %p: only what is wrong is fetched", async (_name, left, fetched) => {
  using tree = new Tree();
  using server = new Scripted({ "/f": large });
  fs.mkdirSync(tree.path(STAGING), { mode: 0o700 });
  tree.write(`${STAGING}/f`, left);
  const { error } = await deliver(server.fake.server, "/f", { size }, tree.root);
  expect(error).toBeNull();
  expect(verify(fs.readFileSync(tree.path("f")), 9, 1)).toBeNull();
  expect(fs.statSync(tree.path("f")).size).toBe(large.length);
  expect(bytesAsked(server)).toBe(fetched);
  expect(fs.readdirSync(tree.root)).toEqual(["f"]);
});

test("a chunk that arrives wrong once is told, fetched again, and right", async () => {
  for (const bytes of [large, content(9, 1, 999)]) {
    using tree = new Tree();
    let lies = 1;
    using server = new Scripted({ "/f": bytes }, ({ verb }, honest) => {
      if (verb !== "READ" || lies-- <= 0) return undefined;
      const reply = honest();
      reply[reply.length - 1] = 0;
      return { bytes: reply };
    });
    const entry = { size: BigInt(bytes.length) };
    const { error, notes } = await deliver(server.fake.server, "/f", entry, tree.root);
    expect(error).toBeNull();
    expect(notes.join()).toContain("arrived wrong, fetched again");
    expect(verify(fs.readFileSync(tree.path("f")), 9, 1)).toBeNull();
  }
});

test("a digest that never fits: told, three times, exit 8 and no file", async () => {
  for (const bytes of [large, content(9, 1, 999)]) {
    using tree = new Tree();
    using server = new Scripted({ "/f": bytes }, ({ verb, key }, honest) => {
      const first = Number(key("offset") ?? 0) === 0;
      if (verb !== "HASH" || !first) return undefined;
      return {
        bytes: honest()
          .toString("latin1")
          .replace(/\n[0-9a-f]/, "\n@")
          .replace("@", "f"),
      };
    });
    const before = Bun.hash.xxHash3(bytes.subarray(0, CHUNK)).toString(16).padStart(16, "0");
    expect(before.startsWith("f")).toBe(false);
    const entry = { size: BigInt(bytes.length) };
    const { error, notes } = await deliver(server.fake.server, "/f", entry, tree.root);
    expect(error?.kind).toBe("corrupt");
    expect(notes.filter((note) => note.includes("arrived wrong")).length).toBeGreaterThanOrEqual(2);
    expect(notes.length).toBeLessThanOrEqual(3);
    expect(fs.existsSync(tree.path("f"))).toBe(false);
  }
});

test("digests of another version each time: started over, then given up with exit 6", async () => {
  for (const bytes of [large, content(9, 1, 999)]) {
    using tree = new Tree();
    using server = new Scripted({ "/f": bytes }, ({ verb }, honest) =>
      verb === "HASH"
        ? {
            bytes: honest()
              .toString("latin1")
              .replace(/etag=\w+/, "etag=ffffffffffffffff"),
          }
        : undefined,
    );
    const entry = { size: BigInt(bytes.length) };
    const { error, notes } = await deliver(server.fake.server, "/f", entry, tree.root);
    expect([error?.kind, error?.code]).toEqual(["changed", "ESTALE"]);
    expect(notes.filter((note) => note.includes("starting over"))).toHaveLength(3);
    expect(fs.existsSync(tree.path("f"))).toBe(false);
  }
});

test("digests that are none, too few or too many break the protocol", async () => {
  const replies: ((honest: string) => string)[] = [
    (honest) => honest.replace(/[0-9a-f]{16}\n$/, `${"g".repeat(16)}\n`),
    (honest) => honest.replace(/^OK \d+/, "OK 0").split("\n")[0] + "\n",
    (honest) => honest.replace(/chunk=\d+/, "chunk=1"),
    (honest) => honest.replace(/algo=\w+/, "algo=md5"),
  ];
  for (const bytes of [large, content(9, 1, 999)]) {
    for (const reply of replies) {
      using tree = new Tree();
      using server = new Scripted({ "/f": bytes }, ({ verb }, honest) =>
        verb === "HASH" ? { bytes: reply(honest().toString("latin1")) } : undefined,
      );
      const entry = { size: BigInt(bytes.length) };
      const { error } = await deliver(server.fake.server, "/f", entry, tree.root);
      expect(error?.kind).toBe("protocol");
      expect(fs.existsSync(tree.path("f"))).toBe(false);
    }
  }
});

const noDigests: Misbehave = ({ verb }) =>
  verb === "HASH" ? { bytes: "ERR ENOSYS not supported by this server\n" } : undefined;

test("a server without digests: complete files, one line that says so, exit 0", async () => {
  using tree = new Tree();
  const small = content(8, 1, 1000);
  using server = new Scripted({ "/large": large, "/small": small }, noDigests);
  fs.mkdirSync(tree.path(STAGING), { mode: 0o700 });
  // What an earlier run left can't be compared, and so is not believed.
  tree.write(`${STAGING}/large`, changedAt(3));
  const run = await cli6(["get", "-P", tree.root, server.url("/large"), server.url("/small")]);
  const line = "the server computes no digests: what arrives is complete but not compared\n";
  expect(run.err).toBe(line);
  expect(run.status).toBe(0);
  expect(verify(fs.readFileSync(tree.path("large")), 9, 1)).toBeNull();
  expect(verify(fs.readFileSync(tree.path("small")), 8, 1)).toBeNull();
});

test("--no-verify asks for no digest of what arrives, and still compares what was here", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": large });
  const fresh = await deliver(server.fake.server, "/f", { size }, tree.root, { verify: false });
  expect(fresh.error).toBeNull();
  expect(server.requests("HASH")).toHaveLength(0);
  fs.rmSync(tree.path("f"));
  fs.mkdirSync(tree.path(STAGING), { mode: 0o700 });
  tree.write(`${STAGING}/f`, changedAt(CHUNK));
  const { error } = await deliver(server.fake.server, "/f", { size }, tree.root, { verify: false });
  expect(error).toBeNull();
  expect(verify(fs.readFileSync(tree.path("f")), 9, 1)).toBeNull();
});

test("--checksum that is not the file's: exit 8 and no file, of any size and in any way", async () => {
  const small = content(8, 1, 1000);
  const wrong = `sha256:${"0".repeat(64)}`;
  using server = new Scripted({ "/large": large, "/small": small });
  for (const [path, bytes] of [
    ["/large", large],
    ["/small", small],
  ] as const) {
    using tree = new Tree();
    const args = ["get", "-P", tree.root, server.url(path), "--checksum"];
    const refused = await cli6([...args, wrong]);
    expect(refused.err).toStartWith("cli6: checksum mismatch: the sha256 is ");
    expect(refused.err).toContain(`not ${"0".repeat(64)}: it does not get its name and is removed`);
    expect(refused.err).toContain("see whether the checksum is of this version");
    expect(refused.status).toBe(8);
    // Nothing stays that a later run would go on from.
    expect(fs.readdirSync(tree.root)).toEqual([]);
    const right = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
    const bare = await cli6([...args, wrong.replace("sha256:", "")]);
    expect([bare.err, bare.status]).toEqual([refused.err, 8]);
    expect(await cli6([...args, right])).toEqual({ status: 0, out: "", err: "" });
    expect(fs.readFileSync(tree.path(path.slice(1))).equals(bytes)).toBe(true);
    // It is here already, and still not what was asked for.
    expect((await cli6([...args, wrong])).status).toBe(8);
    expect((await cli6([...args, right.replace("sha256:", "").toUpperCase()])).status).toBe(0);
    expect(fs.readFileSync(tree.path(path.slice(1))).equals(bytes)).toBe(true);
  }
  const streamed = await cli6(["get", "-o", "-", server.url("/small"), "--checksum", wrong]);
  expect(streamed.out).toBe(small.toString("latin1"));
  expect(streamed.err).toContain("and it is out");
  expect(streamed.status).toBe(8);
});

test.each(["md5", "sha1", "sha256", "sha512"])(
  "--checksum %s:HEX is compared as given",
  async (algo) => {
    using server = new Scripted({ "/small": "theirs" });
    using tree = new Tree();
    const hex = Bun.spawnSync([`${algo}sum`], { stdin: Buffer.from("theirs") })
      .stdout.toString()
      .slice(0, -4);
    const args = ["get", "-P", tree.root, server.url("/small"), "--checksum"];
    const other = hex.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const refused = await cli6([...args, `${algo}:${other}`]);
    expect([refused.status, refused.err]).toEqual([
      8,
      expect.stringContaining(`checksum mismatch: the ${algo} is ${hex}, not ${other}`),
    ]);
    const short = await cli6([...args, `${algo}:${hex.slice(1)}`]);
    expect([short.status, short.err]).toEqual([2, expect.stringContaining(`"${algo}:" and `)]);
    expect(fs.readdirSync(tree.root)).toEqual([]);
    expect((await cli6([...args, `${algo.toUpperCase()}:${hex.toUpperCase()}`])).err).toBe("");
    expect(
      (await cli6([...args.slice(0, 1), "-o", "-", ...args.slice(3), `${algo}:${hex}`])).out,
    ).toBe("theirs");
  },
);
