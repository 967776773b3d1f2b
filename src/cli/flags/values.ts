/**
 * The kinds of values that flags take: one reader for each. A reader turns text into a value within
 * its bounds, or into null; it never guesses, rounds a count or prints. It also has the words with
 * which an error says what it takes.
 */
import { utf8Of } from "../../wire/bytes.ts";
import { PORT_MAX } from "../../wire/vocabulary.ts";

/** Reads one kind of value. Its `text` has one byte a character, as the command line came. */
export interface Reader<T> {
  /** Completes "--flag takes ...". */
  readonly takes: string;
  /** All values, where they are a few words: for completion in a shell. */
  readonly words?: readonly string[];
  /** The value, or null when `text` is none. */
  read(text: string): T | null;
}

/** Least and most, both allowed. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

const DIGITS = /^(?:0|[1-9][0-9]{0,15})$/;

/** A port; `min` 1 where one must be connected to, 0 where the system may pick. */
export function portNumber(min: 0 | 1): Reader<number> {
  return whole(`a port from ${min} to ${PORT_MAX}`, { min, max: PORT_MAX });
}

/** A whole number. */
export function count({ min, max }: Bounds): Reader<number> {
  return whole(`a whole number from ${min} to ${max}`, { min, max });
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A time in milliseconds: `10` and `1.5` are seconds, `500ms`, `2m`, `1h`, `1d` say their unit.
 * Bounds in milliseconds.
 */
export function duration({ min, max }: Bounds): Reader<number> {
  return {
    takes: `a time from ${sayDuration(min)} to ${sayDuration(max)}, as 10 (seconds), 500ms or 2m`,
    read(text) {
      const match = /^([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)?$/.exec(text);
      if (match === null) return null;
      const unit = (match[2] ?? "s") as keyof typeof UNIT_MS;
      return within(Math.round(Number(match[1]) * UNIT_MS[unit]), { min, max });
    },
  };
}

const UNIT_LETTERS = "KMGTP";

/**
 * Bytes: `64K`, `2M`, `1GiB` count in 1024s, `64KB` and `2MB` in 1000s; `1.5G` is a whole number of
 * bytes too.
 */
export function size({ min, max }: Bounds): Reader<number> {
  return {
    takes: `a size from ${saySize(min)} to ${saySize(max)}, as 65536, 64K, 2M or 1GiB`,
    read(text) {
      const match = /^([0-9]{1,16}(?:\.[0-9]{1,6})?)(?:([KMGTP])(i?B)?|B)?$/i.exec(text);
      if (match === null) return null;
      const base = match[3]?.toUpperCase() === "B" ? 1000 : 1024;
      const power = match[2] === undefined ? 0 : UNIT_LETTERS.indexOf(match[2].toUpperCase()) + 1;
      const bytes = Number(match[1]) * base ** power;
      return Number.isSafeInteger(bytes) ? within(bytes, { min, max }) : null;
    },
  };
}

/** Any text but none. */
export function text(takes: string): Reader<string> {
  return { takes, read: (given) => (given === "" ? null : given) };
}

/**
 * The path of a file here, as text: Node's file functions take no bytes, so that a name that is no
 * UTF-8 is not found.
 */
export const filePath: Reader<string> = {
  takes: "a file",
  read: (given) => (given === "" ? null : utf8Of(given)),
};

/** One of some words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return {
    takes: `one of ${words.join(", ")}`,
    words,
    read: (given) => words.find((word) => word === given) ?? null,
  };
}

/** Whatever `parse` takes; it throws an Error for the rest, whose message is not shown. */
export function parsed<T>(takes: string, parse: (text: string) => T): Reader<T> {
  return {
    takes,
    read(given) {
      try {
        return parse(given);
      } catch {
        return null;
      }
    },
  };
}

/** A switch as the environment or `--flag=` gives it. */
export const yesOrNo: Reader<boolean> = {
  takes: "1 or 0 (also true, false, yes, no, on, off)",
  read(given) {
    if (/^(?:1|true|yes|on)$/i.test(given)) return true;
    return /^(?:0|false|no|off)$/i.test(given) ? false : null;
  },
};

// --- internal ---

function whole(takes: string, bounds: Bounds): Reader<number> {
  return {
    takes,
    read: (given) => (DIGITS.test(given) ? within(Number(given), bounds) : null),
  };
}

function within(value: number, { min, max }: Bounds): number | null {
  return value >= min && value <= max && Number.isSafeInteger(value) ? value : null;
}

function sayDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (ms > 0 && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`;
  }
  return ms === 0 ? "0" : `${ms}ms`;
}

function saySize(bytes: number): string {
  for (let power = UNIT_LETTERS.length; power > 0; power--) {
    const unit = 1024 ** power;
    if (bytes > 0 && bytes % unit === 0) return `${bytes / unit}${UNIT_LETTERS[power - 1]}`;
  }
  return String(bytes);
}
