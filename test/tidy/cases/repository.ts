/** Snippets that break and that keep the rules about the repository as a whole. */
import { broken, type Case, kept } from "./case.ts";

const absolute = (...parts: string[]): string => ["", ...parts].join("/");

/** What a manifest of ours looks like, with changes. */
const manifest = (runtime: object, development: object = {}): string =>
  JSON.stringify({ dependencies: runtime, devDependencies: development }, null, 1);

export const REPOSITORY_CASES: readonly Case[] = [
  ...kept("topLevel", { "what is agreed": { "README.md": "", "src/a.ts": "", ".ci/run": "" } }),
  broken("topLevel", "a stray", { "docs/a.md": "", "docs/b.md": "", "x.json": "" }, [
    "docs:1",
    "x.json:1",
  ]),

  ...kept("dependencies", {
    "one at run time, all exact": {
      "package.json": manifest({ citty: "0.2.2" }, { bun: "1.4.5", "@types/bun": "1.4.5" }),
    },
  }),
  broken("dependencies", "one more", { "package.json": manifest({ citty: "0.2.2", b: "1.0.0" }) }, [
    "package.json:4",
  ]),
  broken("dependencies", "one less", { "package.json": manifest({}) }, ["package.json:2"]),
  broken("dependencies", "a range", { "package.json": manifest({ citty: "^0.2.2" }) }, [
    "package.json:3",
  ]),
  broken(
    "dependencies",
    "types of another Bun",
    { "package.json": manifest({ citty: "0.2.2" }, { bun: "1.4.5", "@types/bun": "1.4.4" }) },
    ["package.json:7"],
  ),

  ...kept("oneLock", { "bun.lock": { "bun.lock": `["citty@0.2.2", "", {}, "sha512-x"]` } }),
  broken(
    "oneLock",
    "a second, and an address",
    {
      "package-lock.json": "{}",
      "bun.lock": `{\n"citty": ["citty@0.2.2", "https://packages.example/citty.tgz"]`,
    },
    ["package-lock.json:1", "bun.lock:2"],
  ),

  ...kept("noMachinePaths", {
    "paths of the repository, of every machine, and of an address": {
      Makefile: "src/serv6.ts node_modules/.bin/bun /dev/null /etc/passwd",
      "README.md": "https://www.npmjs.com/package/citty https://example.com/home/a/b",
    },
  }),
  broken(
    "noMachinePaths",
    "a home, the checkout, a registry",
    {
      Makefile: absolute("home", "ana", "serv6"),
      "a.ts": `\n${absolute("srv", "checkout", "src")}`,
      "b.ts": `${absolute("root", ".npmrc")}`,
      "README.md": ["https://registry", "example.com"].join("."),
    },
    ["Makefile:1", "a.ts:2", "b.ts:1", "README.md:1"],
  ),
];
