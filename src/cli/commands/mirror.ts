/**
 * `cli6 mirror`: a folder here becomes equal to a tree of a server. This file says what the flags
 * mean; walking, comparing, bringing and removing are download/'s.
 */
import { mirror } from "../../download/mirror.ts";
import { DELETE_MAX_DEFAULT } from "../../download/settings.ts";
import { bufferOf, utf8Of } from "../../wire/bytes.ts";
import { attend } from "./attendant.ts";
import { s6TargetsOf } from "../flags/connection.ts";
import { type FlagTable, UsageError } from "../flags/flags.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { TRANSFER_FLAGS } from "./transfer.ts";
import { count, text } from "../flags/values.ts";
import { wallWrites } from "./writewall.ts";

const WHAT = "What is mirrored";

const FLAGS = {
  include: {
    type: "string",
    group: WHAT,
    valueHint: "glob",
    reader: text("a pattern as *.bin or docs/**"),
    many: true,
    description: "only files that match one of these; may be repeated",
  },
  exclude: {
    type: "string",
    group: WHAT,
    valueHint: "glob",
    reader: text("a pattern as *.tmp or cache/"),
    many: true,
    description: "no files and folders that match; they are not removed here either",
  },
  delete: {
    type: "boolean",
    group: WHAT,
    description: "remove here what the server does not have, if all else went well",
  },
  "max-delete": {
    type: "string",
    group: WHAT,
    valueHint: "n",
    reader: count({ min: 0, max: 1_000_000_000 }),
    description: "remove nothing if it would be more than this; 0 asks whether there is any",
    default: String(DELETE_MAX_DEFAULT),
  },
  checksum: {
    type: "boolean",
    group: WHAT,
    // CLI6_CHECKSUM is one file's, of get.
    momentary: true,
    description: "compare also the content of what has the same size and time, by digests",
  },
  "dry-run": {
    type: "boolean",
    alias: "n",
    group: WHAT,
    description: "only say what would be done, and how much that is",
  },
  ...TRANSFER_FLAGS,
} as const satisfies FlagTable;

/** The command. */
export const MIRROR: Subcommand<typeof FLAGS> = {
  command: {
    name: "cli6 mirror",
    summary: "Makes a folder here equal to one of the server; only what differs is fetched.",
    flags: FLAGS,
    operands: { name: "path|url dir", description: "the folder there and the folder here", max: 2 },
    examples: [
      ["cli6 mirror s6://nas/models models", "run it again to go on, or to bring it up to date"],
      ["cli6 mirror --delete s6://nas/a a", "also remove what is not there any more"],
      ["cli6 mirror -n --delete s6://nas/a a", "only say what would be done"],
      ["cli6 mirror --checksum s6://nas/a a", "do not believe size and time"],
      ["cli6 mirror --include '*.bin' s6://nas/a a", "some of it"],
    ],
    sections: [
      {
        title: "What is told",
        lines: [
          "-v names each file that came: new, or changed and by what (size, time, version, content;",
          "type where a link was), and what was removed. Links there that lead out of what is served",
          "or nowhere are told, stay unremoved here, and the status is 5: --exclude them.",
        ],
      },
      {
        title: "Patterns",
        lines: [
          "One without a slash matches a name at any depth, one with a slash the path from the top:",
          "*.tmp, cache/, docs/**/*.md. A folder that is excluded is not looked into.",
        ],
      },
    ],
  },
  async run({ values, operands }, _environment, stop) {
    const [from, to] = operands;
    if (from === undefined || to === undefined) {
      throw new UsageError("mirror takes two things: a folder of the server and one here");
    }
    s6TargetsOf([from], values.server, "list a folder: mirror needs S6/1");
    const {
      include,
      exclude,
      delete: deletes,
      "max-delete": maxDelete,
      checksum,
      "dry-run": dryRun,
    } = values;
    if (stop === undefined) {
      wallWrites({ server: values.server, from: [from.text], folder: bufferOf(to.text) });
    }
    return attend(
      values,
      (options) =>
        mirror({
          ...options,
          from: bufferOf(from.text),
          folder: bufferOf(to.text),
          include: include.map(utf8Of),
          exclude: exclude.map(utf8Of),
          delete: deletes,
          maxDelete,
          checksum,
          dryRun,
        }),
      { plans: dryRun, stop },
    );
  },
};
