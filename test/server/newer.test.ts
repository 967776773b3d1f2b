/**
 * A client that knows a newer version than the server remembers: what it was told by STAT a moment
 * ago must not be refused, though a name is believed for a second.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const OLD_BYTES = 3000;
const NEW_BYTES = 5000;

/** A server that remembers the old /f, while the new one has its name; and the new one's etag. */
async function outdated(tree: Tree) {
  tree.write("f", content(1, 0, OLD_BYTES));
  const running = new Running(tree.root);
  const [old] = await exchange(running.port, ["READ /f"]);
  tree.write("next", content(1, 1, NEW_BYTES));
  fs.renameSync(tree.path("next"), tree.path("f"));
  const [stat] = await exchange(running.port, ["STAT /f"]);
  const [before, now] = [factOf(old!, "etag"), factOf(stat!, "etag")];
  expect(now).not.toBe(before);
  return { running, before, now };
}

/** What READ gives of the new version from `offset` on. */
function expectNew(reply: { line: string; body: Buffer } | undefined, offset: number): void {
  expect(reply?.line).toStartWith(`OK ${NEW_BYTES - offset} size=${NEW_BYTES} offset=${offset} `);
  expect(verify(reply!.body, 1, 1, offset)).toBeNull();
}

test("an etag that is not the remembered one makes the server look anew", async () => {
  using tree = new Tree();
  const { running, before, now } = await outdated(tree);
  await using _running = running;
  const lines = [`READ if=${now} /f`, `READ if=${before} /f`];
  const [read, stale] = await exchange(running.port, lines);
  expectNew(read, 0);
  expect([codeOf(stale!), stale!.line]).toEqual(["ESTALE", expect.stringContaining(now)]);
});

test("an offset behind the remembered end makes it look anew", async () => {
  using tree = new Tree();
  const { running } = await outdated(tree);
  await using _running = running;
  const at = OLD_BYTES + 16;
  const lines = [`READ offset=${at} /f`, `READ offset=${NEW_BYTES + 1} /f`];
  const [read, behind] = await exchange(running.port, lines);
  expectNew(read, at);
  expect(codeOf(behind!)).toBe("ERANGE");
});

test("HASH does so as well", async () => {
  using tree = new Tree();
  const { running, now } = await outdated(tree);
  await using _running = running;
  const [hash] = await exchange(running.port, [`HASH offset=${OLD_BYTES + 16} /f`]);
  expect([codeOf(hash!), factOf(hash!, "etag")]).toEqual(["OK", now]);
});
