/** Digests and replies that are kept: how many, which go first, and for how long. */
import { afterEach, expect, test } from "bun:test";
import {
  DigestCache,
  KEPT_DIGESTS_MAX,
  KEPT_MS,
  KEPT_REPLY_BYTES_MAX,
} from "../../src/store/digest-cache.ts";
import { clock, tick } from "../../src/sys/clock.ts";

afterEach(() => void tick());

test("no more digests are kept than the bound, and tables that were asked for lately stay", () => {
  const cache = new DigestCache();
  const get = (key: string, offset: number) => cache.known(key)?.digests.get(offset);
  cache.put("old", 0, "old 0");
  cache.put("old", 1, "old 1");
  cache.put("lately", 0, "before");
  cache.put("lately", 0, "after");
  for (let i = 0; i < KEPT_DIGESTS_MAX - 3; i++) cache.put("large", i, `digest ${i}`);
  expect([cache.size, get("lately", 0)]).toEqual([KEPT_DIGESTS_MAX, "after"]);
  cache.put("new", 7, "new 7");
  expect(cache.size).toBe(KEPT_DIGESTS_MAX);
  expect([get("old", 0), get("old", 1), get("large", 0)]).toEqual([undefined, "old 1", "digest 0"]);
  expect([get("lately", 0), get("new", 7), get("new", 8)]).toEqual(["after", "new 7", undefined]);
  cache.clear();
  expect([cache.size, get("old", 1)]).toEqual([0, undefined]);
});

test("no more bytes of replies are kept than the bound, and those asked for lately stay", () => {
  const cache = new DigestCache();
  const text = new Uint8Array(KEPT_REPLY_BYTES_MAX / 4);
  for (const key of ["a", "b", "c", "d"]) cache.putReply(key, text, clock.now);
  expect(cache.reply("a")).toBe(text);
  cache.putReply("e", text, clock.now);
  cache.putReply("e", text, clock.now);
  expect(cache.replyBytes).toBe(4_194_304);
  expect(["a", "b", "c", "e"].map((key) => cache.reply(key) === text)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test("what is older than its greatest age is not known any more", () => {
  // A minute, as the README says.
  expect(KEPT_MS).toBe(60_000);
  const cache = new DigestCache();
  cache.put("table", 0, "digest");
  cache.putReply("reply", new Uint8Array(3), clock.now);
  cache.putReply("older", new Uint8Array(3), clock.now - 1000);
  clock.now += KEPT_MS - 500;
  expect([cache.known("table")?.digests.get(0), cache.reply("reply")?.length]).toEqual([
    "digest",
    3,
  ]);
  expect(cache.reply("older")).toBeUndefined();
  clock.now += 501;
  expect([cache.known("table"), cache.reply("reply")]).toEqual([undefined, undefined]);
  expect([cache.size, cache.replyBytes]).toEqual([0, 0]);
});
