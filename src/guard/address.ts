/**
 * Addresses of peers: one rule for IPv4 that came over an IPv6 socket, what counts as one peer, and
 * how an address is shown. No I/O.
 */

/** What shares are of: an IPv4 address, or the /64 of an IPv6 one, which is one customer's. */
export function peerOf(address: string): string {
  const plain = unmapped(address);
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  // "::" stands for the zeros that are missing to 8 groups.
  const missing =
    tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  for (let i = 0; i < missing; i++) groups.push("0");
  if (tail !== undefined && tail !== "") groups.push(...tail.split(":"));
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** An address as the log shows it: IPv4 as such, IPv6 in brackets. */
export function shownAddress(address: string): string {
  const plain = unmapped(address);
  return plain.includes(":") ? `[${plain}]` : plain;
}

/** True for an address of this machine alone: 127.0.0.0/8 and ::1 (RFC 6890). */
export function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return plain === "::1" || /^127\.[0-9.]+$/.test(plain);
}

/** An IPv4 address as such, also where it is mapped into IPv6 (RFC 4291 2.5.5.2). */
export function unmapped(address: string): string {
  return /^::ffff:([0-9.]+)$/i.exec(address)?.[1] ?? address;
}
