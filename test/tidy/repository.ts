/**
 * The rules about the repository as a whole: what lies at its top, what it depends on, and that no
 * file names the machine it was written on. Each is a function of paths and texts alone.
 */
import { type Finding, linesOf, type SourceFile } from "./source.ts";

/** The top level, whole. Everything else has a place below. */
const TOP_LEVEL = new Set([
  "package.json",
  "bunfig.toml",
  "tsconfig.json",
  "src",
  "bench",
  "test",
  "Makefile",
  "README.md",
  "LICENSE",
  "bun.lock",
  ".gitignore",
  ".github",
  ".ci",
]);

const RUNTIME_DEPENDENCIES = ["citty"];

const OTHER_LOCKS =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb|deno\.lock)$/;

/** The top level is the map a visitor sees first: it is fixed. */
export function topLevel(files: readonly SourceFile[]): Finding[] {
  const names = new Set(files.map(({ path }) => path.split("/")[0]!));
  return [...names]
    .filter((name) => !TOP_LEVEL.has(name))
    .map((name) => ({
      path: name,
      line: 1,
      fix: "move it into src, test, bench, .github or .ci: the top level is fixed",
    }));
}

/** One dependency at run time, and every version exact, so that two installs are the same. */
export function dependencies(files: readonly SourceFile[]): Finding[] {
  const file = files.find(({ path }) => path === "package.json");
  if (file === undefined) return [];
  const found: Finding[] = [];
  const lines = linesOf(file.text);
  const report = (word: string, fix: string): void => {
    const index = lines.findIndex((line) => line.includes(`"${word}"`));
    found.push({ path: file.path, line: index + 1 || 1, fix });
  };
  const { dependencies: runtime = {}, devDependencies: development = {} }: Manifest = JSON.parse(
    file.text,
  );
  for (const name of Object.keys(runtime)) {
    if (RUNTIME_DEPENDENCIES.includes(name)) continue;
    report(name, "do without it at run time, or move it to devDependencies");
  }
  for (const name of RUNTIME_DEPENDENCIES) {
    if (runtime[name] === undefined) report("dependencies", `add "${name}" to the dependencies`);
  }
  for (const [name, version] of Object.entries({ ...runtime, ...development })) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) report(name, "pin the version exactly, without ^ or ~");
  }
  if (development["bun"] !== development["@types/bun"]) {
    report("@types/bun", "give bun and @types/bun the same version");
  }
  return found;
}

/** bun.lock is the one lock file, and holds hashes but no addresses: any registry will do. */
export function oneLock(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    if (OTHER_LOCKS.test(path)) {
      return [{ path, line: 1, fix: "delete it: bun.lock is the one lock file" }];
    }
    if (path !== "bun.lock") return [];
    return linesOf(text).flatMap((line, index) =>
      line.includes("://")
        ? [
            {
              path,
              line: index + 1,
              fix: "make the lock with the default registry, then commit it",
            },
          ]
        : [],
    );
  });
}

/** No path of somebody's machine and no registry's host: they mean nothing anywhere else. */
export function noMachinePaths(files: readonly SourceFile[], checkout: string): Finding[] {
  const home = /(?<![\w.])\/(?:home|Users)\/[\w.-]+\/|(?<![\w.])\/root\/\.|\b[A-Z]:\\Users\\/;
  const registry =
    /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b|\bhttps?:\/\/(?:registry|npm|nexus)\./;
  return files.flatMap(({ path, text }) =>
    linesOf(text).flatMap((line, index) => {
      const named = line.includes(`${checkout}/`) || home.test(line);
      if (named)
        return [{ path, line: index + 1, fix: "name the path relative to the repository" }];
      if (!registry.test(line)) return [];
      return [{ path, line: index + 1, fix: "leave the registry to the machine's own settings" }];
    }),
  );
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}
