/**
 * Fetching whole files: S6/1 or HTTP over one lasting connection to each server, or the
 * bare dialect with one connection for each path. The caller need not know which.
 */
import { type ServerAddress, type Target, urlOf } from "./address.ts";
import { usageError } from "./error.ts";
import type { ConnectionSettings } from "./wireclient.ts";
import { readPlain } from "./plain.ts";
import { IN_FLIGHT_MAX } from "./session.ts";
import type { Sink } from "../receive/sink.ts";
import type { ClientsByServer } from "./clients.ts";

/** Fetches files. All promises reject with ClientError. */
export interface Fetcher {
  /** Most requests under way to one server at once; answers come in the order of asking. */
  readonly ahead: number;
  /** Rejects when `server` does not answer, if that can be told without asking for a path. */
  greet(server: ServerAddress): Promise<void>;
  /** The whole of `target` into `sink`. */
  fetch(target: Target, sink: Sink): Promise<void>;
  /** Ends what is under way, which rejects. The next fetch connects again. */
  stop(): void;
}

/** S6/1, and HTTP where the URL says so. */
export class FramedFetcher implements Fetcher {
  readonly ahead = IN_FLIGHT_MAX;
  readonly #servers: ClientsByServer;

  constructor(servers: ClientsByServer) {
    this.#servers = servers;
  }

  greet(server: ServerAddress): Promise<void> {
    return this.#servers.of(server).greet();
  }

  fetch({ server, path }: Target, sink: Sink): Promise<void> {
    return this.#servers.of(server).read(path, sink);
  }

  stop(): void {
    this.#servers.close();
  }
}

/** The bare dialect. */
export class PlainFetcher implements Fetcher {
  readonly ahead = 1;
  readonly #settings: ConnectionSettings;
  #stopping = new AbortController();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** The bare dialect has nothing to ask but a path, so that the first fetch tells. */
  async greet(_server: ServerAddress): Promise<void> {}

  async fetch({ server, path, literal }: Target, sink: Sink): Promise<void> {
    if (server.http !== undefined) {
      throw usageError(`${urlOf(server, path)}: --plain speaks the bare dialect, not HTTP`);
    }
    await readPlain(server, literal, sink, this.#settings, this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }
}
