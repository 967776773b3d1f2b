/**
 * Splits a typed line into words with a shell's quoting: '...' is literal, and a backslash, alone
 * or within "...", makes the next character literal. Nothing is expanded. No I/O.
 */

/** A quote that is open at the end of a line. */
export type Quote = "" | "'" | '"';

/** One word of a line. */
export interface Word {
  /** Without its quotes. */
  readonly text: string;
  /** Where it starts in the line. */
  readonly from: number;
  /** The quote it starts with, or "". */
  readonly quote: Quote;
}

/** A line's words. */
export interface Words {
  readonly words: readonly Word[];
  /** A quote or a backslash at the end is not closed: an error when the line is entered. */
  readonly open: boolean;
  /** The last word ends where the line ends, so that the next character continues it. */
  readonly continues: boolean;
}

/** Splits `line`. Throws nothing. */
export function wordsOf(line: string): Words {
  const words: Word[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(line[at] ?? "")) at++;
    if (at >= line.length) return { words, open: false, continues: false };
    const { text, end, open } = readWord(line, at);
    const first = line[at];
    words.push({ text, from: at, quote: first === "'" || first === '"' ? first : "" });
    if (end >= line.length) return { words, open, continues: true };
    at = end;
  }
}

/**
 * `text` as a word that wordsOf() reads back, begun with `quote` as the person began it. `whole`:
 * the quote is closed.
 */
export function quoted(text: string, quote: Quote, whole: boolean): string {
  const end = whole ? quote : "";
  if (quote === "'") return `'${text.replaceAll("'", `'\\''`)}${end}`;
  if (quote === '"') return `"${text.replaceAll(/["\\]/g, "\\$&")}${end}`;
  return text.replaceAll(/[\s'"\\]/g, "\\$&");
}

// --- internal ---

/** The word that starts at `from`. */
function readWord(line: string, from: number): { text: string; end: number; open: boolean } {
  let text = "";
  let quote: Quote = "";
  let at = from;
  for (; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === quote) quote = "";
    else if (character === "\\" && quote !== "'") {
      at++;
      if (at >= line.length) return { text, end: at, open: true };
      text += line[at];
    } else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote === "" && /\s/.test(character)) break;
    else text += character;
  }
  return { text, end: at, open: quote !== "" };
}
