/** Whom a client believes: pins, authorities, and who was seen before. */
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { judge, pinOf, pinsOf, type Shown, type TrustOptions } from "../../src/identity/trust.ts";
import { Tree } from "../rig/tree.ts";

const A = "a1".repeat(32);
const B = "b2".repeat(32);
const NOW = Date.UTC(2026, 10, 26);
const LATER = NOW + 1000;

const OWN: Shown = {
  fingerprint: A,
  authorized: false,
  own: true,
  problem: "DEPTH_ZERO_SELF_SIGNED_CERT",
  until: LATER,
};
const VOUCHED: Shown = { fingerprint: B, authorized: true, own: false, problem: "", until: LATER };

function codeOf(shown: Shown, trust: TrustOptions): string {
  return judge("nas:6464", shown, trust, NOW)?.code ?? "believed";
}

describe("without a file of known hosts", () => {
  const cases: [string, Shown, TrustOptions, string][] = [
    ["an authority vouches", VOUCHED, {}, "believed"],
    ["it is its own", OWN, {}, "EKEYREJECTED"],
    ["its own, and pinned", OWN, { pin: `sha256:${A}` }, "believed"],
    ["another one is pinned", OWN, { pin: `sha256:${B}` }, "EKEYREJECTED"],
    ["its own, among those pinned", OWN, { pin: [`sha256:${B}`, `sha256:${A}`] }, "believed"],
    [
      "none of those pinned",
      OWN,
      { pin: [`sha256:${B}`, `sha256:${"0".repeat(64)}`] },
      "EKEYREJECTED",
    ],
    ["no pin at all in a list", OWN, { pin: [] }, "EKEYREJECTED"],
    ["another one is pinned than the authority's", VOUCHED, { pin: `sha256:${A}` }, "EKEYREJECTED"],
    ["expired", { ...OWN, own: false, problem: "CERT_HAS_EXPIRED" }, {}, "EKEYEXPIRED"],
    [
      "expired, and pinned",
      { ...OWN, own: false, problem: "CERT_HAS_EXPIRED" },
      { pin: `sha256:${A}` },
      "believed",
    ],
    [
      "another name",
      { ...OWN, own: false, problem: "ERR_TLS_CERT_ALTNAME_INVALID" },
      {},
      "EKEYREJECTED",
    ],
    [
      "an unknown authority",
      { ...OWN, own: false, problem: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
      {},
      "EKEYREJECTED",
    ],
    [
      "a problem nobody has heard of",
      { ...OWN, own: false, problem: "\x1b[2J" },
      {},
      "EKEYREJECTED",
    ],
  ];
  test.each(cases)("%s", (_what, shown, trust, expected) => {
    expect(codeOf(shown, trust)).toBe(expected);
    expect(judge("nas:6464", shown, trust, NOW)?.message ?? "").not.toContain("\x1b");
  });
});

describe("with a file of known hosts", () => {
  test("its own certificate is believed once and noted, from then on no other one is", () => {
    using tree = new Tree();
    const seen: string[] = [];
    const knownHosts = tree.path("state/known_hosts");
    const trust = {
      knownHosts,
      onFirstSeen: (server: string, fingerprint: string) => seen.push(`${server} ${fingerprint}`),
    };
    expect(codeOf(OWN, trust)).toBe("believed");
    expect(codeOf(OWN, trust)).toBe("believed");
    expect(codeOf({ ...OWN, fingerprint: B }, trust)).toBe("EKEYREJECTED");
    const told = judge("nas:6464", { ...OWN, fingerprint: B }, trust, NOW)?.message;
    expect(told).toContain("ITS CERTIFICATE HAS CHANGED");
    expect(told).toContain(knownHosts);
    expect(seen).toEqual([`nas:6464 sha256:${A}`]);
    expect(fs.readFileSync(knownHosts, "utf8")).toBe(`nas:6464 sha256:${A}\n`);
    expect(fs.statSync(knownHosts).mode & 0o777).toBe(0o600);
    // Another server is another line.
    expect(judge("other:6464", { ...OWN, fingerprint: B }, trust, NOW)).toBeNull();
  });

  test("a name is the same in capitals and with the dot that ends it, also in an older line", () => {
    using tree = new Tree();
    const knownHosts = tree.path("known_hosts");
    const other = { ...OWN, fingerprint: B };
    const believes = (server: string, shown: Shown): boolean =>
      judge(server, shown, { knownHosts }, NOW) === null;
    expect(believes("NAS.Local.:6464", OWN)).toBe(true);
    expect(fs.readFileSync(knownHosts, "utf8")).toBe(`nas.local:6464 sha256:${A}\n`);
    for (const name of ["nas.local:6464", "nas.local.:6464", "NAS.LOCAL:6464"]) {
      expect([believes(name, other), believes(name, OWN)]).toEqual([false, true]);
    }
    fs.writeFileSync(knownHosts, `NAS:6464 sha256:${A}\n`);
    expect([believes("nas:6464", other), believes("nas:6464", OWN)]).toEqual([false, true]);
    // Another port, and another name, are other servers.
    expect([believes("nas:646", other), believes("nas.b:6464", other)]).toEqual([true, true]);
  });

  test("who was vouched for is not believed without that, unless authorities were named", () => {
    using tree = new Tree();
    const knownHosts = tree.path("known_hosts");
    expect(codeOf(VOUCHED, { knownHosts, ca: "PEM" })).toBe("believed");
    expect(fs.existsSync(knownHosts)).toBe(false);
    expect(codeOf(VOUCHED, { knownHosts })).toBe("believed");
    expect(codeOf(VOUCHED, { knownHosts })).toBe("believed");
    expect(fs.readFileSync(knownHosts, "utf8")).toBe("nas:6464 authority\n");
    expect(codeOf(OWN, { knownHosts })).toBe("EKEYREJECTED");
  });

  test("a line that a person has removed, or added, counts; the last one of a server is in force", () => {
    using tree = new Tree({
      known_hosts: `nas:6464 sha256:${A}\nnas:6464 sha256:${B}\n\nnonsense\n`,
    });
    const knownHosts = tree.path("known_hosts");
    expect(codeOf({ ...OWN, fingerprint: B }, { knownHosts })).toBe("believed");
    expect(codeOf(OWN, { knownHosts })).toBe("EKEYREJECTED");
    fs.writeFileSync(knownHosts, "");
    expect(codeOf(OWN, { knownHosts })).toBe("believed");
  });

  test("what has expired, or is for another name, is not believed on first sight", () => {
    using tree = new Tree();
    const knownHosts = tree.path("known_hosts");
    expect(codeOf({ ...OWN, until: NOW - 1 }, { knownHosts })).toBe("EKEYEXPIRED");
    const other = { ...OWN, own: false, problem: "ERR_TLS_CERT_ALTNAME_INVALID" };
    expect(codeOf(other, { knownHosts })).toBe("EKEYREJECTED");
    expect(fs.existsSync(knownHosts)).toBe(false);
  });

  test("a file that can't be read or written is said to be, and nobody is believed", () => {
    using tree = new Tree({ "folder/inside": "", file: "" });
    for (const name of ["folder", "file/below"]) {
      expect(() => codeOf(OWN, { knownHosts: tree.path(name) })).toThrow(
        "the known hosts can't be",
      );
    }
  });
});

test("a pin is sha256: and 64 hex digits, in any case, also in pairs as openssl prints them", () => {
  const pairs = A.replaceAll(/..(?!$)/g, "$&:").toUpperCase();
  for (const text of [`sha256:${A}`, `SHA256:${A.toUpperCase()}`, `sha256:${pairs}`]) {
    expect(pinOf(text)).toBe(`sha256:${A}`);
  }
  for (const text of [
    "",
    A,
    `sha256:${A}0`,
    `sha256:${A.slice(1)}`,
    `sha1:${A}`,
    `sha256:${A}\n`,
  ]) {
    expect(pinOf(text)).toBeNull();
  }
});

test("a file whose last line a person left without its end keeps that line, and gets another", () => {
  using tree = new Tree({ hosts: `nas:6464 sha256:${A}` });
  const trust = { knownHosts: tree.path("hosts") };
  const seen = (server: string, fingerprint: string): string =>
    judge(server, { ...OWN, fingerprint }, trust, NOW)?.code ?? "believed";
  expect(seen("other:6464", B)).toBe("believed");
  expect(seen("nas:6464", A)).toBe("believed");
  expect(seen("other:6464", A)).toBe("EKEYREJECTED");
  expect(fs.readFileSync(tree.path("hosts"), "latin1").split("\n")).toHaveLength(3);
});

test("several pins have commas between them, each is one, and there are 16 at most", () => {
  const pins = [`sha256:${A}`, `sha256:${B}`];
  expect(pinsOf(pins.join(","))).toEqual(pins);
  expect(pinsOf(`SHA256:${A},${pins[1]}`)).toEqual(pins);
  const many = (count: number): string => Array.from({ length: count }, () => pins[0]).join(",");
  expect(pinsOf(many(16))).toHaveLength(16);
  for (const text of [
    "",
    ",",
    `${pins[0]},`,
    `${pins[0]}, ${pins[1]}`,
    `${pins[0]},${B}`,
    many(17),
  ]) {
    expect(pinsOf(text)).toBeNull();
  }
});
