/**
 * Headings of the help, and the flags that mean the same in every command of both programs.
 */
import { oneOf } from "./values.ts";

/** Heading of the help: whom to ask, and how long to wait. */
export const CONNECTION = "Connection";
/** The same for what is written where. */
export const OUTPUT = "Output";

/** `--quiet`. */
export const QUIET_FLAG = {
  type: "boolean",
  alias: "q",
  group: OUTPUT,
  description: "no messages, only the status",
} as const;

/** `--completions`, of both programs. */
export const COMPLETIONS_FLAG = {
  type: "string",
  group: "Help",
  valueHint: "shell",
  reader: oneOf("bash", "zsh", "fish"),
  momentary: true,
  description: "a script that completes commands and flags in bash, zsh or fish",
} as const;

/** `--json`, of the commands that tell facts. */
export const JSON_FLAG = {
  type: "boolean",
  group: OUTPUT,
  description: "one JSON object a line, for programs",
} as const;
