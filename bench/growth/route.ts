/**
 * How a balancer chooses a server for a request, as HAProxy does: by connections, or by a hash of
 * what is asked for. Owns the points of the ring; who has how many requests is told by the caller.
 */
import { firstAbove } from "./search.ts";

/** The server for `object`, of those whose requests under way are `busy`. */
export type Route = (object: number, busy: readonly number[]) => number;

/**
 * Points of a server on the ring: HAProxy gives 16 for each of its weight, which is 1 unless said
 * otherwise (lb_chash.c). 100 is the weight of the example.
 */
export const POINTS = 1600;

/** `balance leastconn`: the least busy one; of several the next one in turn. */
export function leastBusy(): Route {
  let turn = 0;
  return (_, busy) => {
    let best = turn++ % busy.length;
    for (const [server, count] of busy.entries()) if (count < (busy[best] ?? 0)) best = server;
    return best;
  };
}

/**
 * `balance hash` with `hash-type consistent`: the server of the first point behind the object's
 * own. With a `factor` above 1 (`hash-balance-factor`, in hundredths there) one that has so many
 * times the mean of all is passed over (Mirrokni et al., SODA 2018).
 */
export function byHash(servers: number, factor = Infinity): Route {
  const points = Array.from({ length: servers * POINTS }, (_, nth) => ({
    at: place(`${nth % servers}/${Math.floor(nth / servers)}`),
    server: nth % servers,
  })).sort((a, b) => a.at - b.at);
  const places = points.map(({ at }) => at);
  return (object, busy) => {
    const most = Math.ceil((factor * (sum(busy) + 1)) / servers);
    const first = firstAbove(places, place(`object ${object}`));
    for (let nth = 0; ; nth++) {
      const server = points[(first + nth) % points.length]?.server ?? 0;
      // One of them has at most the mean.
      if ((busy[server] ?? 0) < most) return server;
    }
  };
}

// --- internal ---

/** Where on the ring, as an unsigned 32-bit number. */
function place(name: string): number {
  return Bun.hash.xxHash32(name);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((so, number) => so + number, 0);
}
