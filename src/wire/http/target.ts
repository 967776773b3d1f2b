/**
 * The target of a request: which path, which query, and whose. Escapes are decoded here and nowhere
 * else, once; what `..` and empty components mean is for the resolver of all doors (wire/path.ts).
 */
import type { ByteString } from "../bytes.ts";
import { unescape } from "../escape.ts";
import { HeadRefusal } from "./headrefusal.ts";

/** What a target names. */
export interface Target {
  /** The bytes of the path, decoded; starts with "/". Never holds a NUL. */
  readonly path: ByteString;
  /** Its path begins with "/-/" as it is spelled. */
  readonly own: boolean;
  /** As it came, without "?"; "" where there is none. */
  readonly query: ByteString;
  /** The authority of an absolute-form, which counts instead of Host; null in origin-form. */
  readonly authority: ByteString | null;
}

/**
 * What may not stand in a target: white space, a fragment, which a client keeps to itself, and a
 * backslash, which some readers take for a slash (`%5C` is a byte of a name). Bytes over 0x7F may:
 * curl sends a path as it was typed.
 */
const FOREIGN = /[^!-~\x80-\xff]|[#\\]/;

/** RFC 9112 3.2.2; a path may be missing. */
const ABSOLUTE = /^http:\/\/([^/?]+)(.*)$/i;

/**
 * RFC 9110 7.2, with a port or without, or nothing at all. A comma is not taken, though a name
 * could hold one: it is how two lines of Host look behind a proxy that joins them.
 */
const AUTHORITY = /^(?:\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z\-._~%!$&'()*+;=]*)(?::[0-9]*)?$/;

/** The parts of `target`, or a 400. */
export function parseTarget(target: ByteString): Target | HeadRefusal {
  if (FOREIGN.test(target)) return new HeadRefusal(400, "a character that no target may have");
  if (target.startsWith("/")) return split(target, null);
  const [, authority = "", rest = ""] = ABSOLUTE.exec(target) ?? [];
  if (authority === "" || !isAuthority(authority)) {
    return new HeadRefusal(400, "the target is no path and no http:// address");
  }
  return split(rest.startsWith("/") ? rest : `/${rest}`, authority);
}

/** True when `value` can stand in Host. */
export function isAuthority(value: ByteString): boolean {
  return AUTHORITY.test(value);
}

/**
 * The value of the parameter `name` in a query: "" when it stands alone ("?json"), null when it is
 * missing or its escapes are wrong. The first one counts. `%XX` is decoded, `+` stays.
 */
export function parameterOf(query: ByteString, name: string): ByteString | null {
  if (query === "") return null;
  for (const pair of query.split("&")) {
    if (pair === name) return "";
    if (pair.startsWith(`${name}=`)) return unescape(pair.slice(name.length + 1));
  }
  return null;
}

// --- internal ---

function split(target: ByteString, authority: ByteString | null): Target | HeadRefusal {
  const mark = target.indexOf("?");
  const path = unescape(mark < 0 ? target : target.slice(0, mark));
  if (path === null) return new HeadRefusal(400, "a % without two hex digits");
  if (path.includes("\0")) return new HeadRefusal(400, "a NUL in the path");
  const query = mark < 0 ? "" : target.slice(mark + 1);
  return { path, own: target.startsWith("/-/"), query, authority };
}
