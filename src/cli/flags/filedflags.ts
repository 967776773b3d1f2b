/**
 * Flags out of a file: the values of a table by their names, as a person would type them. Each is
 * read by the reader of its flag, so that a file takes what the command line takes; everything that
 * is wrong is told, not the first alone. It opens no file.
 */
import path from "node:path";
import { bytesOf, utf8Of } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import { type Command, flagsOf, type FlagTable } from "./flags.ts";
import { nearest } from "./suggestion.ts";
import { filePath } from "./values.ts";

/** A file's table, as its reader made it. */
export type FileTable = Readonly<Record<string, unknown>>;

/** What a file says of flags. */
export interface Filed {
  /** By flag: as Beside.filed. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** In words that complete "FILE: ...", one line each. */
  readonly wrong: readonly string[];
}

/** What a file has beside flags, and where it is. */
export interface FilePlace {
  /** An absolute path: what relative ones in it are relative to. */
  readonly folder: string;
  /** Keys that are read elsewhere. */
  readonly others: readonly string[];
  /** Flags that a file does not have. */
  readonly never: readonly string[];
}

/** The flags of `command` that `table` sets. */
export function filedFlags(command: Command, table: FileTable, place: FilePlace): Filed {
  const values = new Map<string, readonly string[]>();
  const wrong: string[] = [];
  const { flags } = command;
  const settable = Object.keys(flags).filter((name) => isSettable(flags, name, place));
  for (const [key, value] of Object.entries(table)) {
    if (place.others.includes(key)) continue;
    const flag = settable.includes(key) ? flags[key] : undefined;
    if (flag === undefined) {
      wrong.push(unknownKey(key, [...settable, ...place.others], command));
      continue;
    }
    const texts = textsOf(flag, value, place.folder);
    if (typeof texts === "string") wrong.push(`${key} takes ${texts}, not ${shownValue(value)}`);
    else values.set(key, texts);
  }
  return { values, wrong };
}

/** What is wrong with a `key` that is none of `known`, and what was meant; `whose` flags it has. */
export function unknownKey(key: string, known: readonly string[], whose?: Command): string {
  const shown = printableText(key.slice(0, KEY_CHARS_MAX));
  if (whose !== undefined && Object.hasOwn(flagsOf(whose), key)) {
    return `${shown} belongs on the command line, as --${shown}`;
  }
  const positive = key.replace(/^no-/, "");
  if (positive !== key && known.includes(positive)) {
    return `unknown key ${shown}: say ${positive} = false`;
  }
  const meant = nearest(key, known);
  return `unknown key ${shown}${meant === null ? "" : `: did you mean ${meant}?`}`;
}

/** `value` of a file, short and printable, for a message. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  // Dates and times are objects with a text of their own.
  if (Object.prototype.toString.call(value) === "[object Object]") return "a table";
  if (typeof value !== "string") return printableText(String(value));
  const cut = value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}...` : value;
  return `"${printableText(cut)}"`;
}

/** What a path of a file means: relative ones stand below `folder`, and URLs for themselves. */
export function pathIn(folder: string, given: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : path.resolve(folder, given);
}

/** True for text with a character that no command line has, or that no line of a log may have. */
export function hasControls(given: string): boolean {
  return CONTROLS.test(given);
}

// --- internal ---

/** Characters of a value that a message shows: enough to find it in the file. */
const SHOWN_CHARS_MAX = 60;
const KEY_CHARS_MAX = 60;

const CONTROLS = /[\u0000-\u001f\u007f]/;

function isSettable(flags: FlagTable, name: string, { never }: FilePlace): boolean {
  return flags[name]?.momentary !== true && !never.includes(name);
}

/** The value as texts, or, in words, what the flag takes. */
function textsOf(flag: FlagTable[string], value: unknown, folder: string): string[] | string {
  if (flag.type === "boolean") {
    return typeof value === "boolean" ? [String(value)] : "true or false";
  }
  const { reader } = flag;
  const many = flag.many === true;
  const takes = many ? `${reader.takes}, or a list of such` : reader.takes;
  const given: readonly unknown[] = many && Array.isArray(value) ? value : [value];
  // None at all would be the default, which for who may connect is everybody.
  if (given.length === 0) return takes;
  const texts: string[] = [];
  for (const each of given) {
    if (typeof each !== "string" && typeof each !== "number") return takes;
    const bytes = bytesOf(String(each));
    const read = hasControls(bytes) ? null : reader.read(bytes);
    if (read === null) return takes;
    const isPath = reader === filePath;
    texts.push(isPath ? bytesOf(pathIn(folder, utf8Of(bytes))) : bytes);
  }
  return texts;
}
