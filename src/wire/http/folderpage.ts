/**
 * The page of a folder as HTML: a beginning, a row for each entry and an end, each a short text, so
 * that a million entries are made and sent in pieces of any size. Text goes out as UTF-8. It knows
 * no folder and keeps nothing; the order of the rows is that in which they are asked for.
 */
import type { ByteString } from "../bytes.ts";
import type { Entry } from "../entry.ts";
import { HERE } from "../path.ts";
import { printable } from "../printable.ts";
import { secondOf } from "./date.ts";
import { FOLDER_POLICY, FOLDER_STYLE } from "./folderstyle.ts";
import { folderHref, hrefOf } from "./href.ts";
import { field, typeFields } from "./responsehead.ts";

/** The fields of the page: what it is, what it may do, and that Accept could have chosen JSON. */
export const FOLDER_PAGE_FIELDS =
  typeFields("text/html;charset=utf-8") +
  field("Content-Security-Policy", FOLDER_POLICY) +
  field("Referrer-Policy", "no-referrer") +
  field("Cache-Control", "no-cache") +
  field("Vary", "Accept");

/**
 * The page up to its first row. `relative` is the folder below the root as relativeOf() gives it.
 * Each folder on the way is a link, and in any but the root the first row leads one up.
 */
export function folderStart(relative: ByteString): string {
  const names = relative === HERE ? [] : relative.split("/").filter((name) => name !== "");
  const title = escapeHtml(printable(folderTitle(names)));
  const up =
    names.length === 0 ? "" : `<tr><td><a href="../">../</a><td class=n><td class="n t">\n`;
  return (
    `<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n` +
    `<meta name=viewport content="width=device-width,initial-scale=1">\n` +
    `<title>${title}</title>\n<style>${FOLDER_STYLE}</style>\n` +
    `<h1>${crumbs(names)}</h1>\n<table>\n` +
    `<thead><tr><th scope=col aria-sort=ascending>Name` +
    `<th scope=col class=n>Size<th scope=col class="n t">Changed (UTC)\n<tbody>\n${up}`
  );
}

/**
 * The row of one entry, 0.2 KiB as a rule. `name` is any that isName() holds for: with 255 quotes,
 * each of which is %22 in the link and &quot; in the text, a row has 2.5 KiB, and none has more.
 */
export function folderRow({ type, size, mtime }: Entry, name: ByteString): string {
  const slash = type === "dir" ? "/" : "";
  const link = `<a href="${hrefOf(name)}${slash}">${escapeHtml(printable(name))}${slash}</a>`;
  const bytes = type === "dir" ? "" : `<data value=${size}>${sizeText(size)}</data>`;
  return `<tr><td>${link}<td class=n>${bytes}<td class="n t">${timeText(mtime)}\n`;
}

/**
 * What ends the page. `after` is the last name on it when more follow on a page of their own, which
 * is linked as `?after=NAME`; else null.
 */
export function folderEnd(after: ByteString | null): string {
  const next = after === null ? "" : `<p><a rel=next href="?after=${hrefOf(after)}">More</a>\n`;
  return `</table>\n${next}</html>\n`;
}

// --- internal ---

function folderTitle(names: readonly ByteString[]): ByteString {
  return names.length === 0 ? "/" : `/${names.join("/")}/`;
}

function crumbs(names: readonly ByteString[]): string {
  let path = "";
  let text = '<a href="/">/</a>';
  for (const name of names) {
    path += `${name}/`;
    text += `<a href="${folderHref(path)}">${escapeHtml(printable(name))}</a>/`;
  }
  return text;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** `text` between tags or in a quoted attribute. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** "0 B", "1023 B", "1.5 KiB", "20 MiB": one digit behind the point below 10, never rounded up. */
function sizeText(size: bigint): string {
  if (size < 1024n) return `${size} B`;
  let unit = 0;
  let scale = 1024n;
  for (; unit < UNITS.length - 1 && size >= scale * 1024n; unit++) scale *= 1024n;
  const tenths = (size * 10n) / scale;
  const number = tenths < 100n ? `${tenths / 10n}.${tenths % 10n}` : `${tenths / 10n}`;
  return `${number} ${UNITS[unit]}`;
}

/** A time that no calendar of four-digit years has is left out. */
function timeText(mtime: bigint): string {
  const seconds = Number(secondOf(mtime));
  if (seconds < YEAR_0 || seconds >= YEAR_10000) return "";
  const iso = new Date(seconds * 1000).toISOString();
  const short = iso.slice(0, 16).replace("T", " ");
  return `<time datetime=${iso.slice(0, 19)}Z>${short}</time>`;
}

const YEAR_0 = Date.UTC(0) / 1000;
const YEAR_10000 = Date.UTC(10_000) / 1000;
