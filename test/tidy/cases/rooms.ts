/** Snippets that break and that keep the rules about who imports whom. */
import { broken, type Case, kept } from "./case.ts";

/** The entries that a tree of sources needs besides src/serv6.ts. */
const ENTRIES = { "src/cli6.ts": "", "src/api.ts": "" };

export const ROOM_CASES: readonly Case[] = [
  ...kept("roomOrder", {
    "downward, sideways in the room, node and bun": {
      "src/server/a.ts": `import "./b.ts";\nimport { c } from "../flow/c.ts";\nimport "node:fs";`,
      "src/flow/deep/d.ts": `import type { E } from "../e.ts";\nimport F from "../../wire/f.ts";`,
      "src/serv6.ts": `import "./cli/g.ts";\nimport "./api.ts";`,
      "src/cli/h.ts": `import p from "../../package.json" with { type: "json" };`,
    },
    "imports in comments, strings and regular expressions": {
      "src/wire/a.ts": `// import "../cli/b.ts"\nf('import "../cli/b.ts"', /import "..\\/cli"/);`,
    },
  }),
  broken("roomOrder", "upward", { "src/flow/a.ts": `\nimport { b } from "../server/b.ts";` }, [
    "src/flow/a.ts:2",
  ]),
  broken(
    "roomOrder",
    "upward for types",
    { "src/sys/a.ts": `import type { B } from "../flow/b.ts";` },
    ["src/sys/a.ts:1"],
  ),
  broken("roomOrder", "on one row", { "src/store/a.ts": `export * from "../guard/b.ts";` }, [
    "src/store/a.ts:1",
  ]),
  broken(
    "roomOrder",
    "upward when it runs",
    { "src/flow/a.ts": `f(await import("../cli/b.ts"));` },
    ["src/flow/a.ts:1"],
  ),
  broken("roomOrder", "an entry", { "src/cli/a.ts": `import {\n  b,\n} from "../api.ts";` }, [
    "src/cli/a.ts:1",
  ]),
  broken("roomOrder", "out of src", { "src/cli/a.ts": `import "../../test/b.ts";` }, [
    "src/cli/a.ts:1",
  ]),
  broken("roomOrder", "wire/ with I/O", { "src/wire/a.ts": `import { b } from "node:path";` }, [
    "src/wire/a.ts:1",
  ]),
  broken("roomOrder", "wire/ with another room", { "src/wire/a.ts": `import "../sys/b.ts";` }, [
    "src/wire/a.ts:1",
  ]),
  broken("roomOrder", "no such room", { "src/shed/a.ts": "" }, ["src/shed/a.ts:1"]),

  ...kept("packagesInTheirRoom", {
    "at home": {
      "src/sys/a.ts": `import { dlopen } from "bun:ffi";`,
      "src/cli/b.ts": `import { defineCommand } from "citty";\nimport { c } from "node:fs";`,
      "test/c.ts": `import { dlopen } from "bun:ffi";`,
    },
  }),
  broken(
    "packagesInTheirRoom",
    "bun:ffi and citty elsewhere, and a stranger",
    { "src/flow/a.ts": `import "bun:ffi";\nimport "citty";\nimport b from "left-pad";` },
    ["src/flow/a.ts:1", "src/flow/a.ts:2", "src/flow/a.ts:3"],
  ),

  ...kept("suffixedImports", { "whole names": { "src/flow/a.ts": `import "./b.ts";` } }),
  broken(
    "suffixedImports",
    "no suffix, a folder, a compiled name",
    { "src/flow/a.ts": `import "./b";\nimport "../wire";\nimport "./c.js";` },
    ["src/flow/a.ts:1", "src/flow/a.ts:2", "src/flow/a.ts:3"],
  ),

  ...kept("noCycles", {
    "types alone": {
      "src/flow/a.ts": `import type { B } from "./b.ts";\nimport { type C } from "./b.ts";`,
      "src/flow/b.ts": `import { a } from "./a.ts";`,
    },
    "a diamond": {
      "src/flow/a.ts": `import "./b.ts";\nimport "./c.ts";`,
      "src/flow/b.ts": `import "./d.ts";`,
      "src/flow/c.ts": `import "./d.ts";`,
      "src/flow/d.ts": "",
    },
  }),
  broken(
    "noCycles",
    "by way of a third",
    {
      "src/flow/a.ts": `import { b } from "./b.ts";`,
      "src/flow/b.ts": `\nimport { c, type D } from "./c.ts";`,
      "src/flow/c.ts": `\n\nexport { a } from "./a.ts";`,
    },
    ["src/flow/c.ts:3"],
  ),

  ...kept("noBarrels", {
    "something of its own, and the package's face": {
      "src/flow/a.ts": `export { b } from "./b.ts";\nexport const c = 1;`,
      "src/api.ts": `export { b } from "./flow/b.ts";`,
      "src/serv6.ts": `import { main } from "./cli/main.ts";\nmain();`,
      "src/flow/empty.ts": "",
    },
  }),
  broken(
    "noBarrels",
    "only re-exports",
    {
      "src/flow/a.ts": `/** All. */\nexport * from "./b.ts";\nexport type { C } from "./c.ts";`,
      "test/d.ts": `import { e } from "./e.ts";\nexport { e };`,
    },
    ["src/flow/a.ts:1", "test/d.ts:1"],
  ),

  ...kept("noDeadFiles", {
    "reached by import, by type, by URL, or declared": {
      ...ENTRIES,
      "src/serv6.ts": `import "./cli/a.ts";`,
      "src/cli/a.ts": `import type { B } from "../flow/b.ts";\nnew URL("./c.ts", import.meta.url);`,
      "src/flow/b.ts": "",
      "src/cli/c.ts": "",
      "src/sys/d.d.ts": "",
    },
    "no entry is written yet": { "src/flow/a.ts": "" },
  }),
  broken(
    "noDeadFiles",
    "reached by a test and by each other alone",
    {
      ...ENTRIES,
      "src/serv6.ts": "",
      "src/flow/a.ts": `import "./b.ts";`,
      "src/flow/b.ts": "",
      "test/c.ts": `import "../src/flow/a.ts";`,
    },
    ["src/flow/a.ts:1", "src/flow/b.ts:1"],
  ),
];
