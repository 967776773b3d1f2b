/** `cli6 mirror -n`: says what a mirror would do, and touches nothing. */
import fs from "node:fs";
import { sameTime } from "../../download/uptodate.ts";
import type { Origin } from "../../download/origin.ts";
import { below, type Level, walk } from "../../download/walk.ts";
import { Folder } from "../../destination/folder.ts";
import { collect, namesIn } from "../../destination/remove.ts";
import { STAGING_PREFIX } from "../../destination/staging.ts";
import { printable } from "../../wire/printable.ts";
import type { PathFilter } from "./filter.ts";
import type { Transfer } from "./transfer.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";

/**
 * Prints one line for each file that would be fetched or, with `deletes`, removed. Rejects like the
 * mirror itself.
 */
export async function dryRun(
  origin: Origin,
  top: ByteString,
  to: ByteString,
  choice: PathFilter,
  deletes: boolean,
  transfer: Transfer,
): Promise<void> {
  const { tally } = transfer;
  const names = new Map<ByteString, Set<ByteString>>();
  const pathOf = (path: ByteString): Buffer => bufferOf(`${to}/${path}`);
  await walk(origin, top, {
    async entry(level, entry) {
      const path = below(level, entry.name);
      const set = names.get(level.path) ?? new Set();
      names.set(level.path, set.add(entry.name));
      if (!choice.wants(path, entry.type)) return false;
      if (entry.type === "dir") return true;
      const here = fs.lstatSync(pathOf(path), { bigint: true, throwIfNoEntry: false });
      const same = here?.isFile() === true && here.size === entry.size;
      if (same && sameTime(here.mtimeNs, entry.mtime)) {
        tally.unchanged += 1;
        return false;
      }
      transfer.say(`${here === undefined ? "new     " : "changed "} ${printable(path)}`);
      return false;
    },
    async ended(level: Level) {
      const known = names.get(level.path);
      names.delete(level.path);
      if (!deletes || !fs.existsSync(pathOf(level.path))) return;
      const into: ByteString[] = [];
      const wants: PathFilter["wants"] = (path, type) => choice.wants(path, type);
      const folder = Folder.open(`${to}/${level.path}`, false);
      for (const name of namesIn(folder)) {
        const ours = level.depth === 0 && name.startsWith(STAGING_PREFIX);
        if (ours || known?.has(name) === true) continue;
        collect(folder, name, { path: below(level, name), wants, most: Infinity, into });
      }
      folder.close();
      for (const path of into) transfer.say(`removed  ${printable(path)}`);
    },
    failed: (error) => transfer.fail(error),
  });
  tally.totalKnown = true;
}
