/** Downloads of https:// URLs: the same engine by TLS, and nothing from who can't be believed. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { bring } from "../rig/bringing.ts";
import { HttpFake, reply } from "../rig/httpfake.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { CA, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const big = content(7, 1, 12 * 1024 * 1024);

test("from our own server by TLS: in parts, compared, and with the authority that was given", async () => {
  using there = new Tree({ f: big });
  using here = new Tree();
  await using server = new Running(there.root, { tls: filesOf("good") });
  const url = `https://127.0.0.1:${server.port}/f`;
  const { status, err, verified } = await bring(url, here, { trust: { ca: CA } });
  expect({ status, err, verified }).toEqual({ status: 0, err: "", verified: big.length });
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
});

test("a certificate that nobody vouches for is refused, and a pin decides alone", async () => {
  using there = new Tree({ f: "secret" });
  using here = new Tree();
  await using server = new Running(there.root, { tls: filesOf("othername") });
  const url = `https://127.0.0.1:${server.port}/f`;
  const refused = await bring(url, here, { trust: { ca: CA }, retries: 0 });
  expect(refused).toMatchObject({ status: 4, err: expect.stringContaining("EKEYREJECTED") });
  const pinned = await bring(url, here, { trust: { pin: `sha256:${"0".repeat(64)}` }, retries: 0 });
  expect(pinned.status).toBe(4);
  expect(fs.existsSync(here.path("f"))).toBe(false);
});

test("no TLS on the other side is told, and a redirect never leaves TLS or enters it", async () => {
  using here = new Tree();
  await using plain = new Running(here.root);
  const spoken = await bring(`https://127.0.0.1:${plain.port}/f`, here, { retries: 0 });
  expect(spoken).toMatchObject({ status: 11, err: expect.stringContaining("no TLS handshake") });
  using moved = new HttpFake({}, () => ({
    bytes: reply("301 Moved", "Location: https://127.0.0.1/f\r\n", ""),
  }));
  const { status, err } = await bring(moved.url("/f"), here);
  expect({ status, err }).toEqual({ status: 11, err: expect.stringContaining("not http://") });
});
