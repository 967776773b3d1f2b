/** What the kernel's settings say of large pages for files in memory. It only reads them. */
import fs from "node:fs";
import { dirname } from "node:path";

const SETTINGS = "/sys/kernel/mm/transparent_hugepage";

/** Settings under which a file in memory that nobody maps gets pages of one size alone. */
const SMALL = ["never", "deny", "advise"];

/**
 * True when files in memory (memfd_create(2)) consist of single pages, as far as the settings tell:
 * `shmem_enabled`, and since Linux 6.14 the same for each size (Documentation/admin-guide/mm/
 * transhuge.rst). True for a kernel without such settings, which has no such pages; false where
 * they can't be read or seen: a container may have no /sys. `folder` is the settings' for tests.
 */
export function shmemPagesAreSmall(folder: string = SETTINGS): boolean {
  if (!fs.existsSync(folder)) return fs.existsSync(dirname(folder));
  try {
    const all = settingOf(`${folder}/shmem_enabled`);
    const sizes = fs
      .readdirSync(folder)
      .filter((name) => name.startsWith("hugepages-"))
      .map((name) => settingOf(`${folder}/${name}/shmem_enabled`));
    return [all, ...sizes].every((word) => word === null || word === "inherit" || isSmall(word));
  } catch {
    return false;
  }
}

// --- internal ---

function isSmall(word: string): boolean {
  return SMALL.includes(word);
}

/** The word in brackets; null where there is no such setting. */
function settingOf(file: string): string | null {
  if (!fs.existsSync(file)) return null;
  return /\[(\w+)\]/.exec(fs.readFileSync(file, "latin1"))?.[1] ?? "unknown";
}
