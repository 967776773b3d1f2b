/**
 * The progress of a command that transfers files, on stderr: a bar for a person, JSON lines for a
 * program, or nothing. It samples the progress by a timer of its own and never makes the transfer
 * wait.
 */
import type { FileProgress, Progress } from "../../download/progress.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { kernel } from "../../sys/kernel.ts";
import { render } from "./bar.ts";
import { OUTPUT } from "../flags/general.ts";
import { Events, messageLine } from "./events.ts";
import { Meter, type Measurement } from "./meter.ts";
import { Screen, type TerminalSize } from "./screen.ts";
import { oneOf } from "../flags/values.ts";

const STDERR = 2;

/** How progress is shown. */
export type ProgressMode = "none" | "bar" | "json";

/** `--progress`; undefined when it was not given, then startProgress() decides. */
export const PROGRESS_FLAG = {
  type: "string",
  group: OUTPUT,
  valueHint: "form",
  reader: oneOf("none", "bar", "json"),
  description: "what stderr shows: bar (the default on a terminal), none, or json lines",
} as const;

/** The progress of one command. */
export interface ProgressDisplay {
  /** Prints a printable line above the bar, or as an event; after stop() as a plain line. */
  say(line: string): void;
  /**
   * A file is done or has failed. Not required for files that were in the progress's `running` at
   * one of the samples, which are taken each 100 ms.
   */
  ended(file: FileProgress): void;
  /**
   * Shows the final state once: the bar's last frame, or the printable line `last` instead. To be
   * called on every way out; it takes a second at most.
   */
  stop(last?: string): void;
}

/**
 * Shows `progress` from now on until stop(). If nothing is `asked`, there is a bar where stderr can
 * show one.
 */
export function startProgress(progress: Progress, asked?: ProgressMode): ProgressDisplay {
  const { mode, color } = displayOf(asked, kernel.isTerminal(STDERR), process.env);
  if (mode === "none") return MESSAGES_ONLY;
  const meter = new Meter(performance.now(), progress.received);
  const measure = (): Measurement => {
    const { arrived, received, bytes, totalKnown } = progress;
    return meter.tick(performance.now(), { arrived, received, total: bytes, totalKnown });
  };
  if (mode === "bar") return thenPlain(barOf(progress, measure, color), (line) => line);
  return thenPlain(new Events(STDERR, progress, measure), messageLine);
}

/**
 * The mode in effect. A bar needs a terminal that can move its cursor: with TERM=dumb, or without
 * TERM, there is none, even if asked for. NO_COLOR, if not empty, turns colors off (no-color.org).
 */
export function displayOf(
  asked: ProgressMode | undefined,
  terminal: boolean,
  { TERM, NO_COLOR }: Readonly<Record<string, string | undefined>>,
): { readonly mode: ProgressMode; readonly color: boolean } {
  const capable = terminal && TERM !== undefined && TERM !== "" && TERM !== "dumb";
  const wanted = asked ?? "bar";
  const mode = wanted === "bar" && !capable ? "none" : wanted;
  return { mode, color: mode === "bar" && (NO_COLOR ?? "") === "" };
}

// --- internal ---

function plain(line: string): void {
  writeFully(STDERR, Buffer.from(`${line}\n`));
}

/** `shown` until stop(); messages after that are written at once, as `form` formats them. */
function thenPlain(shown: ProgressDisplay, form: (line: string) => string): ProgressDisplay {
  let stopped = false;
  return {
    say: (line) => (stopped ? plain(form(line)) : shown.say(line)),
    ended: (file) => (stopped ? undefined : shown.ended(file)),
    stop: (last) => {
      if (stopped) return;
      stopped = true;
      shown.stop(last);
    },
  };
}

/** No progress: messages alone, each written before say() returns. */
const MESSAGES_ONLY: ProgressDisplay = {
  say: plain,
  ended: () => {},
  stop: (last) => (last === undefined ? undefined : plain(last)),
};

function barOf(progress: Progress, measure: () => Measurement, color: boolean): ProgressDisplay {
  let only: FileProgress | null = null;
  const lines = ({ columns, rows }: TerminalSize, over: boolean): readonly string[] => {
    const [first] = progress.running;
    only = progress.files > 1 ? null : (first ?? only);
    // The last column stays free: terminals differ about where the cursor is behind it.
    const shape = { columns: Math.max(1, columns - 1), rows, color };
    return render({ progress, measurement: measure(), only, over }, shape);
  };
  const screen = new Screen(STDERR, sizeOfTerminal, lines);
  return { say: (line) => screen.say(line), ended: () => {}, stop: (last) => screen.stop(last) };
}

/** The size now; 80 by 24 where the terminal does not know its own (a serial line). */
function sizeOfTerminal(): TerminalSize {
  const { columns, rows } = process.stderr;
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}
