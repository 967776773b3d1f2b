/**
 * Fetching whole files by either protocol: S6/1 over one lasting connection to each server, or the
 * bare dialect with one connection for each path. The caller need not know which.
 */
import type { ServerAddress, Target } from "../../client/address.ts";
import type { Patience } from "../../client/wireclient.ts";
import { readPlain } from "../../client/plain.ts";
import { IN_FLIGHT_MAX } from "../../client/session.ts";
import type { Sink } from "../../receive/sink.ts";
import type { Links } from "../../client/links.ts";

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

/** S6/1. */
export class FramedFetcher implements Fetcher {
  readonly ahead = IN_FLIGHT_MAX;
  readonly #servers: Links;

  constructor(servers: Links) {
    this.#servers = servers;
  }

  greet(server: ServerAddress): Promise<void> {
    return this.#servers.link(server).greet();
  }

  fetch({ server, path }: Target, sink: Sink): Promise<void> {
    return this.#servers.link(server).read(path, sink);
  }

  stop(): void {
    this.#servers.close();
  }
}

/** The bare dialect. */
export class PlainFetcher implements Fetcher {
  readonly ahead = 1;
  readonly #patience: Patience;
  #stopping = new AbortController();

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** The bare dialect has nothing to ask but a path, so that the first fetch tells. */
  async greet(_server: ServerAddress): Promise<void> {}

  async fetch({ server, literal }: Target, sink: Sink): Promise<void> {
    await readPlain(server, literal, sink, this.#patience, this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }
}
