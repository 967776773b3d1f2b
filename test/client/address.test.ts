/** Addresses: URLs, bare paths and -s, with the errors a person gets for the rest. */
import { expect, test } from "bun:test";
import {
  parseServer,
  parseTarget,
  pathBytes,
  SERVER_DEFAULT,
  urlOf,
} from "../../src/client/address.ts";
import { thrownBy } from "./failure.ts";

const LOCAL = SERVER_DEFAULT;

test("reads hosts and ports in every form", () => {
  const cases: [string, string, number][] = [
    ["nas", "nas", 6464],
    ["nas:7000", "nas", 7000],
    ["127.0.0.1:1", "127.0.0.1", 1],
    ["nas.local:65535", "nas.local", 65535],
    ["[::1]", "::1", 6464],
    ["[::1]:7000", "::1", 7000],
    ["[fe80::1%eth0]:7000", "fe80::1%eth0", 7000],
    ["s6://[fe80::1%25eth0]/", "fe80::1%eth0", 6464],
    ["[fe80::1%25]", "fe80::1%25", 6464],
    ["s6://nas:7000", "nas", 7000],
    ["s6://nas:7000/", "nas", 7000],
    ["S6://nas", "nas", 6464],
    ["nas:7000/", "nas", 7000],
    ["::1", "::1", 6464],
    ["s6://::1", "::1", 6464],
    ["fe80::1234", "fe80::1234", 6464],
    ["fe80::1%eth0", "fe80::1%eth0", 6464],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 6464],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1", 6464],
  ];
  for (const [text, host, port] of cases) expect(parseServer(text)).toEqual({ host, port });
});

test("says what is wrong with an address", () => {
  const cases: [string, string][] = [
    ["", "host is missing"],
    [":7000", "host is missing"],
    ["nas:", "a port is a number from 1 to 65535"],
    ["nas:0", "a port is a number"],
    ["nas:65536", "a port is a number"],
    ["nas:0x50", "a port is a number"],
    ["nas:07", "a port is a number"],
    ["nas:1e3", "a port is a number"],
    ["nas:70 ", "a port is a number"],
    ["nas:99999999999999999999", "a port is a number"],
    ["::1:6464", "brackets"],
    ["2001:db8::1:80", "brackets"],
    ["1:2:3", "brackets"],
    [":::", "brackets"],
    ["[1:2]:80", "no IPv6 address"],
    ["/", "not a host name"],
    ["[nas]:1", "no IPv6 address"],
    ["[::1", "in brackets"],
    ["[::1]x", "a port is a number"],
    ["me@nas", "no user name"],
    ["na s", "not a host name"],
    ["n\xe1s", "not a host name"],
    ["s6x://nas", "only s6://, s6s://"],
    ["http://nas", "only s6:// and s6s:// here"],
    ["https://nas", "only s6:// and s6s:// here"],
  ];
  for (const [text, said] of cases) {
    const error = thrownBy(() => parseServer(text));
    expect([text, error.kind]).toEqual([text, "usage"]);
    expect(error.message).toContain(said);
  }
});

test("a bare path is literal and asked for from the root", () => {
  const cases: [string, string][] = [
    ["a/b", "/a/b"],
    ["/a/b", "/a/b"],
    ["./a", "/./a"],
    ["100%", "/100%"],
    ["a%20b", "/a%20b"],
    ["READ x", "/READ x"],
    ["s6:/x", "/s6:/x"],
    ["./nas:7000", "/./nas:7000"],
    ["12:30", "/12:30"],
    ["2026-01-31T12:30", "/2026-01-31T12:30"],
    ["nas:0", "/nas:0"],
    ["nas:80.txt", "/nas:80.txt"],
    ["a b:80/x", "/a b:80/x"],
    ["nas:x/y", "/nas:x/y"],
    ["::1", "/::1"],
    ["[draft]/x", "/[draft]/x"],
    ["\xff\n", "/\xff\n"],
  ];
  for (const [text, path] of cases) {
    expect(parseTarget(text, LOCAL)).toEqual({ server: LOCAL, path, literal: text });
  }
});

test("a URL names its server, and its escapes stand for bytes, once", () => {
  const cases: [string, string, number, string][] = [
    ["s6://nas", "nas", 6464, "/"],
    ["s6://nas/", "nas", 6464, "/"],
    ["s6://nas/a/b.txt", "nas", 6464, "/a/b.txt"],
    ["s6://nas:7000/a%20b", "nas", 7000, "/a b"],
    ["s6://nas/%ff%0a", "nas", 6464, "/\xff\n"],
    ["s6://nas/%252e", "nas", 6464, "/%2e"],
    ["s6://nas//etc", "nas", 6464, "//etc"],
    ["s6://[::1]:7000/x", "::1", 7000, "/x"],
    ["S6://nas/x", "nas", 6464, "/x"],
    ["s6://::1/x", "::1", 6464, "/x"],
    ["nas:7000", "nas", 7000, "/"],
    ["nas:7000/a%20b", "nas", 7000, "/a b"],
    ["nas.example.org:80/x", "nas.example.org", 80, "/x"],
    ["127.0.0.1:22000", "127.0.0.1", 22_000, "/"],
    ["127.0.0.1:22000/a/b", "127.0.0.1", 22_000, "/a/b"],
    ["[::1]:7000/x", "::1", 7000, "/x"],
    ["[fd00::2]/x", "fd00::2", 6464, "/x"],
  ];
  for (const [text, host, port, path] of cases) {
    expect(parseTarget(text, LOCAL)).toEqual({ server: { host, port }, path, literal: path });
  }
});

test("says what is wrong with a URL, and shows it without its controls", () => {
  const cases: [string, string][] = [
    ["s6x://nas/x", "s6x://nas/x: only s6://, s6s://"],
    ["ftp://nas/x", "asked for as ./ftp://nas/x"],
    ["s6://nas/a?b", "%3F"],
    ["s6://nas/a#b", "%23"],
    ["s6://nas/100%", "%25"],
    ["s6://nas/%4", "%25"],
    ["s6:///x", "host is missing"],
    ["s6://nas:x/y", "a port is a number"],
    ["nas:70000/y", "a port is a number"],
    ["nas:80/a?b", "%3F"],
    ["s6://me@nas/x", "no user name"],
    ["s6x://nas/\x1b]0;x\x07", "\\x1b]0;x\\x07"],
  ];
  for (const [text, said] of cases) {
    const error = thrownBy(() => parseTarget(text, LOCAL));
    expect([text, error.kind]).toEqual([text, "usage"]);
    expect(error.message).toContain(said);
    expect(error.message).not.toMatch(/[\x00-\x1f\x7f]/);
  }
  expect(thrownBy(() => parseTarget("", LOCAL)).message).toContain("empty");
});

test("names servers so that they can be typed again", () => {
  expect(urlOf({ host: "::1", port: 7000 })).toBe("s6://[::1]:7000");
  expect(urlOf({ host: "nas", port: 6464 }, "/a b\n\xff")).toBe("s6://nas:6464/a b%0A%FF");
  // As it is told it can be typed again.
  const told = urlOf({ host: "nas", port: 6464 }, "/why?#1%3F");
  expect(told).toBe("s6://nas:6464/why%3F%231%253F");
  expect(parseTarget(told, SERVER_DEFAULT).path).toBe("/why?#1%3F");
});

test("a library's path is text in UTF-8 or bytes as they are", () => {
  expect(pathBytes("/é")).toBe("/\xc3\xa9");
  expect(pathBytes(Uint8Array.of(0x2f, 0xff))).toBe("/\xff");
  expect(thrownBy(() => pathBytes("a")).kind).toBe("usage");
});
