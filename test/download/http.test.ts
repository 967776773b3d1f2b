/** Downloads of http:// URLs from servers that are honest, poor, or lie. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { download } from "../../src/download/download.ts";
import { BytesSink } from "../../src/receive/sink.ts";
import { bring } from "../rig/bringing.ts";
import { chunkedReply, HttpFake, type HttpMisbehave, reply } from "../rig/httpfake.ts";
import { openPipes } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;
const big = content(7, 1, 12 * MIB);
const other = content(7, 2, 12 * MIB);
/** Parts come one behind the other, and the first that is cut ends the run. */
const ONE_TRY = { retries: 0, connections: 1 };
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

/** What of a reply comes when the server has no byte behind 8 MiB of the file: head, and a part. */
function upTo8MiB(first: number, reply: Buffer): Buffer {
  const head = reply.indexOf("\r\n\r\n") + 4;
  return reply.subarray(0, head + Math.max(0, 8 * MIB - first));
}

test("from our own server: parts over connections, kept names, and status 0", async () => {
  using there = new Tree({ "a b.bin": big, empty: "" });
  using here = new Tree();
  await using server = new Running(there.root);
  const base = `http://127.0.0.1:${server.port}`;
  const { status, err, verified } = await bring([`${base}/a%20b.bin`, `${base}/empty`], here);
  expect({ status, err, verified }).toEqual({ status: 0, err: "", verified: big.length });
  expect(fs.readFileSync(here.path("a b.bin")).equals(big)).toBe(true);
  expect(fs.readFileSync(here.path("empty")).length).toBe(0);
  expect(fs.existsSync(here.path(STAGING))).toBe(false);
});

test("each request for a part names the version, and the query goes along", async () => {
  using here = new Tree();
  using server = new HttpFake({ "/f": big });
  const { status } = await bring(server.url("/f?key=secret"), here);
  expect(status).toBe(0);
  expect(server.reads.length).toBeGreaterThan(1);
  for (const { fields, target } of server.reads.filter(({ range }) => range !== null)) {
    expect([target, fields.get("if-range")]).toEqual(["/f?key=secret", '"1"']);
  }
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
});

test("a stopped run is gone on with where it stopped, if URL and version are the same", async () => {
  using here = new Tree();
  let cut = true;
  const misbehave: HttpMisbehave = ({ range }, honest) =>
    cut && range !== null && range[1] >= 8 * MIB
      ? { bytes: upTo8MiB(range[0], honest()), ending: "fin" }
      : undefined;
  using server = new HttpFake({ "/f": big }, misbehave);
  const stopped = await bring(server.url("/f"), here, ONE_TRY);
  expect(stopped.status).toBe(5);
  expect(fs.existsSync(here.path("f"))).toBe(false);
  cut = false;
  const before = server.reads.length;
  const { status, kept } = await bring(server.url("/f"), here);
  expect(status).toBe(0);
  expect(kept).toBeGreaterThanOrEqual(4 * MIB);
  const firsts = server.reads.slice(before).flatMap(({ range }) => range?.[0] ?? []);
  expect(Math.min(...firsts)).toBeGreaterThanOrEqual(4 * MIB);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
});

test("a file that changed since the stopped run: the new version, no byte of the old", async () => {
  using here = new Tree();
  let cut = true;
  using server = new HttpFake({ "/f": big }, ({ range }, honest) =>
    cut && range !== null && range[1] >= 8 * MIB
      ? { bytes: upTo8MiB(range[0], honest()), ending: "fin" }
      : undefined,
  );
  expect((await bring(server.url("/f"), here, ONE_TRY)).status).toBe(5);
  cut = false;
  server.put("/f", other, 'ETag: "2"\r\n');
  expect((await bring(server.url("/f"), here)).status).toBe(0);
  expect(fs.readFileSync(here.path("f")).equals(other)).toBe(true);
});

test("what another URL left under the same name is not gone on with", async () => {
  using here = new Tree();
  let cut = true;
  using server = new HttpFake({ "/a/f": big, "/b/f": other }, ({ range }, honest) =>
    cut && range !== null && range[1] >= 8 * MIB
      ? { bytes: upTo8MiB(range[0], honest()), ending: "fin" }
      : undefined,
  );
  expect((await bring(server.url("/a/f"), here, ONE_TRY)).status).toBe(5);
  cut = false;
  expect((await bring(server.url("/b/f"), here)).status).toBe(0);
  expect(fs.readFileSync(here.path("f")).equals(other)).toBe(true);
});

test("a file that changes between two parts is started over and is the new version", async () => {
  using here = new Tree();
  using server = new HttpFake({ "/f": big }, (_asked, honest) => {
    if (server.reads.length !== 1) return undefined;
    const bytes = honest();
    server.put("/f", other, 'ETag: "2"\r\n');
    return { bytes };
  });
  const { status, err } = await bring(server.url("/f"), here);
  expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining("starting over") });
  expect(fs.readFileSync(here.path("f")).equals(other)).toBe(true);
});

/** Lies about a part: of each no byte may get into the file. */
const LIES: readonly [what: string, lie: (range: readonly [number, number]) => Buffer][] = [
  ["the whole file (200)", () => reply("200 OK", 'ETag: "1"\r\n', other)],
  [
    "another range",
    ([first, last]) => part(first + 1, last, big.length, 'ETag: "1"\r\n', last - first),
  ],
  ["an earlier range", ([first, last]) => part(first - 1, last - 1, big.length, 'ETag: "1"\r\n')],
  ["a shorter range", ([first, last]) => part(first, last - 1, big.length, 'ETag: "1"\r\n')],
  ["another version", ([first, last]) => part(first, last, big.length, 'ETag: "2"\r\n')],
  ["no version", ([first, last]) => part(first, last, big.length, "")],
  ["a weak version", ([first, last]) => part(first, last, big.length, 'ETag: W/"1"\r\n')],
  ["a range of nothing known", ([first, last]) => reply("206 P", "", other.subarray(first, last))],
  [
    "several ranges at once",
    () => reply("206 P", 'ETag: "1"\r\nContent-Type: multipart/byteranges; boundary=x\r\n', other),
  ],
];

test.each(LIES)(
  "instead of a part comes %s: it has changed, and nothing is mixed",
  async (_, lie) => {
    using here = new Tree();
    let lies = 0;
    using server = new HttpFake({ "/f": big }, ({ range }) => {
      if (range === null || range[0] === 0 || lies > 0) return undefined;
      lies += 1;
      return { bytes: lie([range[0], Math.min(range[1], big.length - 1)]) };
    });
    const { status, err } = await bring(server.url("/f"), here);
    expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining("starting over") });
    expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
  },
);

function part(
  first: number,
  last: number,
  size: number,
  version: string,
  count = last + 1 - first,
) {
  const named = `Content-Range: bytes ${first}-${last}/${size}\r\n`;
  return reply("206 Partial Content", version + named, other.subarray(first, first + count));
}

/** Servers from which a file comes in one piece only. */
const POOR: readonly [what: string, version: string, answer: HttpMisbehave][] = [
  ["ignores Range", 'ETag: "1"\r\n', () => ({ bytes: reply("200 OK", 'ETag: "1"\r\n', big) })],
  ["has no validator", "", () => undefined],
  [
    "has a weak one",
    'ETag: W/"1"\r\nLast-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n',
    () => undefined,
  ],
  [
    "has a time that is too young",
    "Date: Thu, 01 Jan 2015 00:00:59 GMT\r\nLast-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n",
    () => undefined,
  ],
  ["sends chunks", "", () => ({ bytes: chunkedReply("200 OK", 'ETag: "1"\r\n', big, 70_001) })],
  [
    "closes after each reply, as HTTP/1.0 does",
    "",
    () => ({
      bytes: Buffer.concat([
        Buffer.from(`HTTP/1.0 200 OK\r\nContent-Length: ${big.length}\r\n\r\n`),
        big,
      ]),
      ending: "fin",
    }),
  ],
];

test.each(POOR)("from a server that %s it comes in one piece", async (_, version, answer) => {
  using here = new Tree();
  using server = new HttpFake({}, answer);
  server.put("/f", big, version);
  const { status, err } = await bring(server.url("/f"), here);
  expect({ status, err }).toEqual({ status: 0, err: expect.not.stringContaining("changed") });
  // One that tells what it is, one for all of it, and the list of digests beside it.
  const whole = server.reads.filter(({ target, range }) => target === "/f" && range === null);
  expect(whole.length).toBe(1);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
});

test("a time alone is a version when it is a minute old", async () => {
  using here = new Tree();
  const date = "Thu, 01 Jan 2015 00:00:00 GMT";
  using server = new HttpFake({});
  server.put("/f", big, `Date: Thu, 01 Jan 2015 00:01:00 GMT\r\nLast-Modified: ${date}\r\n`);
  expect((await bring(server.url("/f"), here)).status).toBe(0);
  expect(
    server.reads.filter(({ fields }) => fields.get("if-range") === date).length,
  ).toBeGreaterThan(1);
  expect(fs.statSync(here.path("f")).mtimeMs).toBe(Date.parse(date));
  expect((await bring(server.url("/f"), here)).status).toBe(0);
});

test.each([
  ["says so", "Connection: close\r\n"],
  ["says nothing", ""],
])("many files from a server that closes after each reply and %s", async (_, said) => {
  using here = new Tree();
  const names = Array.from({ length: 40 }, (__, nth) => `f${nth}`);
  using server = new HttpFake({}, (_asked, honest) => ({
    bytes: honest().toString("latin1").replace("\r\n", `\r\n${said}`),
    ending: "fin",
  }));
  for (const name of names) server.put(`/${name}`, `content of ${name}`);
  const { status, err } = await bring(
    names.map((name) => server.url(`/${name}`)),
    here,
    { retries: 0 },
  );
  expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining("not compared") });
  for (const name of names)
    expect(fs.readFileSync(here.path(name), "utf8")).toBe(`content of ${name}`);
});

test("one piece that is cut is never a file: the next try starts over", async () => {
  using here = new Tree();
  let cuts = 0;
  using server = new HttpFake({ "/f": big }, () => {
    const bytes = reply("200 OK", "", big);
    if (cuts++ > 1) return { bytes };
    return { bytes: bytes.subarray(0, 5 * MIB), ending: cuts === 1 ? "rst" : "fin" };
  });
  expect((await bring(server.url("/f"), here)).status).toBe(0);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
  cuts = -99;
  using endless = new HttpFake({ "/f": big }, () => ({
    bytes: chunkedReply("200 OK", "", big, 65_536).subarray(0, -2),
    ending: "fin",
  }));
  expect((await bring(endless.url("/f"), here, { force: true, retries: 0 })).status).toBe(5);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
  expect(fs.existsSync(here.path(STAGING))).toBe(false);
});

test("a file that changes with its list while it comes is compared with the new list", async () => {
  const line = (bytes: Uint8Array, name: string): string =>
    `${sha256(bytes).digest("hex")}  ${name}\n`;
  const listed = Promise.withResolvers<void>();
  let changed = false;
  using server: HttpFake = new HttpFake({ "/d/a": "small" }, (asked, honest) => {
    const { target, range, connection } = asked;
    // What the other file is compared with has been read by then.
    if (target === "/d/SHA256SUMS") setImmediate(listed.resolve);
    if (changed || target !== "/d/b" || (range?.[1] ?? 0) === 0) return undefined;
    void listed.promise.then(() => {
      changed = true;
      server.put("/d/b", other, 'ETag: "2"\r\n');
      server.put("/d/SHA256SUMS", line(Buffer.from("small"), "a") + line(other, "b"));
      connection.say(honest());
    });
    return null;
  });
  server.put("/d/b", big, 'ETag: "1"\r\n');
  server.put("/d/SHA256SUMS", line(Buffer.from("small"), "a") + line(big, "b"));
  using here = new Tree();
  const { status, err } = await bring([server.url("/d/a"), server.url("/d/b")], here);
  expect([status, err]).toEqual([0, expect.stringContaining("has changed on the server")]);
  expect(fs.readFileSync(here.path("b")).equals(other)).toBe(true);
});

test("to a stream, too, a list is read once, and that there is no digest is said once", async () => {
  using server = new HttpFake({ "/d/a": "one, ", "/d/b": "two" });
  const told: string[] = [];
  const sink = new BytesSink(100);
  await download({
    from: ["/d/a", "/d/b"].map((target) => server.url(target)),
    sink,
    onEvent: (event) => event.type === "note" && told.push(event.text),
  });
  expect([Buffer.from(sink.bytes).toString(), told]).toEqual([
    "one, two",
    [expect.stringContaining("no digest")],
  ]);
  expect(server.asked.filter(({ target }) => target === "/d/SHA256SUMS")).toHaveLength(1);
});

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes);

test("the digest of the whole is compared: the server's, a list's, the caller's", async () => {
  using here = new Tree();
  const digest = sha256(big).digest("base64");
  const hex = sha256(big).digest("hex");
  using told = new HttpFake({});
  told.put("/f", big, `ETag: "1"\r\nRepr-Digest: sha-256=:${digest}:\r\n`);
  expect((await bring(told.url("/f"), here)).verified).toBe(big.length);
  told.put("/f", other, `ETag: "2"\r\nRepr-Digest: sha-256=:${digest}:\r\n`);
  const wrong = await bring(told.url("/f"), here, { force: true });
  expect(wrong).toMatchObject({ status: 8, err: expect.stringContaining("checksum mismatch") });
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
  using listed = new HttpFake({ "/d/f%20f": big, "/d/g": other });
  listed.put("/d/SHA256SUMS", `${hex}  f f\n${hex} *g\n`);
  const good = await bring(listed.url("/d/f%20f"), here, { force: true });
  expect(good).toMatchObject({ status: 0, err: expect.not.stringContaining("not compared") });
  expect((await bring(listed.url("/d/g"), here, { force: true })).status).toBe(8);
  using silent = new HttpFake({ "/f": big });
  expect((await bring(silent.url("/f"), here, { force: true, checksum: hex })).status).toBe(0);
  expect(
    (await bring(silent.url("/f"), here, { force: true, checksum: "0".repeat(64) })).status,
  ).toBe(8);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
});

test("files in one piece share the way into a file: none of them leaves a pipe open", async () => {
  using server = new HttpFake({});
  server.put("/f", big, "");
  const pipes: number[] = [];
  for (let nth = 0; nth < 3; nth++) {
    using here = new Tree();
    expect((await bring(server.url("/f"), here)).status).toBe(0);
    pipes.push(openPipes());
  }
  expect(pipes).toEqual([pipes[0]!, pipes[0]!, pipes[0]!]);
});
