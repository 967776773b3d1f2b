/**
 * `cli6 get`: files of a server into a folder here, complete and compared, or not at all. This file
 * says what the flags mean; bringing is download/'s.
 */
import fs from "node:fs";
import { parseServer, type ServerAddress } from "../../client/address.ts";
import { download } from "../../download/download.ts";
import type { DownloadOptions } from "../../download/options.ts";
import { CHECKSUM_FORMS, checksumOf } from "../../download/settings.ts";
import { soughtOf } from "../../download/sought.ts";
import { FdSink } from "../../receive/sink.ts";
import { kernel } from "../../sys/kernel.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";
import { EXIT } from "../output/exit.ts";
import { Report } from "../output/report.ts";
import { attend } from "./attendant.ts";
import { meant, SERVER_FLAG } from "../flags/connection.ts";
import { type FlagTable, UsageError, type Values } from "../flags/flags.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { readPathList } from "./pathlist.ts";
import { TRANSFER, TRANSFER_FLAGS } from "./transfer.ts";
import { parsed, text } from "../flags/values.ts";
import { wallWrites } from "./writewall.ts";

const WHAT = "What is copied";
const WHERE = "Where it goes";
const STDOUT = 1;

const FLAGS = {
  "input-file": {
    type: "string",
    alias: "i",
    group: WHAT,
    valueHint: "list",
    reader: text("a file with paths or URLs, or - for standard input"),
    description: "also what this file lists, one path or URL a line; - is standard input",
  },
  null: {
    type: "boolean",
    alias: "0",
    group: WHAT,
    description: "the list's paths each end in a NUL byte instead of a line break",
  },
  recursive: {
    type: "boolean",
    alias: "r",
    group: WHAT,
    description: "folders too, each with all that is in it, under its own name",
  },
  output: {
    type: "string",
    alias: "o",
    group: WHERE,
    valueHint: "path",
    reader: text("a file or folder, or - for standard output"),
    description: "the name it gets here, or a folder it goes into; - is standard output",
  },
  "remote-name": {
    type: "boolean",
    alias: "O",
    group: WHERE,
    description: "the name it has there, in the current folder: what happens anyway",
  },
  "directory-prefix": {
    type: "string",
    alias: "P",
    group: WHERE,
    valueHint: "dir",
    reader: text("a folder"),
    description: "the folder it goes into, made when missing",
  },
  force: {
    type: "boolean",
    alias: "f",
    group: WHERE,
    description: "replace a file that is there",
  },
  continue: {
    type: "boolean",
    alias: "c",
    group: TRANSFER,
    description: "go on where an earlier run stopped; --no-continue starts over",
    default: true,
  },
  checksum: {
    type: "string",
    group: TRANSFER,
    valueHint: "sha256:hex",
    reader: parsed(CHECKSUM_FORMS, checksumOf),
    description: "what it must have, as sha256sum prints it; also sha512:hex, sha1:hex, md5:hex",
  },
  ...TRANSFER_FLAGS,
  server: {
    ...SERVER_FLAG,
    valueHint: "host:port,...",
    reader: parsed(`${SERVER_FLAG.reader.takes}; or several, with commas between them`, serversOf),
    description: "server for paths that are no URL; of several each file comes from all",
  },
} as const satisfies FlagTable;

type GetValues = Values<typeof FLAGS>;

/** The command. */
export const GET: Subcommand<typeof FLAGS> = {
  command: {
    name: "cli6 get",
    summary: "Copies files to this machine: whole and compared with the server's, or not at all.",
    flags: FLAGS,
    operands: { name: "path|url...", description: "what to copy", max: Infinity },
    examples: [
      ["cli6 get s6://nas/model.bin", "into the current folder; run it again to go on"],
      ["cli6 get s6://nas/model.bin -o m.bin", "under another name"],
      ["cli6 get -P models s6://nas/a s6://nas/b", "several, into a folder"],
      ["cli6 get 's6://nas/m*.bin'", "all that match, quoted from the shell"],
      ["cli6 get -r s6://nas/models", "a folder, into one of its name here"],
      ["cli6 ls -1R -s nas a | grep 7$ | cli6 get -s nas -i -", "what a list names"],
      ["cli6 get s6://nas/a.tar -o - | tar x", "to a pipe"],
      ["cli6 get http://nas/model.bin", "from any server of HTTP/1.1"],
      ["cli6 get s6://nas/a s6://nas2/a", "one file from both at once"],
      ["cli6 get -x 1 --limit-rate 2M s6://nas/a", "one connection, 2 MiB a second"],
    ],
    sections: [
      {
        title: "Patterns",
        lines: [
          "A path that nothing has as its name may be a pattern: *, ?, [...] and {a,b} within a name,",
          "** for any folders. A name that starts with a dot needs one in the pattern. Without a match",
          "the status is 3. Of what matches, folders are left out without -r.",
        ],
      },
      {
        title: "Folders",
        lines: [
          "-r brings what is missing, and with --force also what differs; nothing is removed here.",
          "cli6 mirror makes a folder equal.",
        ],
      },
      {
        title: "Several servers",
        lines: [
          "URLs of one path on different servers are one file, as all URLs are with -o NAME, and each",
          "path is with -s A,B,C. It comes from all of them, most from the fastest. Their digests must",
          "say that it is the same: else most of them decide, or the one named first. Who has other",
          "content, sends wrong bytes or is lost is told and left out. Of http:// and https:// alone those",
          "bring it that tell one digest of the whole, or all with --checksum; else the first one. If the",
          "whole is wrong then, it comes again from one at a time. -x counts for each server. A token of",
          "--token-file or CLI6_TOKEN is shown to the first one alone. With -o - and -r files come from",
          "one server.",
        ],
      },
      {
        title: "HTTP",
        lines: [
          "Parts and resuming need ranges and a strong ETag, or a Last-Modified a minute old; else a file",
          "comes in one piece. The whole is compared with Repr-Digest, SHA256SUMS beside it or --checksum;",
          "a line says where there is none. https:// too; no passwords, tokens, patterns or folders.",
        ],
      },
    ],
  },
  async run({ values, operands }, _environment, stop) {
    const list = values["input-file"];
    if (operands.length === 0 && list === undefined) {
      throw new UsageError("get what? a path or URL is missing");
    }
    const from = operands.map((operand) => operand.text);
    if (list !== undefined) {
      try {
        for (const path of await readPathList(list, values.null)) from.push(path);
      } catch (error) {
        const report = new Report(values.quiet);
        report.fail(error);
        return report.status;
      }
      // A list of nothing is done: what wrote it has found nothing.
      if (from.length === 0) return EXIT.done;
    }
    const servers = values.server;
    const [server, ...alsoFrom] = servers;
    const count = (named: boolean): number =>
      meant(() => soughtOf(from, { servers, glob: true, named, apart: values.recursive }).length);
    const place = placeOf(values, count);
    const { force, recursive, continue: resume, checksum } = values;
    if (stop === undefined) {
      const wall = servers.find(({ secure }) => secure === true) ?? server;
      wallWrites({ server: wall, from, folder: place.folder ?? null });
    }
    return attend(
      { ...values, server },
      (options) =>
        download({
          ...options,
          alsoFrom,
          from: from.map(bufferOf),
          ...place,
          glob: true,
          recursive,
          force,
          continue: resume,
          ...(checksum !== undefined && { checksum: `${checksum.algo}:${checksum.hex}` }),
        }),
      {
        silent: place.sink !== undefined && kernel.isTerminal(STDOUT),
        resumes: place.sink === undefined && resume,
        namesUnchanged: true,
        stop,
      },
    );
  },
};

// --- internal ---

/** One server or several, with commas between them. Throws ClientError (usage) for what is none. */
function serversOf(text: string): readonly [ServerAddress, ...ServerAddress[]] {
  const [first = "", ...more] = text.split(",");
  return [parseServer(first), ...more.map(parseServer)];
}

/**
 * Where files go, of which there are as many as `countOf` tells, which is told whether one name is
 * meant. Throws UsageError when the flags contradict each other.
 */
function placeOf(
  values: GetValues,
  countOf: (named: boolean) => number,
): Pick<DownloadOptions, "folder" | "name" | "sink"> {
  const output = values.output ?? "";
  const prefix = values["directory-prefix"];
  if (output !== "" && values["remote-name"])
    throw new UsageError("-o and -O contradict each other");
  if (output !== "" && prefix !== undefined && output.startsWith("/")) {
    throw new UsageError("-P and an absolute -o contradict each other");
  }
  if (output === "-" && values.recursive) throw new UsageError("-r brings folders: not with -o -");
  if (output === "-") return { sink: new FdSink(STDOUT, "standard output") };
  const base = prefix ?? ".";
  const path = output.startsWith("/") || base === "." ? output : `${base}/${output}`;
  const folder = output === "" ? base : isFolder(path) ? path : null;
  const count = countOf(folder === null);
  if (folder === null && count > 1) {
    throw new UsageError("-o names one file, and several are asked for: -P DIR takes them all");
  }
  if (values.checksum !== undefined && count > 1) {
    throw new UsageError("--checksum is one file's, and several are asked for");
  }
  return folder === null ? named(path) : { folder: bufferOf(folder) };
}

/** Whether `path`, given to -o, means a folder, as cp(1) reads it: it is one, or ends in "/". */
function isFolder(path: ByteString): boolean {
  if (path.endsWith("/")) return true;
  try {
    return fs.statSync(bufferOf(path)).isDirectory();
  } catch {
    // Missing is the usual case; whatever else is wrong with it is told where it is made.
    return false;
  }
}

/** The folder and the name of `path`, which is not "". */
function named(path: ByteString): Pick<DownloadOptions, "folder" | "name"> {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
  return { folder: bufferOf(folder), name: bufferOf(path.slice(slash + 1)) };
}
