/** Which addresses may connect: networks that are let in, and such that are kept out. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { unmapped } from "./address.ts";

/** An address, or a network of them as 10.0.0.0/8 and fd00::/8. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
}

/** The network that `text` is, or null; also where its address has bits behind the prefix. */
export function networkOf(text: string): Network | null {
  const network = written(text);
  return network === null || meant(network) !== null ? null : network;
}

/** The network around `text`, an address in it with its prefix as 10.0.0.1/8; null for others. */
export function networkAround(text: string): string | null {
  const network = written(text);
  return network && meant(network);
}

/**
 * The one address that `text` is, as the kernel tells a peer's (RFC 5952), and IPv4 within IPv6 as
 * IPv4; null where it is none.
 */
export function addressOf(text: string): string | null {
  if (text.includes("/") || networkOf(text) === null) return null;
  if (!text.includes(":")) return text;
  if (!isMapped(text)) return ipv6Of(text);
  return groupsOf(text)
    .slice(6)
    .flatMap((word) => [word >> 8, word & 255])
    .join(".");
}

/** Decides by address. */
export class Networks {
  readonly #allowed: Lists | null;
  readonly #denied: Lists;

  /**
   * With `allow` empty all are let in but `deny`; else those of `allow` that `deny` does not name.
   */
  constructor(allow: readonly Network[], deny: readonly Network[]) {
    this.#allowed = allow.length === 0 ? null : listsOf(allow);
    this.#denied = listsOf(deny);
  }

  /** Whether whoever is at `address` may connect; IPv4 within IPv6 is IPv4. */
  admits(address: string): boolean {
    const plain = unmapped(address).replace(/%.*$/, "");
    const family = plain.includes(":") ? "ipv6" : "ipv4";
    if (this.#denied[family].check(plain, family)) return false;
    return this.#allowed === null || this.#allowed[family].check(plain, family);
  }
}

// --- internal ---

function written(text: string): Network | null {
  const [, address = "", bits] = /^([0-9A-Fa-f:.]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const prefix = bits === undefined ? most : Number(bits);
  return most < 0 || prefix > most ? null : { address, prefix };
}

/** The network that has the address of this one; null where that is the same. */
function meant({ address, prefix }: Network): string | null {
  const groups = groupsOf(address);
  const width = groups.length === 4 ? 8 : 16;
  const kept = groups.map((group, nth) => {
    const own = Math.min(width, Math.max(0, prefix - nth * width));
    return group & ~((1 << (width - own)) - 1);
  });
  if (kept.join() === groups.join()) return null;
  const text = width === 8 ? kept.join(".") : ipv6Of(kept.map((it) => it.toString(16)).join(":"));
  return `${text}/${prefix}`;
}

/** Four bytes, or eight words. */
function groupsOf(address: string): number[] {
  if (!address.includes(":")) return address.split(".").map(Number);
  const [left = "", right] = ipv6Of(address).split("::");
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [before, behind] = [words(left), words(right ?? "")];
  const zeros = Array.from({ length: 8 - before.length - behind.length }, () => 0);
  return [...before, ...zeros, ...behind];
}

/** As RFC 5952 writes it, without an IPv4 at its end. */
function ipv6Of(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

/** A list for each family: in one list "::/0" would be IPv4 as well, which it has a place for. */
type Lists = Readonly<Record<"ipv4" | "ipv6", BlockList>>;

function listsOf(networks: readonly Network[]): Lists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { address, prefix } of networks) {
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const mapped = family === "ipv6" && prefix >= MAPPED_PREFIX && isMapped(address);
    lists[mapped ? "ipv4" : family].addSubnet(address, prefix, family);
  }
  return lists;
}

/** Bits in front of an IPv4 address within IPv6 (RFC 4291 2.5.5.2). */
const MAPPED_PREFIX = 96;

function isMapped(address: string): boolean {
  return groupsOf(address).slice(0, 6).join() === "0,0,0,0,0,65535";
}
