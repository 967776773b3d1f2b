/**
 * Which user a server started by root becomes: the one that --user names, or else one who can read
 * what is served. It reads /etc/passwd; users that only a directory service knows need a number.
 */
import fs from "node:fs";
import path from "node:path";
import { UsageError } from "../flags/flags.ts";

/** A user of this machine. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** For messages. */
  readonly name: string;
}

/** Who has no rights at all, where /etc/passwd does not say (nobody's number in Linux itself). */
const NOBODY: RunAs = { uid: 65_534, gid: 65_534, name: "nobody" };

/** (uid_t) -1 means "leave it" to setresuid(2). */
const ID_MAX = 0xffff_fffe;

const ROOT: RunAs = { uid: 0, gid: 0, name: "root" };

/** Bits of a mode. */
const READ = 4;
const WRITE = 2;
const ENTER = 1;

/**
 * The user that `wanted` names: NAME, UID, or either with :GID behind it. Throws UsageError for one
 * that is not there, and for another than the own one where the process is not root.
 */
export function namedUser(wanted: string, passwd: string = readPasswd()): RunAs {
  const [, who = "", group] = /^([^:]+)(?::([0-9]+))?$/.exec(wanted) ?? [];
  const known = entries(passwd).find(({ uid, name }) => name === who || String(uid) === who);
  const number = /^[0-9]{1,10}$/.test(who) ? Number(who) : undefined;
  const uid = known?.uid ?? number;
  const gid = group === undefined ? (known?.gid ?? uid) : Number(group);
  if (uid === undefined || gid === undefined || uid > ID_MAX || gid > ID_MAX) {
    throw new UsageError(
      `--user takes NAME or UID[:GID], and /etc/passwd has no ${JSON.stringify(wanted)}`,
    );
  }
  if (process.geteuid?.() !== 0 && uid !== process.geteuid?.()) {
    throw new UsageError("--user needs root: only root may become another user");
  }
  return { uid, gid, name: known?.name ?? String(uid) };
}

/** What a server may have to open while it serves, beside ROOT. */
export interface Needs {
  /** Files and folders to read. */
  readonly read: readonly string[];
  /** Folders to make files in. */
  readonly write: readonly string[];
}

/**
 * Who serves `roots` when root starts the server and names nobody: the first of their owners,
 * nobody, and root (who has lost root's rights by then) that may read all of `roots` and has all it
 * `needs`, by the bits of their modes; else the first that may read all `roots`.
 */
export function servingUser(
  roots: readonly string[],
  needs: Needs,
  passwd: string = readPasswd(),
): RunAs {
  const known = entries(passwd);
  const owners = roots
    .map((root) => fs.statSync(root))
    .filter(({ uid }) => uid !== ROOT.uid)
    .map(({ uid, gid }) => {
      return known.find((entry) => entry.uid === uid) ?? { uid, gid, name: String(uid) };
    });
  const nobody = known.find(({ name }) => name === NOBODY.name) ?? NOBODY;
  const candidates = [...owners, nobody, ROOT];
  const serving = candidates.filter((user) => unreadable(user, roots).length === 0);
  return serving.find((user) => outOfReach(user, needs).length === 0) ?? serving[0] ?? ROOT;
}

/** Those of `roots` that `user` may not read, by the bits of their modes. */
export function unreadable(user: RunAs, roots: readonly string[]): string[] {
  return roots.filter((root) => !mayServe(user, root));
}

/** Those of its `needs` that `user` has not: it may go to each, and read or make files there. */
export function outOfReach(user: RunAs, { read, write }: Needs): string[] {
  return [
    ...read.filter((place) => !reaches(user, place, isFolder(place) ? READ | ENTER : READ)),
    ...write.filter((place) => !reaches(user, place, WRITE | ENTER)),
  ];
}

// --- internal ---

function isFolder(place: string): boolean {
  return fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** What is not there is no hindrance. */
function reaches(user: RunAs, place: string, bits: number): boolean {
  if (!fs.existsSync(place)) return true;
  if (!may(user, place, bits)) return false;
  for (let at = path.dirname(place); ; at = path.dirname(at)) {
    if (!may(user, at, ENTER)) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** What is above ROOT does not count: it is open by then. */
function mayServe(user: RunAs, root: string): boolean {
  const real = fs.realpathSync(root);
  if (fs.statSync(real).isDirectory()) return may(user, real, READ | ENTER);
  return may(user, real, READ) && may(user, path.dirname(real), READ | ENTER);
}

/** By the bits of the mode alone (inode(7)): of the owner, or of the group, or of all others. */
function may({ uid, gid }: RunAs, place: string, bits: number): boolean {
  const stat = fs.statSync(place);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & bits) === bits;
}

/** Name, password, uid, gid, ... (passwd(5)). */
function entries(passwd: string): RunAs[] {
  return passwd.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    return /^[0-9]+$/.test(uid) && /^[0-9]+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : [];
  });
}

function readPasswd(): string {
  try {
    return fs.readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}
