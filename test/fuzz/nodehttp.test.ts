/**
 * Heads that went wrong in some places, and whether node:http takes one that we accept for another
 * request: another method, target or Host, or one with a body. To refuse it is no difference.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseHead } from "../../src/wire/http/head.ts";
import { HeadReader } from "../../src/wire/http/headreader.ts";
import { HeadRefusal } from "../../src/wire/http/headrefusal.ts";
import { parseTarget } from "../../src/wire/http/target.ts";
import { needing, works } from "../rig/needs.ts";
import { NodeHttp, type ReadRequest } from "./nodehttp.ts";
import { SEED } from "./random.ts";

const NODE = { here: works("node", "--version"), what: "node" };

/** A tenth of RUNS in `make fuzz`: each head is a connection, and costs 2 ms. */
const HEADS = Math.ceil(Number(process.env["RUNS"] ?? 5000) / 10);

/** Heads that are asked at once. */
const BATCH = 20;

/** A request as we read it. */
interface Accepted {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
}

// --- what is sent ---

/** What we take. Not Connection: Upgrade: behind it Node reads nothing, upgraded or not. */
const GOOD_FIELDS = [
  ...["Content-Length: 0", "content-length: 00", "Connection: keep-alive, x"],
  ...[
    "Upgrade: h2c",
    "Range: bytes=0-1",
    "Accept: */*",
    "X: \xff\xa0",
    "X:",
    "X-Host: h",
    "X:\t y ",
  ],
  ...[
    "If-None-Match: *",
    "TE: trailers",
    "Trailer: X",
    "Content-Type: a/b",
    "Host-: x",
    "x-Y.z!: a:b",
  ],
];

/** What could be read in two ways. */
const ODD_FIELDS = [
  ...["Host: i", "Host:", "Host : h", "host:h", "Host: h:80", "Host: h, i", "Host: u@h"],
  ...["Content-Length: 5", "Content-Length: +0", "Content-Length: 0, 0", "Content-Length : 5"],
  ...["Content-Length:\t5", "Content-Length: 0x5", "Content-Length: 0 5"],
  ...["Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding: identity"],
  ...["Transfer-Encoding:\x0bchunked", "Connection: close", "Connection: keep-alive, close"],
  ...[
    "Expect: 100-continue",
    " folded",
    "\tfolded: x",
    "odd",
    ": x",
    "X(y): z",
    "X: a\rb",
    "X: \0",
  ],
];

const GOOD_LINES = [
  ...["GET /f HTTP/1.1", "HEAD / HTTP/1.1", "GET /a%20b?c HTTP/1.1", "GET http://o/a HTTP/1.1"],
  ...["GET http://o?q HTTP/1.1", "GET / HTTP/1.1", "GET //h/a HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1"],
  ...["GET /a?b?c=/../d HTTP/1.1", "GET http://[::1]:8/a HTTP/1.1", "HEAD /%2e%2e/a;b HTTP/1.1"],
];

const ODD_LINES = [
  ...["GET / HTTP/1.0", "POST / HTTP/1.1", "GET  / HTTP/1.1", "GET /", "GET * HTTP/1.1"],
  ...["get / HTTP/1.1", "GET /a#b HTTP/1.1", "GET /a\\b HTTP/1.1", "GET /a HTTP/1.2"],
  ...["GET /%00 HTTP/1.1", "GET http://u@o/ HTTP/1.1", "GET h:80 HTTP/1.1", "PRI * HTTP/2.0"],
];

/** Of `good` six times in seven. */
const mostly = <T>(good: readonly T[], odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );

/** What is put somewhere, or in place of something. */
const SPLINTERS = [
  ..."\r \n \r\n \r\n\r\n \t \0 \x0b \x0c \x7f \x85 \xa0 : , ; % # ? \\ / * 0 5 \r\r\n \n\r".split(
    " ",
  ),
  ...[" ", "  ", " HTTP/1.1", "GET / HTTP/1.1\r\n", "Host: i\r\n", "0\r\n\r\n", "5\r\nhello\r\n"],
  ...["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "\r\n ", "\n\n"],
];

const request = fc
  .tuple(
    mostly(GOOD_LINES, ODD_LINES),
    mostly([["Host: h"]], [[], ["Host: h", "Host: h"]]),
    fc.array(mostly(GOOD_FIELDS, ODD_FIELDS), { maxLength: 3 }),
    fc.boolean(),
    mostly(["", "\r\n"], ["hello", "0\r\n\r\n"]),
  )
  .map(([line, hosts, fields, hostFirst, behind]) => {
    const all = hostFirst ? [...hosts, ...fields] : [...fields, ...hosts];
    return `${[line, ...all].join("\r\n")}\r\n\r\n${behind}`;
  });

/** Where something happens to the bytes, as a part of them; what; and how many are lost there. */
const damage = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.oneof(
    fc.constantFrom("", ...SPLINTERS),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  ),
  fc.constantFrom(0, 0, 1, 2),
);

const sent = fc
  .tuple(
    fc.array(request, { minLength: 1, maxLength: 3 }),
    fc.oneof(fc.constant([]), fc.array(damage, { maxLength: 2 })),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([requests, damages, cut]) => {
    let text = requests.join("");
    for (const [place, splinter, lost] of damages) {
      const at = Math.floor(place * text.length);
      text = text.slice(0, at) + splinter + text.slice(at + lost);
    }
    return { bytes: Buffer.from(text, "latin1"), cut: Math.floor(cut * text.length) };
  });

// --- how it is read ---

/** The requests that we answer, up to a refusal or the last one of a connection. */
function accepted(pieces: readonly Buffer[]): Accepted[] {
  const reader = new HeadReader();
  const requests: Accepted[] = [];
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    reader.push(Buffer.from(piece));
    for (let head = reader.next(); head !== null; head = reader.next()) {
      const read = head instanceof HeadRefusal ? head : parseHead(head);
      if (read instanceof HeadRefusal) return requests;
      const { method, path, query, host, connection } = read;
      requests.push({ method, path, query, host });
      if (connection === "close") return requests;
    }
  }
  return requests;
}

/** What node:http read, told as we tell it; null where it is nothing that we ever accept. */
function asOurs({ method, target, host, framing }: ReadRequest): Accepted | null {
  const parsed = parseTarget(target);
  if (parsed instanceof HeadRefusal || framing !== "") return null;
  return { method, path: parsed.path, query: parsed.query, host: parsed.authority ?? host };
}

async function compare(node: NodeHttp, bytes: Buffer, cut: number): Promise<number> {
  const ours = accepted([bytes]);
  for (let at = 1; at < bytes.length; at++) {
    const split = accepted([bytes.subarray(0, at), bytes.subarray(at)]);
    if (!Bun.deepEquals(split, ours)) throw new Error(`cut at ${at}: ${JSON.stringify(split)}`);
  }
  const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0);
  const { requests: theirs, refused } = await node.read(pieces);
  // Who ends the connection behind a request of HTTP/1.0 has read it right.
  const mayEnd = refused || bytes.includes(" HTTP/1.0");
  if (theirs.length < ours.length && !mayEnd) {
    throw new Error(`${theirs.length} of ${ours.length} in ${JSON.stringify(String(bytes))}`);
  }
  const both = Math.min(ours.length, theirs.length);
  expect([bytes.toString("latin1"), theirs.slice(0, both).map(asOurs)]).toEqual([
    ...[bytes.toString("latin1"), ours.slice(0, both)],
  ]);
  return both;
}

async function compareMany(program: string): Promise<number> {
  await using node = await NodeHttp.start(program);
  let agreed = 0;
  const batches = fc.array(sent, { minLength: BATCH, maxLength: BATCH });
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => {
      const counts = await Promise.all(batch.map(({ bytes, cut }) => compare(node, bytes, cut)));
      agreed += counts.reduce((sum, count) => sum + count, 0);
    }),
    { seed: SEED, numRuns: Math.ceil(HEADS / BATCH) },
  );
  return agreed;
}

needing(NODE)(
  "what we accept, Node reads as the same request or refuses",
  async () => expect(await compareMany("node")).toBeGreaterThan(HEADS / 4),
  3_600_000,
);

test(
  "what we accept, node:http of Bun reads as the same request or refuses",
  async () => expect(await compareMany(process.execPath)).toBeGreaterThan(HEADS / 4),
  3_600_000,
);
