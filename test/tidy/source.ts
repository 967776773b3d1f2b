/**
 * Reads TypeScript just well enough to keep rules about it: what is code, what is comment, what is
 * literal. `code` has the text's length and lines, with comments and the insides of literals
 * blanked, so that a rule never takes a word in a string for the thing itself. It knows nothing of
 * any rule.
 */

export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A stretch of the text, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Source extends SourceFile {
  readonly code: string;
  readonly comments: readonly Span[];
  /** Strings, templates (also those around `${}`) and regular expressions, delimiters included. */
  readonly literals: readonly Span[];
}

/** A rule's complaint: where, and the fix in one sentence. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly fix: string;
}

const parsed = new WeakMap<SourceFile, Source>();

/** Parses a file once, however many rules ask. */
export function parse(file: SourceFile): Source {
  let source = parsed.get(file);
  if (source === undefined) {
    const lexer = new Lexer(file.text);
    source = { ...file, code: lexer.code, comments: lexer.comments, literals: lexer.literals };
    parsed.set(file, source);
  }
  return source;
}

/** The number of the line that holds `offset`, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i !== -1 && i < offset; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** The lines of a text; a final newline starts none. */
export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The TypeScript files at or below `folders`. */
export function typescript(
  files: readonly SourceFile[],
  ...folders: readonly string[]
): SourceFile[] {
  return files.filter(
    ({ path }) => path.endsWith(".ts") && folders.some((folder) => path.startsWith(`${folder}/`)),
  );
}

// --- internal ---

/**
 * A slash after one of these words starts a regular expression; after any other name it divides.
 */
const BEFORE_REGEX =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

class Lexer {
  readonly code: string;
  readonly comments: Span[] = [];
  readonly literals: Span[] = [];
  readonly #text: string;
  readonly #out: string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#out = text.split("");
    this.#readCode(false);
    this.code = this.#out.join("");
  }

  /** Reads code up to the end, or up to the brace that closes a template's `${`. */
  #readCode(insideTemplate: boolean): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at];
      if (char === "/") this.#readSlash();
      else if (char === '"' || char === "'") this.#readString(char);
      else if (char === "`") this.#readTemplate();
      else {
        if (char === "{") depth++;
        if (char === "}" && depth-- === 0 && insideTemplate) return;
        this.#at++;
      }
    }
  }

  #readSlash(): void {
    const next = this.#text[this.#at + 1];
    if (next === "/") this.#readComment("\n", 0);
    else if (next === "*") this.#readComment("*/", 2);
    else if (!this.#readRegex()) this.#at++;
  }

  #readComment(terminator: string, terminatorLength: number): void {
    const start = this.#at;
    const found = this.#text.indexOf(terminator, start + 2);
    this.#at = found === -1 ? this.#text.length : found + terminatorLength;
    this.comments.push({ start, end: this.#at });
    this.#blank(start, this.#at);
  }

  #readString(quote: string): void {
    const start = this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    this.#closeLiteral(start, ++this.#at);
  }

  #readTemplate(): void {
    const start = this.#at++;
    let textStart = this.#at;
    while (this.#at < this.#text.length && this.#text[this.#at] !== "`") {
      if (this.#text.startsWith("${", this.#at)) {
        this.#at += 2;
        this.#blank(textStart, this.#at);
        this.#readCode(true);
        textStart = this.#at;
      }
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    this.#blank(textStart, this.#at++);
    this.literals.push({ start, end: this.#at });
  }

  /** Returns false, having read nothing, where the slash divides. */
  #readRegex(): boolean {
    const before = this.#out
      .slice(Math.max(0, this.#at - 200), this.#at)
      .join("")
      .trimEnd();
    if (/[\w$)\]}"'`]$/.test(before) && !BEFORE_REGEX.test(before)) return false;
    const body = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
    body.lastIndex = this.#at;
    const match = body.exec(this.#text);
    if (match === null) return false;
    const start = this.#at;
    this.#at += match[0].length;
    this.#closeLiteral(start, this.#at);
    return true;
  }

  /**
   * Blanks a literal's inside and leaves quotes at its ends, so that it still reads as an operand.
   */
  #closeLiteral(start: number, end: number): void {
    this.literals.push({ start, end });
    this.#blank(start, end);
    this.#out[start] = '"';
    this.#out[end - 1] = '"';
  }

  #blank(start: number, end: number): void {
    for (let i = start; i < end; i++) if (this.#out[i] !== "\n") this.#out[i] = " ";
  }
}
