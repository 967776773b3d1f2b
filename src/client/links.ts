/** The servers that one command names, each with one lasting connection. */
import type { ByteString } from "../wire/bytes.ts";
import { authorityOf, type ServerAddress, type Target } from "./address.ts";
import { Link } from "./link.ts";
import type { Patience, WireClient } from "./wireclient.ts";

/** One link for each server. As many as the command names: nothing a peer says adds one. */
export class Links {
  readonly patience: Patience;
  readonly #links = new Map<string, Link>();

  constructor(patience: Patience) {
    this.patience = patience;
  }

  /** The link to `server`; it connects when it is first asked. */
  link(server: ServerAddress): Link {
    const name = authorityOf(server);
    const link = this.#links.get(name) ?? new Link(server, this.patience);
    this.#links.set(name, link);
    return link;
  }

  /** What `request` gives, which makes one request for `target`. Rejects with ClientError. */
  ask<T>(
    { server, path }: Target,
    request: (client: WireClient, path: ByteString) => Promise<T>,
  ): Promise<T> {
    return this.link(server).ask((client) => request(client, path));
  }
}
