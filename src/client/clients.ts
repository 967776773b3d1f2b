/** The servers that one command or call names, each with what belongs to it. */
import type { ByteString } from "../wire/bytes.ts";
import { type ServerAddress, serverKey, type Target } from "./address.ts";
import { ReconnectingClient } from "./reconnecting.ts";
import type { FileClient } from "./fileclient.ts";
import type { ConnectionSettings } from "./wireclient.ts";

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
    const name = serverKey(server);
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
export class ClientsByServer {
  readonly settings: ConnectionSettings;
  readonly #clients: PerServer<ReconnectingClient>;

  constructor(settings: ConnectionSettings) {
    this.settings = settings;
    this.#clients = new PerServer((server) => new ReconnectingClient(server, settings));
  }

  /** The client of `server`; it connects when it is first asked. */
  of(server: ServerAddress): ReconnectingClient {
    return this.#clients.of(server);
  }

  /** Ends all connections; requests under way reject. The next request connects again. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  /** What `request` gives, which makes one request for `target`. Rejects with ClientError. */
  ask<T>(
    { server, path }: Target,
    request: (client: FileClient, path: ByteString) => Promise<T>,
  ): Promise<T> {
    return this.of(server).ask((client) => request(client, path));
  }
}
