/** HASH as a client asks it, against replies written out by hand. */
import { expect, test } from "bun:test";
import { type Digests, type DigestRange, HashExchange } from "../../src/client/hash.ts";
import type { OkLine } from "../../src/client/exchange.ts";

const ONE = "0123456789abcdef";
const TWO = "fedcba9876543210";
const SHA = ONE.repeat(4);
const WHOLE: DigestRange = { offset: 0n, length: null, chunk: null, algo: "xxh3" };

/** The line `OK text`, split into its parts as the text says. */
function ok(text: string): OkLine {
  const [length, ...facts] = text.split(" ");
  const pairs = facts.map((fact) => fact.split("=") as [string, string]);
  return { ok: true, length: Number(length), facts: new Map(pairs) };
}

/** What becomes of the reply `OK head` with `body`: the digests, or why they are refused. */
async function outcome(
  range: Partial<DigestRange>,
  head: string,
  body: string,
): Promise<Digests | string> {
  const exchange = new HashExchange("/f", { ...WHOLE, ...range });
  const line = ok(head);
  const refused = exchange.head(line);
  if (refused !== null) return refused;
  exchange.sink.begin(line.length);
  for (const piece of body.match(/[^]{1,20}/g) ?? []) {
    exchange.sink.write(Buffer.from(piece, "latin1"));
  }
  exchange.sink.end();
  return exchange.finish() ?? (await exchange.done.promise);
}

const NOT_FORMED = "HASH's reply lacks a well-formed size=, etag=, algo= or chunk=";

test("the request says what is not the default, and escapes the path", () => {
  const line = (range: Partial<DigestRange>, path = "/f"): string =>
    new HashExchange(path, { ...WHOLE, ...range }).line;
  expect(line({})).toBe("HASH /f");
  expect(line({ offset: 5n, length: 0n, chunk: 7n, algo: "sha256" })).toBe(
    "HASH offset=5 length=0 chunk=7 algo=sha256 /f",
  );
  const written = line({}, "/a\nb \xff");
  expect(written).not.toContain("\n");
  expect(written).toStartWith("HASH /a%0A");
});

test("digests come one a chunk, with the version they are of", async () => {
  const head = "34 size=5 chunk=4 etag=e1 algo=xxh3";
  expect(await outcome({}, head, `${ONE}\n${TWO}\n`)).toEqual({
    digests: [ONE, TWO],
    chunk: 4n,
    algo: "xxh3",
    size: 5n,
    etag: "e1",
  });
  const tail = await outcome(
    { offset: 4n, length: 9n },
    "17 size=5 chunk=4 etag=e1 algo=xxh3",
    `${ONE}\n`,
  );
  expect(tail).toMatchObject({ digests: [ONE] });
  const sha = "65 size=5 chunk=5 etag=e1 algo=sha256";
  expect(await outcome({ algo: "sha256" }, sha, `${SHA}\n`)).toMatchObject({ digests: [SHA] });
});

test("an empty file has one digest, of no bytes", async () => {
  const head = "size=0 chunk=4194304 etag=e1 algo=xxh3";
  expect(await outcome({}, `17 ${head}`, `${ONE}\n`)).toMatchObject({ digests: [ONE], size: 0n });
  expect(await outcome({}, `0 ${head}`, "")).toBe("17 bytes of digests are due, 0 are announced");
  const none = await outcome(
    { offset: 4n, length: 0n },
    "17 size=4 chunk=4 etag=e1 algo=xxh3",
    `${ONE}\n`,
  );
  expect(none).toMatchObject({ digests: [ONE] });
});

test("facts that are missing, malformed or of another algorithm are refused", async () => {
  for (const head of [
    "17 chunk=4 etag=e1 algo=xxh3",
    "17 size=4 etag=e1 algo=xxh3",
    "17 size=4 chunk=4 algo=xxh3",
    "17 size=4 chunk=4 etag=e1",
    "17 size=-4 chunk=4 etag=e1 algo=xxh3",
    "17 size=4 chunk=0 etag=e1 algo=xxh3",
    "17 size=4 chunk=4x etag=e1 algo=xxh3",
    "17 size=4 chunk=4 etag= algo=xxh3",
    `17 size=4 chunk=4 etag=${"e".repeat(65)} algo=xxh3`,
    "17 size=4 chunk=4 etag=e1 algo=sha256",
    "17 size=4 chunk=4 etag=e1 algo=XXH3",
  ]) {
    expect([head, await outcome({}, head, `${ONE}\n`)]).toEqual([head, NOT_FORMED]);
  }
});

test("another chunk= than asked, or a file that ends before the range, is refused", async () => {
  const head = "17 size=4 chunk=8 etag=e1 algo=xxh3";
  expect(await outcome({ chunk: 8n }, head, `${ONE}\n`)).toMatchObject({ chunk: 8n });
  expect(await outcome({ chunk: 4n }, head, `${ONE}\n`)).toBe(
    "HASH's reply has another chunk= than asked",
  );
  expect(await outcome({ offset: 5n }, head, `${ONE}\n`)).toBe("asked from byte 5 of 4");
});

test("fewer or more digests than the range has chunks are refused before they come", async () => {
  const facts = "size=9 chunk=4 etag=e1 algo=xxh3";
  for (const length of [0, 17, 34, 50, 52, 68]) {
    expect(await outcome({}, `${length} ${facts}`, "")).toBe(
      `51 bytes of digests are due, ${length} are announced`,
    );
  }
  // Of a part of the file as many as the part has.
  const part = { offset: 4n, length: 4n };
  expect(await outcome(part, `17 ${facts}`, `${ONE}\n`)).toMatchObject({ digests: [ONE] });
  expect(await outcome(part, `34 ${facts}`, "")).toBe(
    "17 bytes of digests are due, 34 are announced",
  );
});

test("lines that are no digests are refused, however they fit the length", async () => {
  const head = "34 size=5 chunk=4 etag=e1 algo=xxh3";
  for (const body of [
    `${ONE}\n${TWO.slice(1)}g\n`,
    `${ONE}\n${TWO.toUpperCase()}\n`,
    `${ONE}\n${TWO} `,
    `${ONE}${ONE}\n\n`,
    `${ONE}f\n${TWO.slice(1)}\n`,
    `${ONE}\r${TWO}\n`,
    `${"\n".repeat(34)}`,
    `${ONE}\n${TWO.slice(1)}\0\n`,
  ]) {
    expect([body, await outcome({}, head, body)]).toEqual([
      body,
      "HASH has a line that is no digest",
    ]);
  }
});
