/**
 * A page of a folder for a door. Whether there is such a folder is known before anything is
 * promised: where that takes the disk, stat() is waited for first.
 */
import type { EncodedPage, Store, Waiter } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { printable } from "../wire/printable.ts";
import { type Answer, entryWait, type Later, pageWait } from "./answer.ts";

/** As Store.list() takes it. */
export interface PageAsked {
  readonly path: ByteString;
  readonly limit: number;
  readonly after: ByteString;
  readonly left?: boolean;
}

/** What `then` makes of the page, with `promise` as pageWait() has it; or why there is none. */
export function listedAnswer(
  store: Store,
  { path, limit, after, left = false }: PageAsked,
  waiter: Waiter,
  promise: string,
  then: Later<EncodedPage>,
): Answer {
  const ask = (found: boolean): Refusal | "cold" | null =>
    store.list(path, limit, after, waiter, left, found);
  const begun = ask(false);
  if (begun !== "cold") return begun ?? pageWait(promise, then);
  const looked = (entry: Entry | Refusal): Answer => {
    if (entry instanceof Refusal) return entry;
    if (entry.type !== "dir") return new Refusal("ENOTDIR", printable(path));
    const again = ask(true);
    if (again === "cold") throw new Error("a folder that was found is asked for in vain");
    return again ?? pageWait(promise, then);
  };
  const entry = store.stat(path, waiter);
  return entry === null ? entryWait(looked) : looked(entry);
}
