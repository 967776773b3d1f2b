/**
 * A server that is asked again and again, for as long as a person or a pipe goes on asking. It
 * opens its connection when first needed, and anew when the server has closed it between two
 * requests. Only what was not answered by a single byte is asked again, once, and only after the
 * server had answered something: a server that never answers is not knocked at twice.
 */
import type { ByteString } from "../wire/vocabulary.ts";
import type { Server } from "./address.ts";
import { type Client, connect } from "./connect.ts";
import { ClientError } from "./error.ts";
import type { Sink } from "../flow/sink.ts";
import type { Throttle } from "./throttle.ts";

/** How long to wait, in milliseconds. */
export interface Patience {
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** The rate that all connections keep together. */
  readonly throttle?: Throttle;
}

/** One server, at most one connection at a time. */
export class Link {
  readonly server: Server;
  /** Milliseconds from a request to its answer, of the quickest so far; 0 before there was one. */
  tripMs = 0;
  readonly #patience: Patience;
  /** The connection, or the attempt at one. */
  #client: Promise<Client> | null = null;
  /** The same once it is there. */
  #current: Client | null = null;

  constructor(server: Server, patience: Patience) {
    this.server = server;
    this.#patience = patience;
  }

  /**
   * Reads all of `path` into `sink`. Rejects with ClientError. Answers come in the order of asking.
   */
  async read(path: ByteString, sink: Sink): Promise<void> {
    const bytes = Buffer.from(path, "latin1");
    await this.ask((client) => client.read(bytes, { sink }));
  }

  /** Makes sure that a server answers. Rejects with ClientError. */
  async greet(): Promise<void> {
    await this.ask((client) => client.ping());
  }

  /** What `request` gives, which makes one request of the client it gets. */
  async ask<T>(request: (client: Client) => Promise<T>): Promise<T> {
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

  /** Ends the connection, if there is one. */
  close(): void {
    this.#current?.close();
    this.#forget();
  }

  // --- internal ---

  #opened(): Promise<Client> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** A connection other than `ended`; all that lost it share the next one. */
  #reopened(ended: Client): Promise<Client> {
    if (this.#current === ended) this.#forget();
    return this.#opened();
  }

  async #connect(): Promise<Client> {
    const { host, port } = this.server;
    try {
      const client = await connect({ host, port, ...this.#patience });
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
