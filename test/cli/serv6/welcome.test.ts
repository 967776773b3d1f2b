/** What the ready lines say of addresses that no test machine is sure to have. */
import { expect, test } from "bun:test";
import { parseTarget, SERVER_DEFAULT } from "../../../src/client/address.ts";
import { type Said, welcome } from "../../../src/cli/serv6/welcome.ts";
import type { Server } from "../../../src/server/serve.ts";

/** A server of one file on `host`, as far as its first words need one. */
function on(host: string): Server {
  const given: object = {
    addresses: [{ host, port: 7 }],
    store: { single: "/f", label: "here/f" },
    http: true,
    credentials: null,
    plaintext: true,
  };
  return given as Server;
}

test("an IPv6 address is in brackets in URLs, bare for nc", () => {
  const lines = welcome(on("fd00::2"), { quiet: false });
  expect(lines).toContain("cli6 s6://[fd00::2]:7/f\n");
  expect(lines).toContain("http://[fd00::2]:7/\n");
  expect(lines).toContain("| nc fd00::2 7\n");
  expect(welcome(on("::1"), { quiet: false })).toContain("(-b :: opens it to the network)");
});

test("the command that fetches a file fetches it, whatever its name", () => {
  const given: Server = on("nas");
  const server = { ...given, store: { single: "/why? #1.txt", label: "here" } };
  const lines = welcome(server as unknown as Server, { quiet: false });
  const [, url = ""] = /cli6 '(.*)'\n/.exec(lines) ?? [];
  expect(parseTarget(url, SERVER_DEFAULT)).toMatchObject({ path: "/why? #1.txt" });
  expect(lines).toContain("printf '%s\\n' 'why? #1.txt' | nc nas 7\n");
});

test("a zone is said to be this machine's, and is nothing for a browser", () => {
  const lines = welcome(on("fe80::1%eth0"), { quiet: false });
  expect(lines).toContain("cli6 s6://[fe80::1%eth0]:7/f\n");
  expect(lines).toContain("what stands behind % is an interface here");
  expect(lines).not.toContain("http:");
});

test("a code to scan is for a terminal and for who can use it, unless told", () => {
  const has = (host: string, said: Omit<Said, "quiet">, quiet = false): boolean =>
    welcome(on(host), { quiet, ...said }).includes("█");
  expect(has("10.0.0.5", { terminal: true })).toBe(true);
  expect(has("10.0.0.5", {})).toBe(false);
  expect(has("127.0.0.1", { terminal: true })).toBe(false);
  expect(has("10.0.0.5", { terminal: true, qr: false })).toBe(false);
  expect(has("127.0.0.1", { qr: true })).toBe(true);
  expect(has("10.0.0.5", { terminal: true, qr: true }, true)).toBe(false);
  expect(has("fe80::1%eth0", { qr: true })).toBe(false);
  const closed = { ...on("10.0.0.5"), http: false } as Server;
  expect(welcome(closed, { quiet: false, qr: true })).not.toContain("█");
});

test("with the lines above it, it fits into 24 lines of 80, and colours are for terminals", () => {
  for (const host of ["192.168.100.200", "fd00:1111:2222:3333:4444:5555:6666:7777"]) {
    const text = welcome(on(host), { quiet: false, terminal: true });
    expect(text).toContain("\x1b[40;37;1m█");
    const lines = Bun.stripANSI(text).split("\n");
    // The last one is where the cursor stands.
    expect(lines.length).toBeLessThanOrEqual(host.includes(":") ? 25 : 24);
    expect(Math.max(...lines.slice(5).map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(welcome(on(host), { quiet: false, qr: true })).not.toContain("\x1b");
  }
});
