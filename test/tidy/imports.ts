/**
 * Reads what a file imports, and names where a relative import leads. Only the names of files are
 * compared; nothing is opened.
 */
import { posix } from "node:path";
import { lineOf, type Source } from "./source.ts";

export interface Import {
  /** As written: "./lines.ts", "node:path", "citty". */
  readonly specifier: string;
  /** The path in the repository that a relative specifier means, else null. */
  readonly target: string | null;
  readonly line: number;
  /** Leaves nothing behind at run time. */
  readonly typeOnly: boolean;
  /** Is an `export … from`. */
  readonly reexport: boolean;
}

/**
 * Every import of `source`: static, re-exporting, dynamic, and files named by `new URL(…,
 * import.meta.url)`.
 */
export function importsOf(source: Source): Import[] {
  const imports: Import[] = [];
  for (const [form, pattern] of Object.entries(PATTERNS)) {
    for (const match of source.code.matchAll(pattern)) {
      const quote = match.index + match[0].search(/["'](?=\s*["'])/);
      const end = source.code.indexOf(source.code[quote]!, quote + 1);
      const specifier = source.text.slice(quote + 1, end);
      imports.push({
        specifier,
        target: /^\.\.?\//.test(specifier) ? resolve(source.path, specifier) : null,
        line: lineOf(source.text, match.index),
        typeOnly: form === "typeof" || (form === "from" && isTypeOnly(match[2]!)),
        reexport: match[1] === "export",
      });
    }
  }
  return imports.sort((a, b) => a.line - b.line);
}

// --- internal ---

const PATTERNS = {
  from: /\b(import|export)\b(?!\s*[(.])([^;"'`=()]*?)\bfrom\s*["']\s*["']/g,
  effect: /\b(import)\s*["']\s*["']/g,
  dynamic: /(?<!\btypeof\s+)\bimport\s*\(\s*["']\s*["']/g,
  typeof: /\btypeof\s+import\s*\(\s*["']\s*["']/g,
  url: /\bnew\s+URL\s*\(\s*["']\s*["']\s*,\s*import\.meta\.url/g,
};

/** Whether a clause is `type { … }` or names nothing but `type X`. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*,)/.test(clause)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1]?.split(",") ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== "");
  return given.length > 0 && given.every((name) => name.startsWith("type "));
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}
