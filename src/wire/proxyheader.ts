/**
 * The header by which a proxy tells whose connection it passes on: version 2 of the PROXY protocol
 * (haproxy.org, doc/proxy-protocol.txt, 2.2). No I/O.
 *
 *   0   signature, 12 bytes
 *   12  version 2 in the upper half, the command in the lower: 0 LOCAL, 1 PROXY
 *   13  address family in the upper half, transport in the lower
 *   14  bytes behind these 16, in network order: addresses, ports, and what else the proxy tells
 */

/**
 * The longest header that is taken: addresses take 36 bytes behind the first 16, and a
 * certificate's names of the proxy's TLS some hundreds.
 */
export const PROXY_HEADER_BYTES_MAX = 2048;

/** What a header says. */
export interface ProxyHeader {
  /** Bytes of it: what follows is the client's. */
  readonly bytes: number;
  /** Whose connection it is, as an IPv4 or IPv6 address; null: the proxy's own (a check of it). */
  readonly address: string | null;
}

/**
 * Reads the header that the first `count` bytes of `bytes` begin with: "more" while they may become
 * one, "wrong" when they never will.
 */
export function readProxyHeader(bytes: Uint8Array, count: number): ProxyHeader | "more" | "wrong" {
  for (let i = 0; i < Math.min(count, SIGNATURE.length); i++) {
    if (bytes[i] !== SIGNATURE[i]) return "wrong";
  }
  if (count < FIXED_BYTES) return "more";
  const [command = 0, family = 0] = bytes.subarray(12, 14);
  const rest = ((bytes[14] ?? 0) << 8) | (bytes[15] ?? 0);
  const whole = FIXED_BYTES + rest;
  if ((command !== LOCAL && command !== PROXY) || whole > PROXY_HEADER_BYTES_MAX) return "wrong";
  const each = ADDRESS_BYTES[family] ?? 0;
  // Two addresses and two ports; a family that is unknown here tells of no address that counts.
  if (command === PROXY && each > 0 && rest < 2 * each + 4) return "wrong";
  if (count < whole) return "more";
  if (command === LOCAL || each === 0) return { bytes: whole, address: null };
  const source = bytes.subarray(FIXED_BYTES, FIXED_BYTES + each);
  return { bytes: whole, address: each === 4 ? source.join(".") : ipv6(source) };
}

// --- internal ---

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;

/** Bytes of an address, by family and transport: TCP over IPv4 and over IPv6. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 0x11: 4, 0x21: 16 };

/** IPv4 within IPv6 is IPv4 (RFC 4291 2.5.5.2). */
function ipv6(bytes: Uint8Array): string {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (mapped && bytes[11] === 0xff) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  // As the kernel writes it, with the longest zeros left out (RFC 5952).
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
