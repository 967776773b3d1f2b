/**
 * Objects through a cache, as clients see them: the same bytes, from the disk, whatever it does.
 */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { serve } from "../../src/server/start.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { S3Fake } from "../rig/s3fake.ts";
import { Tree } from "../rig/tree.ts";

const SIZE = 9_000_001;
const BLOCK_BYTES = 4_194_304;

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A server of one object, large, with a cache; `sendfile`: by which branch it sends. */
async function cachedServer(sendfile = true, size = SIZE) {
  const bytes = content(1, 0, size);
  const tree = new Tree({ "bucket/large": bytes, cache: null });
  const fake = await S3Fake.over(tree.path("bucket"));
  const server = serve({
    ...{ root: "s3://bucket", s3: fake.options, port: 0, sendfile },
    cache: { folder: tree.path("cache/blocks"), bytes: 64 * 1024 * 1024 },
  });
  const url = `http://127.0.0.1:${server.addresses[0]?.port}/large`;
  return {
    ...{ bytes, tree, fake, server, url },
    get: async (from = 0, to = size - 1): Promise<string> => {
      const reply = await fetch(url, { headers: { range: `bytes=${from}-${to}` } });
      return sha(await reply.bytes());
    },
    part: (from = 0, to = size - 1): string => sha(bytes.subarray(from, to + 1)),
    async [Symbol.asyncDispose]() {
      await server.stop();
      fake.close();
      tree[Symbol.dispose]();
    },
  };
}

test("a hundred clients of one cold object are one request, and each gets every byte", async () => {
  await using rig = await cachedServer(true, 1_000_000);
  const all = await Promise.all(Array.from({ length: 100 }, () => rig.get()));
  expect(new Set(all)).toEqual(new Set([rig.part()]));
  expect(rig.fake.reads).toHaveLength(1);
});

test("the metrics tell what the cache holds, and of how many blocks it did", async () => {
  await using rig = await cachedServer();
  const told = async (): Promise<string[]> => {
    const text = await (await fetch(rig.url.replace("/large", "/-/metrics"))).text();
    return text.split("\n").filter((line) => line.startsWith("serv6_block_"));
  };
  expect(await told()).toEqual(
    ["bytes 0", "hits_total 0", "misses_total 0"].map((rest) => `serv6_block_${rest}`),
  );
  await rig.get();
  await rig.get();
  const [bytes, hits, misses] = await told();
  // In whole pages of the disk.
  expect(bytes).toBe("serv6_block_bytes 9003008");
  expect(hits).toMatch(/^serv6_block_hits_total [3-9]$/);
  expect(misses).toMatch(/^serv6_block_misses_total [1-3]$/);
});

test.each([
  ["sendfile", true],
  ["copy", false],
] as const)(
  "by %s, ranges cold and warm are right, and warm ones ask nobody",
  async (_, sendfile) => {
    await using rig = await cachedServer(sendfile);
    const ranges: [number, number][] = [
      [0, 0],
      [4_194_300, 4_194_310],
      [8_388_608, SIZE - 1],
      [3_000_000, 8_999_000],
      [0, SIZE - 1],
    ];
    for (const again of [false, true]) {
      const before = rig.fake.reads.length;
      for (const [from, to] of ranges) expect(await rig.get(from, to)).toBe(rig.part(from, to));
      if (again) expect(rig.fake.reads.length).toBe(before);
    }
  },
);

test("a hit leaves by sendfile(2), all of it", async () => {
  await using rig = await cachedServer();
  await rig.get();
  let moved = 0;
  using _counted = replaceCall("sendfile", (real) => (...args) => {
    const count = real(...args);
    moved += Math.max(0, count);
    return count;
  });
  expect(await rig.get()).toBe(rig.part());
  // Where the socket was full a byte went by a write, which has it tell when there is room.
  expect(moved).toBeGreaterThan(SIZE - 1000);
});

test("a block that can't be read in the middle comes from the origin, and is forgotten", async () => {
  await using rig = await cachedServer();
  await rig.get();
  let calls = 0;
  {
    using _broken = replaceCall("sendfile", (real) => (...args) => {
      calls += 1;
      return calls === 3 ? -ERRNO.EIO : real(...args);
    });
    expect(await rig.get()).toBe(rig.part());
  }
  expect(calls).toBe(3);
  expect(rig.fake.reads).toHaveLength(2);
});

test("an origin that stops in the middle is a reset for a client, never a short file", async () => {
  await using rig = await cachedServer();
  const behind = Promise.withResolvers<void>();
  rig.fake.misbehave = ({ method, range }, reply) => {
    if (method !== "GET" || range === undefined) return false;
    reply.writeHead(206, {
      ...{ ETag: `"${Bun.hash.xxHash3(rig.bytes).toString(16)}"` },
      ...{ "Content-Range": `bytes 0-${SIZE - 1}/${SIZE}`, "Content-Length": SIZE },
    });
    reply.write(rig.bytes.subarray(0, 5_000_000));
    void behind.promise.then(() => reply.destroy());
    return true;
  };
  let count = 0;
  const reading = async (): Promise<void> => {
    for await (const chunk of (await fetch(rig.url)).body ?? []) {
      count += chunk.length;
      // The second block has begun: the first is whole.
      if (count > BLOCK_BYTES) behind.resolve();
    }
  };
  expect(await reading().catch(() => "reset")).toBe("reset");
  rig.fake.misbehave = () => false;
  expect(await rig.get()).toBe(rig.part());
  // The first block was whole, and is not brought again.
  expect(rig.fake.reads.at(-1)?.range).toBe(`bytes=4194304-${SIZE - 1}`);
});

test("an object that was replaced is served anew, and no block of the old one is", async () => {
  await using rig = await cachedServer();
  expect(await rig.get()).toBe(rig.part());
  const next = content(2, 0, SIZE);
  rig.tree.write("bucket/large", next);
  // A key is believed to mean the version it meant for a second.
  for (const first = sha(next.subarray(0, 100)); (await rig.get(0, 99)) !== first;) {
    await Bun.sleep(50);
  }
  expect(await rig.get(4_194_000, 4_195_000)).toBe(sha(next.subarray(4_194_000, 4_195_001)));
});
