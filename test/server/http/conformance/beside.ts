/** The table with the answers of two servers beside each other, as Markdown, and what is wrong. */
import { type Case } from "./case.ts";

/** A row, and what came of it. */
export interface Row {
  readonly about: string;
  readonly row: Case;
  /** Our answer. */
  readonly seen: string;
  /** The other server's; null where there is none. */
  readonly other: string | null;
}

/** One table for each thing that rows are about. */
export function markdownOf(rows: readonly Row[]): string {
  const parts: string[] = [];
  for (const about of new Set(rows.map((one) => one.about))) {
    parts.push(`\n## ${about}\n\n| case | expected | seen | nginx | why it differs |`);
    parts.push("| --- | --- | --- | --- | --- |");
    for (const { row, seen, other } of rows.filter((one) => one.about === about)) {
      const [name, , expected, note = ""] = row;
      const differs = other !== null && other !== seen;
      const same = seen === expected ? "as expected" : `**${seen}**`;
      const theirs = other === null ? "" : differs ? other : "the same";
      const why = differs ? note || "**not explained**" : "";
      parts.push(`| ${[name, expected, same, theirs, why].map(cell).join(" | ")} |`);
    }
  }
  return `${parts.join("\n")}\n`;
}

/** What is not as the table says: an answer of ours, or a difference that no note explains. */
export function faultsOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ about, row: [name, , expected, note], seen, other }) => {
    const where = `${about}, ${name}`;
    const faults: string[] = [];
    if (seen !== expected) faults.push(`${where}: ${seen}, expected ${expected}`);
    if (other !== null && other !== seen && note === undefined) {
      faults.push(`${where}: nginx says ${other} and we ${seen}: explain it in the row`);
    }
    return faults;
  });
}

/** Notes of rows that do not differ: another nginx may, so that they are no fault. */
export function idleNotes(rows: readonly Row[]): string[] {
  return rows.flatMap(({ about, row: [name, , , note], seen, other }) =>
    note !== undefined && other === seen ? [`${about}, ${name}: ${note}`] : [],
  );
}

// --- internal ---

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
