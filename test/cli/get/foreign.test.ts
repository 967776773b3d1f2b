/** `get` where somebody breaks in: a server that ignores `if=`, a mirror on the same name. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Tree } from "../../rig/tree.ts";
import { deliver } from "../../rig/delivering.ts";
import { until } from "../../client/fake.ts";
import { cli6 } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;

test.each([
  [9, 9],
  [9, 12],
  [12, 9],
])(
  "a file of %i bytes comes as another version of %i: refused before a byte of it",
  async (asked, sent) => {
    const reply = `OK ${sent} size=${sent} offset=0 etag=0000000000000002 mtime=5\n`;
    using server = new Scripted({ "/f": "a".repeat(asked) }, ({ verb }) =>
      verb === "READ" ? { bytes: reply + "b".repeat(sent) } : undefined,
    );
    for (const compares of [true, false]) {
      using tree = new Tree();
      const entry = { size: BigInt(asked) };
      const options = { verify: compares };
      const { error } = await deliver(server.fake.server, "/f", entry, tree.root, options);
      expect(["changed", "protocol"]).toContain(error?.kind ?? "");
      expect(fs.readdirSync(tree.root)).toEqual([]);
    }
  },
);

test("a large file that comes as another version is no file, compared or not", async () => {
  const bytes = content(1, 2, 5 * MIB);
  using server = new Scripted({ "/f": content(1, 1, 5 * MIB) }, ({ verb, key }) => {
    if (verb !== "READ") return undefined;
    const from = Number(key("offset") ?? 0);
    const part = bytes.subarray(from, from + Number(key("length") ?? bytes.length));
    const facts = `size=${bytes.length} offset=${from} etag=0000000000000002 mtime=5`;
    return { bytes: [`OK ${part.length} ${facts}\n`, part] };
  });
  for (const compares of [true, false]) {
    using tree = new Tree();
    const entry = { size: BigInt(bytes.length) };
    const options = { verify: compares };
    const { error } = await deliver(server.fake.server, "/f", entry, tree.root, options);
    expect(["changed", "protocol"]).toContain(error?.kind ?? "");
    expect(fs.existsSync(tree.path("f"))).toBe(false);
  }
});

test("a get beside a mirror on one name: the file is one of the two, never a mixture", async () => {
  using to = new Tree();
  const held: (() => void)[] = [];
  const mine = content(1, 1, 8 * MIB);
  using mirrored = new Scripted({ "/top/f": mine }, ({ verb, key, connection }, honest) => {
    if (verb !== "READ" || key("offset") === "0" || key("offset") === undefined) return undefined;
    held.push(() => connection.say(honest()));
    return null;
  });
  using got = new Scripted({ "/f": content(2, 1, 8 * MIB) });
  const mirroring = cli6(["mirror", mirrored.url("/top"), to.root]);
  await until(() => held.length > 0 && mirrored.requests("HASH").length > 0);
  await cli6(["get", "-P", to.root, got.url("/f")]);
  for (const release of held) release();
  await mirroring;
  const bytes = fs.readFileSync(to.path("f"));
  expect([verify(bytes, 1, 1), verify(bytes, 2, 1)]).toContain(null);
});
