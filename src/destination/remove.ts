/**
 * Removes entries from a destination (`mirror --delete`). It works by descriptors and never follows
 * a symbolic link: a link is removed itself.
 */
import fs from "node:fs";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { localError, must } from "./error.ts";
import { Folder } from "./folder.ts";
import { type ByteString, byteStringOf } from "../wire/bytes.ts";

const FOLDER = OPEN.readOnly | OPEN.directory | OPEN.noFollow;

const found = new FileStat();

/** The names in `folder`, bytes, in no order. Throws LocalError. */
export function namesIn(folder: Folder): ByteString[] {
  try {
    return fs
      .readdirSync(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" })
      .map((name) => byteStringOf(name));
  } catch (error) {
    const errno = error instanceof Error && "errno" in error ? Number(error.errno) : -ERRNO.EIO;
    throw localError(errno, `listing ${printable(folder.path)}`);
  }
}

/**
 * The names in `folder` that are none of the `known` ones: also not by another spelling, as a file
 * system has it that keeps "A" as "a", or letters with accents in another form. Throws LocalError.
 */
export function extraIn(folder: Folder, known: ReadonlySet<ByteString>): ByteString[] {
  const names = namesIn(folder);
  const extra = names.filter((name) => !known.has(name));
  if (extra.length === 0) return extra;
  // A known name that is found, and in no list, has another one there.
  const listed = new Set(names);
  const respelled = new Set<bigint>();
  for (const name of known) {
    if (listed.has(name) || kernel.statx(folder.fd, name, found) < 0) continue;
    respelled.add(found.ino);
  }
  if (respelled.size === 0) return extra;
  return extra.filter((name) => {
    const looked = kernel.statx(folder.fd, name, found);
    return looked === 0 && !respelled.has(found.ino);
  });
}

/** What collect() collects. */
export interface Removal {
  /** The path of the name below the destination: names joined by "/". */
  readonly path: ByteString;
  /** False for an entry that is to stay. */
  readonly wants: (path: ByteString, type: "file" | "dir") => boolean;
  /** Bound: collect() stops when `into` has one more than so many. */
  readonly most: number;
  /** Takes the paths, those inside a folder before the folder. */
  readonly into: ByteString[];
}

/**
 * Collects `name` in `folder` and all below it, links not followed. A folder stays if anything in
 * it stays. True when all of it was collected. Throws LocalError.
 */
export function collect(folder: Folder, name: ByteString, removal: Removal): boolean {
  const { path, wants, most, into } = removal;
  if (into.length > most) return false;
  const inner = enter(folder, name);
  let all = wants(path, inner === null ? "file" : "dir");
  if (inner !== null) {
    try {
      for (const each of all ? namesIn(inner) : []) {
        if (!collect(inner, each, { ...removal, path: `${path}/${each}` })) all = false;
      }
    } finally {
      inner.close();
    }
  }
  if (all) into.push(path);
  return all;
}

/**
 * Removes `name` from `folder`; false for a folder that is not empty, which stays: what is in it
 * came since it was looked at, and nobody knows whether it may go. A name that no longer exists is
 * no error. Throws LocalError.
 */
export function remove(folder: Folder, name: ByteString): boolean {
  const doing = (): string => `removing ${printable(folder.pathOf(name))}`;
  const looked = kernel.statx(folder.fd, name, found);
  if (looked === -ERRNO.ENOENT) return true;
  must(looked, doing);
  const removed = kernel.unlinkat(folder.fd, name, found.isDirectory);
  if (removed === -ERRNO.ENOTEMPTY || removed === -ERRNO.EEXIST) return false;
  if (removed !== -ERRNO.ENOENT) must(removed, doing);
  folder.changed = true;
  return true;
}

// --- internal ---

/**
 * The folder `name` in `folder`, for the caller to close; null for all else, links to folders too.
 */
function enter(folder: Folder, name: ByteString): Folder | null {
  const path = folder.pathOf(name);
  const looked = kernel.statx(folder.fd, name, found);
  if (looked === -ERRNO.ENOENT || (looked === 0 && !found.isDirectory)) return null;
  const fd = looked < 0 ? looked : kernel.openat(folder.fd, name, FOLDER);
  return new Folder(
    must(fd, () => `opening the folder ${printable(path)}`),
    path,
  );
}
