/**
 * What a command that transfers shows while it does: a bar for a person, events for a program, or
 * nothing. It looks at the tally by a timer of its own; nothing that moves bytes waits for it.
 */
import type { FileTally, Tally } from "../../download/progress.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { kernel } from "../../sys/kernel.ts";
import { render } from "./bar.ts";
import { OUTPUT } from "../flags/general.ts";
import { Events, messageLine } from "./events.ts";
import { Meter, type Reading } from "./meter.ts";
import { Screen, type Size } from "./screen.ts";
import { oneOf } from "../flags/values.ts";

const STDERR = 2;

/** How progress is shown. */
export type ProgressMode = "none" | "bar" | "json";

/** `--progress`: undefined where nothing was asked for, and startProgress() decides. */
export const PROGRESS_FLAG = {
  type: "string",
  group: OUTPUT,
  valueHint: "form",
  reader: oneOf("none", "bar", "json"),
  description: "what stderr shows: bar (the default on a terminal), none, or json lines",
} as const;

/** The progress of one command. */
export interface Progress {
  /** Prints a printable line for the person, not garbling what is shown; also after stop(). */
  say(line: string): void;
  /**
   * Optional: tells of a file that is done or has failed. Files that `running` held for 100 ms are
   * noticed without it.
   */
  ended(file: FileTally): void;
  /**
   * Shows the final state once: a bar's last picture, unless a printable line `last` says it all.
   * Call it on every way out; it takes a second at most.
   */
  stop(last?: string): void;
}

/**
 * Shows `tally` from now on until stop(). If nothing is `asked`, there is a bar where stderr can
 * show one.
 */
export function startProgress(tally: Tally, asked?: ProgressMode): Progress {
  const { mode, color } = displayOf(asked, kernel.isTerminal(STDERR), process.env);
  if (mode === "none") return SILENT;
  const meter = new Meter(performance.now(), tally.received);
  const look = (): Reading => {
    const { arrived, received, bytes, totalKnown } = tally;
    return meter.tick(performance.now(), { arrived, received, total: bytes, totalKnown });
  };
  if (mode === "bar") return thenPlain(barOf(tally, look, color), (line) => line);
  return thenPlain(new Events(STDERR, tally, look), messageLine);
}

/**
 * What is shown where: a bar needs a terminal that can move its cursor, so TERM=dumb and none at
 * all have no bar, even if asked. NO_COLOR, if not empty, means what it says.
 */
export function displayOf(
  asked: ProgressMode | undefined,
  terminal: boolean,
  { TERM, NO_COLOR }: Readonly<Record<string, string | undefined>>,
): { readonly mode: ProgressMode; readonly color: boolean } {
  const able = terminal && TERM !== undefined && TERM !== "" && TERM !== "dumb";
  const wished = asked ?? "bar";
  const mode = wished === "bar" && !able ? "none" : wished;
  return { mode, color: mode === "bar" && (NO_COLOR ?? "") === "" };
}

// --- internal ---

function plain(line: string): void {
  writeFully(STDERR, Buffer.from(`${line}\n`));
}

/** `shown` until it is stopped; messages after that are written in the form that `form` gives. */
function thenPlain(shown: Progress, form: (line: string) => string): Progress {
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

/** Messages as they would be without any progress; they are waited for as anywhere else. */
const SILENT: Progress = {
  say: plain,
  ended: () => {},
  stop: (last) => (last === undefined ? undefined : plain(last)),
};

function barOf(tally: Tally, look: () => Reading, color: boolean): Progress {
  let only: FileTally | null = null;
  const lines = ({ columns, rows }: Size, over: boolean): readonly string[] => {
    const [first] = tally.running;
    only = tally.files > 1 ? null : (first ?? only);
    // A column stays free: in the last one terminals differ about where the cursor then is.
    const shape = { columns: Math.max(1, columns - 1), rows, color };
    return render({ tally, reading: look(), only, over }, shape);
  };
  const screen = new Screen(STDERR, sizeOfTerminal, lines);
  return { say: (line) => screen.say(line), ended: () => {}, stop: (last) => screen.stop(last) };
}

/** As it is now; 80 by 24 where the terminal does not know (a serial line). */
function sizeOfTerminal(): Size {
  const { columns, rows } = process.stderr;
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}
