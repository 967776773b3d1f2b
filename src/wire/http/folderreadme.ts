/**
 * The text that explains a folder, below its list: as it stands in the file, never as markup. Which
 * file that is, and how much of it is shown.
 */
import type { ByteString } from "../bytes.ts";
import { grouped } from "./folderquantity.ts";
import { hrefOf } from "./href.ts";
import { escapeHtml } from "./html.ts";

/** What such a file is called, best first. */
export const README_NAMES: readonly ByteString[] = ["README.md", "README.txt", "README"];

/** A README of a folder. */
export interface Readme {
  readonly name: ByteString;
  readonly size: bigint;
  /** The content; null where it is too long to be shown, or not at hand. */
  readonly content: Uint8Array | null;
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

/** All but tab, line feed and carriage return. */
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
