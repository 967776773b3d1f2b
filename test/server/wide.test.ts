/** A wide folder over real sockets: walks that share its names, beside others who change it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { openWireClient, type WireClient } from "../../src/client/wireclient.ts";
import { SHORT_BYTES_MAX } from "../../src/store/pages.ts";
import { openIn } from "../rig/open-files.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const NAMES = 6000;
const SETTINGS = { connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 };

/** A folder that is a long one, with names that are no UTF-8 among the others. */
function wideTree(): { tree: Tree; names: string[] } {
  const tree = new Tree();
  const names: string[] = [];
  for (let nth = 0; nth < NAMES; nth++) {
    const odd = ["\xff", "\xc3\xa9", " %", ""][nth % 4]!;
    const name = `${(nth * 7919) % NAMES}${odd}${"x".repeat(nth % 40)}`;
    names.push(name);
    const path = Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from(name, "latin1")]);
    fs.closeSync(fs.openSync(path, "w"));
  }
  expect(fs.statSync(tree.root).size).toBeGreaterThan(SHORT_BYTES_MAX);
  return { tree, names: names.sort() };
}

/** All names, page by page; `between` is called behind each page. */
async function walked(client: WireClient, limit: number, between = (): void => {}) {
  const names: string[] = [];
  for (let more = true; more;) {
    const page = await client.list("/", names.at(-1) ?? "", limit);
    names.push(...page.entries.map(({ name }) => name));
    more = page.more;
    between();
  }
  return names;
}

test("40 clients walk a wide folder at once; each gets every name once, and nothing stays open", async () => {
  const { tree, names } = wideTree();
  using _tree = tree;
  await using running = new Running(tree.root);
  const before = openIn(tree.root);
  const server = { host: "127.0.0.1", port: running.port };
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => openWireClient(server, SETTINGS)),
  );
  const all = await Promise.all(clients.map((client, nth) => walked(client, 500 + 40 * nth)));
  expect(all.filter((walk) => !Bun.deepEquals(walk, names))).toEqual([]);
  for (const client of clients) client.close();
  expect(openIn(tree.root)).toBe(before);
}, 60_000);

test("names that come and go during a walk: the others come once; a walk begun anew sees them", async () => {
  const { tree, names } = wideTree();
  using _tree = tree;
  await using running = new Running(tree.root);
  const client = await openWireClient({ host: "127.0.0.1", port: running.port }, SETTINGS);
  let nth = 0;
  const removed = new Set<string>();
  const walk = await walked(client, 500, () => {
    tree.write(`zz${nth}`, "");
    const gone = names[(nth * 997) % NAMES]!;
    fs.rmSync(Buffer.from(`${tree.root}/${gone}`, "latin1"), { force: true });
    removed.add(gone);
    nth += 1;
  });
  const steady = names.filter((name) => !removed.has(name));
  expect(Bun.deepEquals([...new Set(walk)].sort(), walk)).toBe(true);
  const had = new Set(walk);
  expect(steady.filter((name) => !had.has(name))).toEqual([]);
  // Asked for after the last change, and each time after one more.
  for (let more = 0; more < 3; more++) {
    const added = Array.from({ length: nth }, (_, at) => `zz${at}`);
    expect(Bun.deepEquals(await walked(client, 4096), [...steady, ...added].sort())).toBe(true);
    tree.write(`zz${nth}`, "");
    nth += 1;
  }
  client.close();
}, 60_000);
