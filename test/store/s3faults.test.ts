/** What an object store may do: clients see all the bytes, an error of its kind, or RST. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import type { ServerResponse } from "node:http";
import { SILENT_MS, TURN_MS } from "../../src/store/s3/flows.ts";
import { RING_BYTES } from "../../src/store/s3/flow.ts";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import type { S3Asked, S3Misbehave } from "../rig/s3fake.ts";
import { S3Running } from "../rig/s3running.ts";
import { Tree } from "../rig/tree.ts";
import { pass } from "./asking.ts";

const LENGTH = 1_000_000;
/** A piece of a body as Bun gives it, at most. */
const PIECE_BYTES = 262_144;

const isRead = ({ method, key }: S3Asked): boolean => method === "GET" && key !== "";
const isList = ({ key }: S3Asked): boolean => key === "";
const isHead = ({ method }: S3Asked): boolean => method === "HEAD";

/** Answers those requests with a status, as a store does: with XML, or nothing to a HEAD. */
function says(which: (asked: S3Asked) => boolean, status: number, code: string): S3Misbehave {
  return (asked, reply) => {
    if (!which(asked)) return false;
    reply.writeHead(status, { "Content-Type": "application/xml" });
    reply.end(isHead(asked) ? "" : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
    return true;
  };
}

test("its errors as the wire's: ours are EIO, what passes is EBUSY, what is not there ENOENT", async () => {
  await using running = await S3Running.over({ "d/f": "x", large: content(1, 0, LENGTH) });
  const cases: [status: number, code: string, told: string][] = [
    [403, "AccessDenied", "EIO"],
    [403, "SignatureDoesNotMatch", "EIO"],
    [400, "AuthorizationHeaderMalformed", "EIO"],
    [503, "ServiceUnavailable", "EBUSY"],
    [503, "SlowDown", "EBUSY"],
    [500, "InternalError", "EBUSY"],
    [404, "NoSuchBucket", "ENOENT"],
  ];
  for (const [status, code, told] of cases) {
    running.fake.misbehave = says(() => true, status, code);
    const replies = await exchange(running.port, [
      "READ /d/f",
      "STAT /d/f",
      "LIST /d",
      "HASH /d/f",
    ]);
    expect([status, code, ...replies.map(codeOf)]).toEqual([status, code, told, told, told, told]);
  }
  // Nothing of it is remembered.
  running.fake.misbehave = () => false;
  const [reply] = await exchange(running.port, ["READ /d/f"]);
  expect(reply!.body.toString()).toBe("x");
});

test("a missing key is EBUSY, not ENOENT, where the store can't tell that it is missing", async () => {
  await using running = await S3Running.over({ f: "x" });
  running.fake.misbehave = says(isHead, 503, "");
  expect((await exchange(running.port, ["READ /nope", "STAT /nope"])).map(codeOf)).toEqual([
    ...["EBUSY", "EBUSY"],
  ]);
  // It has no such object, and can't tell whether it is a folder.
  running.fake.misbehave = says(isList, 503, "ServiceUnavailable");
  expect((await exchange(running.port, ["READ /nope", "STAT /nope"])).map(codeOf)).toEqual([
    ...["EBUSY", "EBUSY"],
  ]);
});

test("a store that hangs, or is not there, is EBUSY in time, for every question", async () => {
  await using running = await S3Running.over({ "d/f": "x" }, { questionMs: 200 });
  running.fake.misbehave = () => true;
  const lines = ["READ /d/f", "STAT /d/f", "LIST /d", "HASH /d/f"];
  expect((await exchange(running.port, lines)).map(codeOf)).toEqual(lines.map(() => "EBUSY"));
  running.fake.close();
  await eventually("all of them to end", () => running.store.questions.size === 0);
  expect((await exchange(running.port, lines)).map(codeOf)).toEqual(lines.map(() => "EBUSY"));
  expect(running.server.counters.crashes).toBe(0);
});

/** What goes wrong when the bytes are asked for, behind a promise: only RST can tell. */
const BROKEN: Record<string, (asked: S3Asked, reply: ServerResponse) => void> = {
  "no connection": (_, reply) => void reply.socket?.destroy(),
  "too few nodes": (_, reply) => void reply.writeHead(503).end(),
  "no right any more": (_, reply) => void reply.writeHead(403).end(),
  "a short body": (asked, reply) => {
    head(asked, reply);
    reply.write(content(1, 0, 300_000), () => reply.socket?.destroy());
  },
  "a shorter body, well told": (asked, reply) => {
    head(asked, reply, 300_000);
    reply.end(content(1, 0, 300_000));
  },
  "another range": (_, reply) => {
    reply.setHeader("ETag", '"1"');
    reply.writeHead(206, { "Content-Range": `bytes 1-${LENGTH}/${LENGTH + 1}` });
    reply.end(content(1, 0, LENGTH));
  },
  "another version": (_, reply) => {
    reply.setHeader("ETag", '"other"');
    reply.writeHead(206, { "Content-Range": `bytes 0-${LENGTH - 1}/${LENGTH}` });
    reply.end(content(1, 1, LENGTH));
  },
  "a page for people": (_, reply) => void reply.writeHead(200).end("<html>log in</html>"),
};

function head({ ifMatch = "" }: S3Asked, reply: ServerResponse, length = LENGTH): void {
  reply.setHeader("ETag", ifMatch);
  const range = `bytes 0-${LENGTH - 1}/${LENGTH}`;
  reply.writeHead(206, { "Content-Range": range, "Content-Length": length });
}

for (const [what, breaks] of Object.entries(BROKEN)) {
  test(`RST, and never a body that looks whole: ${what}`, async () => {
    await using running = await S3Running.over({ large: content(1, 0, LENGTH) });
    running.fake.misbehave = (asked, reply) => {
      if (isRead(asked)) breaks(asked, reply);
      return isRead(asked);
    };
    for (const request of ["READ /large\n", "large\n", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"]) {
      const { bytes, ending } = await running.ask(request);
      expect([request, ending]).toEqual([request, "reset"]);
      expect(bytes.length).toBeLessThan(LENGTH);
    }
    running.fake.misbehave = () => false;
    const [reply] = await exchange(running.port, ["READ /large"]);
    expect(verify(reply!.body, 1, 0)).toBeNull();
    expect([running.store.flows.running, running.server.counters.crashes]).toEqual([0, 0]);
  });
}

for (const kept of [false, true]) {
  const what = kept ? " (through a cache)" : "";
  test(`changed between look and bytes: RST, then the new version, and if= names it${what}`, async () => {
    using folder = new Tree();
    const cache = kept ? { cache: folder.root } : {};
    await using running = await S3Running.over({ large: content(1, 0, LENGTH) }, cache);
    const [stat] = await exchange(running.port, ["STAT /large"]);
    const etag = factOf(stat!, "etag");
    running.fake.misbehave = (asked) => {
      if (isRead(asked)) fs.writeFileSync(running.tree.path("large"), content(1, 1, LENGTH));
      return false;
    };
    expect((await running.ask("READ /large\n")).ending).toBe("reset");
    running.fake.misbehave = () => false;
    // Also within the second in which a name is believed.
    const [stale, fresh] = await exchange(running.port, [`READ if=${etag} /large`, "READ /large"]);
    expect(codeOf(stale!)).toBe("ESTALE");
    expect(verify(fresh!.body, 1, 1)).toBeNull();
  });
}

test("a digest of what changed is ESTALE once, also through a cache", async () => {
  using folder = new Tree();
  await using running = await S3Running.over(
    { large: content(1, 0, LENGTH) },
    { cache: folder.root },
  );
  await exchange(running.port, ["STAT /large"]);
  running.fake.misbehave = (asked) => {
    if (isRead(asked)) fs.writeFileSync(running.tree.path("large"), content(1, 1, LENGTH));
    return false;
  };
  const line = "HASH algo=sha256 /large";
  const replies = await exchange(running.port, [line, line]);
  expect(replies.map(codeOf)).toEqual(["ESTALE", "OK"]);
});

test("a small object that changes while it is looked at is read again", async () => {
  await using running = await S3Running.over({ f: "one" });
  let changes = 0;
  running.fake.misbehave = (asked) => {
    if (isRead(asked) && changes++ === 0) fs.writeFileSync(running.tree.path("f"), "three");
    return false;
  };
  const [reply] = await exchange(running.port, ["READ /f"]);
  expect(reply!.body.toString()).toBe("three");
});

test("a body that stops in the middle costs its reader some seconds, and is RST", async () => {
  await using running = await S3Running.over({ large: content(1, 0, LENGTH) });
  running.fake.misbehave = (asked, reply) => {
    if (!isRead(asked)) return false;
    head(asked, reply);
    reply.write(content(1, 0, 100_000));
    return true;
  };
  using peer = await running.dial();
  peer.send("READ /large\n");
  await peer.until(() => peer.length > 100_000);
  running.store.sweep();
  expect(running.store.flows.running).toBe(1);
  pass(SILENT_MS + 1);
  running.store.sweep();
  expect((await peer.all()).ending).toBe("reset");
  expect(running.store.flows.running).toBe(0);
});

test("ranges: exactly the bytes, one request each, by every door", async () => {
  await using running = await S3Running.over({ large: content(1, 0, LENGTH) });
  const lines = ["offset=5 length=100000", "offset=999990", "offset=1000000", "length=0"];
  const replies = await exchange(running.port, [...lines.map((line) => `READ ${line} /large`)]);
  expect(replies.map(({ body }) => body.length)).toEqual([100_000, 10, 0, 0]);
  expect([verify(replies[0]!.body, 1, 0, 5), verify(replies[1]!.body, 1, 0, 999_990)]).toEqual([
    ...[null, null],
  ]);
  expect(running.fake.reads.map(({ range }) => range)).toEqual([
    ...["bytes=5-100004", "bytes=999990-999999"],
  ]);
  const past = await exchange(running.port, ["READ offset=1000001 /large"]);
  expect(codeOf(past[0]!)).toBe("ERANGE");
  const { bytes } = await running.ask(
    "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=7-200006\r\n\r\n",
  );
  const body = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);
  expect([body.length, verify(body, 1, 0, 7)]).toEqual([200_000, null]);
});

test("digests of every kind are of the bytes that are there, in bounded pieces", async () => {
  const bytes = content(1, 0, 9_000_001);
  await using running = await S3Running.over({ large: bytes, small: "abc" });
  const sha = (from: number, end: number): string =>
    createHash("sha256").update(bytes.subarray(from, end)).digest("hex");
  const xxh = (from: number, end: number): string =>
    Bun.hash.xxHash3(bytes.subarray(from, end)).toString(16).padStart(16, "0");
  const replies = await exchange(running.port, [
    "HASH algo=sha256 /large",
    "HASH chunk=1000000 /large",
    "HASH offset=3 length=200000 chunk=100000 algo=sha256 /large",
    "HASH algo=sha256 /small",
  ]);
  const chunks = Array.from({ length: 10 }, (_, nth) =>
    xxh(nth * 1_000_000, Math.min(bytes.length, (nth + 1) * 1_000_000)),
  );
  expect(replies.map(({ body }) => body.toString().trim().split("\n"))).toEqual([
    [sha(0, bytes.length)],
    chunks,
    [sha(3, 100_003), sha(100_003, 200_003)],
    [createHash("sha256").update("abc").digest("hex")],
  ]);
  expect([running.store.digester.jobs, running.store.flows.running]).toEqual([0, 0]);
});

test("a digest of what changes is ESTALE, of what can't be brought EBUSY", async () => {
  await using running = await S3Running.over({ large: content(1, 0, LENGTH) });
  running.fake.misbehave = says(isRead, 503, "ServiceUnavailable");
  const [busy] = await exchange(running.port, ["HASH algo=sha256 /large"]);
  running.fake.misbehave = says(isRead, 412, "PreconditionFailed");
  const [stale] = await exchange(running.port, ["HASH algo=sha256 /large"]);
  expect([codeOf(busy!), codeOf(stale!)]).toEqual(["EBUSY", "ESTALE"]);
  // Who leaves in the middle leaves nothing behind.
  running.fake.misbehave = isRead;
  using peer = await running.dial();
  peer.send("HASH algo=sha256 /large\n");
  await eventually("its request", () => running.store.flows.running === 1);
  peer.reset();
  await eventually("its end", () => running.server.counters.connections === 0);
  running.store.sweep();
  expect([running.store.digester.jobs, running.store.flows.running]).toEqual([0, 0]);
});

test("equal questions at once are one request to the store", async () => {
  await using running = await S3Running.over({ f: "x" });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  running.fake.misbehave = (asked, reply) => {
    if (!isHead(asked) || release === null) return false;
    running.fake.misbehave = () => false;
    void held.then(() => running.fake.answer(asked, reply));
    return true;
  };
  const peers = await Promise.all(Array.from({ length: 40 }, () => running.dial()));
  for (const peer of peers) peer.send("READ /f\n");
  await eventually("all of them", () => running.store.facts.misses === 40);
  release();
  for (const peer of peers) {
    expect((await peer.reply()).body.toString()).toBe("x");
    peer[Symbol.dispose]();
  }
  expect(running.fake.asked.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
});

test("readers that stall hold little, give way to others, and go on where they were", async () => {
  const size = 4_000_000;
  const most = 6;
  const files = { large: content(1, 0, size) };
  await using running = await S3Running.over(files, { flowsMax: most });
  const { flows } = running.store;
  const stalled = await Promise.all(
    Array.from({ length: most + 4 }, async () => {
      const peer = await running.dial();
      peer.socket.pause();
      peer.send("READ /large\n");
      return peer;
    }),
  );
  // All of them have their turn, those behind the first few too.
  await eventually(
    "all to be asked for",
    () => running.fake.reads.length >= stalled.length,
    60_000,
  );
  await eventually("nobody to wait", () => flows.waiting === 0);
  expect(flows.running).toBeLessThanOrEqual(most);
  expect(flows.held).toBeLessThanOrEqual(most * (RING_BYTES + PIECE_BYTES));
  const [reply] = await exchange(running.port, ["READ /large"]);
  expect(verify(reply!.body, 1, 0)).toBeNull();
  // Some were parked: they get the rest of the same version.
  for (const peer of stalled) {
    peer.socket.resume();
    const { body } = await peer.reply();
    expect([body.length, verify(body, 1, 0)]).toEqual([size, null]);
    peer[Symbol.dispose]();
  }
  expect(running.fake.reads.length).toBeGreaterThan(stalled.length + 1);
  await eventually("an end", () => flows.running === 0);
  expect([flows.held, flows.waiting, running.server.counters.crashes]).toEqual([0, 0, 0]);
}, 120_000);

test("one peer's readers leave room for another's", async () => {
  const files = { large: content(1, 0, 4_000_000) };
  await using running = await S3Running.over(files, { flowsMax: 2 });
  const { flows } = running.store;
  const version = { key: "large", tag: "", size: 4_000_000, seconds: 0 };
  running.fake.misbehave = (asked) => isRead(asked);
  const many = Array.from({ length: 6 }, () => flows.begin(version, 0, 100, "many", () => {}));
  const one = flows.begin(version, 0, 100, "one", () => {});
  expect(many.map(({ active }) => active)).toEqual([true, true, false, false, false, false]);
  pass(TURN_MS + 1);
  // Both give way: to the next of each.
  await eventually("its turn", () => one.active);
  expect(many.map(({ active }) => active)).toEqual([false, false, true, false, false, false]);
  for (const flow of [...many, one]) flow.close();
  expect([flows.running, flows.waiting]).toEqual([0, 0]);
});

test("a client that is gone ends its request to the store", async () => {
  await using running = await S3Running.over({ large: content(1, 0, 8_000_000) });
  let open = 0;
  running.fake.misbehave = (asked, reply) => {
    if (!isRead(asked)) return false;
    open += 1;
    reply.on("close", () => void (open -= 1));
    return false;
  };
  using peer = await running.dial();
  peer.socket.pause();
  peer.send("READ /large\n");
  await eventually("its request", () => open === 1);
  peer.reset();
  await eventually("its end", () => open === 0 && running.store.flows.running === 0);
});
