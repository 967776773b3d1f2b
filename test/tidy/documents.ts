/**
 * The rules about documents: the rooms they draw, the files they name, where their links lead, and
 * the form of decision records. Each is a function of paths and texts alone.
 */
import { posix } from "node:path";
import { firstFence, type Piece, readMarkdown } from "./markdown.ts";
import { RANKS } from "./rooms.ts";
import { type Finding, lineOf, linesOf, type SourceFile, typescript } from "./source.ts";

const ARCHITECTURE = ".github/ARCHITECTURE.md";
const CONTRIBUTING = ".github/CONTRIBUTING.md";
const DECISIONS = ".github/decisions";

/** Paragraphs of a decision record, in this order. */
const PARAGRAPHS = ["Context", "Decision", "Cost", "Measured", "What would change it"];

/** A record is read in a minute. */
const RECORD_LINES_MAX = 25;

/** A word that can only be a file's or a folder's name. */
const FILE_NAME = /^(?:[\w.@-]+\/)+[\w.@-]*$|^[\w@-]+\.(?:ts|md|json|toml|yml|c|py)$/;

/** The rooms that documents draw are those of rooms.ts, each on its row; the table has them all. */
export function drawnRooms(files: readonly SourceFile[]): Finding[] {
  return [ARCHITECTURE, CONTRIBUTING].flatMap((path) => {
    const text = textOf(files, path);
    if (text === null) return [{ path, line: 1, fix: `write ${path}, which draws the rooms` }];
    const table = path === ARCHITECTURE ? tableFindings(path, text) : [];
    return [...drawingFindings(path, firstFence(text, "Rooms")), ...table];
  });
}

/** A file that ARCHITECTURE or CONTRIBUTING names is there. Globs name none in particular. */
export function namedFiles(files: readonly SourceFile[]): Finding[] {
  const tree = treeOf(files);
  return [ARCHITECTURE, CONTRIBUTING].flatMap((path) => {
    const { spans, fenced } = readMarkdown(textOf(files, path) ?? "");
    const named = [
      ...wordsOf(spans).filter(({ text }) => FILE_NAME.test(text)),
      ...wordsOf(fenced).filter(({ text }) => FILE_NAME.test(text) && text.endsWith(".ts")),
    ];
    return named.flatMap(({ text, line }) => {
      const fix = nameFix(tree, text);
      return fix === null ? [] : [{ path, line, fix }];
    });
  });
}

/** Links from one document to another lead somewhere. */
export function linkedFiles(files: readonly SourceFile[]): Finding[] {
  const tree = treeOf(files);
  return files
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap(({ path, text }) =>
      readMarkdown(text).links.flatMap(({ text: link, line }) => {
        const to = link.replace(/#.*$/, "");
        if (to === "" || /^[a-z]+:/.test(to)) return [];
        const target = posix.join(posix.dirname(path), to).replace(/\/$/, "");
        if (tree.has(target)) return [];
        return [
          { path, line, fix: `let the link lead to a file that exists: there is no ${target}` },
        ];
      }),
    );
}

/** A decision record has a number, a date, a status and its paragraphs, and ARCHITECTURE's link. */
export function decisionRecords(files: readonly SourceFile[]): Finding[] {
  const records = files.filter(({ path }) => path.startsWith(`${DECISIONS}/`));
  const numbers = records.map(({ path }) => numberOf(path));
  const { links } = readMarkdown(textOf(files, ARCHITECTURE) ?? "");
  const linked = new Set(links.map(({ text }) => posix.join(posix.dirname(ARCHITECTURE), text)));
  return records.flatMap((record, nth) => {
    const number = numbers[nth]!;
    const { path } = record;
    const fixes = number === "" ? [NAME_FIX] : formFixes(record.text, number, numbers);
    if (number !== "" && numbers.indexOf(number) !== nth) fixes.push("give it a number of its own");
    if (!linked.has(path)) fixes.push(`give it a row in the table of ${ARCHITECTURE}`);
    return fixes.map((fix) => ({ path, line: 1, fix }));
  });
}

/** A decision that a comment of the code cites, by its number, is written down. */
export function citedDecisions(files: readonly SourceFile[]): Finding[] {
  const records = files.filter(({ path }) => path.startsWith(`${DECISIONS}/`));
  const numbers = new Set(records.map(({ path }) => numberOf(path)));
  return typescript(files, "src").flatMap(({ path, text }) =>
    [...text.matchAll(/\bdecision (\d{4})\b/g)]
      .filter(([, number]) => !numbers.has(number!))
      .map(({ 1: number, index }) => {
        const fix = `cite a record of ${DECISIONS}, or write it: there is no ${number}`;
        return { path, line: lineOf(text, index), fix };
      }),
  );
}

// --- internal: rooms ---

function drawingFindings(path: string, drawing: readonly Piece[]): Finding[] {
  const start = drawing[0]?.line ?? 1;
  const drawn = drawing.flatMap(({ text, line }) => {
    const row = /^ *(\d+)((?: +(?:[a-z][a-z0-9/]*\/|src\/\w+\.ts)(?= |$))+)/.exec(text);
    const names = row === null ? [] : row[2]!.trim().split(/ +/);
    return names.map((name) => ({ room: drawnName(name), rank: Number(row![1]), line }));
  });
  const missing = Object.entries(RANKS)
    .filter(([room]) => !drawn.some((it) => it.room === room))
    .map(([room, rank]) => {
      const fix = `draw ${labelOf(room)} on row ${rank} of the first fence below "## Rooms"`;
      return { path, line: start, fix };
    });
  const wrong = drawn.flatMap(({ room, rank, line }) => {
    const right = RANKS[room];
    if (right === rank) return [];
    const fix =
      right === undefined
        ? `take ${labelOf(room)} out of the drawing, or give it a row in test/tidy/rooms.ts`
        : `draw ${labelOf(room)} on row ${right}, where test/tidy/rooms.ts has it`;
    return [{ path, line, fix }];
  });
  return [...missing, ...wrong];
}

function tableFindings(path: string, text: string): Finding[] {
  const rows = linesOf(text).flatMap((row, index) => {
    const room = /^\| `([a-z][a-z0-9/]*)\/` +\|/.exec(row)?.[1];
    return room === undefined ? [] : [{ room, line: index + 1 }];
  });
  const missing = Object.keys(RANKS)
    .filter((room) => room !== "entry" && !rows.some((row) => row.room === room))
    .map((room) => ({
      path,
      line: 1,
      fix: `say in the table of rooms what ${labelOf(room)} owns, and what it never does`,
    }));
  const gone = rows
    .filter(({ room }) => RANKS[room] === undefined)
    .map(({ room, line }) => ({
      path,
      line,
      fix: `take ${labelOf(room)} out of the table of rooms`,
    }));
  return [...missing, ...gone];
}

/** The files of src itself are the room "entry". */
function drawnName(name: string): string {
  return name.endsWith(".ts") ? "entry" : name.slice(0, -1);
}

function labelOf(room: string): string {
  return room === "entry" ? "the files of src itself" : `${room}/`;
}

// --- internal: files ---

function textOf(files: readonly SourceFile[], path: string): string | null {
  return files.find((file) => file.path === path)?.text ?? null;
}

/** The paths of every file and every folder. */
function treeOf(files: readonly SourceFile[]): Set<string> {
  const tree = new Set<string>();
  for (const { path } of files) {
    for (let at = path; at !== "." && !tree.has(at); at = posix.dirname(at)) tree.add(at);
  }
  return tree;
}

function wordsOf(pieces: readonly Piece[]): Piece[] {
  return pieces.flatMap(({ text, line }) =>
    text.split(/[\s()]+/).map((word) => ({ text: word, line })),
  );
}

/** Null where `word` names one file or folder: from the top, from src, or by its name alone. */
function nameFix(tree: ReadonlySet<string>, word: string): string | null {
  const name = word.replace(/\/$/, "");
  if (tree.has(name) || tree.has(`src/${name}`)) return null;
  const called = [...tree].filter((path) => path.endsWith(`/${name}`));
  if (called.length === 0 || name.includes("/")) {
    return `name a file that exists instead of "${word}", or take the sentence out`;
  }
  return called.length === 1 ? null : `say which "${word}" is meant: ${called.join(", ")}`;
}

// --- internal: records ---

const NAME_FIX = "name the record by a number of four digits and its subject: 0001-subject.md";

function numberOf(path: string): string {
  return /^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md$/.exec(posix.basename(path))?.[1] ?? "";
}

function formFixes(text: string, number: string, numbers: readonly string[]): string[] {
  const fixes: string[] = [];
  const lines = linesOf(text);
  if (!lines[0]?.startsWith(`# ${number}: `)) fixes.push(`begin it with "# ${number}: TITLE"`);
  const date = /^- Date: (\d{4}-\d{2}-\d{2})$/m.exec(text)?.[1];
  if (date === undefined || Number.isNaN(Date.parse(date))) {
    fixes.push(`date it by a line "- Date: YYYY-MM-DD", the day of the commit that made it`);
  }
  const status = /^- Status: (?:in force|given up|replaced by (\d{4}))$/m.exec(text);
  if (status === null) {
    fixes.push(`give it a line "- Status: " with "in force", "given up" or "replaced by NUMBER"`);
  } else if (status[1] !== undefined && !numbers.includes(status[1])) {
    fixes.push(`write the record ${status[1]} that is said to replace it`);
  }
  const heads = [...text.matchAll(/^\*\*([^*]+)\.\*\* \S/gm)].map(([, head]) => head);
  if (heads.join() !== PARAGRAPHS.join()) {
    fixes.push(`write these paragraphs in this order: ${PARAGRAPHS.join(", ")}`);
  }
  if (lines.length > RECORD_LINES_MAX) {
    fixes.push(`shorten the record: ${lines.length} lines, ${RECORD_LINES_MAX} at most`);
  }
  return fixes;
}
