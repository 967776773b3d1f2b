/** Which addresses may connect. */
import { describe, expect, test } from "bun:test";
import {
  addressOf,
  type Network,
  networkAround,
  networkOf,
  Networks,
} from "../../src/guard/networks.ts";

const nets = (...texts: string[]): Network[] => texts.map((text) => networkOf(text)!);

describe("networks", () => {
  test.each([
    ["10.0.0.0/8", { address: "10.0.0.0", prefix: 8 }],
    ["192.0.2.7", { address: "192.0.2.7", prefix: 32 }],
    ["fd00::/8", { address: "fd00::", prefix: 8 }],
    ["::1", { address: "::1", prefix: 128 }],
    ["0.0.0.0/0", { address: "0.0.0.0", prefix: 0 }],
  ])("%s is one", (text, network) => {
    expect(networkOf(text)).toEqual(network);
  });

  test.each([
    "",
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0/8",
    "10.0.0.256",
    "nas",
    "10.0.0.0/",
    "/8",
    "::1%lo",
    "10.0.0.0/1x",
    "/0",
    "nas/0",
    ".../0",
  ])("%j is none", (text) => {
    expect([networkOf(text), networkAround(text)]).toEqual([null, null]);
  });

  test.each([
    ["10.0.0.1/8", "10.0.0.0/8"],
    ["192.0.2.200/25", "192.0.2.128/25"],
    ["192.0.2.7/31", "192.0.2.6/31"],
    ["255.255.255.255/0", "0.0.0.0/0"],
    ["fd12:3456::1/8", "fd00::/8"],
    ["2001:db8:1:2:3:4:5:6/63", "2001:db8:1:2::/63"],
    ["2001:db8:1:3::/63", "2001:db8:1:2::/63"],
    ["::ffff:192.0.2.1/120", "::ffff:c000:200/120"],
    ["::1/127", "::/127"],
  ])("%s is an address in %s", (text, around) => {
    expect([networkOf(text), networkAround(text)]).toEqual([null, around]);
    expect(networkOf(around)).not.toBeNull();
    expect(networkAround(around)).toBeNull();
  });
});

test("allow lets in, deny keeps out, and IPv4 within IPv6 is IPv4", () => {
  const both = new Networks(
    nets("10.0.0.0/8", "fd00::/8", "127.0.0.0/8"),
    nets("10.6.0.0/16", "fd00:1::/32"),
  );
  const cases: [string, boolean][] = [
    ["10.1.2.3", true],
    ["10.6.2.3", false],
    ["::ffff:10.1.2.3", true],
    ["::ffff:10.6.2.3", false],
    ["11.0.0.1", false],
    ["127.0.0.1", true],
    ["fd00::5", true],
    ["fd00:1::5", false],
    ["fe80::1%eth0", false],
  ];
  for (const [address, admitted] of cases)
    expect([address, both.admits(address)]).toEqual([address, admitted]);
  const denied = new Networks([], nets("192.0.2.0/24"));
  expect([denied.admits("192.0.2.200"), denied.admits("192.0.3.1"), denied.admits("::1")]).toEqual([
    false,
    true,
    true,
  ]);
});

test("all of IPv6 is no IPv4, and IPv4 may be written within it", () => {
  const cases: [string, string, boolean, boolean][] = [
    ["::/0", "192.0.2.1", false, true],
    ["::/0", "2001:db8::1", true, false],
    ["0.0.0.0/0", "2001:db8::1", false, true],
    ["::ffff:192.0.2.0/120", "192.0.2.9", true, false],
    ["::ffff:192.0.2.0/120", "192.0.3.9", false, true],
    ["::ffff:0:0/96", "192.0.2.1", true, false],
    ["::ffff:0:0/96", "2001:db8::1", false, true],
  ];
  for (const [text, address, within, without] of cases) {
    const allowed = new Networks(nets(text), []).admits(address);
    const denied = new Networks([], nets(text)).admits(address);
    expect([text, address, allowed, denied]).toEqual([text, address, within, without]);
  }
});

test("one address is told as the kernel tells it", () => {
  const cases: [string, string | null][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:0", "2001:db8:0:0:1::"],
    ["2001:db8::1/128", null],
    ["10.0.0.0/8", null],
    ["nas", null],
  ];
  expect(cases.map(([text]) => [text, addressOf(text)])).toEqual(cases);
});
