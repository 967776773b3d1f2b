/** A test's side of a store's answers: one function that hears all three kinds. */
import type { EncodedPage, OpenFile, Waiter } from "../../src/store/store.ts";
import type { Refusal } from "../../src/wire/errors.ts";

/** What a store answers to whatever it was asked. */
export type Answer = OpenFile | EncodedPage | Uint8Array | Refusal;

/** A waiter that tells `told` each answer and `crashed` each error of ours. */
export function waiterOf(
  told: (answer: Answer) => void = () => {},
  crashed: (error: unknown) => void = () => {},
  gone = false,
  peer = "",
): Waiter {
  return { gone, peer, charge() {}, opened: told, listed: told, digested: told, crash: crashed };
}
