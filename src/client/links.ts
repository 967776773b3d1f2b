/** The servers that one command or call names, each with what belongs to it. */
import type { ByteString } from "../wire/bytes.ts";
import { authorityOf, type ServerAddress, type Target } from "./address.ts";
import { Link } from "./link.ts";
import type { Patience, WireClient } from "./wireclient.ts";

/**
 * One thing for each server, made when the server is first asked for. As many as were named:
 * nothing a peer says adds one.
 */
export class PerServer<T> {
  readonly #make: (server: ServerAddress) => T;
  readonly #all = new Map<string, T>();

  constructor(make: (server: ServerAddress) => T) {
    this.#make = make;
  }

  /** What belongs to `server`. */
  of(server: ServerAddress): T {
    const name = authorityOf(server);
    const had = this.#all.get(name);
    if (had !== undefined) return had;
    const made = this.#make(server);
    this.#all.set(name, made);
    return made;
  }

  /** All there are. */
  values(): Iterable<T> {
    return this.#all.values();
  }
}

/** One lasting connection to each server. */
export class Links {
  readonly patience: Patience;
  readonly #links: PerServer<Link>;

  constructor(patience: Patience) {
    this.patience = patience;
    this.#links = new PerServer((server) => new Link(server, patience));
  }

  /** The link to `server`; it connects when it is first asked. */
  link(server: ServerAddress): Link {
    return this.#links.of(server);
  }

  /** Ends all connections; requests under way reject. The next request connects again. */
  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  /** What `request` gives, which makes one request for `target`. Rejects with ClientError. */
  ask<T>(
    { server, path }: Target,
    request: (client: WireClient, path: ByteString) => Promise<T>,
  ): Promise<T> {
    return this.link(server).ask((client) => request(client, path));
  }
}
