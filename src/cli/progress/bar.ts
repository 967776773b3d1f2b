/**
 * The frame of a progress bar: one line for each file under way and one for the total, or a single
 * line for a single file. A pure function: the same numbers and the same terminal give the same
 * lines, and no line is wider than the terminal.
 */
import type { FileProgress, Progress } from "../../download/progress.ts";
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
import type { Measurement } from "./meter.ts";
import { ROOMY_COLUMNS, type Row, type Share, table } from "./table.ts";

/** What a frame is drawn for: the terminal's size, and whether colors are wanted. */
export interface TerminalFormat {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/** The numbers that one frame shows. */
export interface ProgressView {
  readonly progress: Readonly<Progress>;
  readonly measurement: Measurement;
  /** The file of a command that transfers one file, also after that file has ended. */
  readonly only: FileProgress | null;
  /** It is the last frame: times and speeds are those of the whole command. */
  readonly over: boolean;
}

/** Most lines for files: more than a person can follow would push the messages off the screen. */
export const FILE_LINES_MAX = 8;

/**
 * The lines of one frame, each at most `columns` wide, in all fewer than `rows`. None at the end of
 * a command of which nothing has come: its failures are told, and a bar says nothing of them.
 */
export function render(view: ProgressView, { columns, rows, color }: TerminalFormat): string[] {
  const { progress, only } = view;
  if (view.over && progress.failed > 0 && progress.done + progress.received === 0) return [];
  const roomy = columns >= ROOMY_COLUMNS;
  if (only !== null && progress.totalKnown && progress.files <= 1) {
    return table([fileRow(only, view, roomy)], columns, color);
  }
  if (progress.files === 0 && !progress.totalKnown) {
    return [startOf(`waiting for the server, ${clockText(view.measurement.elapsedMs)}`, columns)];
  }
  // One row is the total's, and one stays free for what the person types.
  const most = Math.max(0, Math.min(FILE_LINES_MAX, rows - 2));
  const shown = [...progress.running].slice(
    0,
    progress.running.size > most ? Math.max(0, most - 1) : most,
  );
  const hidden = progress.running.size - shown.length;
  const all = [...shown.map((file) => fileRow(file, null, roomy)), totalRow(view, roomy)];
  const lines = table(all, columns, color);
  if (hidden > 0 && most > 0) {
    lines.splice(-1, 0, startOf(`and ${countText(hidden)} more`, columns));
  }
  return lines;
}

// --- internal ---

/** Width of the longest usual time: the bar keeps its width while the time changes. */
const TIME_WIDTH = "ETA 1:23:45".length;

/** `view` is given for the line of an only file, which shows speed and time too. */
function fileRow(file: FileProgress, view: ProgressView | null, roomy: boolean): Row {
  const failed = file.state === "failed";
  return {
    names: failed ? [`${file.name} (failed)`] : [file.name],
    keep: "end",
    share: file,
    texts: {
      ...sharesOf(file, roomy),
      ...(view === null ? {} : timesOf(view, roomy)),
    },
  };
}

function totalRow(view: ProgressView, roomy: boolean): Row {
  const { progress } = view;
  const more = progress.totalKnown ? "" : "+";
  const count = `${countText(progress.done + progress.failed)}/${countText(progress.files)}${more}`;
  const failed = progress.failed > 0 ? `, ${countText(progress.failed)} failed` : "";
  const files = `${count} files`;
  const short = roomy ? [] : [count, "all"];
  const share = { ...progress, size: progress.bytes };
  // What failed before its size was known is missing in the sums: they would look complete.
  const known = progress.totalKnown && (progress.failed === 0 || share.arrived < share.size);
  return {
    // The failures are dropped last: only where nothing but the count fits.
    names: [files + failed, ...(roomy && failed === "" ? [] : [count + failed]), ...short],
    keep: "start",
    share: known ? share : null,
    texts: {
      ...(known
        ? sharesOf(share, roomy)
        : { size: shareText(share.arrived, share.size, !progress.totalKnown) }),
      ...timesOf(view, roomy),
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

function timesOf(view: ProgressView, roomy: boolean): Row["texts"] {
  const { progress, measurement, over } = view;
  const rate = rateText(
    over ? averageOf(progress.received, measurement.elapsedMs) : measurement.speed,
  );
  const time = timeOf(view, roomy);
  return {
    speed: roomy ? rate.padStart(RATE_CHARS_MAX) : rate,
    time: roomy ? time.padEnd(TIME_WIDTH) : time,
  };
}

function timeOf({ progress, measurement, over }: ProgressView, roomy: boolean): string {
  const { elapsedMs, etaMs, stalled } = measurement;
  if (over) return `in ${clockText(elapsedMs)}`;
  if (stalled) return "stalled";
  if (!progress.totalKnown) return `for ${clockText(elapsedMs)}`;
  const left = etaMs === null ? "-:--" : clockText(etaMs);
  return roomy ? `ETA ${left}` : left;
}
