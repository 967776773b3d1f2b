/**
 * Whether a peer is still there while the store works for it. FIN alone does not tell an honest
 * half-close (nc -N) from a peer that is gone; a byte does: who is gone answers it with RST
 * (tcp(7)). The connection decides when to ask.
 */
import type { StoreState } from "./state.ts";

/** Sends the reply's head now, where it is known. Questions of other kinds take no long time. */
export function probe(state: StoreState): void {
  if (state.asked === "digests" && !state.promise.made) state.promise.make();
}
