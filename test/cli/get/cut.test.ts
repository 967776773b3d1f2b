/** `get` from servers that end too early, say too much, or announce what can't be. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Tree } from "../../rig/tree.ts";
import { deliver } from "../../rig/delivering.ts";
import { cli6 } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;
const ONCE = ["--retry", "0", "--timeout", "5"];

/** Two chunks and a bit. */
const large = content(7, 1, 9 * MIB + 5);
const LARGE = { size: BigInt(large.length) };

test("a small file cut at every byte of its reply is no file, and whole at the next run", async () => {
  using tree = new Tree();
  const text = "forty-two";
  let cut = 0;
  let whole = 0;
  using server = new Scripted({ "/f": text }, ({ verb }, honest) => {
    const bytes = honest();
    whole = verb === "READ" ? bytes.length : whole;
    return verb === "READ" && cut < bytes.length
      ? { bytes: bytes.subarray(0, cut), ending: "fin" }
      : undefined;
  });
  const fetch = () => deliver(server.fake.server, "/f", { size: 9n }, tree.root);
  do {
    const { error } = await fetch();
    expect([cut, error?.kind]).toEqual([cut, "incomplete"]);
    expect(fs.readdirSync(tree.root)).toEqual([]);
    cut += 1;
  } while (cut < whole);
  expect(whole).toBeGreaterThan(40);
  expect((await fetch()).error).toBeNull();
  expect(fs.readFileSync(tree.path("f"), "latin1")).toBe(text);
});

test("a large file cut at many bytes keeps what came, and each run goes on from it", async () => {
  using tree = new Tree();
  let cut = 0;
  using server = new Scripted({ "/f": large }, ({ verb }, honest) =>
    verb === "READ" && cut >= 0 ? { bytes: honest().subarray(0, cut), ending: "fin" } : undefined,
  );
  const cuts = [0, 1, 40, 200, 4096, MIB, 3 * MIB, 4 * MIB, 4 * MIB + 71, 4 * MIB + 500];
  for (cut of cuts) {
    const { error } = await deliver(server.fake.server, "/f", LARGE, tree.root);
    expect([cut, error?.kind]).toEqual([cut, "incomplete"]);
    // A reply's first line alone brings no byte of the file.
    expect(fs.readdirSync(tree.root)).toEqual(cut > 100 ? [STAGING] : []);
  }
  const before = server.requests("READ").length;
  cut = -1;
  expect((await deliver(server.fake.server, "/f", LARGE, tree.root)).error).toBeNull();
  expect(verify(fs.readFileSync(tree.path("f")), 7, 1)).toBeNull();
  expect(fs.readdirSync(tree.root)).toEqual(["f"]);
  const again = server.requests("READ").slice(before);
  // The first chunk had come whole: nobody asks for it again.
  expect(again.map((asked) => Number(asked.key("offset") ?? 0)).every((at) => at >= 4 * MIB)).toBe(
    true,
  );
});

test("the command says what came and what to do: exit 5, the final name untouched", async () => {
  using tree = new Tree({ "out/f": "mine" });
  // The last part, shorter than the cut, is whole: its connection must not be the one that ends.
  using server = new Scripted({ "/f": large }, ({ verb }, honest) => {
    const bytes = verb === "READ" ? honest() : Buffer.alloc(0);
    return bytes.length > 3 * MIB
      ? { bytes: bytes.subarray(0, 3 * MIB), ending: "fin" }
      : undefined;
  });
  const args = ["get", ...ONCE, "-f", "-P", tree.path("out"), server.url("/f")];
  const run = await cli6(args);
  expect(run.err).toMatch(/ECONNRESET: the server closed the connection after \d+ of \d+ bytes/);
  expect(run.out).toBe("");
  expect(run.status).toBe(5);
  expect(fs.readFileSync(tree.path("out/f"), "latin1")).toBe("mine");
});

test("bytes beyond what was promised are a broken protocol and in no file", async () => {
  for (const bytes of [Buffer.from("ten bytes."), large]) {
    using tree = new Tree();
    using server = new Scripted({ "/f": bytes }, ({ verb }, honest) =>
      verb === "READ" ? { bytes: [Buffer.concat([honest(), Buffer.from("surplus")])] } : undefined,
    );
    const size = BigInt(bytes.length);
    const { error } = await deliver(server.fake.server, "/f", { size }, tree.root);
    expect(error?.kind).toBe("protocol");
    expect(fs.existsSync(tree.path("f"))).toBe(false);
    const staged = tree.path(`${STAGING}/f`);
    if (fs.existsSync(staged)) expect(fs.statSync(staged).size).toBe(bytes.length);
  }
});

test("lengths, lines and words that can't be are refused at once", async () => {
  const lines = [
    "OK 1000000000 size=9 offset=0 etag=0000000000000001 mtime=5\n",
    "OK 1e9 size=9 offset=0 etag=0000000000000001 mtime=5\n",
    "OK -1 size=9 offset=0 etag=0000000000000001 mtime=5\n",
    "OK 99999999999999999999 size=9 offset=0 etag=0000000000000001 mtime=5\n",
    "OK 9 size=9 offset=0 etag=0000000000000001 mtime=NaN\n",
    "OK 9 size=9 offset=0 etag=0000000000000001\n",
    `OK 9 ${"a".repeat(MIB)}\n`,
    `OK 9${" k=v".repeat(20_000)}\n`,
    "HTTP/1.1 200 OK\r\n\r\n",
  ];
  for (const size of [9n, LARGE.size]) {
    for (const line of lines) {
      using tree = new Tree();
      using server = new Scripted({ "/f": "forty-two" }, ({ verb }) =>
        verb === "READ" ? { bytes: line } : undefined,
      );
      const { error } = await deliver(server.fake.server, "/f", { size }, tree.root);
      expect([line.slice(0, 60), error?.kind]).toEqual([line.slice(0, 60), "protocol"]);
      expect(fs.existsSync(tree.path("f"))).toBe(false);
    }
  }
});

test("a line without end costs no memory", async () => {
  using tree = new Tree();
  let sent = 0;
  using server = new Scripted({ "/f": large }, ({ verb, connection }) => {
    if (verb !== "READ") return undefined;
    const words = " key=value".repeat(6400);
    const more = (): void => {
      if (connection.closed || sent > 256 * MIB) return;
      sent += words.length;
      connection.say(words);
      setImmediate(more);
    };
    connection.say("OK 9");
    more();
    return null;
  });
  const { error } = await deliver(server.fake.server, "/f", LARGE, tree.root);
  expect(error?.kind).toBe("protocol");
  expect(error?.message).toContain("longer than 65536 bytes");
  expect(sent).toBeLessThan(16 * MIB);
});

test("an offset that was not asked for is refused: ignored, or echoed wrong", async () => {
  // Each has the length that is due, so that nothing but the offset is wrong.
  const answers: ((from: number) => string)[] = [() => "0", (from) => `${from + 1}`, () => "-5"];
  for (const answer of answers) {
    using tree = new Tree();
    using server = new Scripted({ "/f": large }, ({ verb, key }) => {
      const from = Number(key("offset") ?? 0);
      if (verb !== "READ" || from === 0) return undefined;
      const part = large.subarray(0, Math.min(Number(key("length")), large.length - from - 1));
      const facts = `size=${large.length} offset=${answer(from)} etag=0000000000000001 mtime=5`;
      return { bytes: [`OK ${part.length} ${facts}\n`, part] };
    });
    const options = { verify: false };
    const { error } = await deliver(server.fake.server, "/f", LARGE, tree.root, options);
    expect([error?.kind, error?.code]).toEqual(["protocol", "EPROTO"]);
    expect(fs.existsSync(tree.path("f"))).toBe(false);
  }
});
