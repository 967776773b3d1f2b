/** Headings of the help, and flags with the same meaning in every command of both programs. */
import { oneOf } from "./values.ts";

/** Heading of the help: which server, and the timeouts. */
export const CONNECTION = "Connection";
/** Heading of the help: what is written, and where. */
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
