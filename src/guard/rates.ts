/**
 * How fast each connection may send: the bounds of one connection, of an address, of a token and of
 * the whole server, shared out among those that are sending. Addresses share what the server has,
 * and the connections of an address share what is its own: who opens many gets no more. Pure.
 */

/** Bytes a second; 0: no bound. */
export interface Rates {
  readonly connection: number;
  /** Of one address, or /64 of IPv6. */
  readonly address: number;
  /** Of all of them together. */
  readonly total: number;
}

/** A connection that is sending. */
export interface Sending {
  /** Its address, as peerOf() gives it. */
  readonly peer: string;
  /** The token that it has shown, whatever identifies it; null: none, or one without a bound. */
  readonly token: string | null;
  /** That token's bytes a second. */
  readonly tokenRate: number;
}

/** The share of each of `all`, in their order: bytes a second, Infinity where nothing bounds it. */
export function sharesOf(all: readonly Sending[], rates: Rates): number[] {
  const peers = countBy(all, ({ peer }) => peer);
  const tokens = countBy(all, ({ token }) => token ?? "");
  const bounds = all.map(({ peer, token, tokenRate }) =>
    Math.min(
      bound(rates.connection),
      bound(rates.address) / (peers.get(peer) ?? 1),
      token === null ? Infinity : bound(tokenRate) / (tokens.get(token) ?? 1),
    ),
  );
  if (rates.total === 0) return bounds;
  const byPeer = new Map<string, number[]>();
  for (const [nth, { peer }] of all.entries()) {
    const own = byPeer.get(peer);
    if (own === undefined) byPeer.set(peer, [bounds[nth] ?? 0]);
    else own.push(bounds[nth] ?? 0);
  }
  // What an address can't use, because another bound holds it, is there for the others.
  const wanted = [...byPeer.values()].map((own) => own.reduce((sum, one) => sum + one, 0));
  const level = levelOf(wanted, rates.total);
  const levels = new Map([...byPeer].map(([peer, own]) => [peer, levelOf(own, level)]));
  return all.map(({ peer }, nth) => Math.min(bounds[nth] ?? 0, levels.get(peer) ?? 0));
}

/**
 * The level up to which each of `wanted` is met so that all together get `total`: who wants less
 * than the level gets what it wants. Infinity where all get what they want.
 */
export function levelOf(wanted: readonly number[], total: number): number {
  const sorted = [...wanted].sort((a, b) => a - b);
  let left = total;
  for (const [nth, want] of sorted.entries()) {
    const level = left / (sorted.length - nth);
    if (want > level) return level;
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}

// --- internal ---

function bound(rate: number): number {
  return rate === 0 ? Number.POSITIVE_INFINITY : rate;
}

function countBy<T>(all: readonly T[], key: (one: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return counts;
}
