/**
 * Finds the functions of a file: declarations, methods and arrows, with the lines they span. It
 * works on brackets and the tokens around them, not on a grammar; where TypeScript is ambiguous
 * without one it prefers to see a function. Class bodies and describe() blocks are no functions.
 */
import { lineOf, type Source, type Span } from "./source.ts";

export interface FunctionSpan {
  /** The line the parameters start on. */
  readonly line: number;
  /** Lines down to the closing brace, without those of describe() blocks inside. */
  readonly lines: number;
}

/** Every function of `source`, outer before inner. */
export function functionsOf(source: Source): FunctionSpan[] {
  const { code } = source;
  const brackets = matchBrackets(code);
  const found = new Map<number, Span>();
  const add = (start: number, body: number): void => {
    const end =
      code[body] === "{"
        ? (brackets.get(body) ?? code.length) + 1
        : endOfExpression(code, body, brackets);
    const known = found.get(body);
    if (known === undefined || start < known.start) found.set(body, { start, end });
  };

  for (const [open, close] of brackets) {
    if (code[open] !== "(" || CONTROL.test(code.slice(Math.max(0, open - 80), open))) continue;
    const body = bodyAfter(code, close + 1, brackets);
    if (body !== -1) add(open, body);
  }
  for (const match of code.matchAll(/[\w$]+\s*=>\s*/g))
    add(match.index, match.index + match[0].length);

  const spans = [...found.values()].sort((a, b) => a.start - b.start);
  const suites = spans.filter((span) => isSuite(code, span.start));
  return spans.filter((span) => !suites.includes(span)).map((span) => measure(code, span, suites));
}

// --- internal ---

type Brackets = ReadonlyMap<number, number>;

/** What stands before a parenthesis that starts no parameters, or before a class's base. */
const CONTROL = /(?:\b(?:if|for|while|switch|catch|with|for\s+await)|\bextends\s+[\w$.]+)\s*$/;

/** What `case f(x):` may be followed by, which no return type starts with. */
const STATEMENT = /^(?:return|throw|if|for|while|switch|const|let|await|break|continue)$/;

/** Words of a type after which its operand is still to come. */
const TYPE_PREFIX = /^(?:keyof|typeof|readonly|infer|unique|asserts|new|abstract)$/;

function measure(code: string, span: Span, suites: readonly Span[]): FunctionSpan {
  const height = ({ start, end }: Span): number => lineOf(code, end - 1) - lineOf(code, start) + 1;
  const inside = suites.filter(({ start, end }) => start > span.start && end <= span.end);
  const outermost = inside.filter((a) => !inside.some((b) => b.start < a.start && b.end >= a.end));
  const suiteLines = outermost.reduce((sum, suite) => sum + height(suite), 0);
  return { line: lineOf(code, span.start), lines: height(span) - suiteLines };
}

function matchBrackets(code: string): Map<number, number> {
  const pairs: [number, number][] = [];
  const stack: number[] = [];
  for (let i = 0; i < code.length; i++) {
    if ("([{".includes(code[i]!)) stack.push(i);
    else if (")]}".includes(code[i]!)) {
      const open = stack.pop();
      if (open !== undefined) pairs.push([open, i]);
    }
  }
  return new Map(pairs);
}

/**
 * Where the body starts of a function whose parameters end before `at`, or -1 where there is none.
 */
function bodyAfter(code: string, at: number, brackets: Brackets): number {
  let next = skipSpace(code, at);
  if (code[next] === "{") return next;
  if (code[next] === ":") next = endOfType(code, next + 1, brackets);
  if (next !== -1 && code.startsWith("=>", next)) return skipSpace(code, next + 2);
  return next !== -1 && code[next] === "{" ? next : -1;
}

/** Reads a return type from `at`; returns where the `{` or `=>` after it stands, or -1. */
function endOfType(code: string, at: number, brackets: Brackets): number {
  let wantsOperand = true;
  for (let i = skipSpace(code, at); i < code.length; i = skipSpace(code, i)) {
    const char = code[i]!;
    const word = /^[\w$]+/.exec(code.slice(i, i + 80))?.[0] ?? "";
    if (!wantsOperand && (char === "{" || code.startsWith("=>", i))) return i;
    if (word !== "") {
      if (!wantsOperand && word !== "is" && word !== "extends") return -1;
      if (STATEMENT.test(word)) return -1;
      wantsOperand = !wantsOperand || TYPE_PREFIX.test(word);
      i += word.length;
    } else if ("([{".includes(char)) {
      if (!wantsOperand && char !== "[") return -1;
      i = skipSpace(code, (brackets.get(i) ?? code.length) + 1);
      wantsOperand = char === "(" && code.startsWith("=>", i);
      if (wantsOperand) i += 2;
    } else if ("\"'`".includes(char) && wantsOperand) {
      i = code.indexOf(char, i + 1) + 1;
      wantsOperand = false;
    } else if (char === "<") {
      i = endOfAngles(code, i, brackets);
    } else if ("|&.?:".includes(char)) {
      wantsOperand = true;
      i++;
    } else return -1;
  }
  return -1;
}

function endOfAngles(code: string, at: number, brackets: Brackets): number {
  let depth = 0;
  for (let i = at; i < code.length; i++) {
    if ("([{".includes(code[i]!)) i = brackets.get(i) ?? code.length;
    else if (code[i] === "<") depth++;
    else if (code[i] === ">" && code[i - 1] !== "=" && --depth === 0) return i + 1;
  }
  return code.length;
}

/** The end of an arrow's expression: what closes it or comes after it in the list. */
function endOfExpression(code: string, at: number, brackets: Brackets): number {
  for (let i = at; i < code.length; i++) {
    if ("([{".includes(code[i]!)) i = brackets.get(i) ?? code.length;
    else if (",;)]}".includes(code[i]!)) return i;
  }
  return code.length;
}

/** Whether the function that starts at `start` is the last argument of describe(). */
function isSuite(code: string, start: number): boolean {
  const before = code.slice(Math.max(0, start - 400), start);
  return /\bdescribe(?:\.\w+(?:\([^()]*\))?)?\([^,;]*,\s*(?:async\s*)?(?:function\s*)?$/.test(
    before,
  );
}

function skipSpace(code: string, at: number): number {
  let i = at;
  while (i < code.length && /\s/.test(code[i]!)) i++;
  return i;
}
