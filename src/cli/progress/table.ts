/**
 * The rows of a frame laid out as one table, never wider than the terminal. Where there is too
 * little room whole columns are dropped, the least important first; name and bar share the rest. No
 * I/O.
 */
import { endOf, padded, startOf, widthOf } from "./column.ts";

/** The columns behind the name, from left to right. */
const ORDER = ["bar", "percent", "size", "resumed", "verified", "speed", "time"] as const;
type Column = (typeof ORDER)[number];

/** The same in the order in which they are dropped. The name is never dropped. */
const DROP_ORDER = ["resumed", "verified", "size", "bar", "speed", "time", "percent"] as const;

/** Columns that repeat in figures what the bar shows. */
const ADDITIONS: ReadonlySet<Column> = new Set(["resumed", "verified"]);

/** From this width on texts are not abbreviated, and columns are two blanks apart. */
export const ROOMY_COLUMNS = 50;

/** Bytes that a bar shows: those in place, and those of them that were compared with a digest. */
export interface Share {
  readonly verified: number;
  readonly arrived: number;
  readonly size: number;
}

/** One line. All texts are printable; those of columns are ASCII. */
export interface Row {
  /** From the longest to the shortest: the first that fits is shown. */
  readonly names: readonly string[];
  /** Which end of the shortest name is kept where even that name is too long. */
  readonly keep: "start" | "end";
  /** Null where the size, and so the share of it, is not known. */
  readonly share: Share | null;
  readonly texts: Readonly<Partial<Record<Column, string>>>;
}

/** A line for each row, at most `columns` wide, with escape codes for colors if `color`. */
export function table(rows: readonly Row[], columns: number, color: boolean): string[] {
  const roomy = columns >= ROOMY_COLUMNS;
  const gap = roomy ? 2 : 1;
  const widths = widthsOf(rows);
  const wanted = Math.min(NAME_COLUMNS.most, nameColumnsWanted(rows));
  const least = Math.max(...rows.map((row) => leastOf(row, roomy)));
  let room = columns - least;
  for (const width of widths.values()) room -= gap + width;
  for (const column of DROP_ORDER) {
    // Columns that repeat what others say are dropped before a name becomes unreadable.
    const spare = ADDITIONS.has(column) || (column === "bar" && !roomy);
    const needed = spare ? Math.min(wanted, NAME_COLUMNS.readable) - least : 0;
    if (room >= needed) continue;
    room += widths.has(column) ? gap + (widths.get(column) ?? 0) : 0;
    widths.delete(column);
  }
  room = Math.max(0, room);
  const bar = widths.get("bar");
  // The name takes up to two thirds of the rest; what it does not need goes to the bar.
  const barMost = bar === undefined ? 0 : BAR_COLUMNS.most - bar;
  const barMore = Math.min(barMost, Math.floor(room / 3));
  const nameMore = Math.max(0, Math.min(wanted - least, room - barMore));
  if (bar !== undefined) widths.set("bar", bar + Math.min(barMost, room - nameMore));
  const nameWidth = Math.min(columns, least + nameMore);
  return rows.map((row) => lineOf(row, nameWidth, widths, " ".repeat(gap), color));
}

// --- internal ---

const BAR_COLUMNS = { least: 12, most: 60 };
const NAME_COLUMNS = { leastNarrow: 6, least: 10, readable: 24, most: 60 };

/**
 * The name column grows in steps: the names change from frame to frame and the bars stay in place.
 */
const NAME_STEP = 8;

const GREEN = "\x1b[32m";
const CYAN = "\x1b[36m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

function widthsOf(rows: readonly Row[]): Map<Column, number> {
  const widths = new Map<Column, number>();
  for (const column of ORDER) {
    const width = Math.max(...rows.map(({ texts }) => texts[column]?.length ?? 0));
    if (width > 0) widths.set(column, width);
  }
  if (rows.some(({ share }) => share !== null)) widths.set("bar", BAR_COLUMNS.least);
  return widths;
}

function leastOf({ names, keep }: Row, roomy: boolean): number {
  const width = widthOf(names.at(-1) ?? "");
  const { least, leastNarrow } = NAME_COLUMNS;
  return keep === "end" ? Math.min(width, roomy ? least : leastNarrow) : width;
}

function nameColumnsWanted(rows: readonly Row[]): number {
  const widest = Math.max(...rows.map(({ names }) => widthOf(names[0] ?? "")));
  return rows.length === 1 ? widest : Math.ceil(widest / NAME_STEP) * NAME_STEP;
}

function lineOf(
  { names, keep, share, texts }: Row,
  nameWidth: number,
  widths: ReadonlyMap<Column, number>,
  gap: string,
  color: boolean,
): string {
  const name = names.find((it) => widthOf(it) <= nameWidth) ?? names.at(-1) ?? "";
  const cut = keep === "end" ? endOf(name, nameWidth) : startOf(name, nameWidth);
  let line = padded(cut, nameWidth);
  for (const column of ORDER) {
    const width = widths.get(column);
    if (width === undefined) continue;
    const text = texts[column] ?? "";
    if (column !== "bar") line += gap + (column === "time" ? text : text.padStart(width));
    else line += gap + (share === null ? " ".repeat(width) : barOf(share, width, color));
  }
  return line.trimEnd();
}

/** `#` for compared bytes, `=` for others in place, `.` for missing ones. */
function barOf({ verified, arrived, size }: Share, width: number, color: boolean): string {
  const inner = width - 2;
  const cells = (bytes: number): number =>
    size > 0 ? Math.max(0, Math.min(inner, Math.floor((bytes / size) * inner))) : inner;
  const there = cells(arrived);
  const sure = Math.min(there, cells(verified));
  const [a, b, c] = ["#".repeat(sure), "=".repeat(there - sure), ".".repeat(inner - there)];
  return color ? `[${GREEN}${a}${CYAN}${b}${PLAIN}${DIM}${c}${PLAIN}]` : `[${a}${b}${c}]`;
}
