/** Version 2 of the PROXY protocol: whose connection it is, at every split, and what is none. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { PROXY_HEADER_BYTES_MAX, readProxyHeader } from "../../src/wire/proxyheader.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const PORTS = "d431 1940";
const TLV = "03 0004 deadbeef";

const header = (hex: string): Buffer => Buffer.from((SIGNATURE + hex).replaceAll(" ", ""), "hex");

const CASES: [what: string, hex: string, bytes: number, address: string | null][] = [
  ["IPv4", `21 11 000c c0000207 7f000001 ${PORTS}`, 28, "192.0.2.7"],
  ["IPv4 with more behind it", `21 11 0013 c0000207 7f000001 ${PORTS} ${TLV}`, 35, "192.0.2.7"],
  [
    "IPv6",
    `21 21 0024 20010db8000000010000000000000005 20010db8000000010000000000000001 ${PORTS}`,
    52,
    "2001:db8:0:1::5",
  ],
  [
    "this machine by IPv6",
    `21 21 0024 ${"00".repeat(15)}01 ${"00".repeat(15)}01 ${PORTS}`,
    52,
    "::1",
  ],
  [
    "IPv4 within IPv6",
    `21 21 0024 ${"00".repeat(10)}ffffc0000207 ${"00".repeat(16)} ${PORTS}`,
    52,
    "192.0.2.7",
  ],
  [
    "what is not quite IPv4 within IPv6",
    `21 21 0024 ${"00".repeat(10)}ff00c0000207 ${"00".repeat(16)} ${PORTS}`,
    52,
    "::ff00:c000:207",
  ],
  [
    "nor this",
    `21 21 0024 ${"00".repeat(10)}00ffc0000207 ${"00".repeat(16)} ${PORTS}`,
    52,
    "::ff:c000:207",
  ],
  ["a check of the proxy's own", "20 00 0000", 16, null],
  ["a check with addresses", `20 11 000c c0000207 7f000001 ${PORTS}`, 28, null],
  ["a family that is not told", "21 00 0000", 16, null],
  ["a socket of Unix", `21 31 00d8 ${"00".repeat(216)}`, 232, null],
];

test.each(CASES)("%s, at every split", (_what, hex, bytes, address) => {
  const whole = Buffer.concat([header(hex), Buffer.from("READ /f\n")]);
  for (let count = 0; count < bytes; count++) expect(readProxyHeader(whole, count)).toBe("more");
  for (let count = bytes; count <= whole.length; count++) {
    expect(readProxyHeader(whole, count)).toEqual({ bytes, address });
  }
});

const WRONG: [what: string, bytes: Buffer][] = [
  ["another first byte", Buffer.from(`0a${SIGNATURE.slice(2)}2000 0000`.replace(" ", ""), "hex")],
  ["a request", Buffer.from("READ /f\n")],
  ["a request of HTTP", Buffer.from("GET / HTTP/1.1\r\n")],
  ["version 1", Buffer.from("PROXY TCP4 192.0.2.7 127.0.0.1 5 6\r\n")],
  ["a handshake of TLS", Buffer.from([0x16, 3, 1])],
  ["another version", header("11 11 000c c0000207 7f000001 d431 1940")],
  ["another command", header("22 11 000c c0000207 7f000001 d431 1940")],
  ["too short for its addresses", header("21 11 000b c0000207 7f000001 d431 19")],
  ["too short for IPv6", header(`21 21 000c c0000207 7f000001 ${PORTS}`)],
  ["too long", header("21 11 ffff")],
];

test.each(WRONG)("%s is none", (_what, bytes) => {
  expect(readProxyHeader(bytes, bytes.length)).toBe("wrong");
});

test("the longest that is taken, and one byte more", () => {
  const rest = (PROXY_HEADER_BYTES_MAX - 16).toString(16).padStart(4, "0");
  const more = (PROXY_HEADER_BYTES_MAX - 15).toString(16).padStart(4, "0");
  expect(readProxyHeader(header(`21 11 ${rest}`), 16)).toBe("more");
  expect(readProxyHeader(header(`21 11 ${more}`), 16)).toBe("wrong");
});

test("of any bytes it answers, within its bounds, and more bytes change no answer", () => {
  const bytes = fc
    .tuple(fc.boolean(), fc.uint8Array({ maxLength: 300 }))
    .map(([signed, rest]) => (signed ? Buffer.concat([header(""), rest]) : Buffer.from(rest)));
  fc.assert(
    fc.property(bytes, (all) => {
      let before: ReturnType<typeof readProxyHeader> = "more";
      for (let count = 0; count <= all.length; count++) {
        const now = readProxyHeader(all, count);
        if (before !== "more") expect(now).toEqual(before);
        if (typeof now === "object") expect(now.bytes).toBeLessThanOrEqual(count);
        before = now;
      }
    }),
  );
});
