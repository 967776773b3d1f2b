/**
 * The wall around the process that starts workers: what it and they can't do from then on. It is
 * lower than a worker's own (sandbox.ts), because workers begin inside it: they have to be started,
 * to read a key that is root's, and to become another user. It runs this program and no other,
 * writes where the log and the keys of this server are, and keeps few of root's rights.
 */
import fs from "node:fs";
import path from "node:path";
import { forbiddenToAll } from "../../guard/forbidden.ts";
import type { ServeOptions } from "../../server/start.ts";
import { CAPABILITY, Confinement } from "../../sys/confine.ts";
import { filterProgram } from "../../sys/filter.ts";
import { bytesOf } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import { watchedFiles } from "./sandbox.ts";

/** What workers need of root's rights until they have become who they serve as. */
const KEPT = [
  CAPABILITY.dacOverride,
  CAPABILITY.dacReadSearch,
  CAPABILITY.kill,
  CAPABILITY.setGid,
  CAPABILITY.setUid,
  CAPABILITY.netBindService,
] as const;

/**
 * Builds it, in every thread, for good, and gives what may be written from then on, null for
 * everything. What this machine can't do is left out: workers say what their own wall lacks, and it
 * is the same. Called before the first of them is started.
 */
export function enterSupervisorWall(options: ServeOptions): readonly string[] | null {
  const confinement = Confinement.make();
  if (confinement === null) return null;
  confinement.noNewPrivileges();
  if (process.geteuid?.() === 0) confinement.onlyCapabilities(KEPT);
  const places = written(options);
  const walled = confinement.writeBelow(places.map(bytesOf), programs().map(bytesOf)) >= 0;
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  confinement.filter(filterProgram(arch, forbiddenToAll(arch)));
  return walled ? places.map(real) : null;
}

/**
 * What a restart could do and a reload that failed can't, printable, to be told behind why: write
 * where the options that `read` gives want a log or a new key, and what is in `places`, of
 * enterSupervisorWall(), is not. "" where there is nothing of that.
 */
export function restartAdvice(places: readonly string[] | null, read: () => ServeOptions): string {
  if (places === null) return "";
  try {
    const folders = beyond(places, read()).map(printableText).join(" and ");
    if (folders === "") return "";
    return `; serv6 gave up the right to write in ${folders} when it started: restart it`;
  } catch {
    // What can't be read has been told.
    return "";
  }
}

// --- internal ---

/** Where the log is, and what makes new keys; the terminal, which a log opens anew. */
function written(options: ServeOptions): string[] {
  const { logFile } = options;
  const files = [...watchedFiles(options), ...(logFile === undefined ? [] : [logFile])];
  const folders = files.map((file) => path.dirname(path.resolve(file)));
  const stderr = target("/proc/self/fd/2");
  return [...new Set(folders), "/dev/null", ...(stderr.startsWith("/dev/") ? [stderr] : [])];
}

/** The folders, not in `places`, where a log is wanted, or a key that is not there. */
function beyond(places: readonly string[], { tls, tokens, logFile }: ServeOptions): string[] {
  const keys = [tls?.self === true ? tls.cert : undefined, tokens?.linkKey];
  const made = keys.filter((file) => file !== undefined && !fs.existsSync(file));
  const folders = [logFile, ...made]
    .filter((file) => file !== undefined && !places.includes(file))
    .map((file = "") => path.dirname(path.resolve(file)))
    .filter((folder) => !places.some((place) => `${real(folder)}/`.startsWith(`${place}/`)));
  return [...new Set(folders)];
}

/**
 * The folders of this program and of what loads it: an upgrade puts a new file there, which a rule
 * about the old one would not let run.
 */
function programs(): string[] {
  const loaders = fs
    .readFileSync("/proc/self/maps", "latin1")
    .split("\n")
    .map((line) => line.slice(line.indexOf("/")))
    .filter((file) => /^\/.*\/ld-[^/]*\.so(?:\.[0-9.]+)?$/.test(file));
  const folders = [process.execPath, ...loaders].map((file) => path.dirname(target(file)));
  return [...new Set(folders)];
}

/** `file` behind links; what is missing of it counts as it is written. */
function real(file: string): string {
  const above = path.dirname(file);
  if (fs.existsSync(file) || above === file) return target(file);
  return path.join(real(above), path.basename(file));
}

function target(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}
