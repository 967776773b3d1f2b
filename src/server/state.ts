/**
 * What a connection waits for, and what ends each wait. States without data are constants that all
 * connections share, so that entering one allocates nothing.
 */
import type { StoreWait } from "./answer.ts";

/** A connection's state. The sweep (sweep.ts) bounds every wait for the peer and for the store. */
export type State =
  /** The next request, or the rest of one. Bytes or FIN end it. */
  | { readonly awaits: "request" }
  /** The end of a bare path: 200 ms without another byte. */
  | { readonly awaits: "silence" }
  /** The store. Replies to earlier requests may still be on their way out. */
  | StoreWait
  /** Room in the socket: `drain` ends it. */
  | { readonly awaits: "room" }
  /** Its turn in the queue of those that can send more. */
  | { readonly awaits: "turn" }
  /** Bytes of the file, from the store. */
  | { readonly awaits: "window" }
  /** The peer's FIN after ours. */
  | { readonly awaits: "linger" }
  /** Nothing, ever. */
  | { readonly awaits: "closed" };

export const REQUEST: State = { awaits: "request" };
export const SILENCE: State = { awaits: "silence" };
export const LINGER: State = { awaits: "linger" };
export const CLOSED: State = { awaits: "closed" };
export const SENDING = {
  room: { awaits: "room" },
  turn: { awaits: "turn" },
  window: { awaits: "window" },
} as const satisfies Record<string, State>;
