/**
 * A TLS connection that ends without the alert that says so (close_notify, RFC 8446 6.1): anybody
 * between the two can make that, so that it completes nothing, whatever the length of what came.
 */
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { chunkedReply, HttpFake, reply } from "../../rig/httpfake.ts";
import { cli6, type Run } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";
import { CA_FILE } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";
import { type Meddling, Tunnel } from "../../rig/tunnel.ts";

const FILE = "x".repeat(3000);
const ENDED = /^cli6: ECONNRESET: the (server closed the connection|connection was reset)/m;
const CHUNKED = chunkedReply("200 OK", "", Buffer.from(FILE), 1000);

/** Answers a READ with all but the last `missing` bytes of the honest reply. */
function s6Without(missing: (reply: Buffer) => number): Scripted {
  return new Scripted({ "/f": FILE }, ({ verb }, honest) => {
    if (verb !== "READ") return undefined;
    const bytes = honest();
    return { bytes: bytes.subarray(0, bytes.length - missing(bytes)), ending: "fin" };
  });
}

/** Answers a GET with `bytes`, and a HEAD without a length. */
function http(bytes: Uint8Array | string): HttpFake {
  return new HttpFake({}, ({ method }) => ({
    bytes: method === "GET" ? bytes : "HTTP/1.1 200 OK\r\n\r\n",
    ending: "fin",
  }));
}

/** Runs `get` by TLS, once into a folder and once to standard output. */
async function runs(
  fake: Scripted | HttpFake,
  meddling: Meddling,
): Promise<{ files: string[]; run: Run; streamed: Run; meddled: number }> {
  using here = new Tree();
  using tunnel = await Tunnel.to(fake.fake.port, meddling);
  const scheme = fake instanceof HttpFake ? "https" : "s6s";
  const url = `${scheme}://127.0.0.1:${tunnel.port}/f`;
  const get = ["get", url, "--ca", CA_FILE, "--retry", "0", "--timeout", "5"];
  const run = await cli6([...get, "-P", here.root]);
  const streamed = await cli6([...get, "-o", "-"]);
  return { files: fs.readdirSync(here.root), run, streamed, meddled: tunnel.meddled };
}

describe.each(["fin", "rst"] as const)("without close_notify, by %s", (cut) => {
  const body = reply("200 OK", "", FILE);
  const places: [string, () => Scripted | HttpFake, RegExp, number][] = [
    ["the head of S6/1", () => s6Without(({ length }) => length - 20), ENDED, 5],
    ["the body of S6/1", () => s6Without(() => 100), ENDED, 5],
    ["the head of HTTP", () => http(body.subarray(0, 30)), ENDED, 5],
    ["a body with a length", () => http(body.subarray(0, -100)), ENDED, 5],
    ["a body until the end", () => http(`HTTP/1.1 200 OK\r\n\r\n${FILE}`), /does not say how/, 11],
    ["a chunk", () => http(CHUNKED.subarray(0, -700)), ENDED, 5],
    ["the last chunk", () => http(CHUNKED.subarray(0, -5)), ENDED, 5],
  ];
  test.each(places)("%s is incomplete", async (_place, make, message, status) => {
    using fake = make();
    const { files, run, streamed, meddled } = await runs(fake, { cut });
    expect(meddled).toBeGreaterThan(0);
    expect(run).toEqual({ status, out: "", err: expect.stringMatching(message) });
    expect(files).toEqual([]);
    expect([streamed.status, streamed.err]).toEqual([status, expect.stringMatching(message)]);
  });
  test("what had come whole is whole", async () => {
    using framed = new Scripted({ "/f": FILE });
    using web = new HttpFake({ "/f": FILE });
    for (const fake of [framed, web]) {
      const { files, run, streamed } = await runs(fake, { cut });
      expect([run.status, files, streamed.status]).toEqual([0, ["f"], 0]);
      expect(streamed.out).toBe(FILE);
    }
  });
});

test("an alert in the open, or junk between records, breaks the connection and says so", async () => {
  using framed = new Scripted({ "/f": FILE });
  using web = new HttpFake({ "/f": FILE });
  // In front of these go the ServerHello, and what is encrypted of the handshake.
  const behind = 2;
  const alert = Buffer.from([21, 3, 3, 0, 2, 2, 80]);
  for (const bytes of [alert, Buffer.from("no record at all")]) {
    for (const fake of [framed, web]) {
      const { files, run, streamed } = await runs(fake, { put: { behind, bytes } });
      for (const { status, err } of [run, streamed]) {
        expect(err).toMatch(/^cli6: ECONNRESET: the TLS connection broke \((bad|wrong) [a-z ]+\)/m);
        expect(status).toBe(5);
      }
      expect(files).toEqual([]);
    }
  }
});
