/**
 * The rules that read one file at a time: sizes, names, types, comments, and no promise on the hot
 * path. Each is a function of the files' paths and texts alone.
 */
import { functionsOf } from "./functions.ts";
import { type Finding, lineOf, linesOf, parse, type Source, typescript } from "./source.ts";
import type { SourceFile } from "./source.ts";

/** What one sitting can read. */
export const FILE_LINES_MAX = 400;

/** What one screen can show. */
export const FUNCTION_LINES_MAX = 70;

/** Two files side by side; the width `bun fmt` wraps at (bunfig.toml). */
export const LINE_COLUMNS_MAX = 100;

/** Names of drawers that anything fits into. */
const DRAWER = /^(?:utils?|helpers?|common|misc)(?:\.|$)/;

/** A literal longer than this pushes its line over the limit by itself: nothing can fold it. */
const LITERAL_COLUMNS_MAX = 70;

/** Files stay short enough to be read in one go. */
export function fileLength(files: readonly SourceFile[]): Finding[] {
  return everywhere(files, ({ path, text }) => {
    const count = linesOf(text).length;
    const fix = `split the file by direction or stage: ${count} lines, ${FILE_LINES_MAX} at most`;
    return count > FILE_LINES_MAX ? [{ path, line: FILE_LINES_MAX + 1, fix }] : [];
  });
}

/** Functions stay short enough to be seen at once. */
export function functionLength(files: readonly SourceFile[]): Finding[] {
  return everywhere(files, (source) =>
    functionsOf(source)
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ line, lines }) => ({
        path: source.path,
        line,
        fix: `split the function by stage: ${lines} lines, ${FUNCTION_LINES_MAX} at most`,
      })),
  );
}

/** Lines fit; a URL, and a literal that nothing can fold, may stick out. */
export function lineLength(files: readonly SourceFile[]): Finding[] {
  return everywhere(files, ({ path, text, literals }) => {
    const findings: Finding[] = [];
    let start = 0;
    for (const [index, line] of linesOf(text).entries()) {
      const end = start + line.length;
      const columns = [...line].length;
      const covered = literals.map((it) => Math.min(it.end, end) - Math.max(it.start, start));
      const excused = line.includes("://") || covered.some((width) => width > LITERAL_COLUMNS_MAX);
      if (columns > LINE_COLUMNS_MAX && !excused) {
        const fix = `fold the line: ${columns} columns, ${LINE_COLUMNS_MAX} at most`;
        findings.push({ path, line: index + 1, fix });
      }
      start = end + 1;
    }
    return findings;
  });
}

/** A name says what is inside; these words do not. */
export function tellingNames(files: readonly SourceFile[]): Finding[] {
  return everywhere(files, ({ path }) => {
    const drawer = path.split("/").find((part) => DRAWER.test(part));
    if (drawer === undefined) return [];
    return [{ path, line: 1, fix: `name "${drawer}" after the one thing it holds, or split it` }];
  });
}

/**
 * `any` switches the checker off, also for whoever uses the value. Only sys/ borders on untyped
 * calls.
 */
export function noAny(files: readonly SourceFile[]): Finding[] {
  const before = /[:<|&]|=>|\btype\s+\w+\s*=|\b(?:as|extends|readonly|keyof)\b/.source;
  const inList = /,(?=\s*any\b(?:\[\])*\s*[>|&])/.source;
  const pattern = new RegExp(`(?:${before}|${inList})\\s*any\\b(?!\\s*[(:.])`, "g");
  return everywhere(files, (source) =>
    source.path.startsWith("src/sys/")
      ? []
      : codeMatches(source, pattern, "give the value its type, or unknown and a check"),
  );
}

/** An ignored error is any with no name. */
export function noTsIgnore(files: readonly SourceFile[]): Finding[] {
  const fix =
    "fix the type, or write @ts-expect-error with the reason, which ends when it is fixed";
  return everywhere(files, (source) => commentMatches(source, /@ts-(?:ignore|nocheck)\b/, fix));
}

/** Work that is left is an issue or is done, not a note. */
export function noLeftovers(files: readonly SourceFile[]): Finding[] {
  const fix = "do it now, or say in the comment what is so and why, and open an issue";
  return everywhere(files, (source) => commentMatches(source, /\b(?:TODO|FIXME|XXX|HACK)\b/, fix));
}

/** A focused test turns the others off; a skipped one says why on its line. */
export function noFocusedTests(files: readonly SourceFile[]): Finding[] {
  return everywhere(files, (source) => {
    const focused = /\b(?:(?:test|it|describe)\s*\.\s*only|[fx](?:it|test|describe))\s*\(/g;
    const skipped = /\b(?:test|it|describe)\s*\.\s*(?:skip|todo)\s*\(/g;
    const lines = linesOf(source.text);
    const unexplained = codeMatches(
      source,
      skipped,
      "run the test, or say why not in a comment on the line",
    ).filter(({ line }) => !/\/\/ \S{2,}/.test(lines[line - 1]!));
    return [
      ...codeMatches(source, focused, "run the other tests too: take the focus off"),
      ...unexplained,
    ];
  });
}

/** Who calls an exported function or class should not have to read it first. */
export function documentedExports(files: readonly SourceFile[]): Finding[] {
  const declared =
    /^export (?:(?:default |async |abstract )*(?:function\*?|class) +(\w+)|const (\w+))/gm;
  return inFolders(files, ["src"], (source) => {
    const seen = new Set<string>();
    return [...source.code.matchAll(declared)].flatMap((match) => {
      const name = match[1] ?? match[2]!;
      if (match[2] !== undefined && !isFunctionValue(source.code, match.index)) return [];
      if (seen.has(name) || hasDocAbove(source, match.index)) return (seen.add(name), []);
      const fix = `say in a /** comment */ right above what "${name}" is for`;
      return [{ path: source.path, line: lineOf(source.text, match.index), fix }];
    });
  });
}

/** A file's first lines say what it owns and what it never does. */
export function headers(files: readonly SourceFile[]): Finding[] {
  const fix = "start the file with a comment: what it owns, what it never does";
  return inFolders(files, ["src"], ({ path, text }) =>
    /^(?:#![^\n]*\n)?\s*(?:\/\*\*|\/\/)/.test(text) ? [] : [{ path, line: 1, fix }],
  );
}

/** No promise per chunk: bytes flow by numbers and events. The rest is marked and says why. */
export function noPromises(files: readonly SourceFile[]): Finding[] {
  const pattern =
    /\basync\b(?!\s*[:?=])|\bawait\b|\.\s*then\s*\(|\bnew\s+Promise\b|\bPromise\s*\./g;
  const fix = "use a callback and numbers, or add `// off the hot path:` and the reason";
  return inFolders(files, ["src/send", "src/receive", "src/wire"], (source) => {
    const lines = linesOf(source.text);
    const marked = (line: number): boolean =>
      /\/\/ off the hot path: \S/.test(lines[line - 1] ?? "");
    return codeMatches(source, pattern, fix).filter(
      ({ line }) => !marked(line) && !marked(line - 1),
    );
  });
}

// --- internal ---

function inFolders(
  files: readonly SourceFile[],
  folders: readonly string[],
  rule: (source: Source) => Finding[],
): Finding[] {
  return typescript(files, ...folders).flatMap((file) => rule(parse(file)));
}

function everywhere(files: readonly SourceFile[], rule: (source: Source) => Finding[]): Finding[] {
  return inFolders(files, ["src", "test", "bench"], rule);
}

function codeMatches({ path, code }: Source, pattern: RegExp, fix: string): Finding[] {
  return [...code.matchAll(pattern)].map((match) => {
    const start = match.index + match[0].search(/\S/);
    return { path, line: lineOf(code, start), fix };
  });
}

function commentMatches(source: Source, pattern: RegExp, fix: string): Finding[] {
  return source.comments.flatMap(({ start, end }) => {
    const match = pattern.exec(source.text.slice(start, end));
    if (match === null) return [];
    return [{ path: source.path, line: lineOf(source.text, start + match.index), fix }];
  });
}

/**
 * Whether the constant declared at `at` holds a function: its value starts with one or with
 * parameters.
 */
function isFunctionValue(code: string, at: number): boolean {
  const value = /^[^=]*(?:=>[^=]*)*=(?![=>])\s*([^]{0,400})/.exec(code.slice(at))?.[1] ?? "";
  const parameters = /\([^()]*(?:\([^()]*\)[^()]*)*\)\s*(?:=>|:)/;
  const start = new RegExp(`^(?:async\\s*)?(?:function\\b|\\w+\\s*=>|<|${parameters.source})`);
  return start.test(value);
}

/** Whether a doc comment ends right above `at`, with nothing but the line's end between. */
function hasDocAbove({ text, comments }: Source, at: number): boolean {
  return comments.some(
    ({ start, end }) => text.startsWith("/**", start) && /^[ \t]*\n$/.test(text.slice(end, at)),
  );
}
