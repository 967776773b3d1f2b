/**
 * The rules about who imports whom: the order of the rooms, cycles, barrels, dead files. Each is a
 * function of the files' paths and texts alone.
 */
import { type Import, importsOf } from "./imports.ts";
import { type Finding, parse, type SourceFile, typescript } from "./source.ts";

/**
 * A room's rank: imports go to a lower one, or stay in the room. The files of src itself are
 * "entry"; cli/ has rooms of its own.
 */
export const RANKS: Readonly<Record<string, number>> = {
  wire: 0,
  sys: 0,
  guard: 1,
  identity: 1,
  observe: 1,
  digest: 1,
  destination: 1,
  store: 2,
  receive: 2,
  send: 3,
  client: 3,
  server: 4,
  download: 4,
  "cli/flags": 5,
  "cli/output": 5,
  "cli/progress": 6,
  "cli/commands": 7,
  "cli/prompt": 8,
  "cli/cli6": 9,
  "cli/serv6": 9,
  entry: 10,
};

/** Where running starts, and the one file that only re-exports. */
const ENTRIES = ["src/serv6.ts", "src/cli6.ts", "src/api.ts"];

/** Packages that the rooms named here may import, and no other. */
const PACKAGES: Readonly<Record<string, string>> = { "bun:ffi": "sys", citty: "cli/flags" };

/** Imports go strictly downward, or stay in the room; wire/ imports nothing but itself. */
export function roomOrder(files: readonly SourceFile[]): Finding[] {
  return typescript(files, "src").flatMap((file) => {
    const room = roomOf(file.path);
    const rank = RANKS[room];
    if (rank === undefined) {
      const rooms = Object.keys(RANKS).join(", ");
      return [{ path: file.path, line: 1, fix: `put the file into a room that exists: ${rooms}` }];
    }
    return importsOf(parse(file)).flatMap(({ specifier, target, line }) => {
      const fix = roomFix(room, rank, specifier, target);
      return fix === null ? [] : [{ path: file.path, line, fix }];
    });
  });
}

/** Packages stay in the room that wraps them: bun:ffi in sys/, citty in cli/, any other nowhere. */
export function packagesInTheirRoom(files: readonly SourceFile[]): Finding[] {
  return typescript(files, "src").flatMap((file) =>
    importsOf(parse(file)).flatMap(({ specifier, target, line }) => {
      if (target !== null || /^(?:node:|bun$|bun:(?!ffi$))/.test(specifier)) return [];
      const home = PACKAGES[specifier];
      if (home === roomOf(file.path)) return [];
      const fix =
        home === undefined
          ? `do without "${specifier}", or make it a dependency that a room of its own wraps`
          : `ask src/${home} for what "${specifier}" gives, which only that room imports`;
      return [{ path: file.path, line, fix }];
    }),
  );
}

/** Relative imports in src name the file, suffix and all. */
export function suffixedImports(files: readonly SourceFile[]): Finding[] {
  return typescript(files, "src").flatMap((file) =>
    importsOf(parse(file))
      .filter(({ target }) => target !== null && !/\.(?:ts|json|html|css|txt)$/.test(target))
      .map(({ specifier, line }) => ({
        path: file.path,
        line,
        fix: `write the file's own name, suffix .ts included, for "${specifier}"`,
      })),
  );
}

/**
 * No file imports itself by way of others. Type-only imports leave nothing to wait for, so they
 * may.
 */
export function noCycles(files: readonly SourceFile[]): Finding[] {
  const graph = graphOf(typescript(files, "src", "test", "bench"), (edge) => !edge.typeOnly);
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    for (const { target, line } of graph.get(path) ?? []) {
      const start = trail.indexOf(target!);
      if (start !== -1) {
        const circle = [...trail.slice(start), target].join(" -> ");
        findings.push({ path, line, fix: `move what both need into a third file: ${circle}` });
      } else if (!done.has(target!)) visit(target!, [...trail, target!]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) if (!done.has(path)) visit(path, [path]);
  return findings;
}

/**
 * A file that only re-exports hides where things are. src/api.ts is the package's face, and may.
 */
export function noBarrels(files: readonly SourceFile[]): Finding[] {
  return typescript(files, "src", "test", "bench").flatMap((file) => {
    const { code } = parse(file);
    if (file.path === "src/api.ts" || !/\bexport\b/.test(code)) return [];
    const own = code
      .replaceAll(/\b(?:import|export)\b[^;"'`=()]*\bfrom\s*["']\s*["'][^;]*;?/g, "")
      .replaceAll(/\bexport\s*(?:type\s*)?\{[^}]*\}\s*;?/g, "");
    if (own.trim() !== "") return [];
    return [
      { path: file.path, line: 1, fix: "delete the barrel and import the files it stood for" },
    ];
  });
}

/** Every file of src is reached from an entry. Declarations (.d.ts) are reached by the compiler. */
export function noDeadFiles(files: readonly SourceFile[]): Finding[] {
  const sources = typescript(files, "src");
  const graph = graphOf(sources, () => true);
  if (!ENTRIES.every((entry) => graph.has(entry))) return []; // nothing to start from yet
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { target } of graph.get(path) ?? []) visit(target!);
  };
  ENTRIES.forEach(visit);
  return sources
    .filter(({ path }) => !reached.has(path) && !path.endsWith(".d.ts"))
    .map(({ path }) => ({
      path,
      line: 1,
      fix: `delete the file, or import it: no entry reaches it`,
    }));
}

// --- internal ---

function roomOf(path: string): string {
  const [, room = "", ...rest] = path.split("/");
  if (rest.length === 0) return "entry";
  return room === "cli" && rest.length > 1 ? `${room}/${rest[0]}` : room;
}

function roomFix(
  room: string,
  rank: number,
  specifier: string,
  target: string | null,
): string | null {
  if (target === null) {
    return room === "wire"
      ? `keep "${specifier}" out: wire/ says what bytes mean, with no I/O`
      : null;
  }
  if (target === "package.json" && room !== "wire") return null;
  if (!target.startsWith("src/")) return `keep "${specifier}" out: src imports nothing outside src`;
  const other = roomOf(target);
  if (other === room) return null;
  if (room === "wire") return `move what is needed into wire/, or take it as a parameter`;
  if ((RANKS[other] ?? Infinity) < rank) return null;
  return `turn "${specifier}" around: ${room}/ may not know ${other}/, so pass it in from above`;
}

type Graph = ReadonlyMap<string, readonly Import[]>;

/** The imports that `keep` lets through and that lead to one of `files`. */
function graphOf(files: readonly SourceFile[], keep: (edge: Import) => boolean): Graph {
  const paths = new Set(files.map(({ path }) => path));
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(parse(file)).filter((edge) => keep(edge) && paths.has(edge.target ?? "")),
    ]),
  );
}
