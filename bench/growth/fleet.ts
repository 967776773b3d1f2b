/**
 * Some servers with a cache each in front of one object store, asked by a balancer: what their
 * caches answer, what the store is asked for, and how evenly the work lies. All objects have one
 * size and a request takes as long as any other, so that counts stand for bytes and seconds.
 */
import type { Route } from "./route.ts";

/** What a server holds: `asked` tells whether the object is there, and keeps it from now on. */
export interface Held {
  asked(object: number): boolean;
}

export interface Fleet {
  readonly servers: readonly Held[];
  readonly route: Route;
  /** Requests under way at each server on average. */
  readonly underWay: number;
}

export interface Seen {
  /** Of all requests, those that a cache answered. */
  readonly hitRatio: number;
  /** Requests of the busiest server over the mean of all. */
  readonly busiest: number;
}

/** Asks for `count` objects that `draw` names, the first `warm` of which are not counted. */
export function run(
  { servers, route, underWay }: Fleet,
  draw: () => number,
  { warm, count }: { readonly warm: number; readonly count: number },
): Seen {
  const busy = servers.map(() => 0);
  const served = servers.map(() => 0);
  // The servers of the requests under way: the oldest one's is done when another one comes.
  const under = new Int32Array(underWay * servers.length).fill(-1);
  let hits = 0;
  for (let nth = 0; nth < warm + count; nth++) {
    const done = under[nth % under.length] ?? -1;
    if (done >= 0) busy[done] = (busy[done] ?? 0) - 1;
    const object = draw();
    const server = route(object, busy);
    under[nth % under.length] = server;
    busy[server] = (busy[server] ?? 0) + 1;
    const hit = servers[server]?.asked(object) ?? false;
    if (nth < warm) continue;
    served[server] = (served[server] ?? 0) + 1;
    if (hit) hits++;
  }
  const busiest = (Math.max(...served) * servers.length) / count;
  return { hitRatio: hits / count, busiest };
}
