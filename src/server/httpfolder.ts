/**
 * A folder over HTTP: a page for people, or JSON, of the first entries behind `?after=`, with a
 * link to the next ones: what is made at once is bounded, however wide the folder is.
 */
import type { EncodedPage, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import {
  FOLDER_JSON_END,
  FOLDER_JSON_FIELDS,
  FOLDER_JSON_START,
  folderJsonEntry,
  wantsJson,
} from "../wire/http/folderjson.ts";
import { FolderListing } from "../wire/http/folderlisting.ts";
import { FOLDER_PAGE_FIELDS, folderEnd, folderStart } from "../wire/http/folderpage.ts";
import { type Readme, readmeHtml, readmeNames } from "../wire/http/folderreadme.ts";
import { sortOf } from "../wire/http/foldersort.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { LINK_PARAMETER, linkCookie } from "../wire/http/link.ts";
import { folderHref, hrefOf } from "../wire/http/href.ts";
import { dateAt, field, responseHead } from "../wire/http/responsehead.ts";
import { parameterOf } from "../wire/http/target.ts";
import { relativeOf } from "../wire/path.ts";
import { replyOf } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";
import { httpSecond } from "./httpsecond.ts";
import { listedAnswer } from "./listed.ts";
import { readmeAnswer } from "./readme.ts";
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
  const wanted = { path: head.path, limit: ENTRIES_MAX, after };
  const promise = responseHead(200, second, "none", "", "").slice(0, dateAt(200) + DATE_CHARS);
  return listedAnswer(store, wanted, asker, promise, (page) => {
    if (page instanceof Refusal) return page;
    const { secure } = asker.access;
    const listing = listingOf(page);
    const asked: Asked = { head, relative, after, second, secure, listing, page };
    if (wantsJson(head.query, head.fields.get("accept"))) return jsonAnswer(asked);
    const names = readmeNames(asked.listing, after === "", page.more);
    return readmeAnswer(store, head.path, names, asker, (readme) => pageAnswer(asked, readme));
  });
}

// --- internal ---

/** What was asked, and the entries that came. */
interface Asked {
  readonly head: RequestHead;
  readonly relative: ByteString;
  readonly after: ByteString;
  readonly second: bigint;
  readonly secure: boolean;
  readonly listing: FolderListing;
  readonly page: EncodedPage;
}

/** To the address that ends in a slash: relative links would lead elsewhere without it. */
function moved({ query, connection }: RequestHead, relative: ByteString, second: bigint): Answer {
  const to = folderHref(relative) + (query === "" ? "" : `?${escaped(query)}`);
  return replyOf(responseHead(301, second, 0, connection, field("Location", to)));
}

/** A query as it came, but in ASCII. */
function escaped(query: ByteString): string {
  return query.replaceAll(/[^!-~]/g, (byte) => encodeURIComponent(byte));
}

/** A page of the store is given to all who wait for it: its rows are made for the first of them. */
const listings = new WeakMap<EncodedPage, FolderListing>();

function listingOf(page: EncodedPage): FolderListing {
  let listing = listings.get(page);
  if (listing === undefined) {
    listing = new FolderListing(page.text);
    listings.set(page, listing);
  }
  return listing;
}

function jsonAnswer({ head, second, listing, page }: Asked): Answer {
  const { entries, names } = listing;
  const parts = entries.map((entry, at) => folderJsonEntry(entry, names[at] ?? "", at === 0));
  const text = FOLDER_JSON_START + parts.join("") + FOLDER_JSON_END;
  const last = page.more ? names.at(-1) : undefined;
  // The shape has no place for it (RFC 8288).
  const next = last === undefined ? "" : field("Link", `<${nextQuery(head, last)}>; rel="next"`);
  return contentReply(head, second, FOLDER_JSON_FIELDS + next, text);
}

/** A program keeps no cookie: the signed link that let it in goes with it. */
function nextQuery({ query }: RequestHead, last: ByteString): string {
  const link = parameterOf(query, LINK_PARAMETER);
  const shown = link === null ? "" : `&${LINK_PARAMETER}=${hrefOf(link)}`;
  return `?json&after=${hrefOf(last)}${shown}`;
}

function pageAnswer(asked: Asked, readme: Readme | null): Answer {
  const { head, relative, after, second, secure, listing, page } = asked;
  const { folders, files, bytes } = listing;
  const view = {
    ...{ relative, host: head.host, secure, after, folders, files, bytes },
    next: page.more ? (listing.names.at(-1) ?? null) : null,
    sort: sortOf(head.query),
    example: listing.file((name) => hrefOf(name) === name) ?? listing.file(() => true),
  };
  const text = folderStart(view) + listing.rows(view.sort) + folderEnd(view, readmeHtml(readme));
  const link = parameterOf(head.query, LINK_PARAMETER);
  const cookie = link === null ? "" : linkCookie(link, folderHref(relative), secure);
  return contentReply(head, second, FOLDER_PAGE_FIELDS + cookie, text);
}

function contentReply(
  { method, connection }: RequestHead,
  second: bigint,
  fields: string,
  text: string,
): Answer {
  const bytes = Buffer.from(text);
  const head = responseHead(200, second, bytes.length, connection, fields);
  return method === "HEAD" ? replyOf(head) : { kind: "reply", head, bytes, content: bytes.length };
}
