/**
 * What the connections of one server share. Made once by serve.ts; connections hold it and nothing
 * global.
 */
import type { Outbox } from "../send/outbox.ts";
import type { Turns } from "../send/turns.ts";
import type { FailureCounts } from "../guard/failures.ts";
import type { Limits } from "../guard/limits.ts";
import type { LinkKey } from "../identity/links.ts";
import type { Tokens } from "../identity/tokens.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Store, Waiter } from "../store/store.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { Refusal } from "../wire/errors.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Access } from "./access.ts";
import type { Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";
import type { SilenceTimer } from "./silence.ts";

/** Everything a connection needs from its server. */
export interface Service {
  readonly store: Store;
  /** Who may read what; null: everybody everything. */
  readonly tokens: Tokens | null;
  /** The key of signed links; null: there are none. */
  readonly linkKey: LinkKey | null;
  readonly failures: FailureCounts;
  /** Whether tokens are taken in plaintext from other machines. */
  readonly insecureAuth: boolean;
  readonly limits: Limits;
  readonly log: Log;
  readonly counters: Counters;
  readonly outbox: Outbox;
  readonly turns: Turns;
  readonly silence: SilenceTimer;
  /** Whether large files leave by sendfile; else by the copy branch. */
  readonly zeroCopy: boolean;
  /** Whether its connections are by TLS. */
  readonly secure: boolean;
  /** The doors by dialect. */
  readonly doors: Readonly<Record<Dialect, Door>>;
}

/** Who is told once when a connection has ended. */
export interface ConnectionOwner {
  ended(connection: Connection): void;
}

/** One dialect: turns lines into answers. It has no state, and knows no connection. */
export interface Door {
  /** Its name in the log. */
  readonly name: string;
  /** Its requests are heads that end in an empty line; else each is a line. */
  readonly heads: boolean;
  /** The answer to one request; `asker` is called where it comes later. */
  answer(store: Store, line: ByteString, asker: Asker): Answer;
  /** What a line asked for, for the log. */
  asked(line: ByteString): Asked;
  /**
   * How this dialect says no to `line`; null where no request was the cause. `ends`: the connection
   * does, behind it.
   */
  refusal(refusal: Refusal, line: ByteString | null, ends: boolean): string;
}

/** Who asks a door. */
export interface Asker extends Waiter {
  /** Who it has shown itself to be, and the store as it may see it. */
  readonly access: Access;
  /** The server stops, and the connection with it: this answer is the last one. */
  readonly ending: boolean;
  /** The connection ends behind this answer: nothing more is read. */
  last(): void;
}

/** A request as the log tells it. */
export interface Asked {
  /** As the peer wrote it: one of ours, or anything. */
  readonly verb: ByteString;
  readonly path: ByteString;
}
