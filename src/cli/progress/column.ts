/**
 * Text measured in terminal columns: its width, and how to cut or pad it to a width. Pure
 * functions, no I/O.
 *
 * Terminals disagree about the width of emoji that consist of several code points. A text counts as
 * wide as the widest of them shows it: a line that is a column too short does no harm, a line that
 * wraps breaks the frame.
 */

const clusters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Marks where a name was cut. */
const OMITTED = "...";

/**
 * Upper bound of the columns of `text`: East Asian wide characters take two, combining ones none.
 */
export function widthOf(text: string): number {
  let apart = 0;
  for (const character of text) apart += Bun.stringWidth(character);
  return Math.max(apart, Bun.stringWidth(text));
}

/** The start of `text` that fits `width` columns; no grapheme is split. */
export function startOf(text: string, width: number): string {
  return text.length <= width && isAscii(text) ? text : taken(segmentsOf(text), width).join("");
}

/** The end of `text` that fits `width` columns: of a path, the part with the file's name. */
export function endOf(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const mark = OMITTED.slice(0, Math.max(0, Math.min(OMITTED.length, width - 1)));
  const kept = taken(segmentsOf(text).reverse(), width - mark.length).reverse();
  return startOf(mark + kept.join(""), width);
}

/** `text`, which fits, padded with blanks to `width` columns. */
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
