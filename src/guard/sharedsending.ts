/**
 * Who is sending in all processes of a server, so that rates hold over all of them: each publishes
 * its own in memory that they share, and reads those of the others before it shares out. Each has a
 * plane that it alone writes; a reader that comes in between goes on with what it read before.
 *
 * Peers and tokens are hashes with a secret of this server's: other processes need no names.
 */
import type { Sending } from "./rates.ts";

/**
 * Pairs of a peer and a token that one process tells. Of more the surplus counts as one peer, so
 * that nothing is sent faster than it may.
 */
const PAIRS_MAX = 1024;

/** Words of a pair: peer, token, connections, none; and the token's rate in the last two. */
const PAIR_WORDS = 6;
/** A number that is odd while it is written, how many pairs, and none. */
const HEAD_WORDS = 2;

/** Words of a plane. */
export const SENDING_PLANE_WORDS = HEAD_WORDS + PAIRS_MAX * PAIR_WORDS;

/** Connections that a reader believes of one process: more are no connections. */
const CONNECTIONS_MAX = 65_536;

/** A plane as words, and as the numbers that rates are. */
export interface SendingPlane {
  readonly words: Int32Array;
  readonly rates: Float64Array;
}

interface Pair {
  readonly peer: number;
  readonly token: number;
  readonly tokenRate: number;
  count: number;
}

/** The exchange as one process sees it. */
export class SharedSending {
  readonly #planes: readonly SendingPlane[];
  readonly #own: number;
  readonly #live: () => readonly number[];
  readonly #seed: bigint;
  readonly #before = new Map<number, Sending[]>();

  constructor(
    planes: readonly SendingPlane[],
    own: number,
    live: () => readonly number[],
    seed: bigint,
  ) {
    this.#planes = planes;
    this.#own = own;
    this.#live = live;
    this.#seed = seed;
  }

  /** Publishes `all`, this process's own: what they are called over all processes, in order. */
  publish(all: readonly Sending[]): Sending[] {
    const pairs = new Map<string, Pair>();
    const shared = all.map(({ peer, token, tokenRate }) => {
      const own = { peer: this.#hash(peer), token: token === null ? 0 : this.#hash(token) };
      const key = `${own.peer} ${own.token}`;
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, { ...own, tokenRate, count: 1 });
      else pair.count += 1;
      return sendingOf(own.peer, own.token, tokenRate);
    });
    this.#write([...pairs.values()]);
    return shared;
  }

  /** Those of all other processes. */
  others(): Sending[] {
    const live = this.#live();
    for (const nth of this.#before.keys()) if (!live.includes(nth)) this.#before.delete(nth);
    return live.filter((nth) => nth !== this.#own).flatMap((nth) => this.#read(nth));
  }

  // --- internal ---

  #hash(name: string): number {
    return Number(BigInt.asIntN(32, Bun.hash.wyhash(name, this.#seed))) || 1;
  }

  #write(pairs: readonly Pair[]): void {
    const { words, rates } = this.#planes[this.#own]!;
    Atomics.add(words, 0, 1);
    const told = pairs.slice(0, PAIRS_MAX);
    for (const [nth, { peer, token, tokenRate, count }] of told.entries()) {
      const at = HEAD_WORDS + nth * PAIR_WORDS;
      words[at] = peer;
      words[at + 1] = token;
      words[at + 2] = count;
      rates[(at + 4) / 2] = tokenRate;
    }
    const surplus = pairs.slice(PAIRS_MAX).reduce((sum, { count }) => sum + count, 0);
    words[HEAD_WORDS + 2] = (words[HEAD_WORDS + 2] ?? 0) + surplus;
    words[1] = told.length;
    Atomics.add(words, 0, 1);
  }

  /** What another process told, or what it told before while it is writing. */
  #read(nth: number): Sending[] {
    const { words, rates } = this.#planes[nth]!;
    const version = Atomics.load(words, 0);
    const all: Sending[] = [];
    const pairs = Math.min(PAIRS_MAX, Math.max(0, words[1] ?? 0));
    for (let pair = 0; pair < pairs && all.length < CONNECTIONS_MAX; pair++) {
      const at = HEAD_WORDS + pair * PAIR_WORDS;
      const one = sendingOf(words[at] ?? 0, words[at + 1] ?? 0, rates[(at + 4) / 2] ?? 0);
      const count = Math.min(CONNECTIONS_MAX - all.length, Math.max(0, words[at + 2] ?? 0));
      for (let connection = 0; connection < count; connection++) all.push(one);
    }
    if (version % 2 !== 0 || Atomics.load(words, 0) !== version) return this.#before.get(nth) ?? [];
    this.#before.set(nth, all);
    return all;
  }
}

// --- internal ---

function sendingOf(peer: number, token: number, tokenRate: number): Sending {
  return { peer: String(peer), token: token === 0 ? null : String(token), tokenRate };
}
