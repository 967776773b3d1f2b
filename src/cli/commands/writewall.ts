/**
 * The wall of a command that brings files: once it knows where they go, the process can make,
 * change and remove files there alone, and run no program. What a server could make of a fault in
 * this program or its runtime ends at the destination. The walls in front of it are destination/'s,
 * name by name (decision 0017).
 */
import fs from "node:fs";
import path from "node:path";
import type { ServerAddress } from "../../client/address.ts";
import { Confinement } from "../../sys/confine.ts";
import { bufferOf, bytesOf, type ByteString, utf8Of } from "../../wire/bytes.ts";
import { stateFile } from "../flags/statefile.ts";

/** What the command is asked for. */
export interface Wanted {
  /** `--server`. */
  readonly server: ServerAddress;
  /** Paths and URLs. */
  readonly from: readonly ByteString[];
  /** The destination, which need not be there yet; null: standard output. */
  readonly folder: Uint8Array | string | null;
}

/**
 * Builds it around the whole process, for good, so only for a command line and never at the prompt.
 * Where the machine has no such wall nothing happens: it is the second one. None either for a
 * folder below /proc.
 */
export function wallWrites({ server, from, folder }: Wanted): void {
  const destination = folder === null ? [] : [nearest(named(folder))];
  // Behind such a wall another process's /proc/PID/root can't be entered (landlock(7), ptrace).
  if (destination.some((place) => path.resolve(utf8Of(place)).startsWith("/proc/"))) return;
  const confinement = Confinement.make();
  if (confinement === null || confinement.noNewPrivileges() < 0) return;
  const secure = server.secure === true || from.some((name) => /^(?:s6s|https):/i.test(name));
  confinement.writeBelow([...destination, ...(secure ? known() : [])]);
}

// --- internal ---

/** Where servers that are seen first are noted: the folder is made, since it can't be later. */
function known(): ByteString[] {
  const file = stateFile("cli6", "known_hosts", process.env);
  if (file === null) return [];
  const folder = path.dirname(file);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    // Told by whoever wants to write there.
  }
  return [bytesOf(folder)];
}

function named(place: Uint8Array | string): ByteString {
  return typeof place === "string" ? bytesOf(place) : Buffer.from(place).toString("latin1");
}

/** The folder `place`, or the nearest one above it that is there and will get it. */
function nearest(place: ByteString): ByteString {
  if (isFolder(place)) return place;
  const slash = place.replace(/\/+$/, "").lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : nearest(place.slice(0, slash));
}

function isFolder(place: ByteString): boolean {
  try {
    return fs.statSync(bufferOf(place)).isDirectory();
  } catch {
    return false;
  }
}
