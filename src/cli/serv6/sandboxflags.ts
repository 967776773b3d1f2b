/** The flags of the second wall, what they mean for a server that listens, what is told of it. */
import path from "node:path";
import { utf8Of } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import type { Server } from "../../server/serve.ts";
import { rootsOf, type ServeOptions } from "../../server/start.ts";
import { isS3Root } from "../../store/s3/address.ts";
import { UsageError, type Values } from "../flags/flags.ts";
import { text } from "../flags/values.ts";
import { namedUser, type Needs, outOfReach, type RunAs, servingUser, unreadable } from "./runas.ts";
import { enterSandbox, type Sandbox, watchedFiles } from "./sandbox.ts";

const RIGHTS = "What it may do";

/** Part of the table of serv6. */
export const SANDBOX_FLAGS = {
  sandbox: {
    type: "boolean",
    group: RIGHTS,
    description: "give up every right but to read ROOT; --no-sandbox keeps them all",
    default: true,
  },
  user: {
    type: "string",
    group: RIGHTS,
    valueHint: "name",
    reader: text("NAME or UID[:GID]"),
    description: "whom root becomes; default: ROOT's owner, or nobody if ROOT is root's",
  },
  "self-test": {
    type: "boolean",
    group: RIGHTS,
    description: "try from inside what is forbidden, print what came of it, and end",
  },
} as const;

type Given = Values<typeof SANDBOX_FLAGS> & { readonly quiet: boolean };

/**
 * Gives up what `values` and this machine let it give up, in the whole process, and says what there
 * is to say of it in lines for stderr: warnings alone where it is to be quiet. `options` are what
 * it was started with. Throws UsageError when --user can't be had.
 */
export function wall(
  server: Server,
  options: ServeOptions,
  values: Given,
): { sandbox: Sandbox; lines: string } {
  const { sandbox: wanted, user: name, quiet } = values;
  const user = userOf(options, values);
  const named = name === undefined ? null : user;
  const missed = user === null ? [] : missedBy(user, options);
  const sandbox = enterSandbox({ server, user, options, program: PROGRAM, whole: wanted });
  server.settle();
  if (named !== null && sandbox.stays !== null) throw new UsageError(`--user: ${sandbox.stays}`);
  const lines: string[] = [];
  if (!wanted) lines.push(`${WARNING} --no-sandbox: whoever takes it over has all its rights`);
  if (sandbox.lacks.length > 0) {
    lines.push(`${WARNING} the sandbox has holes on this machine: ${sandbox.lacks.join(", ")}`);
  }
  for (const place of missed) lines.push(`${WARNING} ${user?.name} can't use ${place} any more`);
  if (user !== null && named === null && !quiet) lines.push(told(user, sandbox));
  return { sandbox, lines: lines.map((line) => `${printableText(line)}\n`).join("") };
}

/**
 * Who the process becomes, by `values`: who is named, or where root starts it who serves the roots
 * of `options`, which are there; null: who it is. Throws UsageError when --user can't be had.
 */
export function userOf(
  options: ServeOptions,
  { sandbox, user }: Pick<Given, "sandbox" | "user">,
): RunAs | null {
  if (user !== undefined) return namedUser(utf8Of(user));
  if (process.geteuid?.() !== 0 || !sandbox) return null;
  return servingUser(foldersOf(options), needsOf(options));
}

// --- internal ---

const WARNING = "serv6: warning:";

/**
 * This program's folder: the digest thread's modules are read when somebody asks for a digest. A
 * compiled program has them in itself, below a folder that is not there (decision 0036).
 */
const PROGRAM = import.meta.dir.startsWith("/$bunfs/")
  ? null
  : path.dirname(path.dirname(import.meta.dir));

/** What is opened while it serves. A certificate that it made itself is never renewed. */
function needsOf(options: ServeOptions): Needs {
  const { tls, logFile } = options;
  const made = tls?.self === true ? tls.cert : null;
  const read = watchedFiles(options).filter((file) => file !== made);
  return {
    read: [
      ...(PROGRAM === null ? [] : [PROGRAM]),
      ...new Set(read.map((file) => path.resolve(file))),
    ],
    write: logFile === undefined ? [] : [path.dirname(path.resolve(logFile))],
  };
}

/** What is served of this machine; for objects alone stands the folder that everybody can read. */
function foldersOf(options: ServeOptions): string[] {
  const folders = rootsOf(options).filter((root) => !isS3Root(root));
  return folders.length === 0 ? ["/"] : folders;
}

/** What `user` will not get at, of what is needed and, where there are several, of the roots. */
function missedBy(user: RunAs, options: ServeOptions): string[] {
  const roots = foldersOf(options);
  const closed = process.geteuid?.() === 0 && roots.length > 1 ? unreadable(user, roots) : [];
  return [...closed, ...outOfReach(user, needsOf(options))];
}

/** Who serves, where root has started it and named nobody. */
function told({ name, uid }: RunAs, { stays }: Sandbox): string {
  const other = "--user NAME serves as another";
  if (stays !== null) return `  serves as root, without its rights: ${stays} (${other})`;
  return uid === 0
    ? `  serves as root, without its rights: no other user can read ROOT and all it needs (${other})`
    : `  serves as ${name}, who has to be able to read the files (${other})`;
}
