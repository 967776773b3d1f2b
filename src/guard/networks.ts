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

/** Decides by address. */
export class Networks {
  readonly #allowed: BlockList | null;
  readonly #denied: BlockList;

  /**
   * With `allow` empty all are let in but `deny`; else those of `allow` that `deny` does not name.
   */
  constructor(allow: readonly Network[], deny: readonly Network[]) {
    this.#allowed = allow.length === 0 ? null : listOf(allow);
    this.#denied = listOf(deny);
  }

  /** Whether whoever is at `address` may connect; IPv4 within IPv6 is IPv4. */
  admits(address: string): boolean {
    const plain = unmapped(address).replace(/%.*$/, "");
    const family = plain.includes(":") ? "ipv6" : "ipv4";
    if (this.#denied.check(plain, family)) return false;
    return this.#allowed === null || this.#allowed.check(plain, family);
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

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix } of networks) {
    list.addSubnet(address, prefix, address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}
