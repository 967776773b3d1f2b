/**
 * A folder over HTTP: a page for people, or JSON, of the first entries behind `?after=`, with a
 * link to the next ones: what is made at once is bounded, however wide the folder is.
 */
import type { EncodedPage, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { parseListLine } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import {
  FOLDER_JSON_END,
  FOLDER_JSON_FIELDS,
  FOLDER_JSON_START,
  folderJsonEntry,
  wantsJson,
} from "../wire/http/folderjson.ts";
import { FOLDER_PAGE_FIELDS, folderEnd, folderRow, folderStart } from "../wire/http/folderpage.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { folderHref } from "../wire/http/href.ts";
import { dateAt, field, responseHead } from "../wire/http/responsehead.ts";
import { parameterOf } from "../wire/http/target.ts";
import { relativeOf } from "../wire/path.ts";
import { replyOf } from "../wire/reply.ts";
import { type Answer, pageWait } from "./answer.ts";
import { httpSecond } from "./httpsecond.ts";
import type { Asker } from "./service.ts";

/** Entries of one page: making it takes 3 ms. */
const ENTRIES_MAX = 1000;

/** Characters of a date. */
const DATE_CHARS = 29;

/** The page of the folder that `head` names, which is one. */
export function folderAnswer(store: Store, head: RequestHead, asker: Asker): Answer {
  const relative = relativeOf(head.path);
  if (relative instanceof Refusal) return relative;
  const second = httpSecond();
  if (!head.path.endsWith("/")) return moved(head, relative, second);
  const after = parameterOf(head.query, "after") ?? "";
  const refused = store.list(head.path, ENTRIES_MAX, after, asker);
  if (refused !== null) return refused;
  const promise = responseHead(200, second, "none", "", "").slice(0, dateAt(200) + DATE_CHARS);
  return pageWait(promise, (page) =>
    page instanceof Refusal ? page : pageAnswer(head, relative, second, page),
  );
}

// --- internal ---

/** To the address that ends in a slash: relative links would lead elsewhere without it. */
function moved({ query, connection }: RequestHead, relative: ByteString, second: bigint): Answer {
  const to = folderHref(relative) + (query === "" ? "" : `?${escaped(query)}`);
  return replyOf(responseHead(301, second, 0, connection, field("Location", to)));
}

/** A query as it came, but in ASCII. */
function escaped(query: ByteString): string {
  return query.replaceAll(/[^!-~]/g, (byte) => encodeURIComponent(byte));
}

function pageAnswer(
  { method, connection, query, fields }: RequestHead,
  relative: ByteString,
  second: bigint,
  { text, more }: EncodedPage,
): Answer {
  const json = wantsJson(query, fields.get("accept"));
  const parts: string[] = [json ? FOLDER_JSON_START : folderStart(relative)];
  let last: ByteString | null = null;
  for (const line of Buffer.from(text.buffer, text.byteOffset, text.length)
    .toString("latin1")
    .split("\n")) {
    const listed = parseListLine(line);
    if (listed === null) continue;
    const { entry, name } = listed;
    parts.push(json ? folderJsonEntry(entry, name, last === null) : folderRow(entry, name));
    last = name;
  }
  parts.push(json ? FOLDER_JSON_END : folderEnd(more ? last : null));
  const bytes = Buffer.from(parts.join(""));
  const all = json ? FOLDER_JSON_FIELDS : FOLDER_PAGE_FIELDS;
  const head = responseHead(200, second, bytes.length, connection, all);
  return method === "HEAD" ? replyOf(head) : { kind: "reply", head, bytes, content: bytes.length };
}
