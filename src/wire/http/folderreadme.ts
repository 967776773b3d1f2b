/**
 * The text that explains a folder, below its list: as it stands in the file, never as markup. Which
 * file that is, and how much of it is shown.
 */
import type { ByteString } from "../bytes.ts";
import { grouped } from "./folderquantity.ts";
import type { FolderListing } from "./folderlisting.ts";
import { hrefOf } from "./href.ts";
import { escapeHtml } from "./html.ts";

/** A README of a folder. */
export interface Readme {
  readonly name: ByteString;
  readonly size: bigint;
  /** The content; null where it is too long to be shown, or not at hand. */
  readonly content: Uint8Array | null;
}

/**
 * The names to look for a README under, best first: those that are on the page; or on the `first`
 * page, where `more` follow and it has none, those that may be on a later one.
 */
export function readmeNames(
  listing: FolderListing,
  first: boolean,
  more: boolean,
): readonly ByteString[] {
  const here = NAMES.filter((name) => listing.file((it) => it === name) !== null);
  if (here.length > 0 || !first || !more) return here;
  const last = listing.names.at(-1) ?? "";
  return NAMES.filter((name) => name > last);
}

/**
 * The part of the page that shows `readme`, "" for null and for what is no text. Escaped, it has at
 * most five times the bytes of the content. What is no UTF-8 is U+FFFD.
 */
export function readmeHtml(readme: Readme | null): string {
  if (readme === null) return "";
  const { name, size, content } = readme;
  if (content?.includes(0) === true) return "";
  const head =
    `<section aria-labelledby=r><h2 id=r>` +
    `<a href="${hrefOf(name)}">${escapeHtml(name)}</a></h2>\n`;
  if (content === null) return `${head}<p>${grouped(`${size}`)} bytes, not shown here.</section>\n`;
  const text = Buffer.from(content.buffer, content.byteOffset, content.length)
    .toString("utf8")
    .replaceAll(CONTROLS, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
  // A parser drops the first line feed behind <pre>.
  return `${head}<pre>\n${text}</pre></section>\n`;
}

// --- internal ---

const NAMES: readonly ByteString[] = ["README.md", "README.txt", "README"];

/** All but tab, line feed and carriage return. */
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
