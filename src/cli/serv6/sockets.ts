/**
 * The listening sockets of all workers. They are made here and handed on, so that they outlive any
 * worker: who waits in the queue of one whose worker has died, or is replaced, is accepted by the
 * next one that has it. Each worker has one of its own at each place, which spreads newcomers
 * evenly (SO_REUSEPORT, socket(7)); what a service manager has made is shared (decision 0043).
 */
import { BACKLOG, type ListenAddress, type ListenPlace, listenError } from "../../server/listen.ts";
import { errnoName } from "../../sys/errno.ts";
import { kernel } from "../../sys/kernel.ts";
import { listeningAt, listenShared, steer } from "../../sys/processes.ts";
import { MEMORY_FD } from "./worker.ts";

/** Where a server is to listen. */
export interface Wanted {
  readonly places: readonly ListenAddress[];
  readonly admin: ListenAddress | null;
}

/** One place, with the port that was picked and a socket for each worker. */
interface Place extends ListenAddress {
  /** As it was asked for: the port may be 0. */
  readonly name: string;
  readonly sockets: number[];
}

/** The places of one configuration. */
export class Sockets {
  readonly #places: readonly Place[];
  readonly #admin: Place | null;
  /** Each worker has all of them. */
  readonly #shared: boolean;

  private constructor(places: readonly Place[], admin: Place | null, shared: boolean) {
    this.#places = places;
    this.#admin = admin;
    this.#shared = shared;
  }

  /**
   * Those that a service manager has made, and one for who runs the server, which stays where
   * `before` has it. Throws ListenError.
   */
  static of(
    made: readonly ListenPlace[],
    admin: ListenAddress | null,
    workers: number,
    before: Sockets | null,
  ): Sockets {
    const places = made.map(({ host, port, sockets = [] }) => ({
      ...{ name: "", host, port, sockets: [...sockets] },
    }));
    return opening(workers, before, (find) => {
      return new Sockets(places, admin && find(adminName(admin), admin), true);
    });
  }

  /**
   * Those of `wanted` for so many workers. Places of `before` stay, with the connections that wait
   * there, and `before` has none of what is new. Throws ListenError; then that is closed again.
   */
  static open(wanted: Wanted, workers: number, before: Sockets | null): Sockets {
    return opening(workers, before, (find) => {
      let port = wanted.places[0]?.port ?? 0;
      const places = wanted.places.map(({ host, port: asked }) => {
        const place = find(`${host} ${asked}`, { host, port });
        port = place.port;
        return place;
      });
      const { admin } = wanted;
      return new Sockets(places, admin && find(adminName(admin), admin), false);
    });
  }

  /** Of all places. */
  get all(): readonly Place[] {
    return this.#admin === null ? this.#places : [...this.#places, this.#admin];
  }

  /** Closes those that are not in `after`. */
  closeBut(after: Sockets): void {
    closeBut(this.all, after.all);
  }

  /**
   * Newcomers go to those of so many workers that are in `serving`; to all, if that is nobody.
   * `held`: to none of the sockets that are opened from now on.
   */
  steer(serving: readonly number[], workers: number, held = false): void {
    const all = serving.length === 0 || serving.length === workers;
    if (this.#shared) return;
    for (const { sockets } of this.all) {
      const some = [...sockets.keys()].filter(
        (socket) => all || serving.includes(socket % workers),
      );
      steer(sockets[0] ?? -1, all && !held ? null : some);
    }
  }

  /**
   * What worker `nth` of `workers` gets: the places, with the numbers that its sockets have there,
   * and `handed`, the sockets here, in that order behind the memory.
   */
  for(nth: number, workers: number): Wanted & { readonly handed: readonly number[] } {
    const handed: number[] = [];
    const hand = ({ host, port, sockets }: Place, shared: boolean): ListenPlace => {
      const own = shared ? sockets : sockets.filter((_, socket) => socket % workers === nth);
      const numbers = own.map((fd) => MEMORY_FD + handed.push(fd));
      return { host, port, sockets: numbers };
    };
    const places = this.#places.map((place) => hand(place, this.#shared));
    return { places, admin: this.#admin && hand(this.#admin, false), handed };
  }
}

// --- internal ---

/** Finds a place by its name, or opens it. */
type Find = (name: string, address: ListenAddress) => Place;

/** What `make` makes of places for so many workers; where it throws, what it opened is closed. */
function opening(workers: number, before: Sockets | null, make: (find: Find) => Sockets): Sockets {
  const had = before?.all ?? [];
  const found: Place[] = [];
  try {
    return make((name, address) => {
      const there = had.find((place) => place.name === name);
      const place = there === undefined ? placeOf(name, address) : copyOf(there);
      found.push(place);
      return opened(place, workers, there === undefined);
    });
  } catch (error) {
    closeBut(found, had);
    throw error;
  }
}

/** Closes the sockets of `places` that are not in `kept`. */
function closeBut(places: readonly Place[], kept: readonly Place[]): void {
  const stays = new Set(kept.flatMap(({ sockets }) => sockets));
  for (const fd of places.flatMap(({ sockets }) => sockets)) if (!stays.has(fd)) kernel.close(fd);
}

function adminName({ host, port }: ListenAddress): string {
  return `admin ${host} ${port}`;
}

/** One that others may be added to: who serves now has its own, whatever becomes of these. */
function copyOf(place: Place): Place {
  return { ...place, sockets: [...place.sockets] };
}

function placeOf(name: string, { host, port }: ListenAddress): Place {
  return { name, host, port, sockets: [] };
}

/** `place` with a socket for each worker; of one that is `fresh` nobody may have the port. */
function opened(place: Place, workers: number, fresh: boolean): Place {
  let { port } = place;
  while (place.sockets.length < workers) {
    const first = fresh && place.sockets.length === 0;
    const fd = listenShared({ host: place.host, port }, first, BACKLOG);
    if (fd < 0) {
      const error = Object.assign(new Error(), { code: errnoName(-fd) });
      const flag = place.name.startsWith("admin") ? "--admin-bind" : "";
      throw listenError(error, place.host, port, flag);
    }
    place.sockets.push(fd);
    port = listeningAt(fd)?.port ?? port;
  }
  return { ...place, port };
}
