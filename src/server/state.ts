/**
 * What a connection waits for, and what ends each wait. States without data are constants that all
 * connections share, so that entering one allocates nothing.
 */
import type { EncodedPage, OpenFile } from "../store/store.ts";
import { clock } from "../sys/clock.ts";
import type { Refusal } from "../wire/errors.ts";

/** How a request goes on when the store has answered. */
export type Later<T> = (answer: T | Refusal) => void;

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
export type StoreState = { readonly awaits: "store"; readonly since: number } & (
  | { readonly asked: "file"; readonly then: Later<OpenFile> }
  | { readonly asked: "page"; readonly then: Later<EncodedPage> }
  | { readonly asked: "digests"; readonly then: Later<Uint8Array>; readonly promise: Promised }
);

/** A reply whose head is known before its body: it may be promised early, at most once. */
export interface Promised {
  /** The head is out: what follows is the body, or RST. */
  readonly made: boolean;
  /** Sends the head. */
  make(): void;
}

/** The wait for open(). */
export function fileWait(then: Later<OpenFile>): StoreState {
  return { awaits: "store", since: clock.now, asked: "file", then };
}

/** The wait for list(). */
export function pageWait(then: Later<EncodedPage>): StoreState {
  return { awaits: "store", since: clock.now, asked: "page", then };
}

/** The wait for digests(); `promise` is the head of their reply. */
export function digestWait(then: Later<Uint8Array>, promise: Promised): StoreState {
  return { awaits: "store", since: clock.now, asked: "digests", then, promise };
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
