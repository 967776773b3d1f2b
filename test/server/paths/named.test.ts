/** Roots under names, as clients of each dialect see them: each its own, and no way out of one. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { serve } from "../../../src/api.ts";
import { codesOf } from "../../rig/exchange.ts";
import { httpReplies } from "../../rig/http.ts";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { Tree } from "../../rig/tree.ts";

/** Two trees, a file beside them that no path may reach, and links that try. */
class Served implements AsyncDisposable {
  readonly tree = new Tree({
    "models/a.txt": "of models",
    "models/sub/b.txt": "deep",
    "models/large": content(1, 0, 300_000),
    "photos/a.txt": "of photos",
    secret: "nobody may read this",
  });
  readonly #server;

  constructor(unconfined = false) {
    for (const [name, target] of [
      ["up", "../secret"],
      ["across", "../photos/a.txt"],
      ["all", ".."],
      ["root", "/"],
    ] as const) {
      this.tree.link(`models/${name}`, target);
    }
    const roots = { models: this.tree.path("models"), photos: this.tree.path("photos") };
    this.#server = serve({ roots, port: 0, unconfined });
  }

  get port(): number {
    return this.#server.addresses[0]?.port ?? 0;
  }

  /** All that comes back for `bytes`. */
  async ask(bytes: string): Promise<Buffer> {
    using peer = await Peer.dial(this.port);
    peer.send(bytes);
    peer.finish();
    return (await peer.all()).bytes;
  }

  async http(path: string, fields = ""): Promise<{ status: number; body: string; etag: string }> {
    const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}Connection: close\r\n\r\n`;
    const [reply] = httpReplies(await this.ask(head), ["GET"]);
    const { status = 0, body, fields: told } = reply ?? {};
    return { status, body: String(body), etag: told?.get("etag") ?? "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(0);
    this.tree[Symbol.dispose]();
  }
}

/** What leaves, or tries to, and the errno that S6/1 says. */
const REFUSED: Record<string, string> = {
  "/models/../photos/a.txt": "EACCES",
  "/models/../secret": "EACCES",
  "/models/..": "EACCES",
  "/../secret": "EACCES",
  "/..": "EACCES",
  "/models/%2e%2e/secret": "EACCES",
  "/models%2f..%2fsecret": "EACCES",
  "/models/sub/../../secret": "EACCES",
  "/./models/./../secret": "EACCES",
  "/models/up": "EACCES",
  "/models/across": "EACCES",
  "/models/all": "EACCES",
  "/models/all/secret": "EACCES",
  "/models/root/etc/passwd": "EACCES",
  "/secret": "ENOENT",
  "/modelsx/a.txt": "ENOENT",
  "/model": "ENOENT",
  "/Models/a.txt": "ENOENT",
  "/models%00/a.txt": "EINVAL",
  "/a.txt": "ENOENT",
  "/photos/sub/b.txt": "ENOENT",
  "/": "EISDIR",
  "/models": "EISDIR",
  "/models/": "EISDIR",
};

test("S6/1: each root under its name, its errors by the name it was asked by", async () => {
  await using served = new Served();
  const { port } = served;
  const asked = Object.keys(REFUSED).map((path) => `READ ${path}`);
  const codes = (await codesOf(port, asked)).map(([, code]) => code);
  expect(Object.fromEntries(asked.map((line, nth) => [line, codes[nth]]))).toEqual(
    Object.fromEntries(Object.entries(REFUSED).map(([path, code]) => [`READ ${path}`, code])),
  );
  const text = async (line: string): Promise<string> => (await served.ask(line)).toString();
  expect(await text("READ /models/a.txt\n")).toMatch(/^OK 9 .*\nof models$/);
  expect(await text("READ //photos/.//a.txt\n")).toMatch(/^OK 9 .*\nof photos$/);
  expect(await text("READ /models/no\n")).toBe("ERR ENOENT no such file: /models/no\n");
  expect(await text("STAT /\n")).toMatch(/^OK 0 type=dir size=0 mtime=[1-9][0-9]* etag=\w{16}\n$/);
  expect(await text("STAT /models\n")).toMatch(/^OK 0 type=dir size=0 /);
  expect(await text("LIST /\n")).toMatch(
    /^OK \d+ count=2 more=0 left=0 id=\w{16}\ndir mtime=\d+ models\ndir mtime=\d+ photos\n$/,
  );
  expect(await text("LIST limit=1 /\n")).toMatch(/ count=1 more=1 .*\n.* models\n$/);
  expect(await text("LIST after=models /\n")).toMatch(/ count=1 more=0 .*\n.* photos\n$/);
  expect(await text("LIST /photos\n")).toMatch(/ count=1 .*\nfile size=9 .* a\.txt\n$/);
  expect(await text("LIST left=1 /models\n")).toMatch(/left type=link error=EACCES up\n/);
});

test("S6/1: large files, ranges, digests and etags of two roots are what they are", async () => {
  await using served = new Served();
  const whole = fs.readFileSync(served.tree.path("models/large"));
  const read = await served.ask("READ /models/large\nREAD offset=5 length=7 /models/large\n");
  const end = read.indexOf(10) + 1;
  expect(read.subarray(end, end + whole.length).equals(whole)).toBe(true);
  expect(read.subarray(-7).equals(whole.subarray(5, 12))).toBe(true);
  const hash = (await served.ask("HASH algo=sha256 /models/large\n")).toString();
  expect(hash).toContain(`\n${new Bun.CryptoHasher("sha256").update(whole).digest("hex")}\n`);
  const etag = /etag=(\w{16})/.exec(hash)?.[1] ?? "";
  const other = await served.ask(`READ if=${etag} /photos/a.txt\nREAD if=${etag} /models/large\n`);
  expect(other.toString("latin1")).toMatch(/^ERR ESTALE .*\nOK 300000 /);
});

test("bare: a path below its root's name, or an absolute one below one of the roots", async () => {
  await using served = new Served();
  const text = async (path: string): Promise<string> =>
    (await served.ask(`${path}\n`)).toString().slice(0, 60);
  expect(await text("models/a.txt")).toBe("of models");
  expect(await text("/photos/a.txt")).toBe("of photos");
  expect(await text(served.tree.path("photos/a.txt"))).toBe("of photos");
  expect(await text("models/../secret")).toStartWith("ERROR EACCES");
  expect(await text(served.tree.path("secret"))).toStartWith("ERROR ENOENT");
  expect(await text(`${served.tree.root}/photos/../secret`)).toStartWith("ERROR EACCES");
  expect(await text("/")).toStartWith("ERROR EISDIR");
  expect(await text("..")).toStartWith("ERROR EACCES");
});

test("HTTP: pages and JSON of the top and below, files, digests, and nothing else", async () => {
  await using served = new Served();
  const { status, body } = await served.http("/?json");
  expect([status, body]).toEqual([200, expect.stringMatching(/"models".*"photos"/s)]);
  expect((await served.http("/")).body).toMatch(/href="models\/".*href="photos\/"/s);
  expect(await served.http("/models/a.txt")).toMatchObject({ status: 200, body: "of models" });
  expect((await served.http("/models")).status).toBe(301);
  expect((await served.http("/models/?json")).body).toContain('"a.txt"');
  expect((await served.http("/photos/SHA256SUMS")).body).toMatch(/^[0-9a-f]{64} {2}a\.txt\n$/);
  expect((await served.http("/-/health")).status).toBe(200);
  const { etag } = await served.http("/photos/a.txt");
  const again = `If-None-Match: ${etag}\r\n`;
  expect((await served.http("/photos/a.txt", again)).status).toBe(304);
  for (const [path, code] of Object.entries(REFUSED)) {
    if (code === "EISDIR") continue;
    const answer = await served.http(path);
    expect([path, answer.status >= 400, answer.body.includes("nobody may")]).toEqual([
      path,
      true,
      false,
    ]);
  }
});

test("HTTP: what is asked for again and again is the same from each of two roots", async () => {
  await using served = new Served();
  fs.writeFileSync(served.tree.path("models/mid"), content(2, 0, 20_000));
  fs.writeFileSync(served.tree.path("photos/mid"), content(3, 0, 20_000));
  const get = (name: string): string => `GET /${name}/mid HTTP/1.1\r\nHost: a\r\n\r\n`;
  // Often enough to be packed behind their heads, each by its own store.
  const order = Array.from({ length: 60 }, (_, nth) => (nth % 2 === 0 ? "models" : "photos"));
  const bytes = await served.ask(order.map(get).join(""));
  const replies = httpReplies(
    bytes,
    order.map(() => "GET"),
  );
  for (const [nth, { body, fields }] of replies.entries()) {
    const wanted = fs.readFileSync(served.tree.path(`${order[nth]}/mid`));
    expect([nth, body.equals(wanted)]).toEqual([nth, true]);
    expect(fields.get("etag")).toBe(replies[nth % 2]?.fields.get("etag"));
  }
});

test("a token's paths begin with the names of roots", async () => {
  using tree = new Tree({ "m/a/f": "of m", "p/f": "of p" });
  fs.writeFileSync(tree.path("tokens"), '[anonymous]\npaths = ["/models/a"]\n', { mode: 0o600 });
  const roots = { models: tree.path("m"), photos: tree.path("p") };
  const server = serve({ roots, port: 0, tokens: { file: tree.path("tokens") } });
  const asked = ["READ /models/a/f", "READ /photos/f", "STAT /photos", "LIST /photos", "STAT /"];
  const codes = await codesOf(server.addresses[0]?.port ?? 0, asked);
  expect(codes.map(([, code]) => code)).toEqual(["OK", "ENOENT", "ENOENT", "ENOENT", "OK"]);
  using peer = await Peer.dial(server.addresses[0]?.port ?? 0);
  peer.send("LIST /\nLIST /models\n");
  peer.finish();
  const text = (await peer.all()).bytes.toString();
  expect(text.match(/^dir .*$/gm)?.map((line) => line.split(" ").at(-1))).toEqual(["models", "a"]);
  await server.stop(0);
});

test("the library wants a root or roots, not both and not none", async () => {
  using tree = new Tree({});
  expect(() => serve({ port: 0 })).toThrow("takes a root, or roots by their names");
  expect(() => serve({ port: 0, root: tree.root, roots: { a: tree.root } })).toThrow(
    "takes a root",
  );
  expect(() => serve({ port: 0, roots: { a: tree.path("no") } })).toThrow("the root a: cannot");
});
