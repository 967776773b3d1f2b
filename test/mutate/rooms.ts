/**
 * What is mutated, and which tests ought to notice: those of the file's own name first, then those
 * of its room, then what drives the room from above. Narrow on purpose, for each mutant runs them:
 * one that survives may still be caught by the whole suite.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Room {
  readonly name: string;
  /** The files that are changed, as a glob. */
  readonly files: string;
  /** Globs of test files, in the order in which they run. */
  readonly tests: readonly string[];
}

export const ROOMS: readonly Room[] = [
  {
    name: "wire",
    files: "src/wire/*.ts",
    tests: ["test/wire/*.test.ts", "test/client/reply.test.ts"],
  },
  {
    name: "http",
    files: "src/wire/http/*.ts",
    tests: ["test/wire/http/*.test.ts"],
  },
  {
    name: "store",
    files: "src/store/*.ts",
    tests: [
      // All but those of an object store alone, the slow ones last.
      "test/store/{arena,atonce,body,brought,broughtdigests,cache,descriptors}.test.ts",
      "test/store/{digest-cache,digest-job,digester,directory,diskread,diskstart}.test.ts",
      "test/store/{diskwork,etag,folderlooks,foldernames,look,looks,named,names}.test.ts",
      "test/store/{onbehalf,opener,packed,pages,pagewaits,prefetch,refusal,root}.test.ts",
      "test/store/{servedroot,snapshot,snapshots}.test.ts",
      "test/store/{disk,portable,s3}.test.ts",
      "test/server/{coldlarge,coldnames,coldsmall}.test.ts",
      "test/server/http/folders.test.ts",
    ],
  },
  {
    name: "send",
    files: "src/send/*.ts",
    tests: ["test/send/*.test.ts", "test/server/{changedsteps,cached}.test.ts"],
  },
  { name: "guard", files: "src/guard/*.ts", tests: ["test/guard/*.test.ts"] },
  { name: "plan", files: "src/download/plan.ts", tests: ["test/download/plan.test.ts"] },
  {
    name: "destination",
    files: "src/destination/*.ts",
    tests: [
      "test/destination/{basis,error,folder,remove,staged,staging}.test.ts",
      "test/download/uptodate.test.ts",
      "test/destination/{batch,tree}.test.ts",
    ],
  },
];

/**
 * The tests for a mutant of `path` below `folder`, the likeliest first: those of its name, those
 * that caught one of the same file `lately` (the last one first), then those that import it.
 */
export function testsFor(
  room: Room,
  path: string,
  folder: string,
  lately: readonly string[] = [],
): string[] {
  const own = path.replace(/^src/, "test").replace(/\.ts$/, ".test.ts");
  const all = [...new Set(room.tests.flatMap((glob) => filesOf(glob, folder)))];
  const imports = (test: string): boolean =>
    readFileSync(join(folder, test), "utf8").includes(`${path}"`);
  const rank = (test: string): number => {
    if (test === own) return -1;
    if (lately.includes(test)) return lately.indexOf(test);
    return lately.length + Number(path === "" || !imports(test));
  };
  const ranks = new Map(all.map((test) => [test, rank(test)]));
  return all.toSorted((a, b) => ranks.get(a)! - ranks.get(b)!);
}

/** The files that `glob` names below `folder`, by name. */
export function filesOf(glob: string, folder: string): string[] {
  return [...new Bun.Glob(glob).scanSync(folder)].sort();
}
