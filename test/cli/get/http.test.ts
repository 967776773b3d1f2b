/** `cli6` with http:// URLs: what goes to a stream, what can't be done, and what is no pattern. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { HttpFake } from "../../rig/httpfake.ts";
import { content } from "../../rig/oracle.ts";
import { cli6 } from "../../rig/program.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;
const big = content(7, 1, 6 * MIB);
const other = content(7, 2, 6 * MIB);

test("to a stream: parts go on behind one another, one piece comes once", async () => {
  let cuts = 0;
  using server = new HttpFake({ "/f": big }, ({ range }, honest) =>
    range !== null && range[1] !== 0 && cuts++ === 0
      ? { bytes: honest().subarray(0, 2 * MIB), ending: "rst" }
      : undefined,
  );
  const { status, out } = await cli6(["get", server.url("/f"), "-o", "-"]);
  expect(status).toBe(0);
  expect(Buffer.from(out, "latin1").equals(big)).toBe(true);
  server.put("/f", other, "");
  const whole = await cli6(["get", server.url("/f"), "-o", "-"]);
  expect(Buffer.from(whole.out, "latin1").equals(other)).toBe(true);
  const printed = await cli6([server.url("/f")]);
  expect(Buffer.from(printed.out, "latin1").equals(other)).toBe(true);
});

test("what went to a stream is compared with the digest of the whole", async () => {
  using server = new HttpFake({});
  const base64 = new Bun.CryptoHasher("sha256").update(big).digest("base64");
  const told = `Repr-Digest: sha-256=:${base64}:\r\n`;
  server.put("/f", big, `ETag: "1"\r\n${told}`);
  const good = await cli6(["get", server.url("/f"), "-o", "-"]);
  expect([good.status, good.err, good.out.length]).toEqual([0, "", big.length]);
  server.put("/f", other, `ETag: "2"\r\n${told}`);
  const wrong = await cli6(["get", server.url("/f"), "-o", "-"]);
  expect(wrong).toMatchObject({ status: 8, err: expect.stringContaining("and it is out") });
  const hashed = await cli6(["hash", server.url("/f?key=secret")]);
  expect(hashed.out).toBe(`${Buffer.from(base64, "base64").toString("hex")}  f\n`);
});

test("what HTTP can't do is refused, and what is no address of it", async () => {
  using here = new Tree();
  const url = "http://127.0.0.1:9/f";
  const runs = [
    ["ls", url],
    ["ping", url],
    ["mirror", url, here.path("m")],
    ["get", "-r", "-P", here.root, url],
    ["--plain", url],
    ["get", "http://me:secret@127.0.0.1/f"],
    ["get", "https://me:secret@127.0.0.1/f"],
    ["-s", "https://127.0.0.1", "f"],
    ["get", "http://127.0.0.1:0/f"],
    ["get", "http:///f"],
    ["get", "http://127.0.0.1/%zz"],
    ["get", "-P", here.root, "http://127.0.0.1:9/"],
    ["get", "-P", here.root, "http://127.0.0.1:9/a%2Fb"],
    ["get", "-P", here.root, "http://127.0.0.1:9/%2e%2e"],
  ].map(async (args) => ({ args, ...(await cli6(args)) }));
  for (const { args, status, err } of await Promise.all(runs)) {
    expect({ args, status, err }).toEqual({ args, status: 2, err: expect.any(String) });
    expect(err).not.toContain("secret");
  }
  expect(fs.readdirSync(here.root)).toEqual([]);
});

test("a bracket, a star and a brace in a URL are no pattern, and stat tells what there is", async () => {
  using here = new Tree();
  using server = new HttpFake({ "/[a]*%7Bb%7D": "x" });
  server.put("/[a]*%7Bb%7D", "x", 'ETag: "v"\r\nLast-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n');
  const url = server.url("/[a]*{b}");
  expect((await cli6(["get", "-P", here.root, url])).status).toBe(0);
  expect(fs.readFileSync(here.path("[a]*{b}"), "latin1")).toBe("x");
  const { out } = await cli6(["stat", "--json", url]);
  expect(JSON.parse(out)).toMatchObject({
    ...{ name: "[a]*{b}", path: "/[a]*{b}" },
    ...{ size: 1, etag: '"v"', mtime: 1420070400000000000 },
  });
});
