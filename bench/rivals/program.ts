/**
 * Owns what rivals that are installed programs have in common: a folder for their configuration, a
 * free port, another try when somebody else took it, a version. Each of them is a table entry in a
 * file of its own. Never uses a configuration of the machine's own.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DoorName } from "../load/door.ts";
import { freePort, type RunningServer, startServer } from "../spawn.ts";
import { temporaryFolder } from "../temporary.ts";
import { type Rival, versionFrom } from "./rival.ts";

/** The free port found may be taken by another before the program binds it. */
const START_TRIES_MAX = 3;

/** What a program is told at start. */
export interface Place {
  readonly port: number;
  /** What it serves. */
  readonly root: string;
  /** A folder of its own, empty but for `file`. */
  readonly folder: string;
  /** Its configuration. */
  readonly file: string;
}

/** An installed program as a rival. */
export interface Program {
  readonly name: string;
  /** What `--rival` selects it by, where that is not its name. */
  readonly family?: string;
  readonly door: DoorName;
  readonly binary: string;
  /** Prints its version. */
  readonly version: readonly string[];
  /** The configuration in words. */
  readonly configured: string;
  /** The whole configuration file; without it there is none. */
  configuration?(place: Place): string;
  command(place: Place): readonly string[];
}

/** Makes a rival of it. */
export function rivalOf(program: Program): Rival {
  const { name, family = name, door, binary, configured } = program;
  return {
    ...{ name, family, door },
    about: configured,
    version: () => (Bun.which(binary) === null ? null : versionFrom(program.version)),
    unavailable: () => (Bun.which(binary) === null ? `${binary} is not installed` : null),
    start: (root) => start(program, root),
  };
}

// --- internal ---

async function start(program: Program, root: string): Promise<RunningServer> {
  const folder = temporaryFolder();
  const file = join(folder.path, "configuration");
  for (let tries = 1; ; tries++) {
    const place: Place = { port: freePort(), root, folder: folder.path, file };
    if (program.configuration) writeFileSync(file, program.configuration(place));
    try {
      const server = await startServer(program.command(place), place.port);
      return { ...server, stop: () => server.stop().finally(folder.remove) };
    } catch (error) {
      if (tries < START_TRIES_MAX) continue;
      folder.remove();
      throw error;
    }
  }
}
