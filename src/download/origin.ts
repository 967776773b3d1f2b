/**
 * A server as the source of many files: its control connection, the connections that bring bytes,
 * and what is known of what it can do. Connections are lent out and taken back, never more than
 * asked for.
 */
import type { Entry } from "../wire/entry.ts";
import type { ServerAddress } from "../client/address.ts";
import { Link } from "../client/link.ts";
import { openWireClient, type Patience, type WireClient } from "../client/wireclient.ts";
import { Retry, type Waited } from "./retry.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A file on a server, in one version. */
export interface RemoteFile {
  /** Decoded bytes, starting with "/". */
  readonly path: ByteString;
  readonly entry: Entry;
}

/** How files are fetched. */
export interface FetchOptions {
  readonly patience: Patience;
  /** Most connections that bring one file. */
  readonly connections: number;
  /** Tries after the first, in a row without progress. */
  readonly retries: number;
  /** Whether what arrives is compared with the server's digests. */
  readonly verify: boolean;
  /** Told of each wait before another try. */
  readonly waited: (waited: Waited) => void;
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
  readonly link: Link;
  readonly #idle: WireClient[] = [];
  #verifies: boolean;

  constructor(server: ServerAddress, options: FetchOptions) {
    this.server = server;
    this.options = options;
    this.link = new Link(server, options.patience);
    this.#verifies = options.verify;
  }

  /** Whether the line is long: one connection alone is held back by distance. */
  get far(): boolean {
    return this.link.tripMs > FAR_MS;
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

  /** What `path` is, asked as often as allowed. Rejects with ClientError. */
  stat(path: ByteString): Promise<Entry> {
    const { retries, waited } = this.options;
    return new Retry(retries, waited).run(() => this.link.ask((client) => client.stat(path)));
  }

  /** A connection of one's own, until giveBack(). Rejects with ClientError. */
  async take(): Promise<WireClient> {
    for (let client = this.#idle.pop(); client !== undefined; client = this.#idle.pop()) {
      if (client.open) return client;
    }
    return openWireClient(this.server, this.options.patience);
  }

  /** The connection is free again; one with answers still to come is closed. */
  giveBack(client: WireClient): void {
    const reusable = client.open && client.idle && this.#idle.length < IDLE_MAX;
    if (reusable) this.#idle.push(client);
    else client.close();
  }

  /** Closes what is open. */
  close(): void {
    for (const client of this.#idle) client.close();
    this.#idle.length = 0;
    this.link.close();
  }
}
