/**
 * The page of a folder as HTML: a beginning, the rows (folderrow.ts), an end. It needs no script:
 * sorting is a link, and what a script adds (folderscript.ts) is hidden until there is one. Text
 * goes out as UTF-8. It knows no folder and keeps nothing.
 */
import type { ByteString } from "../bytes.ts";
import { HERE } from "../path.ts";
import { printable } from "../printable.ts";
import { kindPicture, kindPictures } from "./folderkind.ts";
import { folderLines } from "./folderlines.ts";
import { FOLDER_POLICY } from "./folderpolicy.ts";
import { grouped, sizeText } from "./folderquantity.ts";
import { FOLDER_SCRIPT } from "./folderscript.ts";
import { type FolderSort, nextSort, sortParameters } from "./foldersort.ts";
import { FOLDER_STYLE } from "./folderstyle.ts";
import { folderHref, hrefOf } from "./href.ts";
import { escapeHtml } from "./html.ts";
import { field, typeFields } from "./responsehead.ts";

/** The fields of the page: what it is, what it may do, and that Accept could have chosen JSON. */
export const FOLDER_PAGE_FIELDS =
  typeFields("text/html;charset=utf-8") +
  field("Content-Security-Policy", FOLDER_POLICY) +
  field("Referrer-Policy", "no-referrer") +
  field("Cache-Control", "no-cache") +
  field("Vary", "Accept");

/** What a page tells beside its rows. */
export interface FolderView {
  /** The folder below the root, as relativeOf() gives it. */
  readonly relative: ByteString;
  /** Host of the request, which isAuthority() holds for; "" where there is none. */
  readonly host: ByteString;
  /** It came by TLS. */
  readonly secure: boolean;
  /** The name behind which this page begins; "" for the first one. */
  readonly after: ByteString;
  /** The last name of this page in byte order, when more follow on a page of their own. */
  readonly next: ByteString | null;
  readonly sort: FolderSort;
  readonly folders: number;
  readonly files: number;
  /** Of all files on this page together. */
  readonly bytes: bigint;
  /** One of the files, for the lines that show how to fetch one. */
  readonly example: ByteString | null;
}

/**
 * The page up to its first row. Each folder on the way is a link, and in any but the root the first
 * row leads one up.
 */
export function folderStart(view: FolderView): string {
  const names = namesOf(view.relative);
  const host = escapeHtml(view.host === "" ? "/" : view.host);
  const title = names.length === 0 ? host : escapeHtml(printable(`/${names.join("/")}/`));
  const here = names.at(-1);
  return (
    `<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n` +
    `<meta name=viewport content="width=device-width,initial-scale=1">\n` +
    `<title>${title}</title>\n<style>${FOLDER_STYLE}</style>\n${kindPictures()}` +
    `<header>\n${crumbs(names, host)}` +
    `<h1>${here === undefined ? host : escapeHtml(printable(here))}</h1>\n` +
    `<p>${summary(view)}</p>\n</header>\n<main>\n${linesHtml(view)}` +
    `<p id=filter hidden><label for=q class=h>Filter by name</label>` +
    `<input id=q type=search placeholder=Filter autocomplete=off spellcheck=false>` +
    `<kbd aria-hidden=true>/</kbd></p>\n<p id=said role=status></p>\n` +
    `<table>\n<caption class=h>${title}</caption>\n<thead><tr>` +
    headings(view) +
    (here === undefined
      ? "\n"
      : `\n<tbody><tr><th scope=row><a href="../" rel=up>${kindPicture("u")}` +
        `..<span class=h> one folder up</span></a><td><td>\n`) +
    "<tbody id=rows>\n"
  );
}

/** What ends the page. `readme` comes from readmeHtml(). */
export function folderEnd(view: FolderView, readme: string): string {
  const after = view.after === "" ? "" : `&amp;after=${hrefOf(view.after)}`;
  return (
    `</table>\n${pages(view)}${readme}</main>\n` +
    `<footer><a href="?json${after}">This list as JSON</a></footer>\n<script>${FOLDER_SCRIPT}</script>\n</html>\n`
  );
}

// --- internal ---

function namesOf(relative: ByteString): ByteString[] {
  return relative === HERE ? [] : relative.split("/").filter((name) => name !== "");
}

/**
 * Folders on the way that are links: beyond them the way grows by the square of its depth. Links
 * inside a root can make 40 of one (path_resolution(7)).
 */
const CRUMBS_MAX = 64;

/** The folders above this one; nothing for the root. */
function crumbs(names: readonly ByteString[], host: string): string {
  if (names.length === 0) return "";
  const above = names.slice(0, -1);
  const from = Math.max(0, above.length - CRUMBS_MAX);
  const items = above.slice(from).map((name, nth) => {
    const href = folderHref(names.slice(0, from + nth + 1).join("/"));
    return `<li><a href="${href}">${escapeHtml(printable(name))}</a>`;
  });
  const left = from > 0 ? "<li>…" : "";
  return `<nav aria-label=Path><ol><li><a href="/">${host}</a>${left}${items.join("")}</ol></nav>\n`;
}

function summary({ folders, files, bytes, next, after }: FolderView): string {
  const parts: string[] = [];
  if (folders > 0) parts.push(`${grouped(folders)} ${folders === 1 ? "folder" : "folders"}`);
  if (files > 0) {
    parts.push(`${grouped(files)} ${files === 1 ? "file" : "files"}`);
    parts.push(
      `<data value=${bytes} title="${grouped(`${bytes}`)} bytes">${sizeText(bytes)}</data>`,
    );
  }
  if (parts.length === 0) parts.push("Empty");
  if (next === null && after === "") return parts.join(", ");
  return `${parts.join(", ")} on this page of a wide folder. Sorting and filtering see this page alone.`;
}

function linesHtml({ host, relative, example, secure }: FolderView): string {
  const lines = folderLines(host, relative, example, secure).map(
    ({ does, line }) => `<div><dt>${does}<dd><code>${escapeHtml(line)}</code></div>\n`,
  );
  if (lines.length === 0) return "";
  return `<details><summary>From a terminal</summary>\n<dl>${lines.join("")}</dl></details>\n`;
}

const COLUMNS: readonly (readonly [FolderSort["by"], string])[] = [
  ["name", "Name"],
  ["size", "Size"],
  ["time", "Changed<span> (UTC)</span>"],
];

function headings(view: FolderView): string {
  const { sort } = view;
  const first = view.after === "" ? "" : `after=${hrefOf(view.after)}`;
  return COLUMNS.map(([by, text]) => {
    const wanted = nextSort(sort, by);
    // The order by name has no parameter: "./" is then all of it.
    const query = (first + sortParameters(wanted)).replace(/^&/, "");
    const href = query === "" ? "./" : `?${query.replaceAll("&", "&amp;")}`;
    const state =
      sort.by === by ? ` aria-sort=${sort.order === "asc" ? "ascending" : "descending"}` : "";
    return `<th scope=col${state}><a href="${href}">${text}</a>`;
  }).join("");
}

/** Where the folder has more than one page: which one this is, and the links to others. */
function pages({ after, next, sort }: FolderView): string {
  if (after === "" && next === null) return "";
  const sorted = sortParameters(sort).replaceAll("&", "&amp;");
  const back = after === "" ? "" : `<a href="./" rel=first>First page</a>`;
  const on =
    next === null ? "" : `<a href="?after=${hrefOf(next)}${sorted}" rel=next>Next page</a>`;
  const begins = after === "" ? "" : ` behind <b>${escapeHtml(printable(after))}</b>`;
  const ends = next === null ? "" : ` up to <b>${escapeHtml(printable(next))}</b>`;
  return `<nav aria-label=Pages><p>These are the names${begins}${ends}.</p>\n${back}${on}</nav>\n`;
}
