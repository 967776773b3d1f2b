/**
 * Keys of objects as paths, and back. A key that can't be a path safely is refused or left out, and
 * never served under another name: the store would fold it ("a//b" to "a/b", a backslash to a
 * slash), or a client could not save it. Pure: nothing here asks anybody.
 */
import { type ByteString, bytesOf, utf8Of } from "../../wire/bytes.ts";
import { isName, NAME_BYTES_MAX } from "../../wire/entry.ts";
import { Refusal } from "../../wire/errors.ts";
import { HERE } from "../../wire/path.ts";
import { printable } from "../../wire/printable.ts";

/** Longest key in bytes that an object store takes. */
export const KEY_BYTES_MAX = 1024;

/**
 * The key of `relative` (of relativeOf(), without the slash that asks for a folder) below `prefix`.
 * ENAMETOOLONG; EINVAL where it is not UTF-8, which no key can be; EACCES for a backslash and
 * control characters: the first is folded, and with one of the others no list could be read.
 */
export function keyOf(prefix: string, relative: ByteString): string | Refusal {
  const bare = relative.replace(/\/$/, "");
  const shown = printable(bare);
  if (bare.split("/").some((name) => name.length > NAME_BYTES_MAX)) {
    return new Refusal("ENAMETOOLONG", shown);
  }
  const text = utf8Of(bare);
  if (bytesOf(text) !== bare) return new Refusal("EINVAL", `no key is spelled so: ${shown}`);
  if (isUnsafe(text)) return new Refusal("EACCES", `keys like this are not served: ${shown}`);
  const key = prefix + text;
  return Buffer.byteLength(key) > KEY_BYTES_MAX ? new Refusal("ENAMETOOLONG", shown) : key;
}

/** What all keys in the folder `relative` begin with; a Refusal as keyOf() has it. */
export function folderKeyOf(prefix: string, relative: ByteString): string | Refusal {
  if (relative === HERE) return prefix;
  const key = keyOf(prefix, relative);
  return typeof key === "string" ? `${key}/` : key;
}

/**
 * A key, or the begin of keys, out of a list whose names are encoded as in a URL; null where that
 * is not UTF-8.
 */
export function decodedKey(encoded: string): string | null {
  try {
    // Some stores write a space as a form does; a plus sign itself is always encoded.
    return decodeURIComponent(encoded.replaceAll("+", "%20"));
  } catch {
    return null;
  }
}

/** `text`, which is one component of a key, as a name in a folder; null: it can't be served. */
export function nameOf(text: string): ByteString | null {
  const name = bytesOf(text);
  return isName(name) && !isUnsafe(text) ? name : null;
}

// --- internal ---

function isUnsafe(text: string): boolean {
  return text.includes("\\") || /\p{Cc}/u.test(text);
}
