/** Snippets that break and that keep the rules about who imports whom. */
import { broken, type Case, kept } from "./case.ts";

/** The entries that a tree of sources needs besides src/serv6.ts. */
const ENTRIES = { "src/cli6.ts": "", "src/api.ts": "" };

export const ROOM_CASES: readonly Case[] = [
  ...kept("roomOrder", {
    "downward, sideways in the room, node and bun": {
      "src/server/a.ts": `import "./b.ts";\nimport { c } from "../send/c.ts";\nimport "node:fs";`,
      "src/send/deep/d.ts": `import type { E } from "../e.ts";\nimport F from "../../wire/f.ts";`,
      "src/serv6.ts": `import "./cli/serv6/g.ts";\nimport "./api.ts";`,
      "src/cli/flags/h.ts": `import p from "../../../package.json" with { type: "json" };`,
      "src/cli/commands/i.ts": `import "../flags/h.ts";`,
    },
    "imports in comments, strings and regular expressions": {
      "src/wire/a.ts": `// import "../cli/b.ts"\nf('import "../cli/b.ts"', /import "..\\/cli"/);`,
    },
  }),
  broken("roomOrder", "upward", { "src/send/a.ts": `\nimport { b } from "../server/b.ts";` }, [
    "src/send/a.ts:2",
  ]),
  broken(
    "roomOrder",
    "upward for types",
    { "src/sys/a.ts": `import type { B } from "../send/b.ts";` },
    ["src/sys/a.ts:1"],
  ),
  broken("roomOrder", "on one row", { "src/guard/a.ts": `export * from "../observe/b.ts";` }, [
    "src/guard/a.ts:1",
  ]),
  broken(
    "roomOrder",
    "upward when it runs",
    { "src/send/a.ts": `f(await import("../cli/b.ts"));` },
    ["src/send/a.ts:1"],
  ),
  broken(
    "roomOrder",
    "upward among the rooms of cli/",
    { "src/cli/flags/a.ts": `import "../commands/b.ts";` },
    ["src/cli/flags/a.ts:1"],
  ),
  broken(
    "roomOrder",
    "an entry",
    { "src/cli/flags/a.ts": `import {\n  b,\n} from "../../api.ts";` },
    ["src/cli/flags/a.ts:1"],
  ),
  broken("roomOrder", "out of src", { "src/cli/flags/a.ts": `import "../../../test/b.ts";` }, [
    "src/cli/flags/a.ts:1",
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
      "src/cli/flags/b.ts": `import { defineCommand } from "citty";\nimport { c } from "node:fs";`,
      "test/c.ts": `import { dlopen } from "bun:ffi";`,
    },
  }),
  broken(
    "packagesInTheirRoom",
    "bun:ffi and citty elsewhere, and a stranger",
    { "src/send/a.ts": `import "bun:ffi";\nimport "citty";\nimport b from "left-pad";` },
    ["src/send/a.ts:1", "src/send/a.ts:2", "src/send/a.ts:3"],
  ),

  ...kept("suffixedImports", { "whole names": { "src/send/a.ts": `import "./b.ts";` } }),
  broken(
    "suffixedImports",
    "no suffix, a folder, a compiled name",
    { "src/send/a.ts": `import "./b";\nimport "../wire";\nimport "./c.js";` },
    ["src/send/a.ts:1", "src/send/a.ts:2", "src/send/a.ts:3"],
  ),

  ...kept("noCycles", {
    "types alone": {
      "src/send/a.ts": `import type { B } from "./b.ts";\nimport { type C } from "./b.ts";`,
      "src/send/b.ts": `import { a } from "./a.ts";`,
    },
    "a diamond": {
      "src/send/a.ts": `import "./b.ts";\nimport "./c.ts";`,
      "src/send/b.ts": `import "./d.ts";`,
      "src/send/c.ts": `import "./d.ts";`,
      "src/send/d.ts": "",
    },
  }),
  broken(
    "noCycles",
    "by way of a third",
    {
      "src/send/a.ts": `import { b } from "./b.ts";`,
      "src/send/b.ts": `\nimport { c, type D } from "./c.ts";`,
      "src/send/c.ts": `\n\nexport { a } from "./a.ts";`,
    },
    ["src/send/c.ts:3"],
  ),

  ...kept("noBarrels", {
    "something of its own, and the package's face": {
      "src/send/a.ts": `export { b } from "./b.ts";\nexport const c = 1;`,
      "src/api.ts": `export { b } from "./send/b.ts";`,
      "src/serv6.ts": `import { main } from "./cli/main.ts";\nmain();`,
      "src/send/empty.ts": "",
    },
  }),
  broken(
    "noBarrels",
    "only re-exports",
    {
      "src/send/a.ts": `/** All. */\nexport * from "./b.ts";\nexport type { C } from "./c.ts";`,
      "test/d.ts": `import { e } from "./e.ts";\nexport { e };`,
    },
    ["src/send/a.ts:1", "test/d.ts:1"],
  ),

  ...kept("noDeadFiles", {
    "reached by import, by type, by URL, or declared": {
      ...ENTRIES,
      "src/serv6.ts": `import "./cli/a.ts";`,
      "src/cli/a.ts": `import type { B } from "../send/b.ts";\nnew URL("./c.ts", import.meta.url);`,
      "src/send/b.ts": "",
      "src/cli/c.ts": "",
      "src/sys/d.d.ts": "",
    },
    "no entry is written yet": { "src/send/a.ts": "" },
  }),
  broken(
    "noDeadFiles",
    "reached by a test and by each other alone",
    {
      ...ENTRIES,
      "src/serv6.ts": "",
      "src/send/a.ts": `import "./b.ts";`,
      "src/send/b.ts": "",
      "test/c.ts": `import "../src/send/a.ts";`,
    },
    ["src/send/a.ts:1", "src/send/b.ts:1"],
  ),
];
