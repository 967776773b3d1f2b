/**
 * What a download() is asked for: each file with all servers that may have it. The same path on
 * several servers is one file, and so are all URLs when one name is given for what they bring; how
 * many are joined is told by text alone. No I/O.
 */
import {
  isUrl,
  parseTarget,
  sameServer,
  type ServerAddress,
  type Target,
} from "../client/address.ts";
import { usageError } from "../client/error.ts";
import type { ByteString } from "../wire/bytes.ts";
import { unescape } from "../wire/escape.ts";
import { SOURCES_MAX } from "./sources.ts";
import { parseWanted, type Wanted } from "./wanted.ts";

/** A file, or a pattern, with the other servers that may have the same. */
export interface Sought extends Wanted {
  /** Of a pattern the paths of what matches are asked for there, not these. */
  readonly others: readonly Target[];
}

/** How paths and URLs are read. */
export interface Reading {
  /** The servers of paths that are no URL, the one first that decides; at least one. */
  readonly servers: readonly [ServerAddress, ...ServerAddress[]];
  /** Whether a path may be a pattern. */
  readonly glob: boolean;
  /** One name is given for what comes: URLs on different servers are one file, by any path. */
  readonly named: boolean;
  /** Nothing is joined: of what is asked for twice both are meant. */
  readonly apart: boolean;
}

/**
 * What `texts` ask for, in their order. Throws ClientError (usage) for a text that is no path or
 * URL, and for more than SOURCES_MAX servers of one file.
 */
export function soughtOf(texts: readonly ByteString[], reading: Reading): Sought[] {
  const all: Sought[] = [];
  const joins = (one: Sought, other: Sought): boolean =>
    !reading.apart && isSame(one, other, reading.named && all.length === 1);
  for (const text of texts) {
    const next = soughtIn(text, reading);
    const at = isUrl(text) ? all.findIndex((one) => joins(one, next)) : -1;
    const joined = all[at];
    if (joined === undefined) all.push(next);
    else all[at] = { ...joined, others: [...joined.others, next] };
  }
  for (const { others } of all) {
    if (others.length < SOURCES_MAX) continue;
    throw usageError(`one file comes from ${SOURCES_MAX} servers at most`);
  }
  return all;
}

// --- internal ---

function soughtIn(text: ByteString, { servers: [server, ...more], glob }: Reading): Sought {
  const wanted = glob ? parseWanted(text, server) : { ...parseTarget(text, server), pattern: null };
  // One that is named twice has one vote.
  const all = [server, ...more];
  const apart = more.filter((each, nth) => {
    return !all.slice(0, nth + 1).some((before) => sameServer(before, each));
  });
  const others = isUrl(text) ? [] : apart.map((each) => parseTarget(text, each));
  return { ...wanted, others };
}

/** Whether `other` is on another server than any of `one`'s, and has the same path, or `any`. */
function isSame(one: Sought, other: Sought, any: boolean): boolean {
  if (one.pattern !== null || other.pattern !== null) return false;
  if ([one, ...one.others].some(({ server }) => sameServer(server, other.server))) return false;
  return any || decoded(one) === decoded(other);
}

/** The path without escapes: in a URL of HTTP they stand as they were given. */
function decoded({ server, path }: Target): ByteString {
  return server.http === undefined ? path : (unescape(path) ?? path);
}
