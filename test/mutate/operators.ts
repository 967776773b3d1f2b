/**
 * Makes mutants of a source text: small changes, each of which some test ought to notice. Owns the
 * operators. It is pure, and works on the text as `bun fmt` leaves it: binary operators stand
 * between spaces, and a generic's bracket doesn't.
 */
import { lineOf, parse, type SourceFile } from "../tidy/source.ts";

export interface Mutant {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly operator: string;
  /** The line as it is, trimmed, and what stands there instead. */
  readonly before: string;
  readonly after: string;
  /** The whole file, changed. */
  readonly text: string;
}

/** One place to change: `[start, end)` of the text becomes `to`. */
interface Edit {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly to: string;
}

/** All mutants of `file`, in its order, that differ from it once types and spaces are gone. */
export function mutantsOf(file: SourceFile): Mutant[] {
  const same = compiled(file.text);
  return editsOf(file)
    .toSorted((a, b) => a.start - b.start)
    .map((edit) => mutantOf(file, edit))
    .filter(({ text }) => {
      const made = compiled(text);
      return made !== null && made !== same;
    });
}

// --- internal ---

const BINARY: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "&&": "||",
  "||": "&&",
};

/** What each sign is called in the list of equivalents. */
function nameOf(sign: string): string {
  if (/^[<>]=?$/.test(sign)) return "boundary";
  if (/^[!=]==$/.test(sign)) return "equality";
  return /^[&|]+$/.test(sign) ? "logical" : "arithmetic";
}

function editsOf(file: SourceFile): Edit[] {
  const { code, literals } = parse(file);
  const edits: Edit[] = [];
  const each = (pattern: RegExp, make: (match: RegExpExecArray) => Edit | null): void => {
    for (const match of code.matchAll(pattern)) {
      const edit = make(match as RegExpExecArray);
      if (edit !== null) edits.push(edit);
    }
  };
  each(/(?<=\s)(?:<=?|>=?|[!=]==|[-+*/]|&&|\|\|)(?=\s)/g, ({ 0: sign, index }) => ({
    operator: nameOf(sign),
    start: index,
    end: index + sign.length,
    to: BINARY[sign]!,
  }));
  each(/\bif \(/g, ({ 0: head, index }) => {
    const start = index + head.length;
    const end = closingOf(code, start);
    return { operator: "condition", start, end, to: `!(${file.text.slice(start, end)})` };
  });
  each(/(?<![\w$.#])\d[\d_]*n?\b(?![.\w])/g, ({ 0: number, index }) => ({
    operator: "number",
    start: index,
    end: index + number.length,
    to: neighbourOf(number),
  }));
  each(/\bawait (?!using\b)/g, ({ 0: word, index }) =>
    /\bfor $/.test(code.slice(0, index))
      ? null
      : { operator: "await", start: index, end: index + word.length, to: "" },
  );
  // A call for its effect, alone on its line behind a finished statement or a brace.
  each(/(?<=[;{}]\s*\n\s*)(?:await |void )?(?!super\b)[\w$#.?!]+\([^\n]*\);$/gm, (match) => ({
    operator: "call",
    start: match.index,
    end: match.index + match[0].length,
    to: ";",
  }));
  each(/\breturn ([^\n;]+);/g, (match) => {
    const [whole, value] = match as unknown as [string, string];
    const start = match.index + "return ".length;
    const opposite = { true: "false", false: "true" }[value];
    return {
      operator: "return",
      start,
      end: match.index + whole.length - 1,
      to: opposite ?? "null as never",
    };
  });
  for (const { start, end } of literals) {
    const line = code.slice(code.lastIndexOf("\n", start) + 1, start);
    if (!/^["']/.test(file.text[start]!) || end - start <= 2 || /\bfrom $|^import /.test(line)) {
      continue;
    }
    edits.push({ operator: "string", start, end, to: '""' });
  }
  return edits;
}

/** 0 and 1 become each other, any other number the next one. */
function neighbourOf(number: string): string {
  const big = number.endsWith("n");
  const value = BigInt(number.replace(/n$/, "").replaceAll("_", ""));
  return `${value === 1n ? 0n : value + 1n}${big ? "n" : ""}`;
}

/** Where the parenthesis closes whose inside starts at `start`. */
function closingOf(code: string, start: number): number {
  let depth = 1;
  for (let at = start; at < code.length; at++) {
    if (code[at] === "(") depth++;
    if (code[at] === ")" && --depth === 0) return at;
  }
  return code.length;
}

function mutantOf({ path, text }: SourceFile, { operator, start, end, to }: Edit): Mutant {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const until = (text.indexOf("\n", end) + text.length + 1) % (text.length + 1);
  return {
    path,
    line: lineOf(text, start),
    operator,
    before: text.slice(from, until).trim(),
    after: `${text.slice(from, start)}${to}${text.slice(end, until)}`.trim(),
    text: `${text.slice(0, start)}${to}${text.slice(end)}`,
  };
}

const transpiler = new Bun.Transpiler({ loader: "ts", minifyWhitespace: true });

/** The text as it runs, or null where it is no program. */
function compiled(text: string): string | null {
  try {
    return transpiler.transformSync(text);
  } catch {
    return null;
  }
}
