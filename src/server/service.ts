/**
 * What the connections of one server share. Made once by listen.ts; connections hold it and nothing
 * global.
 */
import type { Outbox } from "../send/outbox.ts";
import type { Turns } from "../send/turns.ts";
import type { Limits } from "../guard/limits.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Connection } from "./connection.ts";
import type { SilenceTimer } from "./silence.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Everything a connection needs from its server. */
export interface Service {
  readonly store: Store;
  readonly limits: Limits;
  readonly log: Log;
  readonly counters: Counters;
  readonly outbox: Outbox;
  readonly turns: Turns;
  readonly silence: SilenceTimer<Connection>;
  /** Whether large files leave by sendfile; else by the copy branch. */
  readonly zeroCopy: boolean;
  /** The doors by dialect. */
  readonly doors: Readonly<Record<Dialect, Door>>;
  /** Told once when a connection has ended. */
  ended(connection: Connection): void;
}

/**
 * One dialect: turns lines into answers. It has no state: what it must remember it puts on the
 * connection.
 */
export interface Door {
  /** Its name in the log. */
  readonly name: string;
  /** Answers one request line, or starts to: replies go through the connection's send methods. */
  answer(connection: Connection, line: ByteString): void;
  /** How this dialect says no, as a whole line. */
  refusal(refusal: Refusal): string;
}
