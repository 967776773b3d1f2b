/** Folders over HTTP: the page and its links, JSON, and names that are markup. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually, replaceCall } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { openIn } from "../../rig/open-files.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const get = (target: string, fields = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;

async function bodyOf(running: Running, target: string, fields = ""): Promise<string> {
  const { bytes } = await httpExchange(running, get(target, fields));
  const [reply] = httpReplies(bytes, ["GET"]);
  expect([target, reply?.status]).toEqual([target, 200]);
  return reply!.body.toString();
}

const ODD = ["<img src=x onerror=alert(1)>", "a&b", "q'uote\"", "javascript:alert(1)", "%41", "é"];

test("each name is a link that leads to it, and none is markup", async () => {
  using tree = new Tree({ "sub/x": "x" });
  for (const name of ODD) tree.write(name, name);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from([0xff])]), "byte");
  await using running = new Running(tree.root);
  const page = await bodyOf(running, "/");
  expect(page).not.toMatch(/<img|<script|onerror=alert\(1\)>"/);
  const links = [...page.matchAll(/<tr><td><a href="([^"]*)">/g)].map(([, href]) => href!);
  const contents = new Set<string>();
  for (const link of links) {
    if (link.endsWith("/")) continue;
    expect(link).toMatch(/^[A-Za-z0-9\-._~%]+$/);
    contents.add(await bodyOf(running, `/${link}`));
  }
  expect(contents).toEqual(new Set([...ODD, "byte"]));
  expect(links).toContain("sub/");
  const below = await bodyOf(running, "/sub/");
  expect([...below.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
    ...["/", "/sub/", "../", "x"],
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
    for (const [, href] of page.matchAll(/<tr><td><a href="([^"]*)">/g)) {
      seen.push(decodeURIComponent(href!));
    }
    const [, next] = /<a rel=next href="([^"]*)">/.exec(page) ?? [];
    target = next === undefined ? undefined : `/${next}`;
  }
  expect([pages, Bun.deepEquals(seen, names)]).toEqual([3, true]);
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
