/**
 * The bare door, as the exercise speaks it: one path, the content, FIN. A path has several readings
 * (below the root, or absolute under the root's own name); the first that exists is served.
 */
import type { OpenFile, Store, Waiter } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal, Unauthorized } from "../wire/errors.ts";
import { printable } from "../wire/printable.ts";
import { plainErrorLine } from "../wire/reply.ts";
import { TO_THE_END } from "../wire/request.ts";
import { type Answer, fileWait, NO_HEAD } from "./answer.ts";
import { rangeOf } from "./range.ts";
import type { Door } from "./service.ts";

/** The door of the bare path. */
export const plainDoor: Door = {
  name: "plain",
  heads: false,
  answer: (store, path, asker) => {
    asker.last();
    if (path === "") return new Refusal("EINVAL", "the path is empty");
    return readFirst(store, path, store.readings(path), null, asker);
  },
  asked: (path) => ({ verb: "READ", path }),
  refusal: plainErrorLine,
};

// --- internal ---

/**
 * The first of `readings` that exists; `first` is the refusal of the one before, which is told when
 * none does. Refusals have the reading's own words, but the path as it was asked for.
 */
function readFirst(
  store: Store,
  path: ByteString,
  readings: ByteString[],
  first: Refusal | null,
  waiter: Waiter,
): Answer {
  const reading = readings.shift();
  if (reading === undefined) return first ?? new Refusal("ENOENT", printable(path));
  const opened = (file: OpenFile | Refusal): Answer => {
    if (!(file instanceof Refusal)) return content(file);
    if (file instanceof Unauthorized) return file;
    const refusal = new Refusal(file.code, printable(path));
    const absent = file.code === "ENOENT" || file.code === "ENOTDIR";
    return absent ? readFirst(store, path, readings, first ?? refusal, waiter) : refusal;
  };
  const file = store.open(reading, waiter);
  return file === null ? fileWait(opened) : opened(file);
}

function content(file: OpenFile): Answer {
  const range = rangeOf(file.entry, 0n, TO_THE_END);
  if (range instanceof Refusal) return range;
  const { length } = range;
  return file.body === null && length > 0
    ? { kind: "file", head: NO_HEAD, file, at: file.base, length, content: length, untilFin: true }
    : { kind: "reply", head: "", bytes: file.body, content: length };
}
