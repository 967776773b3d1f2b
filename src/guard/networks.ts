/** Which addresses may connect: networks that are let in, and such that are kept out. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { unmapped } from "./address.ts";

/** An address, or a network of them as 10.0.0.0/8 and fd00::/8. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
}

/** The network that `text` is, or null. */
export function networkOf(text: string): Network | null {
  const [, address = "", bits] = /^([0-9A-Fa-f:.]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const prefix = bits === undefined ? most : Number(bits);
  return most < 0 || prefix > most ? null : { address, prefix };
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

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix } of networks) {
    list.addSubnet(address, prefix, address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}
