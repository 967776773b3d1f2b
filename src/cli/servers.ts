/** The servers that one command line names, each with one lasting connection. */
import { authorityOf, type Server, type Target } from "../client/address.ts";
import type { Client } from "../client/connect.ts";
import { Link, type Patience } from "../client/link.ts";

/** One link for each server. As many as the command line names: nothing a peer says adds one. */
export class Servers {
  readonly patience: Patience;
  readonly #links = new Map<string, Link>();

  constructor(patience: Patience) {
    this.patience = patience;
  }

  /** The link to `server`; it connects when it is first asked. */
  link(server: Server): Link {
    const name = authorityOf(server);
    const link = this.#links.get(name) ?? new Link(server, this.patience);
    this.#links.set(name, link);
    return link;
  }

  /** What `request` gives, which makes one request for `target`. Rejects with ClientError. */
  ask<T>(
    { server, path }: Target,
    request: (client: Client, path: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const bytes = Buffer.from(path, "latin1");
    return this.link(server).ask((client) => request(client, bytes));
  }
}
