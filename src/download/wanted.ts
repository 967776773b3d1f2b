/**
 * A path or URL that may be a pattern, as a caller writes it: the very name first, and what it is
 * as a pattern where nothing has that name. No I/O.
 */
import {
  isUrl,
  parseTarget,
  splitLink,
  type ServerAddress,
  type Target,
} from "../client/address.ts";
import { isHttpUrl } from "../client/httpaddress.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A path as it was given, and the pattern that it is if no file has that very name. */
export interface Wanted extends Target {
  /** Null: it has no wildcard. In a URL only what is not escaped is one. */
  readonly pattern: ByteString | null;
}

/** Reads a path or URL that may be a pattern. Throws ClientError (usage). */
export function parseWanted(text: ByteString, server: ServerAddress): Wanted {
  if (!isUrl(text)) {
    const target = parseTarget(text, server);
    return { ...target, pattern: isWild(target.path) ? target.path : null };
  }
  // In HTTP's "?" begins a query, and nothing there could be matched with a pattern.
  if (isHttpUrl(text)) return { ...parseTarget(text, server), pattern: null };
  // A URL's "?" would begin a query, which s6 has none of; a signed link is no part of the path.
  const [plain, link] = splitLink(text);
  const target = parseTarget(plain.replaceAll("?", "%3F") + link, server);
  const kept = plain.replaceAll(ESCAPED_WILD, "%5C$&").replaceAll("?", "%3F");
  const { path } = parseTarget(kept, server);
  return { ...target, pattern: isWild(path) ? path : null };
}

/** True when a wildcard stands in `path` without a backslash. */
export function isWild(path: ByteString): boolean {
  return /[*?[{]/.test(path.replaceAll(/\\./gs, ""));
}

// --- internal ---

/** What a URL escapes in order to mean itself. */
const ESCAPED_WILD = /%(?:2a|3f|5b|5c|5d|7b|7d)/gi;
