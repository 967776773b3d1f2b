/**
 * The request that a connection is answering: what was asked, and what of the reply is out. One at
 * a time, so each connection has one of these for all its requests.
 */
import { shownAddress } from "../guard/address.ts";
import { clock } from "../sys/clock.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Asked, Door, Service } from "./service.ts";

/** What the log tells of a refusal that no line was the cause of. */
const NOTHING_ASKED: Asked = { verb: "-", path: "" };

/** A request and its reply. */
export class Exchange {
  /** Characters of the reply that are out, before the rest of it is known. */
  promised = 0;
  /** Content bytes of the file that is on its way; 0 for none. */
  sending = 0;
  readonly #service: Service;
  readonly #address: string;
  /** The request, or null where none is being answered. */
  line: ByteString | null = null;
  /** When it was read, in clock.now's milliseconds. */
  #began = 0;

  /** `address` is the peer's. */
  constructor(service: Service, address: string) {
    this.#service = service;
    this.#address = address;
  }

  /** A request has been read. */
  begin(line: ByteString): void {
    this.line = line;
    this.#began = clock.now;
  }

  /** Counts a request that was answered or failed, and logs it: nothing more is sent for it. */
  end(door: Door | null, status: string, bytes: number): void {
    const { counters, log } = this.#service;
    counters.requests += 1;
    if (status !== "OK") counters.refused += 1;
    if (log.on) {
      const line = this.line;
      const { verb, path } = (line === null ? null : door?.asked(line)) ?? NOTHING_ASKED;
      const ms = line === null ? 0 : performance.now() - this.#began;
      const peer = shownAddress(this.#address);
      log.request({ peer, door: door?.name ?? "-", verb, path, status, bytes, ms });
    }
    this.promised = 0;
    this.sending = 0;
    this.line = null;
  }

  /** Counts and logs an error of ours, that this connection is reset for. */
  crashed(error: unknown): void {
    const { counters, log } = this.#service;
    counters.crashes += 1;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.fault(`internal error, connection from ${shownAddress(this.#address)} reset`, text);
  }
}
