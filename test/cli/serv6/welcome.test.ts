/** What the ready lines say of addresses that no test machine is sure to have. */
import { expect, test } from "bun:test";
import { welcome } from "../../../src/cli/serv6/welcome.ts";
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
  const lines = welcome(on("fd00::2"), false);
  expect(lines).toContain("cli6 s6://[fd00::2]:7/f\n");
  expect(lines).toContain("http://[fd00::2]:7/\n");
  expect(lines).toContain("| nc fd00::2 7\n");
  expect(welcome(on("::1"), false)).toContain("(-b :: opens it to the network)");
});

test("a zone is said to be this machine's, and is nothing for a browser", () => {
  const lines = welcome(on("fe80::1%eth0"), false);
  expect(lines).toContain("cli6 s6://[fe80::1%eth0]:7/f\n");
  expect(lines).toContain("what stands behind % is an interface here");
  expect(lines).not.toContain("http:");
});
