/**
 * The second wall of serv6, around the whole process once it listens: it has no rights of root,
 * reads below ROOT alone, writes nothing, starts nothing and calls nobody but the store of an s3://
 * ROOT. The first wall is
 * store/root.ts. A fault of the program or its runtime then gives nobody more than what is served
 * anyway (decision 0039). The library's serve() does none of this to its caller.
 */
import fs from "node:fs";
import path from "node:path";
import { forbiddenCalls } from "../../guard/forbidden.ts";
import type { Server } from "../../server/serve.ts";
import { rootsOf, type ServeOptions } from "../../server/start.ts";
import { Confinement, type FileRule } from "../../sys/confine.ts";
import { errnoName } from "../../sys/errno.ts";
import { filterProgram } from "../../sys/filter.ts";
import { bytesOf } from "../../wire/bytes.ts";
import { isS3Root } from "../../store/s3/address.ts";
import { connectPorts, resolverFiles } from "./remote.ts";
import type { RunAs } from "./runas.ts";

/** What came of it. */
export interface Sandbox {
  /** By which the process gave up its rights; null: it could give up none. */
  readonly confinement: Confinement | null;
  /** What this machine could not do, in words; nothing when the wall is whole. */
  readonly lacks: readonly string[];
  /** Why it is not the user that it was to become, else null. */
  readonly stays: string | null;
}

/** What the wall is built for. */
export interface Walled {
  readonly server: Server;
  /** Who the process becomes; null: it stays who it is. */
  readonly user: RunAs | null;
  /** What it was started with: files that are read again, and `unconfined`. */
  readonly options: ServeOptions;
  /** The folder of this program, which is read as well; null: it is one file, and open. */
  readonly program: string | null;
  /** False: it becomes `user`, and that is all. */
  readonly whole: boolean;
}

/**
 * Builds the wall, in every thread, for good. Never throws: what the machine can't do is told.
 * Called when all addresses are bound and nothing is served yet.
 */
export function enterSandbox(walled: Walled): Sandbox {
  const { user, whole } = walled;
  const confinement = Confinement.make();
  if (confinement === null) {
    const stays = user === null ? null : "there is no libc to ask";
    return { confinement, lacks: ["no Linux libc to ask for one"], stays };
  }
  if (!whole) return { confinement, lacks: [], stays: become(confinement, user) };
  const lacks: string[] = [];
  const step = (answer: number, lack: string): void => {
    if (answer < 0) lacks.push(`${lack} (${errnoName(-answer)})`);
  };
  step(confinement.noNewPrivileges(), "no_new_privs");
  const ports = connectPorts(walled.options);
  step(confinement.openOnly(openable(walled), ports ?? []), "Landlock");
  const stays = become(confinement, user);
  step(confinement.noCapabilities(), "capabilities");
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  const program = filterProgram(arch, forbiddenCalls(arch, process.pid, ports !== null));
  step(confinement.filter(program), "seccomp");
  return { confinement, lacks, stays };
}

/** The files that a server of `options` reads again when they change. */
export function watchedFiles({ tls, tokens }: ServeOptions): string[] {
  return [tls?.cert, tls?.key, tls?.clientCa, tokens?.file, tokens?.linkKey].filter(
    (file) => file !== undefined,
  );
}

/**
 * What is opened for `file` to be had again: the folder it is in, by the name that was given and
 * behind links, for what renews it puts a new one there. Other files of such a folder can be read
 * as well, as far as the process's user may. Of the root of all files that would be everything:
 * there it is the file alone, which is read again when it is written in place.
 */
export function placesOf(file: string): string[] {
  const given = path.resolve(file);
  const files = [given];
  try {
    files.push(fs.realpathSync(given));
  } catch {
    // It is not there: whatever comes by its name is.
  }
  const places = files.map((each) => (path.dirname(each) === "/" ? each : path.dirname(each)));
  return [...new Set(places)];
}

// --- internal ---

/** Null when it is that user, else why not. Who is no root may only be named as who it is. */
function become(confinement: Confinement, user: RunAs | null): string | null {
  if (user === null || process.geteuid?.() !== 0) return null;
  const answer = confinement.becomeUser(user.uid, user.gid);
  return answer < 0 ? `can't become ${user.name} (${errnoName(-answer)})` : null;
}

/** What is read while it serves. What the runtime needs of libc and its own is loaded by now. */
function openable({ server, options, program }: Walled): FileRule[] {
  const served = server.store.roots.map(({ folder }) => folder);
  const places = rootsOf(options);
  const files = options.unconfined === true && !places.every(isS3Root) ? ["/"] : served;
  const below = (may: FileRule["may"], ...named: readonly string[]): FileRule[] =>
    named.flatMap(placesOf).map((place) => ({ path: bytesOf(place), may }));
  // Bun reads it with the first TLS socket that it makes.
  const extra = process.env["NODE_EXTRA_CA_CERTS"];
  return [
    ...(places.some(isS3Root) ? resolverFiles() : []),
    ...files.map((folder) => ({ path: folder, may: "list" }) as const),
    // The digest thread's modules, when somebody asks for the first digest.
    ...(program === null ? [] : [{ path: bytesOf(program), may: "list" } as const]),
    // What the runtime reads of its memory; itself alone, and no other process.
    { path: "/proc/self", may: "list", hold: true },
    ...(extra === undefined ? [] : [{ path: bytesOf(extra), may: "read" } as const]),
    ...below("read", ...watchedFiles(options)),
    // SIGUSR1 opens it anew; what is in it can't be read.
    ...(options.logFile === undefined ? [] : below("write", options.logFile)),
  ];
}
