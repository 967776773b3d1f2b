/**
 * The store over a real cluster of three nodes: the contract of stores, and what clients see while
 * nodes are killed, hang and come back.
 */
import { afterAll, beforeAll, expect } from "bun:test";
import fs from "node:fs";
import { serve } from "../../src/api.ts";
import { s3AddressOf } from "../../src/store/s3/address.ts";
import type { BlockCache } from "../../src/store/blocks/blockcache.ts";
import { openS3, type S3Store } from "../../src/store/s3/store.ts";
import { codeOf, exchange } from "../rig/exchange.ts";
import { needing } from "../rig/needs.ts";
import { content, verify } from "../rig/oracle.ts";
import { Peer } from "../rig/peer.ts";
import { Swift, SWIFT } from "../rig/swift.ts";
import { CACHE_BYTES, cacheIn } from "../rig/s3running.ts";
import { Tree } from "../rig/tree.ts";
import { contract, type Traits } from "./contract.ts";

const needingSwift = needing(SWIFT);
/** Eleven daemons on an eighth of a core. */
const TEST_MS = 400_000;
/** More than what the kernel and the server hold of a body whose reader has stopped (tcp(7)). */
const LENGTH = 60_000_000;

let cluster: Swift;
beforeAll(async () => {
  if (SWIFT.here) cluster = await Swift.up();
}, TEST_MS);
afterAll(async () => {
  if (SWIFT.here) await cluster[Symbol.asyncDispose]();
}, TEST_MS);

/** What was put of each tree, by its prefix. */
const put = new Map<Tree, { prefix: string; files: Map<string, Uint8Array> }>();

function filesOf(root: string, prefix: string, below = ""): [string, Uint8Array][] {
  const entries = fs.readdirSync(`${root}/${below}`, { withFileTypes: true });
  // A folder that would have no key: a name that is not served stands for it.
  if (entries.length === 0 && below !== "") return [[`${prefix}${below}`, new Uint8Array()]];
  return entries.flatMap((entry): [string, Uint8Array][] =>
    entry.isDirectory()
      ? filesOf(root, prefix, `${below}${entry.name}/`)
      : [[`${prefix}${below}${entry.name}`, fs.readFileSync(`${root}/${below}${entry.name}`)]],
  );
}

async function sync(tree: Tree): Promise<void> {
  const known = put.get(tree) ?? { prefix: `t${put.size}/`, files: new Map() };
  const files = new Map(filesOf(tree.root, known.prefix));
  const changed = [...files].filter(
    ([key, bytes]) => !Buffer.from(bytes).equals(known.files.get(key) ?? Buffer.from("\0new")),
  );
  const removed = [...known.files.keys()].filter((key) => !files.has(key));
  await cluster.put(new Map(changed), removed);
  put.set(tree, { prefix: known.prefix, files });
}

async function storeOver(tree: Tree, cache: BlockCache | null = null): Promise<S3Store> {
  await sync(tree);
  const address = s3AddressOf(`s3://${cluster.bucket}/${put.get(tree)?.prefix}`);
  return openS3(address, cluster.options, { hidden: false }, cache);
}

const folders: Tree[] = [];
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]();
});

/** The same through a cache of its own. */
function cachedOver(tree: Tree): Promise<S3Store> {
  const folder = new Tree();
  folders.push(folder);
  return storeOver(tree, cacheIn(folder.root));
}

const TRAITS: Traits = {
  sync,
  timeOf: () => null,
  folderTimes: false,
  keepsVersions: false,
  belowFile: "ENOENT",
  wide: 40,
  run: (name, body) => needingSwift(name, body, TEST_MS),
};

contract("s3 on a real cluster", storeOver, TRAITS);
contract("s3 on a real cluster with a cache", cachedOver, TRAITS);

/** A server over the keys below `prefix`, with a cache where there is a `folder` for one. */
function serving(prefix: string, folder?: string) {
  const root = `s3://${cluster.bucket}/${prefix}`;
  const cache = folder === undefined ? {} : { cache: { folder, bytes: CACHE_BYTES } };
  const server = serve({ root, s3: cluster.options, port: 0, ...cache });
  return {
    port: server.addresses[0]!.port,
    [Symbol.asyncDispose]: () => server.stop(0),
  };
}

/** A reader that has had the begin of the file, and then no more for a while. */
async function stalledReader(port: number): Promise<Peer> {
  const peer = await Peer.dial(port);
  peer.send("READ /large\n");
  await peer.until(() => peer.length > 100_000);
  peer.socket.pause();
  return peer;
}

needingSwift(
  "nodes killed in the middle of a download: it finishes right; all of them: RST, EBUSY, then well",
  async () => {
    await cluster.put(new Map([["kill/large", content(1, 0, LENGTH)]]));
    await using server = serving("kill");
    using first = await stalledReader(server.port);
    await cluster.stop("object1", "object2");
    first.socket.resume();
    const { body } = await first.reply();
    expect([body.length, verify(body, 1, 0)]).toEqual([LENGTH, null]);

    using second = await stalledReader(server.port);
    await cluster.stop("object3");
    second.socket.resume();
    const { bytes, ending } = await second.all();
    expect(ending).toBe("reset");
    expect(bytes.length).toBeLessThan(LENGTH);
    const down = await exchange(server.port, ["READ /nope", "STAT /nope"]);
    expect(down.map(codeOf)).toEqual(["EBUSY", "EBUSY"]);

    await cluster.revive();
    await eventuallyCode(server.port, "READ length=1000 /large", "OK");
    const [reply] = await exchange(server.port, ["READ /large"]);
    expect(verify(reply!.body, 1, 0)).toBeNull();
  },
  TEST_MS,
);

needingSwift(
  "with a cache, too; and what it has is right when all have come back",
  async () => {
    await cluster.put(new Map([["kept/large", content(1, 0, LENGTH)]]));
    using folder = new Tree();
    await using server = serving("kept", folder.root);
    using first = await stalledReader(server.port);
    await cluster.stop("object1", "object2");
    first.socket.resume();
    const { body } = await first.reply();
    expect([body.length, verify(body, 1, 0)]).toEqual([LENGTH, null]);
    await cluster.stop("object3");
    // Whether it is that version still nobody can tell.
    await eventuallyCode(server.port, "READ length=1000 /large", "EBUSY");

    await cluster.revive();
    await eventuallyCode(server.port, "READ length=1000 /large", "OK");
    const [reply] = await exchange(server.port, ["READ /large"]);
    expect([reply!.body.length, verify(reply!.body, 1, 0)]).toEqual([LENGTH, null]);
    expect((await exchange(server.port, ["HASH /large"])).map(codeOf)).toEqual(["OK"]);
  },
  TEST_MS,
);

needingSwift(
  "two of three nodes down: what is there is read, and a missing key is EBUSY, not ENOENT",
  async () => {
    await cluster.put(new Map([["two/f", Buffer.from("here")]]));
    await using server = serving("two");
    expect((await exchange(server.port, ["READ /nope"])).map(codeOf)).toEqual(["ENOENT"]);
    await cluster.stop("node2", "node3");
    const lines = ["READ /f", "READ /nope", "STAT /nope", "HASH /nope"];
    const replies = await exchange(server.port, lines);
    expect(replies.map((reply) => reply.body.toString() || codeOf(reply))).toEqual([
      ...["here", "EBUSY", "EBUSY", "EBUSY"],
    ]);
    await cluster.revive();
    await eventuallyCode(server.port, "READ /nope", "ENOENT");
  },
  TEST_MS,
);

needingSwift(
  "a node that hangs costs some seconds, and no bytes",
  async () => {
    await cluster.put(new Map([["hang/large", content(1, 0, 3_000_000)]]));
    await using server = serving("hang");
    const pid = await cluster.pidOf("object1");
    process.kill(pid, "SIGSTOP");
    try {
      for (let nth = 0; nth < 4; nth++) {
        const [reply] = await exchange(server.port, ["READ /large"]);
        expect([codeOf(reply!), verify(reply!.body, 1, 0)]).toEqual(["OK", null]);
      }
      const [digest] = await exchange(server.port, ["HASH /large"]);
      expect(codeOf(digest!)).toBe("OK");
    } finally {
      process.kill(pid, "SIGCONT");
    }
  },
  TEST_MS,
);

/** Asks `line` until its answer is `code`. */
async function eventuallyCode(port: number, line: string, code: string): Promise<void> {
  const end = performance.now() + TEST_MS / 2;
  for (let seen = ""; seen !== code;) {
    seen = codeOf((await exchange(port, [line]))[0]!);
    if (performance.now() > end) throw new Error(`${line}: ${seen}, and never ${code}`);
    if (seen !== code) await Bun.sleep(200);
  }
}
