/**
 * The file of tokens, in TOML. What is not known in it is a mistake, and is told by the name of the
 * token it stands at; a value is never quoted. Pure.
 *
 *   [[token]]
 *   name = "ci"
 *   sha256 = "<64 hex digits>"     # of the token; `serv6 --new-token ci` makes both
 *   paths = ["/models", "/data/x"] # all when left out
 *   may = ["read", "list"]         # both when left out
 *   until = 2027-01-01             # or 2027-01-01T12:00:00Z; for ever when left out
 *   rate = "10M"                   # bytes a second, all of its connections; no limit
 *
 *   [anonymous]                    # who shows no token: nothing when left out
 *   paths = ["/public"]
 */
import { bytesOf } from "../wire/bytes.ts";
import { relativeOf, HERE } from "../wire/path.ts";
import { printableText } from "../wire/printable.ts";
import type { Grant, TokenEntry, Use } from "./tokens.ts";

/** The tokens in `text`, at most `max`; in words what is wrong with it. */
export function parseTokens(text: string, max: number): TokenEntry[] | string {
  let parsed: unknown;
  try {
    parsed = Bun.TOML.parse(text);
  } catch {
    // Its message quotes the line, and with it a digest.
    return "it is no TOML";
  }
  if (!isTable(parsed)) return "it is no TOML";
  const odd = Object.keys(parsed).find((key) => key !== "token" && key !== "anonymous");
  if (odd !== undefined) return `${printableText(odd)} is not known: [[token]] and [anonymous] are`;
  const tables = parsed["token"] ?? [];
  if (!Array.isArray(tables) || tables.length > max)
    return `[[token]] is written up to ${max} times`;
  const entries: TokenEntry[] = [];
  for (const [nth, table] of tables.entries()) {
    const entry = entryOf(table, `token ${nth + 1}`, true);
    if (typeof entry === "string") return entry;
    if (entries.some(({ digest }) => digest === entry.digest)) {
      return `token ${nth + 1} (${entry.grant.name}) has the sha256 of one before`;
    }
    entries.push(entry);
  }
  if (parsed["anonymous"] === undefined) return entries;
  const anonymous = entryOf(parsed["anonymous"], "[anonymous]", false);
  return typeof anonymous === "string" ? anonymous : [...entries, anonymous];
}

// --- internal ---

type Table = Readonly<Record<string, unknown>>;

const KEYS = new Set(["name", "sha256", "paths", "may", "until", "rate"]);
const USES: readonly Use[] = ["read", "list"];
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const DIGEST = /^[0-9a-f]{64}$/i;
const RATE = /^([1-9][0-9]{0,8})([KMG]?)$/;
const UNITS = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const;

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entryOf(table: unknown, where: string, secret: boolean): TokenEntry | string {
  if (!isTable(table)) return `${where} is no table`;
  const odd = Object.keys(table).find((key) => !KEYS.has(key));
  if (odd !== undefined) return `${where} has an unknown key ${printableText(odd)}`;
  const { name = secret ? undefined : "anonymous", sha256, until, rate = "" } = table;
  if (typeof name !== "string" || !NAME.test(name)) {
    return `${where} needs a name of letters, digits, dots, - and _`;
  }
  const called = `${where} (${name})`;
  if (secret !== (sha256 !== undefined)) {
    return secret ? `${called} needs the sha256 of its token` : `${where} has no token`;
  }
  if (secret && !(typeof sha256 === "string" && DIGEST.test(sha256))) {
    return `${called}: sha256 is 64 hex digits`;
  }
  const paths = pathsOf(table["paths"] ?? ["/"]);
  if (typeof paths === "string") return `${called}: ${paths}`;
  const uses = table["may"] ?? USES;
  if (!Array.isArray(uses) || !uses.every((use) => USES.includes(use as Use))) {
    return `${called}: may is a list of "read" and "list"`;
  }
  const end = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until);
  if (Number.isNaN(end)) return `${called}: until is a date, or a date and a time with its zone`;
  const [, digits, unit = ""] = RATE.exec(String(rate)) ?? [];
  if (rate !== "" && digits === undefined) return `${called}: rate is bytes a second, as "10M"`;
  const bytes = digits === undefined ? 0 : Number(digits) * UNITS[unit as keyof typeof UNITS];
  const grant: Grant = { name, paths, uses: uses as Use[], until: end, rate: bytes };
  return { digest: secret ? String(sha256).toLowerCase() : null, grant };
}

/** Relative to the root; in words what is wrong with one. */
function pathsOf(paths: unknown): string[] | string {
  if (!Array.isArray(paths) || paths.length === 0) return "paths is a list of paths";
  const relative: string[] = [];
  for (const path of paths) {
    if (typeof path !== "string" || !path.startsWith("/")) return 'a path starts with "/"';
    const clean = relativeOf(bytesOf(path));
    if (typeof clean !== "string") return "a path has no .. and no NUL";
    relative.push(clean === HERE ? "" : clean.replace(/\/$/, ""));
  }
  return relative;
}

/** Milliseconds since 1970, or NaN. A date alone is its start in UTC. */
function timeOf(until: unknown): number {
  const text = until instanceof Date ? until.toISOString() : String(until);
  const formed = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(
    text,
  );
  return formed ? Date.parse(text.replace(" ", "T")) : Number.NaN;
}
