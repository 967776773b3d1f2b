/**
 * Reads Markdown just well enough to keep rules about it: which lines are fenced, what stands in
 * backticks, where links lead. It knows nothing of any rule.
 */
import { linesOf } from "./source.ts";

/** A piece of a document with the number of its line, from 1. */
export interface Piece {
  readonly text: string;
  readonly line: number;
}

/** A document, taken apart. */
export interface Markdown {
  /** What stands in backticks, outside of fences. */
  readonly spans: readonly Piece[];
  /** Where links lead, outside of fences and backticks. */
  readonly links: readonly Piece[];
  /** The lines inside of fences. */
  readonly fenced: readonly Piece[];
}

/** Takes `text` apart. */
export function readMarkdown(text: string): Markdown {
  const found = { spans: [] as Piece[], links: [] as Piece[], fenced: [] as Piece[] };
  let inFence = false;
  for (const [index, whole] of linesOf(text).entries()) {
    const line = index + 1;
    if (whole.trimStart().startsWith("```")) inFence = !inFence;
    else if (inFence) found.fenced.push({ text: whole, line });
    else {
      for (const [, span] of whole.matchAll(/`([^`]+)`/g)) found.spans.push({ text: span!, line });
      const prose = whole.replaceAll(/`[^`]*`/g, "");
      for (const [, to] of prose.matchAll(/\]\(([^()\s]+)\)/g))
        found.links.push({ text: to!, line });
    }
  }
  return found;
}

/** The lines of the first fence below the heading `## heading`, or none. */
export function firstFence(text: string, heading: string): Piece[] {
  const lines = linesOf(text);
  const from = lines.indexOf(`## ${heading}`);
  if (from === -1) return [];
  const next = lines.findIndex((line, index) => index > from && line.startsWith("## "));
  const { fenced } = readMarkdown(text);
  const below = fenced.filter(({ line }) => line > from + 1 && (next === -1 || line <= next));
  return below.filter(({ line }, nth) => line === below[0]!.line + nth);
}
