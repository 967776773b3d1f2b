/**
 * What a connection waits for, and what ends each wait. States without data are constants that all
 * connections share, so that entering one allocates nothing.
 */
import type { EncodedPage, OpenFile } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Answer } from "./answer.ts";

/** How a request goes on when the store has answered. */
export type Later<T> = (result: T | Refusal) => Answer;

/** A connection's state. The sweep (sweep.ts) bounds every wait for the peer and for the store. */
export type State =
  /** The next request, or the rest of one. Bytes or FIN end it. */
  | { readonly awaits: "request" }
  /** The end of a bare path: 200 ms without another byte. */
  | { readonly awaits: "silence" }
  /** The store. Replies to earlier requests may still be on their way out. */
  | StoreState
  /** Room in the socket: `drain` ends it. */
  | { readonly awaits: "room" }
  /** Its turn in the queue of those that can send more. */
  | { readonly awaits: "turn" }
  /** Bytes of the file, from the disk. */
  | { readonly awaits: "window" }
  /** The peer's FIN after ours. */
  | { readonly awaits: "linger" }
  /** Nothing, ever. */
  | { readonly awaits: "closed" };

/** The store was asked at `since` (clock.now), and `then` goes on with its answer. */
export type StoreState = {
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
  | { readonly asked: "page"; readonly then: Later<EncodedPage> }
  | { readonly asked: "digests"; readonly then: Later<Uint8Array> }
);

/** The wait for open(). It promises nothing: whether the file can be read is not known. */
export function fileWait(then: Later<OpenFile>): StoreState {
  return { ...waiting(""), asked: "file", then };
}

/** The wait for list(). */
export function pageWait(promise: string, then: Later<EncodedPage>): StoreState {
  return { ...waiting(promise), asked: "page", then };
}

/** The wait for digests(). */
export function digestWait(promise: string, then: Later<Uint8Array>): StoreState {
  return { ...waiting(promise), asked: "digests", then };
}

function waiting(promise: string): Pick<StoreState, "kind" | "awaits" | "since" | "promise"> {
  return { kind: "store", awaits: "store", since: clock.now, promise };
}

export const REQUEST: State = { awaits: "request" };
export const SILENCE: State = { awaits: "silence" };
export const LINGER: State = { awaits: "linger" };
export const CLOSED: State = { awaits: "closed" };
export const SENDING = {
  room: { awaits: "room" },
  turn: { awaits: "turn" },
  window: { awaits: "window" },
} as const satisfies Record<string, State>;
