/**
 * A server that is asked again and again, for as long as a person or a pipe goes on asking. It
 * opens its connection when first needed, and anew when the server has closed it between two
 * requests. Only what was not answered by a single byte is asked again, once, and only after the
 * server had answered something: a server that never answers is not knocked at twice.
 */

import type { Sink } from "../receive/sink.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { ServerAddress } from "./address.ts";
import { ClientError } from "./error.ts";
import { openWireClient, type Patience, type WireClient } from "./wireclient.ts";

/** One server, at most one connection at a time. */
export class Link {
  readonly server: ServerAddress;
  /** Milliseconds from a request to its answer, of the quickest so far; 0 before there was one. */
  tripMs = 0;
  readonly #patience: Patience;
  /** The connection, or the attempt at one. */
  #client: Promise<WireClient> | null = null;
  /** The same once it is there. */
  #current: WireClient | null = null;

  constructor(server: ServerAddress, patience: Patience) {
    this.server = server;
    this.#patience = patience;
  }

  /**
   * Reads all of `path` into `sink`. Rejects with ClientError. Answers come in the order of asking.
   */
  async read(path: ByteString, sink: Sink): Promise<void> {
    await this.ask((client) => client.read(path, sink));
  }

  /** Makes sure that a server answers. Rejects with ClientError. */
  async greet(): Promise<void> {
    await this.ask((client) => client.ping());
  }

  /** What `request` gives, which makes one request of the client it gets. */
  async ask<T>(request: (client: WireClient) => Promise<T>): Promise<T> {
    const first = await this.#opened();
    // It ended while nothing was asked: the server was idle for too long, or is restarting.
    const client = first.open ? first : await this.#reopened(first);
    const began = performance.now();
    try {
      const answer = await request(client);
      const tripMs = performance.now() - began;
      this.tripMs = this.tripMs === 0 ? tripMs : Math.min(this.tripMs, tripMs);
      return answer;
    } catch (error) {
      const repeats = error instanceof ClientError && error.unanswered && client.answered > 0;
      if (!repeats) throw error;
      return await request(await this.#reopened(client));
    }
  }

  /** Ends the connection, if there is one or will be. Requests reject with `reason`, if given. */
  close(reason?: ClientError): void {
    this.#current?.close(reason);
    this.#client?.then(
      (client) => client.close(reason),
      () => {},
    );
    this.#forget();
  }

  // --- internal ---

  #opened(): Promise<WireClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** A connection other than `ended`; all that lost it share the next one. */
  #reopened(ended: WireClient): Promise<WireClient> {
    if (this.#current === ended) this.#forget();
    return this.#opened();
  }

  async #connect(): Promise<WireClient> {
    try {
      const client = await openWireClient(this.server, this.#patience);
      this.#current = client;
      return client;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#client = null;
    this.#current = null;
  }
}
