/**
 * The picture of a tally: a line for each file under way and one for all, or one line if there is
 * one file. Pure: the same numbers and the same terminal give the same lines, none of them wider
 * than the terminal.
 */
import type { FileTally, Tally } from "../../download/progress.ts";
import {
  averageOf,
  clockText,
  countText,
  percentOf,
  RATE_CHARS_MAX,
  rateText,
  shareText,
} from "../output/amount.ts";
import { startOf } from "./column.ts";
import type { Reading } from "./meter.ts";
import { ROOMY_COLUMNS, type Row, type Share, table } from "./table.ts";

/** The terminal as it is at one moment. */
export interface Shape {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/** What is drawn. */
export interface ProgressView {
  readonly tally: Readonly<Tally>;
  readonly reading: Reading;
  /** The file of a command that has only one, also when it is no longer under way. */
  readonly only: FileTally | null;
  /** It is the last picture: times and speeds are those of the whole. */
  readonly over: boolean;
}

/** Lines for files at most: more than a person follows would scroll the messages away. */
export const FILE_LINES_MAX = 8;

/** The lines of `picture`, each at most `columns` wide and together fewer than `rows`. */
export function render(picture: ProgressView, { columns, rows, color }: Shape): string[] {
  const { tally, only } = picture;
  const roomy = columns >= ROOMY_COLUMNS;
  if (only !== null && tally.totalKnown && tally.files <= 1) {
    return table([fileRow(only, picture, roomy)], columns, color);
  }
  if (tally.files === 0 && !tally.totalKnown) {
    return [startOf(`waiting for the server, ${clockText(picture.reading.elapsedMs)}`, columns)];
  }
  // One row stays for what the person types, and one is the total's.
  const most = Math.max(0, Math.min(FILE_LINES_MAX, rows - 2));
  const shown = [...tally.running].slice(
    0,
    tally.running.size > most ? Math.max(0, most - 1) : most,
  );
  const hidden = tally.running.size - shown.length;
  const all = [...shown.map((file) => fileRow(file, null, roomy)), totalRow(picture, roomy)];
  const lines = table(all, columns, color);
  if (hidden > 0 && most > 0) {
    lines.splice(-1, 0, startOf(`and ${countText(hidden)} more`, columns));
  }
  return lines;
}

// --- internal ---

/** Widest usual time, so that the bar does not breathe with it. */
const TIME_WIDTH = "ETA 1:23:45".length;

/** `picture`: of the only file, whose line tells the speed too. */
function fileRow(file: FileTally, picture: ProgressView | null, roomy: boolean): Row {
  const failed = file.state === "failed";
  return {
    names: failed ? [`${file.name} (failed)`] : [file.name],
    keep: "end",
    share: file,
    texts: {
      ...sharesOf(file, roomy),
      ...(picture === null ? {} : timesOf(picture, roomy)),
    },
  };
}

function totalRow(picture: ProgressView, roomy: boolean): Row {
  const { tally } = picture;
  const more = tally.totalKnown ? "" : "+";
  const count = `${countText(tally.done + tally.failed)}/${countText(tally.files)}${more}`;
  const failed = tally.failed > 0 ? `, ${countText(tally.failed)} failed` : "";
  const files = `${count} files`;
  const short = roomy ? [] : [count, "all"];
  const share = { ...tally, size: tally.bytes };
  return {
    // Failures are left out only where there is no room for anything.
    names: [files + failed, ...(roomy && failed === "" ? [] : [count + failed]), ...short],
    keep: "start",
    share: tally.totalKnown ? share : null,
    texts: {
      ...(tally.totalKnown
        ? sharesOf(share, roomy)
        : { size: shareText(tally.arrived, tally.bytes, true) }),
      ...timesOf(picture, roomy),
    },
  };
}

function sharesOf(
  { kept, verified, arrived, size }: Share & { readonly kept: number },
  roomy: boolean,
): Row["texts"] {
  const percent = `${percentOf(arrived, size)}%`;
  return {
    percent: roomy ? percent.padStart(4) : percent,
    size: shareText(arrived, size, false),
    verified: `verified ${`${percentOf(verified, size)}%`.padStart(4)}`,
    ...(kept > 0 ? { resumed: `resumed at ${percentOf(kept, size)}%` } : {}),
  };
}

function timesOf(picture: ProgressView, roomy: boolean): Row["texts"] {
  const { tally, reading, over } = picture;
  const rate = rateText(over ? averageOf(tally.received, reading.elapsedMs) : reading.speed);
  const time = timeOf(picture, roomy);
  return {
    speed: roomy ? rate.padStart(RATE_CHARS_MAX) : rate,
    time: roomy ? time.padEnd(TIME_WIDTH) : time,
  };
}

function timeOf({ tally, reading, over }: ProgressView, roomy: boolean): string {
  const { elapsedMs, etaMs, stalled } = reading;
  if (over) return `in ${clockText(elapsedMs)}`;
  if (stalled) return "stalled";
  if (!tally.totalKnown) return `for ${clockText(elapsedMs)}`;
  const left = etaMs === null ? "-:--" : clockText(etaMs);
  return roomy ? `ETA ${left}` : left;
}
