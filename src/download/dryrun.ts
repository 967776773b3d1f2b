/** What a mirror would do: it looks on both sides, and touches nothing. */
import fs from "node:fs";
import { AT_FDCWD } from "../sys/types.ts";
import { Folder } from "../destination/folder.ts";
import { collect, extraIn as unknownIn } from "../destination/remove.ts";
import { STAGING_PREFIX } from "../destination/staging.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";
import { printable } from "../wire/printable.ts";
import { hasContent } from "./content.ts";
import type { Wants } from "./filter.ts";
import type { Origin } from "./origin.ts";
import type { Run } from "./run.ts";
import { tellLeft } from "./treeleft.ts";
import type { MirrorSettings } from "./settings.ts";
import { sameTime } from "./uptodate.ts";
import { below, type Level, walk } from "./walk.ts";

/**
 * Tells of each file that would be fetched, which the run's numbers count, and of each path that
 * would be removed; gives how many those are. Rejects like the mirror itself.
 */
export async function dryRun(
  run: Run,
  origin: Origin,
  top: ByteString,
  wants: Wants,
  { folder: to, deletes, compares }: MirrorSettings,
): Promise<number> {
  let removed = 0;
  const names = new Map<ByteString, Set<ByteString>>();
  const pathOf = (path: ByteString): Buffer => bufferOf(`${to}/${path}`);
  await walk(origin, top, {
    async entry(level, entry) {
      run.mustGoOn();
      const path = below(level, entry.name);
      const set = names.get(level.path) ?? new Set();
      names.set(level.path, set.add(entry.name));
      if (!wants(path, entry.type)) return false;
      if (entry.type === "dir") return true;
      const here = fs.lstatSync(pathOf(path), { bigint: true, throwIfNoEntry: false });
      const same = here?.isFile() === true && here.size === entry.size;
      const looksSame = same && sameTime(here.mtimeNs, entry.mtime);
      const file = { path: `${top}/${path}`, entry };
      const at = `${to}/${path}`;
      if (looksSame && (!compares || (await hasContent(AT_FDCWD, at, origin, file)))) {
        run.tally.unchanged += 1;
        return false;
      }
      const action = here === undefined ? "new" : "changed";
      const size = Number(entry.size);
      run.tally.files += 1;
      run.tally.bytes += size;
      run.tell({ type: "planned", action, name: printable(path), size });
      return false;
    },
    left(level, left) {
      const set = names.get(level.path) ?? new Set();
      names.set(level.path, set);
      for (const { name } of left) set.add(name);
      tellLeft(run, origin, top, level, left, wants);
    },
    async ended(level: Level) {
      const known = names.get(level.path) ?? new Set();
      names.delete(level.path);
      if (!deletes || !fs.existsSync(pathOf(level.path))) return;
      const into = extraIn(`${to}/${level.path}`, level, known, wants);
      removed += into.length;
      for (const path of into) {
        run.tell({ type: "planned", action: "removed", name: printable(path), size: null });
      }
    },
    failed: (error) => run.fail(error),
  });
  run.tally.totalKnown = true;
  return removed;
}

// --- internal ---

/** What is in the folder `path` here and not among the `known` names there. Throws LocalError. */
function extraIn(
  path: ByteString,
  level: Level,
  known: ReadonlySet<ByteString>,
  wants: Wants,
): readonly ByteString[] {
  const into: ByteString[] = [];
  const folder = Folder.open(path, false);
  try {
    for (const name of unknownIn(folder, known)) {
      if (level.depth === 0 && name.startsWith(STAGING_PREFIX)) continue;
      collect(folder, name, { path: below(level, name), wants, most: Infinity, into });
    }
  } finally {
    folder.close();
  }
  return into;
}
