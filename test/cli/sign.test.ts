/** `serv6 sign`, and cli6 with what it prints. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content } from "../rig/oracle.ts";
import { cli6 } from "../rig/program.ts";
import { Tree } from "../rig/tree.ts";
import { Started } from "./serv6/started.ts";

test("a link opens its path for get, ls and mirror, and is told in no message", async () => {
  const large = content(2, 0, 5_000_000);
  using tree = new Tree({ "d/large": large, "d/x": "x", other: "secret" });
  using state = new Tree();
  using here = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  await using server = new Started([tree.root, "-p", "0", "--log", "off", "--links"], env);
  const port = await server.port();
  const sign = async (...args: string[]): Promise<[string, number, string]> => {
    await using signing = new Started(["sign", ...args], env);
    const out = (await signing.child.stdout.text()).trim();
    return [out, await signing.status(), signing.said];
  };
  const at = ["--at", `s6://127.0.0.1:${port}`];
  const [folder] = await sign("d", "--expires", "1h", ...at);
  expect(folder).toMatch(/^s6:\/\/127\.0\.0\.1:[0-9]+\/d\?link=link\.[0-9]+\.\.[\w-]+\.[\w-]{43}$/);
  const [url = "", secret = ""] = folder.split("?link=");
  const got = await cli6(["get", `${url}/large?link=${secret}`, "-P", here.root, "-q"]);
  expect([got.status, got.err]).toEqual([0, ""]);
  expect(fs.readFileSync(here.path("large")).equals(large)).toBe(true);
  expect((await cli6(["ls", "-1", folder])).out).toBe("large\nx\n");
  const mirrored = await cli6(["mirror", folder, here.path("m"), "-q"]);
  expect([mirrored.status, fs.readdirSync(here.path("m")).sort()]).toEqual([0, ["large", "x"]]);
  const beside = await cli6([`${url.replace(/d$/, "other")}?link=${secret}`]);
  expect([beside.status, beside.out]).toEqual([3, ""]);
  expect(beside.err).not.toContain(secret.slice(-20));
  const broken = await cli6([`${folder}!`]);
  expect([broken.status, broken.err]).toEqual([2, expect.not.stringContaining(secret.slice(-20))]);
  expect(server.said).not.toContain(secret.slice(-20));
  const [, status, said] = await sign("../etc");
  expect([status, said]).toEqual([2, expect.stringContaining("permission denied")]);
});

test("a link is one word that opens its path, whatever letters that has", async () => {
  using tree = new Tree({ "d ü#?%/f": "content" });
  using state = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  await using server = new Started([tree.root, "-p", "0", "--log", "off", "--links"], env);
  const at = `127.0.0.1:${await server.port()}`;
  for (const scheme of ["http", "s6"]) {
    const named = ["d ü#?%/f", "--at", `${scheme}://${at}/`];
    await using signing = new Started(["sign", ...named], env);
    const out = await signing.child.stdout.text();
    expect(out).toMatch(/^[A-Za-z0-9:/.%?=_-]+\n$/);
    const url = out.trim();
    const got = scheme === "s6" ? (await cli6([url])).out : await (await fetch(url)).text();
    expect(got).toBe("content");
  }
});

test("a link for one address is for who comes from there, however that was written", async () => {
  using tree = new Tree({ f: "content" });
  using state = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  await using server = new Started([tree.root, "-p", "0", "--log", "off", "--links"], env);
  const at = `http://127.0.0.1:${await server.port()}`;
  const statuses: number[] = [];
  for (const address of ["127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1", "127.0.0.2", "::1"]) {
    await using signing = new Started(["sign", "f", "--at", at, "--ip", address], env);
    statuses.push((await fetch((await signing.child.stdout.text()).trim())).status);
  }
  expect(statuses).toEqual([200, 200, 200, 401, 401]);
});

test("serv6 sign says what is wrong in one line that names its own help", async () => {
  using state = new Tree({ short: "x" });
  fs.chmodSync(state.path("short"), 0o600);
  const env = { XDG_STATE_HOME: state.root };
  const help = "; try serv6 sign --help\n";
  const at = "--at takes https://HOST[:PORT], s6s://HOST[:PORT], http:// or s6://";
  const cases: [string[], string][] = [
    [[], `sign needs a path: / is all that is served${help}`],
    [[""], `sign needs a path: / is all that is served${help}`],
    [["/../x"], `permission denied: /../x${help}`],
    [["d", "--at", "nas"], `${at}, not "nas"${help}`],
    [["d", "--at", "https://nas/x"], `${at}, not "https://nas/x"${help}`],
    [["d", "--link-key", "/proc/x"], "--link-key: no key can be kept in /proc/x (ENOENT)\n"],
  ];
  for (const [args, message] of cases) {
    await using signing = new Started(["sign", ...args], env);
    const status = await signing.status();
    expect([args, status, signing.said]).toEqual([args, 2, `serv6: ${message}`]);
  }
});
