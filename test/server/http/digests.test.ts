/** Repr-Digest over HTTP: of the very version that is sent, and of nothing else. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import type { Answer } from "../../../src/server/answer.ts";
import { headAnswer, httpDoorWith } from "../../../src/server/http.ts";
import type { Access } from "../../../src/server/access.ts";
import type { Asker } from "../../../src/server/service.ts";
import type { OpenFile, Store } from "../../../src/store/store.ts";
import { Refusal } from "../../../src/wire/errors.ts";
import { exchange } from "../../rig/exchange.ts";
import { eventually } from "../../rig/faults.ts";
import { httpExchange, httpReplies } from "../../rig/http.ts";
import { content } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const WANT = "Want-Repr-Digest: sha-256=1\r\n";

const ask = (target: string, fields = "", method = "GET"): string =>
  `${method} ${target} HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;

const digestOf = (bytes: string | Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;

/** Long enough ago that digests are kept. */
function age(path: string): void {
  fs.utimesSync(path, 1_000_000_000, 1_000_000_000);
}

test("who wants the digest of the whole gets it, with all of it, with a part and with none", async () => {
  using tree = new Tree();
  const sizes = [0, 1, 8192, 8193, 65_536, 65_537, 5_000_001];
  for (const size of sizes) tree.write(`f${size}`, content(3, 0, size));
  await using running = new Running(tree.root);
  for (const size of sizes) {
    const whole = content(3, 0, size);
    const wants = size === 0 ? [WANT, WANT] : [WANT, WANT, `${WANT}Range: bytes=-1\r\n`];
    const methods = ["GET", "HEAD", "GET"].slice(0, wants.length);
    // FIN comes at once: what the reply begins with goes out before the digest is known.
    const text = wants.map((fields, nth) => ask(`/f${size}`, fields, methods[nth])).join("");
    const { bytes, ending } = await httpExchange(running, text);
    const replies = httpReplies(bytes, methods);
    expect([size, ending]).toEqual([size, "fin"]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 206].slice(0, wants.length));
    const told = replies.map(({ fields }) => fields.get("repr-digest"));
    expect(new Set(told)).toEqual(new Set([digestOf(whole)]));
    expect(replies[0]!.body.equals(whole)).toBe(true);
    expect(replies[2]?.body ?? whole.subarray(-1)).toEqual(Buffer.from(whole.subarray(-1)));
  }
});

test("who does not want it, or gets nothing of the file, costs no digest", async () => {
  using tree = new Tree({ f: content(3, 0, 100_000) });
  await using running = new Running(tree.root);
  const asked = [
    ask("/f"),
    ask("/f", "Want-Repr-Digest: sha-256=0\r\n"),
    ask("/f", "Want-Repr-Digest: sha-256=1,\r\n"),
    ask("/f", "Want-Repr-Digest: sha-512=10\r\n"),
    ask("/f", `${WANT}If-None-Match: *\r\n`),
    ask("/f", `${WANT}If-Match: "other"\r\n`),
    ask("/f", `${WANT}Range: bytes=200000-\r\n`),
  ];
  const { bytes } = await httpExchange(running, asked.join(""));
  const replies = httpReplies(
    bytes,
    asked.map(() => "GET"),
  );
  expect(replies.map(({ status, fields }) => [status, fields.get("repr-digest")])).toEqual(
    [200, 200, 200, 200, 304, 412, 416].map((status) => [status, undefined]),
  );
  expect(running.store.digester.portions).toBe(0);
});

test("what is known is told to all, and never of another version", async () => {
  using tree = new Tree({ f: content(3, 0, 100_000) });
  age(tree.path("f"));
  await using running = new Running(tree.root);
  await exchange(running.port, ["HASH algo=sha256 /f"]);
  const told = async (): Promise<string | undefined> => {
    const { bytes } = await httpExchange(running, ask("/f"));
    return httpReplies(bytes, ["GET"])[0]?.fields.get("repr-digest");
  };
  expect(await told()).toBe(digestOf(content(3, 0, 100_000)));
  fs.writeFileSync(tree.path("f"), content(4, 0, 100_000));
  expect(await told()).toBeUndefined();
});

test("a file that is edited while it is hashed is answered as it is then, without a digest", async () => {
  using tree = new Tree({ f: "" });
  fs.truncateSync(tree.path("f"), 2 ** 40);
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send(ask("/f", WANT, "HEAD"));
  await eventually("hashing", () => running.store.digester.portions > 1);
  fs.writeFileSync(tree.path("f"), "short");
  peer.finish();
  const { bytes, ending } = await peer.all();
  const [reply] = httpReplies(bytes, ["HEAD"]);
  expect([reply?.status, reply?.fields.get("content-length"), ending]).toEqual([200, "5", "fin"]);
  expect(reply?.fields.has("repr-digest")).toBe(false);
});

test("a reply that has begun is not begun again, when another version is often asked for", async () => {
  using tree = new Tree({ f: "", next: "short" });
  fs.truncateSync(tree.path("f"), 2 ** 27);
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send(ask("/f", WANT));
  peer.finish();
  // Who has said FIN is told how the reply begins, to find out whether it is there.
  await peer.until(() => peer.length > 0);
  fs.renameSync(tree.path("next"), tree.path("f"));
  // A name is believed for a second, and the digest may be done before that.
  running.store.cache.clear();
  using other = await running.dial();
  const asking = setInterval(() => other.send(ask("/f").repeat(3)), 5);
  const { bytes, ending } = await peer.all().finally(() => clearInterval(asking));
  const [reply] = httpReplies(bytes, ["GET"]);
  expect([reply?.status, reply?.body.toString(), ending]).toEqual([200, "short", "fin"]);
});

test("who has gone while the digest is computed is noticed, and the work ends", async () => {
  using tree = new Tree({ f: "" });
  fs.truncateSync(tree.path("f"), 2 ** 42);
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send(ask("/f", WANT));
  peer.finish();
  await eventually("a beginning", () => peer.length > 0);
  expect((await peer.take(9)).toString()).toBe("HTTP/1.1 ");
  peer.reset();
  await eventually("its end", () => running.server.counters.connections === 0);
  running.store.sweep();
  expect(running.store.digester.jobs).toBe(0);
});

// --- the door alone ---

const ASKER: Asker = {
  ...{ gone: false, ending: false, peer: "", charge() {}, last() {}, access: {} as Access },
  ...{ opened() {}, looked() {}, listed() {}, digested() {}, crash() {} },
};

/** What the door tells when the store opens `etags` in turn, and `digests` is what it computes. */
function toldBy(etags: string[], digests: Uint8Array | Refusal, later: boolean): string {
  const open = (): Partial<OpenFile> => ({
    entry: { type: "file", size: 1n, mtime: 0n, etag: etags.shift()! },
    body: new Uint8Array(1),
  });
  const store = { single: "", open, knownDigests: () => null, digests: () => given } as unknown;
  const given = later ? null : digests;
  let answer: Answer = httpDoorWith(headAnswer).answer(
    store as Store,
    ask("/f", WANT).slice(0, -4),
    ASKER,
  );
  if (answer.kind === "store" && answer.asked === "digests") answer = answer.then(digests);
  if (answer.kind !== "reply") throw new Error(answer.kind);
  return /^Repr-Digest: .*$/m.exec(answer.head)?.[0] ?? "";
}

const LINE = Buffer.from(`${"0".repeat(64)}\n`);
const FIELD = `Repr-Digest: sha-256=:${"A".repeat(43)}=:`;

test.each([
  ["at once", ["a"], LINE, false, FIELD],
  ["later, of the same version", ["a", "a"], LINE, true, FIELD],
  ["later, of another version", ["a", "b"], LINE, true, ""],
  ["refused at once", ["a"], new Refusal("EBUSY"), false, ""],
  ["refused later", ["a", "a"], new Refusal("EIO"), true, ""],
])("a digest %s", (_name, etags, digests, later, told) => {
  expect(toldBy([...etags], digests, later)).toBe(told);
});
