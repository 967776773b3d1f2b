/**
 * What is mutated, and which tests ought to notice: those of the file's own name first, then those
 * of its room, then what drives the room from above. Narrow on purpose, for each mutant runs them:
 * one that survives may still be caught by the whole suite.
 */

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
    tests: ["test/wire/http/*.test.ts", "test/server/http/*.test.ts"],
  },
  {
    name: "store",
    files: "src/store/*.ts",
    tests: [
      "test/store/{arena,body,cache,descriptors,digest-cache,diskread,etag}.test.ts",
      "test/store/{names,pages,prefetch,snapshots}.test.ts",
      "test/store/{disk,portable}.test.ts",
      "test/server/{partial,listing,hash}.test.ts",
    ],
  },
  {
    name: "send",
    files: "src/send/*.ts",
    tests: [
      "test/send/*.test.ts",
      "test/server/{partial,coldsmall,coldlarge,backpressure}.test.ts",
      "test/server/{changedsteps,turns}.test.ts",
    ],
  },
  { name: "guard", files: "src/guard/*.ts", tests: ["test/guard/*.test.ts"] },
  { name: "plan", files: "src/download/plan.ts", tests: ["test/download/plan.test.ts"] },
  {
    name: "destination",
    files: "src/destination/*.ts",
    tests: [
      "test/destination/{basis,folder,remove,staged,staging}.test.ts",
      "test/download/uptodate.test.ts",
      "test/destination/{batch,tree}.test.ts",
      "test/download/reuse.test.ts",
      "test/cli/mirror/{delete,place}.test.ts",
    ],
  },
];

/** The tests for a mutant of `path` below `folder`, the likeliest first. */
export function testsFor(room: Room, path: string, folder: string): string[] {
  const own = path.replace(/^src/, "test").replace(/\.ts$/, ".test.ts");
  const all = room.tests.flatMap((glob) => filesOf(glob, folder));
  return [...new Set([...all.filter((test) => test === own), ...all])];
}

/** The files that `glob` names below `folder`, by name. */
export function filesOf(glob: string, folder: string): string[] {
  return [...new Bun.Glob(glob).scanSync(folder)].sort();
}
