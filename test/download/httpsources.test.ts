/** One file from several servers of HTTP alone: who brings it, who is left out, what is in it. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { download } from "../../src/download/download.ts";
import type { TransferEvent } from "../../src/download/events.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { bring } from "../rig/bringing.ts";
import { replaceCall } from "../rig/faults.ts";
import { type HttpAsked, HttpFake, type HttpMisbehave, reply } from "../rig/httpfake.ts";
import type { Answer } from "../rig/misbehaving.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { turned } from "../rig/tampering.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;
const CHUNK = 4 * MIB;

/** Eight chunks, the last of five bytes. */
const large = content(5, 1, 7 * CHUNK + 5);
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

const HONEST: HttpMisbehave = () => undefined;

/** Turns a bit of each part that it sends; what it tells is right. */
const TAMPERING: HttpMisbehave = (asked, honest) => {
  if (!isPart(asked)) return undefined;
  const bytes = honest();
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return { bytes };
};

function isPart({ range }: HttpAsked): boolean {
  return range !== null && range[1] > 0;
}

/** Lines of a head: a version of the server's own words, and the digest of `bytes`. */
function versionOf(nth: number, bytes: Uint8Array): string {
  const digest = createHash("sha256").update(bytes).digest("base64");
  return `ETag: "v${nth}"\r\nRepr-Digest: sha-256=:${digest}:\r\n`;
}

/** Servers of one file, each with a version of its own words, in the order of their manners. */
function serversOf(...all: readonly HttpMisbehave[]): HttpFake[] & Disposable {
  const servers = all.map((misbehave, nth) => {
    const server = new HttpFake({}, misbehave);
    server.put("/f", large, versionOf(nth, large));
    return server;
  });
  return Object.assign(servers, {
    [Symbol.dispose]: () => servers.forEach((server) => server[Symbol.dispose]()),
  });
}

function urls(servers: readonly HttpFake[]): string[] {
  return servers.map((server) => server.url("/f"));
}

/** Parts of the file that `server` was asked for. */
function parts(server: HttpFake | undefined): number {
  return server?.asked.filter(isPart).length ?? 0;
}

function brought(here: Tree): boolean {
  return fs.readFileSync(here.path("f")).equals(large);
}

/** What was told, without a word of the recovery. */
function leftOut(err: string): string[] {
  return err.split("\n").filter((line) => line.includes(" is left out: "));
}

/** Has no byte of the file from `end` on: ends the connection there. */
function cutAt(end: number, { range }: HttpAsked, bytes: Buffer): Answer | undefined {
  if (range === null || range[1] < end) return undefined;
  const head = bytes.indexOf("\r\n\r\n") + 4;
  return { bytes: bytes.subarray(0, head + Math.max(0, end - range[0])), ending: "fin" };
}

/** A server that is gone for good after its `most`th part, which is cut. */
function dying(most: number): HttpFake {
  let left = most;
  const server: HttpFake = new HttpFake({}, (asked, honest) => {
    if (!isPart(asked)) return undefined;
    left -= 1;
    if (left > 0) return undefined;
    if (left < 0) return null;
    setImmediate(() => server.fake[Symbol.dispose]());
    const bytes = honest();
    return { bytes: bytes.subarray(0, bytes.length / 2) };
  });
  server.put("/f", large, versionOf(9, large));
  return server;
}

test("two of our own servers share the work, and the whole is compared", async () => {
  using there = new Tree({ f: large });
  using mirror = new Tree({ f: large });
  using here = new Tree();
  await using one = new Running(there.root);
  await using other = new Running(mirror.root);
  const from = [one, other].map(({ port }) => `http://127.0.0.1:${port}/f`);
  const told: string[] = [];
  const running = download({
    from,
    folder: here.root,
    // Parts are as large as what comes in half a second: without a limit one could have all.
    limitRate: 40 * MIB,
    onEvent: (event) => event.type === "note" && told.push(event.text),
  });
  await running;
  expect([told, brought(here), running.progress.verified]).toEqual([[], true, large.length]);
  const shares = [...running.progress.bySource.values()];
  expect(shares).toHaveLength(2);
  for (const share of shares) expect(share).toBeGreaterThanOrEqual(MIB);
  expect(fs.existsSync(here.path(STAGING))).toBe(false);
});

test.each([0, 1, 2])("number %p of three tells other content: outvoted and named", async (bad) => {
  using servers = serversOf(HONEST, HONEST, HONEST);
  const other = turned(large, 7);
  servers[bad]?.put("/f", other, versionOf(bad, other));
  using here = new Tree();
  const { status, err, verified } = await bring(urls(servers), here);
  expect(err).toMatch(/^\S+ is left out: its sha256 is [0-9a-f]{64}, that of \S+ is [0-9a-f]{64}$/);
  expect(err).toStartWith(`${servers[bad]?.url("/f")} `);
  expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
  expect(servers.map(parts).map((count) => count > 0)).toEqual([0, 1, 2].map((nth) => nth !== bad));
});

test("of two that differ the one named first decides, by digest and by size", async () => {
  for (const other of [turned(large, 3), large.subarray(1)]) {
    using servers = serversOf(HONEST, HONEST);
    servers[1]?.put("/f", other, versionOf(1, other));
    using here = new Tree();
    const { status, err } = await bring(urls(servers), here);
    expect(err).toStartWith(`${servers[1]?.url("/f")} is left out: it`);
    expect(err.split("\n")).toHaveLength(1);
    expect([status, brought(here), parts(servers[1])]).toEqual([0, true, 0]);
  }
});

test("who tells no digest, or not in time, takes no part beside those who do", async () => {
  using servers = serversOf(HONEST, HONEST, HONEST, (asked) =>
    asked.method === "HEAD" ? null : undefined,
  );
  servers[0]?.put("/f", large);
  servers[3]?.put("/f", large);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here, { stallTimeoutMs: 600_000 });
  expect([status, brought(here)]).toEqual([0, true]);
  expect(err).toBe(
    `${servers[0]?.url("/f")} is left out: it tells no digest by which it could be compared\n` +
      `${servers[3]?.url("/f")} is left out: it has not told a digest in time`,
  );
  expect(servers.map((server) => parts(server) > 0)).toEqual([false, true, true, false]);
});

test("one that takes long for its digest is waited for while few have told one", async () => {
  using servers = serversOf(HONEST, ({ method, connection }) => {
    if (method !== "HEAD") return undefined;
    const fields = `${versionOf(1, large)}Content-Length: ${large.length}\r\n`;
    // Longer than who is late where the others decide.
    setTimeout(() => connection.say(`HTTP/1.1 200 OK\r\n${fields}\r\n`, "open"), 3500);
    return null;
  });
  servers[1]?.put("/f", large, 'ETag: "v1"\r\n');
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect([status, err, brought(here)]).toEqual([0, "", true]);
  expect(parts(servers[1])).toBeGreaterThan(0);
});

test("when the file and its SHA256SUMS change on all of them all bring the new one", async () => {
  const sums = (bytes: Uint8Array): string =>
    `${createHash("sha256").update(bytes).digest("hex")} *f\n`;
  let old = true;
  const change: HttpMisbehave = (asked, honest) => {
    if (!old || !isPart(asked)) return undefined;
    const bytes = honest();
    old = false;
    for (const [nth, server] of servers.entries()) {
      server.put("/f", large, `ETag: "new${nth}"\r\n`);
      server.put("/SHA256SUMS", sums(large));
    }
    return { bytes };
  };
  using servers = serversOf(change, change);
  const before = content(5, 3, large.length);
  for (const [nth, server] of servers.entries()) {
    server.put("/f", before, `ETag: "old${nth}"\r\n`);
    server.put("/SHA256SUMS", sums(before));
  }
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect([status, brought(here)]).toEqual([0, true]);
  expect(err).toContain("has changed on the server: starting over");
  expect(err).not.toContain("together is wrong");
});

test("SHA256SUMS beside the file is a digest too", async () => {
  using servers = serversOf(HONEST, HONEST);
  const hex = createHash("sha256").update(large).digest("hex");
  servers[1]?.put("/f", large);
  servers[1]?.put("/SHA256SUMS", `${hex}  f\n`);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect([status, err, brought(here)]).toEqual([0, "", true]);
  for (const server of servers) expect(parts(server)).toBeGreaterThan(0);
});

test("one that dies in the middle is told, and what it owed comes from the other", async () => {
  for (const place of [0, 1]) {
    using servers = serversOf(HONEST);
    using bad = dying(2);
    const both = place === 0 ? [bad, ...servers] : [...servers, bad];
    using here = new Tree();
    const { status, err } = await bring(urls(both), here, { retries: 0 });
    expect(err).toStartWith(`${bad.url("/f")} is left out: `);
    expect([status, brought(here)]).toEqual([0, true]);
  }
});

test("who refuses parts, or has another version by then, is left out", async () => {
  using servers = serversOf(
    (asked) => (isPart(asked) ? { bytes: reply("403 No", "", "") } : undefined),
    (asked, honest) => {
      if (!isPart(asked) || parts(servers[1]) !== 2) return undefined;
      const bytes = honest();
      servers[1]?.put("/f", content(5, 2, large.length), 'ETag: "new"\r\n');
      return { bytes };
    },
    HONEST,
  );
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect(err).toContain(`${servers[0]?.url("/f")} is left out: EACCES`);
  if (parts(servers[1]) > 2) expect(err).toContain(`${servers[1]?.url("/f")} is left out: ESTALE`);
  expect([status, brought(here)]).toEqual([0, true]);
});

test.each([
  [0, 2],
  [1, 2],
  [0, 3],
  [1, 3],
  [2, 3],
])("number %p of %p sends wrong bytes: named, the file is right, status 0", async (bad, count) => {
  const manners = Array.from({ length: count }, (_, nth) => (nth === bad ? TAMPERING : HONEST));
  using servers = serversOf(...manners);
  using here = new Tree();
  const { status, err, verified } = await bring(urls(servers), here);
  expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
  expect(err).toContain(`what came from ${count} servers together is wrong`);
  expect(leftOut(err)).toHaveLength(1);
  expect(leftOut(err)[0]).toStartWith(`${servers[bad]?.url("/f")} is left out: `);
  const published = fs.statSync(here.path("f")).size;
  expect([published, fs.existsSync(here.path(STAGING))]).toEqual([large.length, false]);
});

test("when all send wrong bytes each is named, nothing is left, and the status is 8", async () => {
  using servers = serversOf(TAMPERING, TAMPERING);
  using here = new Tree();
  const { status, err, verified } = await bring(urls(servers), here);
  expect([status, verified, fs.readdirSync(here.root)]).toEqual([8, 0, []]);
  for (const url of urls(servers)) {
    expect(err).toContain(`${url} is left out: what it sends alone has another digest too`);
  }
});

test("with a checksum servers without digests join, and what lies is found as well", async () => {
  const checksum = `sha256:${createHash("sha256").update(large).digest("hex")}`;
  for (const bad of [null, 0, 1]) {
    using servers = serversOf(...[0, 1].map((nth) => (nth === bad ? TAMPERING : HONEST)));
    for (const server of servers) server.put("/f", large);
    using here = new Tree();
    const { status, err, verified } = await bring(urls(servers), here, { checksum });
    expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
    for (const server of servers) expect(parts(server)).toBeGreaterThan(0);
    const named = leftOut(err).map((line) => line.split(" ")[0]);
    expect(named).toEqual(bad === null ? [] : [servers[bad]?.url("/f")]);
  }
});

test("a disk that is full while one brings it alone is no server's fault: status 9", async () => {
  using servers = serversOf(TAMPERING, HONEST, HONEST);
  using here = new Tree();
  let isFull = false;
  const full = <A extends unknown[]>(real: (...args: A) => number) => {
    return (...args: A): number => (isFull ? -ERRNO.ENOSPC : real(...args));
  };
  using _pipe = replaceCall("spliceOut", full);
  using _write = replaceCall("pwrite", full);
  const told: string[] = [];
  const onEvent = (event: TransferEvent): void => {
    if (event.type !== "note") return;
    isFull ||= event.text.endsWith("it comes again from one at a time");
    told.push(event.text);
  };
  const { status } = await bring(urls(servers), here, { onEvent });
  expect([isFull, status, leftOut(told.join("\n"))]).toEqual([true, 9, []]);
});

test("a checksum that nobody's file has is status 8, after each was tried alone", async () => {
  using servers = serversOf(HONEST, HONEST);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here, { checksum: `md5:${"0".repeat(32)}` });
  expect([status, fs.readdirSync(here.root)]).toEqual([8, []]);
  expect(err).toContain("checksum mismatch");
});

test("when the one that may be right is lost its failure counts: another run may go on", async () => {
  let again = false;
  using servers = serversOf(TAMPERING, (asked) =>
    again && isPart(asked) ? { bytes: "", ending: "rst" } : undefined,
  );
  using here = new Tree();
  const told: string[] = [];
  const onEvent = (event: TransferEvent): void => {
    if (event.type !== "note") return;
    again ||= event.text.endsWith("it comes again from one at a time");
    told.push(event.text);
  };
  const { status } = await bring(urls(servers), here, { retries: 0, onEvent });
  expect([5, 7]).toContain(status);
  expect(leftOut(told.join("\n"))).toHaveLength(2);
  expect(fs.existsSync(here.path("f"))).toBe(false);
  again = false;
  expect([(await bring(urls(servers), here)).status, brought(here)]).toEqual([0, true]);
});

test("what was cut goes on from several, also from others, and from one to several", async () => {
  for (const first of [[dying(3), dying(3)], [dying(3)]]) {
    using here = new Tree();
    const died = await bring(urls(first), here, { retries: 0, name: "f", connections: 1 });
    expect([5, 7]).toContain(died.status);
    expect(fs.existsSync(here.path("f"))).toBe(false);
    using servers = serversOf(HONEST, HONEST);
    if (first.length === 1) {
      // What one has brought alone is believed of that server alone, which is there no more.
      const other = await bring(urls(servers), here, { name: "f" });
      expect([other.status, other.kept, brought(here)]).toEqual([0, 0, true]);
      continue;
    }
    const { status, err, kept } = await bring(urls(servers), here, { name: "f" });
    expect([status, err, brought(here)]).toEqual([0, "", true]);
    expect(kept).toBeGreaterThanOrEqual(CHUNK);
  }
});

test("what one of them had brought alone is gone on with by all", async () => {
  let cut = true;
  using servers = serversOf(
    (asked, honest) => (cut ? cutAt(2 * CHUNK + 300, asked, honest()) : undefined),
    HONEST,
  );
  using here = new Tree();
  const alone = await bring(urls(servers)[0] ?? "", here, { retries: 0, connections: 1 });
  expect(alone.status).toBe(5);
  cut = false;
  const { status, kept } = await bring([...urls(servers)].reverse(), here);
  expect([status, brought(here)]).toEqual([0, true]);
  expect(kept).toBeGreaterThanOrEqual(CHUNK);
});

test("wrong bytes that an earlier run has left are found at the end all the same", async () => {
  using here = new Tree();
  let cut = true;
  const cutting: HttpMisbehave = (asked, honest) =>
    cut ? cutAt(4 * CHUNK + 300, asked, honest()) : undefined;
  const lying: HttpMisbehave = (asked, honest) =>
    cutting(asked, honest) ?? TAMPERING(asked, honest);
  using servers = serversOf(lying, cutting);
  const options = { retries: 0, connections: 1 };
  expect([5, 7]).toContain((await bring(urls(servers), here, options)).status);
  cut = false;
  using good = serversOf(HONEST, HONEST);
  const { status, kept } = await bring(urls(good), here);
  expect([status, kept, brought(here)]).toEqual([0, 0, true]);
});
