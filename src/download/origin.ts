/**
 * A server as the source of many files: its control connection, the connections that bring bytes,
 * and what is known of what it can do. Connections are lent out and taken back, never more than
 * asked for; it closes all of them, lent out or not.
 */
import type { Entry } from "../wire/entry.ts";
import type { ServerAddress } from "../client/address.ts";
import { ReconnectingClient } from "../client/reconnecting.ts";
import { type FileClient, openFileClient } from "../client/fileclient.ts";
import type { ConnectionSettings } from "../client/wireclient.ts";
import { ClientError } from "../client/error.ts";
import { Retry, type Wait, type Waited } from "./retry.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A file on a server, in one version. */
export interface RemoteFile {
  /** Decoded bytes, starting with "/". */
  readonly path: ByteString;
  readonly entry: Entry;
}

/** How files are fetched. */
export interface FetchOptions {
  readonly connection: ConnectionSettings;
  /** Most connections that bring one file. */
  readonly connections: number;
  /** Tries after the first, in a row without progress. */
  readonly retries: number;
  /** Whether that holds for a server too that has never answered and refuses connections. */
  readonly retryRefused: boolean;
  /** Whether what arrives is compared with the server's digests. */
  readonly verify: boolean;
  /** Whether what is the same in a file that is replaced is taken from it. */
  readonly delta: boolean;
  /** Told of each wait before another try, which it may cancel. */
  readonly waited: (waited: Waited, wait: Wait) => void;
  /** Told once of something worth a line: printable. */
  readonly note: (line: string) => void;
}

/** Idle connections that are kept for the next file. */
const IDLE_MAX = 4;

/** Round trip from which a line is long, in milliseconds: beyond what a busy machine takes. */
const FAR_MS = 15;

/** One server. */
export class Origin {
  readonly server: ServerAddress;
  readonly options: FetchOptions;
  /** For everything but bytes. */
  readonly control: ReconnectingClient;
  readonly #idle: FileClient[] = [];
  readonly #lent = new Set<FileClient>();
  #closed = false;
  #verifies: boolean;

  constructor(server: ServerAddress, options: FetchOptions) {
    this.server = server;
    this.options = options;
    this.control = new ReconnectingClient(server, options.connection);
    // Of HTTP a whole file has a digest at most: whoever orders it compares that.
    this.#verifies = options.verify && server.http === undefined;
  }

  /** Whether the line is long: one connection alone is held back by distance. */
  get far(): boolean {
    return this.control.tripMs > FAR_MS;
  }

  /** Whether digests are compared: asked for, and the server has them. */
  get verifies(): boolean {
    return this.#verifies;
  }

  /** The server knows no HASH. */
  cannotVerify(): void {
    if (!this.#verifies) return;
    this.#verifies = false;
    this.options.note("the server computes no digests: what arrives is complete but not compared");
  }

  /**
   * What `path` is, asked as often as allowed; where nobody has ever answered, once. Rejects with
   * ClientError.
   */
  async stat(path: ByteString): Promise<Entry> {
    const { retries, waited } = this.options;
    const retry = new Retry(retries, waited);
    const ask = (): Promise<Entry> => this.control.ask((client) => client.stat(path));
    try {
      return await ask();
    } catch (error) {
      if (this.isAbsent(error)) throw error;
      await retry.after(error);
    }
    return await retry.run(ask);
  }

  /** A wrong port or a server that is not started: other commands fail at once there too. */
  isAbsent(error: unknown): boolean {
    if (this.options.retryRefused || this.control.tripMs > 0) return false;
    return error instanceof ClientError && error.code === "ECONNREFUSED";
  }

  /** A connection of one's own, until giveBack(). Rejects with ClientError. */
  async take(): Promise<FileClient> {
    let client = this.#idle.pop();
    while (client?.open === false) client = this.#idle.pop();
    client ??= await openFileClient(this.server, this.options.connection);
    this.#lent.add(client);
    // Closed in the moment between the connection and its owner: the first request tells why.
    if (this.#closed) client.close();
    return client;
  }

  /** The connection is free again; one with answers still to come is closed. */
  giveBack(client: FileClient): void {
    this.#lent.delete(client);
    const room = !this.#closed && this.#idle.length < IDLE_MAX;
    const reusable = room && client.open && client.idle;
    if (reusable) this.#idle.push(client);
    else client.close();
  }

  /** Closes what is open. What is still under way fails, with `reason` when there is one. */
  close(reason?: ClientError): void {
    this.#closed = true;
    for (const client of [...this.#idle, ...this.#lent]) client.close(reason);
    this.#idle.length = 0;
    this.#lent.clear();
    this.control.close(reason);
  }
}
