/** `cli6 hash` and `cli6 ping`. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { FakeServer, replying, until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND, environment, shell } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const HEX = "ab".repeat(32);

test("prints what sha256sum -c reads, names with backslashes and line breaks included", async () => {
  const content = "content\n";
  const digest = createHash("sha256").update(content).digest("hex");
  const files = { a: content, "b c": content, "d\\e": content, "f\ng": content };
  using tree = new Tree(files);
  using fake = replying(() => `OK 65 size=8 etag=e algo=sha256 chunk=8\n${digest}\n`);
  const line = `cd "$2"; cli6 hash -s "$1" a 'b c' 'd\\e' $'f\\ng' "s6://$1/x/a" | sha256sum -c`;
  const run = await shell(line, [fake.address, tree.root]);
  expect([run.out.match(/: OK/g)?.length, run.err]).toEqual([5, ""]);
  expect(fake.connections[0]?.received.split("\n")[0]).toBe("HASH algo=sha256 /a");
});

test("a chunk a line with its offset, over as many replies as it takes; a change ends it: 6", async () => {
  const digests = `${"0123456789abcdef\n".repeat(4096)}`;
  let etag = "e";
  using fake = replying((line) => {
    const tail = line.includes("offset=16777216");
    const body = tail ? "fedcba9876543210\n" : digests;
    return `OK ${body.length} size=16777217 etag=${tail ? etag : "e"} algo=xxh3 chunk=4096\n${body}`;
  });
  const args = ["hash", "-a", "xxh3", "--chunk", "4K", "-s", fake.address, "x"];
  const run = await cli6(args);
  const lines = run.out.split("\n");
  expect([run.status, lines.length, lines[1]]).toEqual([0, 4098, "0123456789abcdef  4096  x"]);
  expect(lines[4096]).toBe("fedcba9876543210  16777216  x");
  etag = "other";
  const changed = await cli6(args);
  expect([changed.status, changed.err]).toEqual([6, expect.stringContaining("ESTALE")]);
});

test("a server that splits what was asked as one is not believed; --timeout ends the wait", async () => {
  using split = replying(() => `OK 130 size=8 etag=e algo=sha256 chunk=4\n${HEX}\n${HEX}\n`);
  using silent = new FakeServer(() => {});
  const runs = await Promise.all([
    cli6(["hash", "-s", split.address, "x"]),
    cli6(["hash", "-s", silent.address, "--timeout", "100ms", "x"]),
  ]);
  expect(runs.map(({ status, out }) => [status, out])).toEqual([
    [11, ""],
    [10, ""],
  ]);
});

test("against the real server: the digest is the content's", async () => {
  using tree = new Tree({ "dir/a": "abc" });
  await using running = new Running(tree.root);
  const run = await cli6(["hash", `s6://127.0.0.1:${running.port}/dir/a`]);
  const digest = createHash("sha256").update("abc").digest("hex");
  expect(run).toEqual({ status: 0, out: `${digest}  a\n`, err: "" });
});

test("ping: a line each and the figures; --json the figures alone; -q the status", async () => {
  using fake = replying(() => "OK 0 server=fake version=1%1B protocol=S6/1\n");
  const url = `s6://${fake.address}/ignored`;
  const args = ["ping", "-c", "3", "-i", "1ms"];
  const run = await cli6([...args, url]);
  expect(run.out).toMatch(/: fake \S+, connected in [\d.]+ ms\n1: .* ms\n2: .* ms\n3: .* ms\n/);
  expect(run.out).toMatch(
    /3 sent, 3 answered, 0\.0 % failed\nmin .* median .* p99 .* max .* ms\n$/,
  );
  expect(fake.connections.length).toBe(1);
  const json = JSON.parse((await cli6([...args, "--json", fake.address])).out);
  expect(json).toMatchObject({ sent: 3, answered: 3, failed: 0, minMs: expect.any(Number) });
  expect(await cli6([...args, "-q", fake.address])).toEqual({ status: 0, out: "", err: "" });
});

test("ping: one that is lost is counted and the next connects anew; nobody there is status 7", async () => {
  using fake = new FakeServer((connection) => {
    const asked = connection.received.split("\n").length - 1;
    if (fake.connections.length === 1 && asked === 3) connection.socket.terminate();
    else connection.say("OK 0 server=x version=1\n");
  });
  const run = await cli6(["ping", "-c", "3", "-i", "1ms", fake.address]);
  expect(run.out).toContain("3 sent, 2 answered, 33.3 % failed\n");
  expect([run.status, fake.connections.length]).toEqual([5, 2]);
  const { address } = fake;
  fake[Symbol.dispose]();
  const gone = await cli6(["ping", "-c", "3", address]);
  expect([gone.status, gone.out]).toEqual([7, ""]);
});

test("ping: Ctrl-C prints the figures", async () => {
  using fake = replying(() => "OK 0 server=x version=1\n");
  const child = Bun.spawn([...CLI6_COMMAND, "ping", "-c", "9", "-i", "1h", fake.address], {
    stdout: "pipe",
    env: environment(),
  });
  await until(() => fake.connections[0]?.received === "PING\nPING\n");
  let out = "";
  for await (const chunk of child.stdout) {
    out += Buffer.from(chunk).toString();
    if (out.includes("\n1: ") && !out.includes("sent")) child.kill("SIGINT");
  }
  expect([await child.exited, out]).toEqual([0, expect.stringContaining("1 sent, 1 answered")]);
});
