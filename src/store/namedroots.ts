/** Roots under names: which names they may have, and how they become one store. */
import { bytesOf } from "../wire/bytes.ts";
import { isWireCode } from "../wire/errors.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { type NamedRoot, NamedStore } from "./namedstore.ts";
import { StoreError } from "./servedroot.ts";
import type { Store } from "./store.ts";

/**
 * Most roots of a server. Each has tables of its own, and while names are asked for that are not in
 * memory a thread of 10 MiB for looking them up; the descriptors and the memory of a server are
 * divided by them.
 */
export const ROOTS_MAX = 16;

/**
 * A root's name, as a person types it in a URL and in a shell. None starts with a dot, which hides
 * names, or with a dash: "/-/" is the server's own over HTTP.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What is wrong with `name` as a root's, in words that complete "the root NAME"; or null. */
export function rootNameFault(name: string): string | null {
  if (NAME.test(name)) return null;
  return "takes letters, digits, dots, - and _ for its name, 64 at most, a letter or a digit in front";
}

/**
 * One store of `roots`, paths by name, each opened by `open`. Throws Failure (usage) for no root,
 * too many or a wrong name, and what `open` throws; those that are open are closed then.
 */
export function openNamed(
  roots: Readonly<Record<string, string>>,
  open: (path: string) => Store,
): Store {
  const count = Object.keys(roots).length;
  if (count === 0 || count > ROOTS_MAX) {
    throw new Failure("usage", "EINVAL", `1 to ${ROOTS_MAX} roots can be served, not ${count}`);
  }
  const opened: NamedRoot[] = [];
  try {
    for (const [name, path] of Object.entries(roots)) {
      opened.push({ name: bytesOf(name), store: openOne(name, path, open) });
    }
  } catch (error) {
    for (const { store } of opened) store.close();
    throw error;
  }
  return new NamedStore(opened);
}

// --- internal ---

function openOne(name: string, path: string, open: (path: string) => Store): Store {
  const fault = rootNameFault(name);
  if (fault !== null) {
    throw new Failure("usage", "EINVAL", `the root "${printableText(name)}" ${fault}`);
  }
  try {
    return open(path);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = isWireCode(error.code) ? error.code : "EIO";
    throw new StoreError(`the root ${name}: ${error.message}`, code);
  }
}
