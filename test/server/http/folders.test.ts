/** Folders over HTTP: the page and its links, JSON, and names that are markup. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Refusal } from "../../../src/wire/errors.ts";
import { eventually, replaceCall } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { openIn } from "../../rig/open-files.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { waiterOf } from "../../rig/waiter.ts";

const get = (target: string, fields = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;

async function bodyOf(running: Running, target: string, fields = ""): Promise<string> {
  const { bytes } = await httpExchange(running, get(target, fields));
  const [reply] = httpReplies(bytes, ["GET"]);
  expect([target, reply?.status]).toEqual([target, 200]);
  return reply!.body.toString();
}

/** The link of an entry's row. */
const ROW = /<tr><th scope=row><a href="([^"]*)">/g;

const ODD = ["<img src=x onerror=alert(1)>", "a&b", "q'uote\"", "javascript:alert(1)", "%41", "é"];

test("each name is a link that leads to it, and none is markup", async () => {
  using tree = new Tree({ "sub/x": "x" });
  for (const name of ODD) tree.write(name, name);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from([0xff])]), "byte");
  await using running = new Running(tree.root);
  const page = await bodyOf(running, "/");
  expect(page).not.toMatch(/<img|onerror=alert\(1\)>"/);
  const links = [...page.matchAll(ROW)].map(([, href]) => href!);
  const contents = new Set<string>();
  for (const link of links) {
    if (link.endsWith("/")) continue;
    expect(link).toMatch(/^[A-Za-z0-9\-._~%]+$/);
    contents.add(await bodyOf(running, `/${link}`));
  }
  expect(contents).toEqual(new Set([...ODD, "byte"]));
  expect(links).toContain("sub/");
  const below = await bodyOf(running, "/sub/");
  expect([...below.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
    ...["/", "?sort=name&amp;order=desc", "?sort=size&amp;order=desc"],
    ...["?sort=time&amp;order=desc", "../", "x", "?json"],
  ]);
});

test("JSON where it is asked for, as ?json or by Accept", async () => {
  using tree = new Tree({ f: "content", "d/x": "" });
  fs.utimesSync(tree.path("f"), 1_000_000_000, 1_000_000_000);
  await using running = new Running(tree.root);
  const wanted = { name: "f", type: "file", mtime: "Sun, 09 Sep 2001 01:46:40 GMT", size: 7 };
  for (const [target, fields] of [
    ["/?json", ""],
    ["/", "Accept: application/json\r\n"],
  ] as const) {
    const all = JSON.parse(await bodyOf(running, target, fields)) as { name: string }[];
    expect(all.map(({ name }) => name)).toEqual(["d", "f"]);
    expect(all[1]).toEqual(wanted);
  }
  expect(await bodyOf(running, "/", "Accept: text/html,*/*;q=0.8\r\n")).toStartWith("<!doctype");
});

test("a wide folder comes page by page, each with a link to the next, every name once", async () => {
  using tree = new Tree();
  const names = Array.from({ length: 2500 }, (_, nth) => `n ${String(nth).padStart(4, "0")}`);
  for (const name of names) tree.write(name, "");
  await using running = new Running(tree.root);
  const seen: string[] = [];
  let pages = 0;
  for (let target: string | undefined = "/"; target !== undefined; pages++) {
    const page = await bodyOf(running, target);
    for (const [, href] of page.matchAll(ROW)) {
      seen.push(decodeURIComponent(href!));
    }
    const [, next] = /<a href="([^"]*)" rel=next>/.exec(page) ?? [];
    target = next === undefined ? undefined : `/${next}`;
  }
  expect([pages, Bun.deepEquals(seen, names)]).toEqual([3, true]);
});

test("what is wide is sorted page by page, and JSON has the link that its shape has no place for", async () => {
  using tree = new Tree();
  for (let nth = 0; nth < 1002; nth++) {
    tree.write(`n${String(nth).padStart(4, "0")}`, "x".repeat(nth % 7));
  }
  await using running = new Running(tree.root);
  const page = await bodyOf(running, "/?sort=size&order=desc");
  const rows = [...page.matchAll(ROW)].map(([, href]) => href!);
  expect([rows.length, rows[0], rows.at(-1)]).toEqual([1000, "n0006", "n0994"]);
  expect(page).toContain('<a href="?after=n0999&amp;sort=size&amp;order=desc" rel=next>');
  expect(page).toContain("Sorting and filtering see this page alone.");
  const { bytes } = await httpExchange(running, get("/?json") + get("/?json&after=n0999"));
  const [first, last] = httpReplies(bytes, ["GET", "GET"]);
  expect(first?.fields.get("link")).toBe('<?json&after=n0999>; rel="next"');
  expect([last?.fields.get("link"), last?.body.toString().match(/"name"/g)]).toEqual([
    undefined,
    ['"name"', '"name"'],
  ]);
});

test("a README is shown as text, the best one, also from a later page, and none from outside", async () => {
  using tree = new Tree({ "a/README": "old", "a/README.md": "<b>&amp; new", "b/README.txt": "" });
  tree.write("outside", "secret");
  fs.mkdirSync(tree.path("root/c"), { recursive: true });
  fs.symlinkSync("../../outside", tree.path("root/c/README.md"));
  tree.write("root/c/README", "inside");
  tree.write("root/d/README.md", "y".repeat(65_537));
  fs.mkdirSync(tree.path("root/e/README.md"), { recursive: true });
  for (let nth = 0; nth < 1001; nth++) tree.write(`root/f/${1000 + nth}`, "");
  tree.write("root/f/README.txt", "z".repeat(65_536));
  await using running = new Running(tree.root);
  expect(await bodyOf(running, "/a/")).toContain("<pre>\n&lt;b>&amp;amp; new</pre>");
  expect(await bodyOf(running, "/b/")).toContain('"README.txt">README.txt</a></h2>\n<pre>\n</pre>');
  await using confined = new Running(tree.path("root"));
  expect(await bodyOf(confined, "/c/")).toContain("<pre>\ninside</pre>");
  expect(await bodyOf(confined, "/d/")).toContain("<p>65,537 bytes, not shown here.");
  expect(await bodyOf(confined, "/e/")).not.toContain("<section");
  expect(await bodyOf(confined, "/f/")).toContain(`<pre>\n${"z".repeat(65_536)}</pre>`);
  expect(await bodyOf(confined, "/f/?after=1999")).toContain("README.txt</a></h2>");
  expect(await bodyOf(confined, "/f/?after=1000")).not.toContain("<section");
  expect(await bodyOf(confined, "/f/?after=README.txt")).not.toContain("<section");
});

test("the lines to copy are made of Host, escaped", async () => {
  using tree = new Tree({ "d/f": "" });
  await using running = new Running(tree.root);
  const ask = async (host: string): Promise<string> => {
    const { bytes } = await httpExchange(running, `GET /d/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return httpReplies(bytes, ["GET"])[0]!.body.toString();
  };
  expect(await ask("nas:6464")).toContain("<code>cli6 get s6://nas:6464/d/f</code>");
  const odd = await ask("a'&$(id)");
  expect(odd).toContain("<code>cli6 get &#39;s6://a&#39;\\&#39;&#39;&amp;$(id):80/d/f&#39;</code>");
  expect(odd).toContain('<a href="/">a&#39;&amp;$(id)</a>');
  const old = await httpExchange(running, "GET /d/ HTTP/1.0\r\n\r\n");
  expect(httpReplies(old.bytes, ["GET"])[0]!.body.toString()).not.toContain("<code>");
});

test("without its slash it moves to its own address, and to nobody else's", async () => {
  using tree = new Tree({ "a b/c/x": "" });
  await using running = new Running(tree.root);
  for (const [target, location] of [
    ["/a%20b", "/a%20b/"],
    ["//a%20b/c?json", "/a%20b/c/?json"],
    ["/./a%20b//c", "/a%20b/c/"],
  ] as const) {
    const { bytes } = await httpExchange(running, get(target));
    const [reply] = httpReplies(bytes, ["GET"]);
    expect([reply?.status, reply?.fields.get("location")]).toEqual([301, location]);
  }
});

test("an index.html stands for its folder where that is wanted, as a file, and nowhere else", async () => {
  using tree = new Tree({ "a/index.html": "<p>hi", "a/x": "", "b/index.html/x": "", "c/x": "" });
  tree.write("aindex.html", "another");
  fs.symlinkSync("../../index.html", tree.path("c/index.html"));
  await using running = new Running(tree.root, { index: true });
  const { bytes } = await httpExchange(
    running,
    get("/a/") + get("/a") + get("/a/", "Range: bytes=1-2\r\n") + get("/a/?json") + get("/a/?x"),
  );
  const [page, moved, part, json, query] = httpReplies(bytes, Array<string>(5).fill("GET"));
  expect(page?.body.toString()).toBe("<p>hi");
  expect(page?.fields.get("content-type")).toBe("text/html;charset=utf-8");
  expect(page?.fields.has("content-security-policy")).toBe(false);
  expect(page?.fields.has("etag")).toBe(true);
  expect([moved?.status, moved?.fields.get("location")]).toEqual([301, "/a/"]);
  expect([part?.status, part?.body.toString()]).toEqual([206, "p>"]);
  expect(JSON.parse(json!.body.toString())).toHaveLength(2);
  expect(query?.body.toString()).toBe("<p>hi");
  for (const it of ["/b/", "/c/", "/"]) expect(await bodyOf(running, it)).toContain("<tbody");
  await using without = new Running(tree.root);
  expect(await bodyOf(without, "/a/")).toContain("<tbody");
  using _cold = replaceCall(
    "resident",
    () => (_fd, _offset, count) => (count === undefined ? 1 : 0),
  );
  await using cold = new Running(tree.root, { index: true });
  expect(await bodyOf(cold, "/a/")).toBe("<p>hi");
});

test("a server that can't open an index.html now says so, and does not say that there is none", async () => {
  using tree = new Tree({
    "a/index.html": "i".repeat(100_000),
    "a/x": "",
    other: "o".repeat(100_000),
  });
  await using running = new Running(tree.root, { index: true, limits: { files: 1 } });
  const other = running.store.open(
    "/other",
    waiterOf(() => {}),
  );
  if (other === null || other instanceof Refusal) throw new Error("not in memory");
  other.retain();
  const busy = await httpExchange(running, get("/a/"));
  other.release();
  expect(httpReplies(busy.bytes, ["GET"])[0]?.status).toBe(503);
  expect(await bodyOf(running, "/a/")).toBe("i".repeat(100_000));
});

test("a README that is not in memory is read off the loop, and not at all where it has left again", async () => {
  using tree = new Tree({ "a/README": "small", "b/README": "m".repeat(20_000) });
  await using running = new Running(tree.root);
  using _cold = replaceCall(
    "resident",
    () => (_fd, _offset, count) => (count === undefined ? 1 : 0),
  );
  expect(await bodyOf(running, "/a/")).toContain("<pre>\nsmall</pre>");
  expect(await bodyOf(running, "/b/")).toContain("<p>20,000 bytes, not shown here.");
});

test("a program that asks for endless pages and goes leaves no connection and no open folder", async () => {
  using tree = new Tree({ "d/f": "x" });
  await using running = new Running(tree.root);
  let first = 0;
  using _endless = replaceCall("getdents", (real) => (fd, into) => {
    if (first === 0) first = real(fd, into);
    return first;
  });
  const peers = await Promise.all(Array.from({ length: 10 }, () => running.dial()));
  for (const peer of peers) {
    peer.send(get("/d/"));
    peer.finish();
  }
  await eventually("what is promised", () => peers.every(({ length }) => length > 0));
  // The kernel of a peer that is gone answers the next byte with RST.
  for (const peer of peers) peer.reset();
  await eventually("their end", () => running.server.counters.connections === 0);
  await eventually("the folder let go of", () => openIn(tree.path("d")) === 0);
});
