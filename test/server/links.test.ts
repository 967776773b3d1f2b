/** Signed links: what they open, for whom, until when, by every door, and what a forger gets. */
import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import fs from "node:fs";
import { LinkKey } from "../../src/identity/links.ts";
import { Tokens } from "../../src/identity/tokens.ts";
import { eventually } from "../rig/faults.ts";
import { Peer } from "../rig/peer.ts";
import { Running } from "../rig/running.ts";
import { askSecurely, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const KEY = "k".repeat(32);
const SOON = Math.ceil(Date.now() / 1000) + 3600;
const TREE = { "d/f": "content", "d/sub/g": "more", "dd/f": "beside", top: "top" };

/** As a person would make one with openssl: none of it is our own encoder's. */
function link(path: string, { until = SOON, address = "", key = KEY } = {}): string {
  const encoded = (text: string): string => Buffer.from(text, "latin1").toString("base64url");
  const body = `link.${until}.${encoded(address)}.${encoded(path)}`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}

function running(tree: Tree, keys: Tree): Running {
  keys.write("key", KEY);
  fs.chmodSync(keys.path("key"), 0o600);
  const tokens = Tokens.none();
  return new Running(tree.root, {
    tls: filesOf("good"),
    tokens,
    linkKey: new LinkKey(keys.path("key")),
  });
}

const http = (target: string, more = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`;

const FOR_D: [string, string, RegExp][] = [
  ["READ", "READ /d/f\n", /^OK 7 /],
  ["STAT", "STAT /d/sub\n", /^OK 0 type=dir/],
  ["LIST", "LIST /d\n", /^OK [0-9]+ count=2/],
  ["HASH", "HASH /d/f\n", /^OK 17 /],
  ["beside it", "READ /dd/f\n", /^ERR ENOENT /],
  ["above it, the way there", "LIST /\n", /^OK [0-9]+ count=1 /],
  ["above it, nothing else", "READ /top\n", /^ERR ENOENT /],
];

describe.each(["plaintext", "TLS"])("by %s", (way) => {
  const ask = async (it: Running, request: string): Promise<string> =>
    way === "TLS" ? (await askSecurely(it.port, request)).text : (await it.ask(request)).text;

  test.each(FOR_D)("a link to /d: %s", async (_what, line, reply) => {
    using tree = new Tree(TREE);
    using keys = new Tree();
    await using it = running(tree, keys);
    expect(await ask(it, `AUTH ${link("/d")}\n${line}`)).toMatch(
      new RegExp(`^OK 0\n${reply.source.slice(1)}`),
    );
  });

  test("a wide folder's list in JSON names the next page with the link, for programs", async () => {
    using tree = new Tree(TREE);
    using keys = new Tree();
    for (let i = 0; i < 1001; i++) tree.write(`w/${10_000 + i}`, "");
    await using it = running(tree, keys);
    const shown = link("/w");
    const first = await ask(it, http(`/w/?json&link=${shown}`));
    const [, next = ""] = /\r\nLink: <([^>]+)>; rel="next"\r\n/.exec(first) ?? [];
    expect(next).toBe(`?json&after=10999&link=${shown}`);
    const second = await ask(it, http(`/w/${next}`));
    expect(second).toStartWith("HTTP/1.1 200 ");
    expect(second).toContain('"name":"11000"');
  });

  test("over HTTP in the query, and from a folder's page on in its cookie", async () => {
    using tree = new Tree(TREE);
    using keys = new Tree();
    await using it = running(tree, keys);
    const shown = link("/d");
    expect(await ask(it, http(`/d/f?link=${shown}`))).toMatch(
      /^HTTP\/1\.1 200 [^]*\r\n\r\ncontent$/,
    );
    expect(await ask(it, http(`/d/f?link=${shown}`, "Range: bytes=1-2\r\n"))).toMatch(
      /^HTTP\/1\.1 206 [^]*\r\n\r\non$/,
    );
    expect(await ask(it, http(`/dd/f?link=${shown}`))).toStartWith("HTTP/1.1 404 ");
    expect(await ask(it, http("/d/f"))).toStartWith("HTTP/1.1 401 ");
    const page = await ask(it, http(`/d/?link=${shown}`));
    const [, cookie = "", rules = ""] = /\r\nSet-Cookie: ([^;]+)(;[^\r]*)/.exec(page) ?? [];
    expect(cookie).toBe(`serv6-link=${shown}`);
    expect(rules).toBe(`; Path=/d/; HttpOnly; SameSite=Lax${way === "TLS" ? "; Secure" : ""}`);
    expect(await ask(it, http("/d/f", `Cookie: a=b; ${cookie}; c\r\n`))).toMatch(/content$/);
    expect(await ask(it, http("/dd/f", `Cookie: ${cookie}\r\n`))).toStartWith("HTTP/1.1 404 ");
  });
});

describe("opens nothing", () => {
  const cases: [string, string][] = [
    ["another key's", link("/d", { key: "x".repeat(32) })],
    ["one that is over", link("/d", { until: 1_600_000_000 })],
    ["another address's", link("/d", { address: "127.0.0.9" })],
    ["another path, with this one's signature", link("/d").replace(/\.[^.]+(?=\.[^.]+$)/, ".Lw")],
    ["a later end, with this one's signature", link("/d").replace(String(SOON), String(SOON + 1))],
    ["half of one", link("/d").slice(0, -20)],
    ["nothing behind its mark", "link."],
    ["a path that leads up", link("/d/../top")],
    ["a path with a NUL", link("/d\0")],
  ];
  test.each(cases)("%s", async (_what, shown) => {
    using tree = new Tree(TREE);
    using keys = new Tree();
    await using it = running(tree, keys);
    expect((await it.ask(`AUTH ${shown}\nREAD /d/f\n`)).text).toMatch(
      /^ERR EACCES [^\n]*\nERR EACCES /,
    );
    expect((await it.ask(http(`/d/f?link=${shown}`))).text).toMatch(/^HTTP\/1\.1 401 /);
    // A browser shows an old cookie unasked: that is no try.
    for (let nth = 0; nth < 9; nth++) {
      expect((await it.ask(http("/d/f", `Cookie: serv6-link=${shown}\r\n`))).text).toStartWith(
        "HTTP/1.1 401 ",
      );
    }
    expect((await it.ask(`AUTH ${link("/d")}\nREAD /d/f\n`)).text).toContain("content");
  });
});

test("its own address may show it, and it ends on open connections with another key", async () => {
  using tree = new Tree(TREE);
  using keys = new Tree();
  await using it = running(tree, keys);
  using peer = await Peer.dial(it.port, "127.0.0.9");
  peer.send(`AUTH ${link("/d", { address: "127.0.0.9" })}\nSTAT /d/f\n`);
  await eventually("both replies", () => peer.length > 20);
  expect((await peer.take(5)).toString()).toBe("OK 0\n");
  await peer.take(peer.length);
  fs.writeFileSync(keys.path("key"), "n".repeat(32));
  let last = "";
  await eventually("the key read again", () => {
    if (peer.length > 0) void peer.take(peer.length).then((bytes) => (last = bytes.toString()));
    peer.send("STAT /d/f\n");
    return last.includes("ERR EACCES ");
  });
});

test("any change of any character of a link is seen", () => {
  using keys = new Tree();
  keys.write("key", KEY);
  fs.chmodSync(keys.path("key"), 0o600);
  const key = new LinkKey(keys.path("key"));
  const good = link("/a b/é", { address: "10.0.0.1" });
  expect(key.grantOf(good, "10.0.0.1")?.paths).toEqual(["a b/\xe9"]);
  expect(key.sign({ path: "/a b/\xe9", until: SOON, address: "10.0.0.1" })).toBe(good);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.constantFrom(..."AZaz09-_.=/ \n"), (at, char) => {
      fc.pre(good[at] !== char);
      expect(key.grantOf(good.slice(0, at) + char + good.slice(at + 1), "10.0.0.1")).toBeNull();
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => key.grantOf(`link.${text}`, "") === null));
});

test("the key's file: made for its user alone; short, open and missing ones are refused by name", () => {
  using keys = new Tree({ short: "k".repeat(31), open: KEY });
  LinkKey.ensure(keys.path("state/links.key"));
  expect(fs.statSync(keys.path("state/links.key")).mode & 0o777).toBe(0o600);
  fs.chmodSync(keys.path("short"), 0o600);
  fs.chmodSync(keys.path("open"), 0o644);
  expect(() => new LinkKey(keys.path("short"))).toThrow(/--link-key: .*short has 31 bytes/);
  expect(() => new LinkKey(keys.path("open"))).toThrow(/--link-key: .*open can be read by others/);
  expect(() => new LinkKey(keys.path("none"))).toThrow(
    /--link-key: .*none can't be read \(ENOENT\)/,
  );
});

test("who has a link gains no tries of tokens by it: the wait comes all the same", async () => {
  using tree = new Tree(TREE);
  using keys = new Tree();
  await using it = running(tree, keys);
  const tries = Array.from({ length: 6 }, (_, nth) => `AUTH wrong${nth}\nAUTH ${link("/d")}\n`);
  const { text } = await it.ask(tries.join(""));
  expect(text.match(/^OK 0$/gm)).toHaveLength(4);
  expect(text).toMatch(/^ERR EBUSY .*too many wrong tokens/m);
});
