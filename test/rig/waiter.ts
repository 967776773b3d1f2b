/** A test's side of a store's answers: one function that hears all kinds. */
import type { EncodedPage, OpenFile, Waiter } from "../../src/store/store.ts";
import type { Entry } from "../../src/wire/entry.ts";
import type { Refusal } from "../../src/wire/errors.ts";

/** What a store answers to whatever it was asked. */
export type Answer = OpenFile | Entry | EncodedPage | Uint8Array | Refusal;

/** A waiter that tells `told` each answer and `crashed` each error of ours. */
export function waiterOf(
  told: (answer: Answer) => void = () => {},
  crashed: (error: unknown) => void = () => {},
  gone = false,
  peer = "",
): Waiter {
  const answers = { opened: told, looked: told, listed: told, digested: told };
  return { gone, peer, charge() {}, ...answers, crash: crashed };
}
