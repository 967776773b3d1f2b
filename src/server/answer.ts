/**
 * What a door answers to a line. It is a value: the connection delivers it, so that doors know
 * neither sockets nor the order in which replies leave.
 */
import type { EncodedPage, OpenFile } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Reply } from "../wire/reply.ts";

/**
 * A reply in memory, one out of a file, a part of one, why there is none, or that the store answers
 * later.
 */
export type Answer = Reply | FileReply | PartReply | Refusal | StoreWait;

/**
 * A part of a reply that is made while it is sent. `next` is asked for what follows once the peer
 * has taken enough: another part, a wait, or at last a Reply, which ends it. A Refusal behind a
 * part is RST.
 */
export interface PartReply extends Omit<Reply, "kind"> {
  readonly kind: "part";
  readonly next: () => Answer;
}

/** A reply whose content leaves from a file's descriptor, or from its source. */
export interface FileReply {
  readonly kind: "file";
  /** Goes out first; NO_HEAD where it lies in the descriptor, or there is none. */
  readonly head: Uint8Array;
  readonly file: OpenFile;
  /** Where in the file's descriptor the transfer begins. */
  readonly at: bigint;
  /** Bytes of the transfer, > 0. */
  readonly length: number;
  /** Those of them that are content, for the log. */
  readonly content: number;
  /** Nothing but FIN tells that the content is whole: it must not come before all of it. */
  readonly untilFin?: true;
}

/** How a request goes on when the store has answered. */
export type Later<T> = (result: T | Refusal) => Answer;

/** The store was asked at `since` (clock.now), and `then` goes on with its answer. */
export type StoreWait = {
  readonly kind: "store";
  readonly awaits: "store";
  readonly since: number;
  /**
   * What the reply begins with if it is no refusal, in ASCII. It may be sent early, to find out
   * whether the peer is still there: FIN alone does not tell an honest half-close (nc -N) from a
   * peer that is gone, but who is gone answers a byte with RST (tcp(7)). "": nothing may be sent.
   */
  readonly promise: string;
} & (
  | { readonly asked: "file"; readonly then: Later<OpenFile> }
  | { readonly asked: "entry"; readonly then: Later<Entry> }
  | { readonly asked: "page"; readonly then: Later<EncodedPage> }
  | { readonly asked: "digests"; readonly then: Later<Uint8Array> }
);

/** The wait for open(). It promises nothing: whether the file can be read is not known. */
export function fileWait(then: Later<OpenFile>): StoreWait {
  return { ...waiting(""), asked: "file", then };
}

/** The wait for stat(). It promises nothing. */
export function entryWait(then: Later<Entry>): StoreWait {
  return { ...waiting(""), asked: "entry", then };
}

/** The wait for list(). */
export function pageWait(promise: string, then: Later<EncodedPage>): StoreWait {
  return { ...waiting(promise), asked: "page", then };
}

/** The wait for digests(). */
export function digestWait(promise: string, then: Later<Uint8Array>): StoreWait {
  return { ...waiting(promise), asked: "digests", then };
}

/** For a reply that has no head, or has it in one piece with the content. */
export const NO_HEAD = new Uint8Array(0);

// --- internal ---

function waiting(promise: string): Pick<StoreWait, "kind" | "awaits" | "since" | "promise"> {
  return { kind: "store", awaits: "store", since: clock.now, promise };
}
