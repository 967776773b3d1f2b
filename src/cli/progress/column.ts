/**
 * Text in a terminal's columns: how wide it is, and how to make it exactly or at most so wide. No
 * I/O.
 *
 * Terminals disagree about emoji made of several characters, so a text counts as wide as any of
 * them may show it: a line that is a column short does no harm, one that wraps breaks the picture.
 */

const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** What stands for the part of a name that was left out. */
const OMITTED = "...";

/** Columns of `text`, at most: East Asian characters are two, combining ones none. */
export function widthOf(text: string): number {
  let apart = 0;
  for (const character of text) apart += Bun.stringWidth(character);
  return Math.max(apart, Bun.stringWidth(text));
}

/** The start of `text` that fits `width` columns, with no character cut apart. */
export function startOf(text: string, width: number): string {
  return text.length <= width && isAscii(text) ? text : taken(segmentsOf(text), width).join("");
}

/** The end of `text` that fits `width` columns: of a path the telling part. */
export function endOf(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const mark = OMITTED.slice(0, Math.max(0, Math.min(OMITTED.length, width - 1)));
  const kept = taken(segmentsOf(text).reverse(), width - mark.length).reverse();
  return startOf(mark + kept.join(""), width);
}

/** `text`, which fits, filled up to `width` columns. */
export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

// --- internal ---

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function segmentsOf(text: string): string[] {
  return Array.from(clusters.segment(text), ({ segment }) => segment);
}

function taken(segments: readonly string[], width: number): string[] {
  let used = 0;
  const end = segments.findIndex((segment) => (used += widthOf(segment)) > width);
  return segments.slice(0, end < 0 ? segments.length : end);
}
