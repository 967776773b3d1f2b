/** What a server of HTTP may say instead of a file, and what becomes of the download. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { openHttpClient } from "../../src/client/httpclient.ts";
import { bring } from "../rig/bringing.ts";
import { eventually } from "../rig/faults.ts";
import { HttpFake, reply } from "../rig/httpfake.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";

const big = content(7, 1, 6 * 1024 * 1024);

/** Statuses and what a script reads. */
const STATUSES: readonly [status: string, exit: number, code: string][] = [
  ["400 Bad Request", 2, "EINVAL"],
  ["401 Unauthorized", 4, "EACCES"],
  ["403 Forbidden", 4, "EACCES"],
  ["404 Not Found", 3, "ENOENT"],
  ["405 Method Not Allowed", 11, "ENOSYS"],
  ["410 Gone", 3, "ENOENT"],
  ["418 \x1b[31mI'm a teapot", 2, "EINVAL"],
  ["429 Too Many Requests", 7, "EBUSY"],
  ["500 Internal Server Error", 1, "EIO"],
  ["501 Not Implemented", 11, "ENOSYS"],
  ["502 Bad Gateway", 7, "EBUSY"],
  ["503 Service Unavailable", 7, "EBUSY"],
  ["300 Multiple Choices", 11, "EPROTO"],
  ["204 No Content", 11, "EPROTO"],
];

test("each status has its own exit status, and what a server says can't reach a terminal", async () => {
  using here = new Tree();
  for (const [line, exit, code] of STATUSES) {
    using server = new HttpFake({}, () => ({ bytes: reply(line, "", "") }));
    const { status, err } = await bring(server.url("/f?key=secret"), here, { retries: 0 });
    const quoted = line.includes("\x1b") ? "EPROTO" : code;
    expect({ line, status, err }).toEqual({
      line,
      status: line.includes("\x1b") ? 11 : exit,
      err: expect.stringContaining(`${quoted}: `),
    });
    expect(err).not.toMatch(/secret|\x1b/);
  }
  expect(fs.existsSync(here.path("f"))).toBe(false);
});

test("a server that is busy is asked again when it says", async () => {
  using here = new Tree();
  let refusals = 0;
  using server = new HttpFake({ "/f": big }, () =>
    refusals++ < 1 ? { bytes: reply("503 Busy", "Retry-After: 1\r\n", "later") } : undefined,
  );
  const began = performance.now();
  const { status, err } = await bring(server.url("/f"), here);
  expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining("503 Busy") });
  // Its own first wait is a quarter of a second at most.
  expect(performance.now() - began).toBeGreaterThanOrEqual(1000);
});

test("redirects are followed, by parts too, and never to another scheme or in a circle", async () => {
  using here = new Tree();
  using there = new HttpFake({ "/store/f": big });
  const moved = (to: string) => reply("302 Found", `Location: ${to}\r\n`, "over there");
  using server = new HttpFake({}, ({ target }) => {
    const [, name = ""] = /^\/([a-z]+)/.exec(target) ?? [];
    const to: Record<string, string> = {
      near: "/far?x=1",
      far: `${there.url("/store/f")}?signature=secret`,
      circle: "/circle",
      safe: "https://127.0.0.1/f?signature=secret",
      file: "file:///etc/passwd",
      user: "http://me:secret@127.0.0.1/f",
      none: "",
    };
    return { bytes: moved(to[name] ?? "") };
  });
  expect((await bring(server.url("/near"), here)).status).toBe(0);
  expect(fs.readFileSync(here.path("f")).equals(big)).toBe(true);
  expect(
    there.asked.every(
      ({ target }) => !target.startsWith("/store/f") || target.endsWith("?signature=secret"),
    ),
  ).toBe(true);
  for (const [name, why] of [
    ["circle", "more than 10 redirects"],
    ["safe", "it leads to https:"],
    ["file", "it leads to file:"],
    ["user", "a password"],
    ["none", "no address"],
  ] as const) {
    const { status, err } = await bring(server.url(`/${name}`), here, { force: true });
    expect({ status, err }).toEqual({ status: 11, err: expect.stringContaining(why) });
    expect(err).not.toContain("secret");
  }
});

test("an address that has expired is asked for anew where it came from, and once", async () => {
  using here = new Tree();
  const long = content(3, 1, 3 * big.length);
  for (const lasting of [1, 0]) {
    /** Uses that are left of each signature. */
    const left: number[] = [];
    using there = new HttpFake({ "/f": long }, ({ target }) => {
      const nth = Number(target.split("=")[1]);
      left[nth] = (left[nth] ?? 0) - 1;
      return left[nth] >= 0 ? undefined : { bytes: reply("403 Expired", "", "no") };
    });
    using server = new HttpFake({}, () => {
      const to = `${there.url("/f")}?signature=${left.push(lasting) - 1}`;
      return { bytes: reply("302 Found", `Location: ${to}\r\n`, "") };
    });
    const options = { connections: 1, verify: false, force: true };
    const { status, err } = await bring(server.url("/f"), here, options);
    expect([status, err]).toEqual(lasting > 0 ? [0, ""] : [4, expect.stringContaining("403")]);
    if (lasting > 0) expect(fs.readFileSync(here.path("f")).equals(long)).toBe(true);
    else expect(left).toEqual([-1]);
  }
});

test("of servers that redirects lead to few are kept connected", async () => {
  const names = Array.from({ length: 12 }, (_, nth) => `/f${nth}`);
  const all = names.map((name) => new HttpFake({ [name]: "hello" }));
  using server = new HttpFake({}, ({ target }) => {
    const to = all[Number(target.slice(2))]?.url(target) ?? "";
    return { bytes: reply("302 Found", `Location: ${to}\r\n`, "") };
  });
  const address = { ...server.fake.server, http: { query: "" } };
  const client = await openHttpClient(address, { connectTimeoutMs: 5000, stallTimeoutMs: 5000 });
  const open = () => {
    const made = all.flatMap(({ fake }) => fake.connections);
    return made.filter(({ closed, finished }) => !closed && !finished);
  };
  for (const together of [false, true]) {
    const asked = names.map((name) => () => client.stat(name));
    if (together) await Promise.all(asked.map((ask) => ask()));
    else for (const ask of asked) await ask();
    await eventually("few connections", () => open().length <= 4);
  }
  client.close();
  await eventually("none", () => open().length === 0);
  for (const one of all) one[Symbol.dispose]();
});

/** Replies that two readers could read differently, or that tell no end. */
const BROKEN: readonly [what: string, head: string][] = [
  ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"],
  ["a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"],
  ["no length", "HTTP/1.1 200 OK\r\n\r\n"],
  ["another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
  ["an encoded body", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"],
  ["a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\n"],
  ["a bare line end", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n"],
  ["another version", "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\n"],
  ["another protocol", "SSH-2.0-OpenSSH_9.9\x1b[2J\r\n\r\n"],
  ["too many fields", `HTTP/1.1 200 OK\r\n${"X: 1\r\n".repeat(101)}\r\n`],
  ["a head without an end", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}`],
  ["a switch", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["interim replies without an end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(20)],
  [
    "a size that is none",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
  ],
];

test.each(BROKEN)("a reply with %s is refused: status 11, and no file", async (_, head) => {
  using here = new Tree();
  // Only where one piece is asked for, so that each head is judged with its body as well.
  using server = new HttpFake({ "/f": "hello" }, ({ range }) =>
    range === null ? { bytes: `${head}hello`, ending: "fin" } : { bytes: reply("200 OK", "", big) },
  );
  const { status, err } = await bring(server.url("/f"), here, { retries: 0, verify: false });
  expect({ status, err }).toEqual({ status: 11, err: expect.stringContaining("EPROTO") });
  expect(err).not.toContain("\x1b");
  expect(fs.readdirSync(here.root)).toEqual([]);
});

test("interim replies are skipped, and a reply at any split is the same", async () => {
  using here = new Tree();
  using server = new HttpFake({ "/f": big.subarray(0, 3000) }, (_asked, honest) => {
    const bytes = Buffer.concat([Buffer.from("HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"), honest()]);
    return {
      bytes: Array.from({ length: 200 }, (__, at) => bytes.subarray(at, at + 1)).concat([
        bytes.subarray(200),
      ]),
    };
  });
  expect((await bring(server.url("/f"), here)).status).toBe(0);
  expect(fs.readFileSync(here.path("f")).equals(big.subarray(0, 3000))).toBe(true);
});
