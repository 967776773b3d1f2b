/**
 * A folder as JSON, in the shape of nginx's autoindex, in pieces like the page: a beginning, an
 * entry each, an end. Text goes out as UTF-8.
 */
import { type ByteString, utf8Of } from "../bytes.ts";
import type { Entry } from "../entry.ts";
import { utf8Length } from "../escape.ts";
import { httpDate, secondOf } from "./date.ts";
import { trimmed } from "./fields.ts";
import { hrefOf } from "./href.ts";
import { field, typeFields } from "./responsehead.ts";
import { parameterOf } from "./target.ts";

/** The fields of the list. */
export const FOLDER_JSON_FIELDS =
  typeFields("application/json") + field("Cache-Control", "no-cache") + field("Vary", "Accept");

/** What stands in front of the first entry. */
export const FOLDER_JSON_START = "[";

/** What stands behind the last one. */
export const FOLDER_JSON_END = "\n]\n";

/**
 * One entry. `first`: nothing was written behind FOLDER_JSON_START. A size is a number of up to 19
 * digits, exact. JSON has no bytes: in a name that is not UTF-8 they are U+FFFD, and "href" then
 * has the name as it stands in an address. A time outside the years 0 to 9999 is left out.
 */
export function folderJsonEntry(entry: Entry, name: ByteString, first: boolean): string {
  const text = JSON.stringify(utf8Of(name));
  const date = httpDate(secondOf(entry.mtime));
  return (
    `${first ? "" : ","}\n{ "name":${text}` +
    `, "type":"${entry.type === "dir" ? "directory" : "file"}"` +
    (date === null ? "" : `, "mtime":"${date}"`) +
    (entry.type === "dir" ? "" : `, "size":${entry.size}`) +
    (isUtf8(name) ? " }" : `, "href":"${hrefOf(name)}" }`)
  );
}

/**
 * True when a folder is asked for as JSON: by `?json`, or by an Accept that names application/json
 * and does not want text/html as much (RFC 9110 12.5.1). A browser's and curl's do not.
 */
export function wantsJson(query: ByteString, accept: ByteString | undefined): boolean {
  if (parameterOf(query, "json") !== null) return true;
  if (accept === undefined) return false;
  return qualityOf(accept, "application/json") > qualityOf(accept, "text/html");
}

// --- internal ---

function isUtf8(name: ByteString): boolean {
  for (let i = 0; i < name.length;) {
    const count = utf8Length(name, i);
    if (count === 0) return false;
    i += count;
  }
  return true;
}

/** The weight of `type` where `accept` names it, or 0. */
function qualityOf(accept: ByteString, type: string): number {
  for (const range of accept.split(",")) {
    const [name = "", ...parameters] = range.split(";").map((it) => trimmed(it, 0, it.length));
    if (name.toLowerCase() !== type) continue;
    const weight = parameters.find((it) => /^q=/i.test(it));
    if (weight === undefined) return 1;
    return /^q=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/i.test(weight) ? Number(weight.slice(2)) : 0;
  }
  return 0;
}
