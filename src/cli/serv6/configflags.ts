/** The flags of the configuration: which file, is it right, what comes of it. */
import { filePath } from "../flags/values.ts";

const SETTINGS = "Settings";

/** Part of the table of serv6. */
export const CONFIG_FLAGS = {
  config: {
    type: "string",
    alias: "c",
    group: SETTINGS,
    valueHint: "file",
    reader: filePath,
    description: "flags by their names, in TOML, and roots; variables and flags go before it",
  },
  check: {
    type: "boolean",
    group: SETTINGS,
    momentary: true,
    description: "read all settings and the files they name, say what is wrong, and end",
  },
  "print-config": {
    type: "boolean",
    group: SETTINGS,
    momentary: true,
    description: "print each setting and where it comes from, and end",
  },
} as const;
