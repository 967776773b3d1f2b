/**
 * A client of one server that reconnects: for a prompt or a pipe, which go on asking for hours. It
 * connects at the first request, and again when the server has closed the connection between two
 * requests (its idle timeout, a restart).
 *
 * A request is repeated at most once, only if not one byte of its reply came, and only on a server
 * that had answered before: one that never answers is not asked twice.
 */
import type { Sink } from "../receive/sink.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { ServerAddress } from "./address.ts";
import { ClientError } from "./error.ts";
import { type FileClient, openFileClient } from "./fileclient.ts";
import type { ConnectionSettings } from "./wireclient.ts";

/** One server, with at most one connection at a time. */
export class ReconnectingClient {
  readonly server: ServerAddress;
  /** Shortest time from a request to its answer so far, in milliseconds; 0 before the first one. */
  tripMs = 0;
  readonly #settings: ConnectionSettings;
  /** The connection, or the attempt to open it. */
  #client: Promise<FileClient> | null = null;
  /** The same connection once it is open. */
  #current: FileClient | null = null;

  constructor(server: ServerAddress, settings: ConnectionSettings) {
    this.server = server;
    this.#settings = settings;
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

  /** The result of `request`, which makes one request on the client that it gets. */
  async ask<T>(request: (client: FileClient) => Promise<T>): Promise<T> {
    const first = await this.#opened();
    // It ended between two requests: the server's idle timeout, or a restart.
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

  #opened(): Promise<FileClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** A connection other than `ended`. All requests that lost that one share the next. */
  #reopened(ended: FileClient): Promise<FileClient> {
    if (this.#current === ended) this.#forget();
    return this.#opened();
  }

  async #connect(): Promise<FileClient> {
    try {
      const client = await openFileClient(this.server, this.#settings);
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
