/** Snippets that break and that keep the rules about one file at a time. */
import { broken, type Case, kept } from "./case.ts";

const lines = (count: number): string => "x;\n".repeat(count);

export const TEXT_CASES: readonly Case[] = [
  ...kept("fileLength", { "just fits": { "src/a.ts": lines(400), "bench/c/a.c": lines(500) } }),
  broken("fileLength", "one too many", { "bench/a.ts": lines(401) }, ["bench/a.ts:401"]),

  ...kept("functionLength", {
    "just fits": { "src/a.ts": `\nfunction f(): void {\n${lines(68)}}\n` },
    "a class and a suite may be longer": {
      "src/a.ts": `class A {\n${lines(90)}}\n`,
      "test/a.test.ts": `describe.each([1])("a, b", () => {\n${lines(90)}});\n`,
      "test/b.ts": `export function f(): void {\n  describe(name, () => {\n${lines(90)}  });\n}\n`,
    },
  }),
  broken(
    "functionLength",
    "a declaration",
    { "src/a.ts": `\nfunction f(): void {\n${lines(69)}}` },
    ["src/a.ts:2"],
  ),
  broken(
    "functionLength",
    "a method",
    { "src/a.ts": `class A {\n  get b(): C {\n${lines(69)}}}` },
    ["src/a.ts:2"],
  ),
  broken("functionLength", "a test", { "test/a.ts": `test("a", async () => {\n${lines(69)}});` }, [
    "test/a.ts:1",
  ]),
  broken("functionLength", "an expression", { "src/a.ts": `const f = () => [\n${lines(69)}];` }, [
    "src/a.ts:1",
  ]),

  ...kept("lineLength", {
    "fits, or nothing can fold it": {
      "src/a.ts": [
        "x".repeat(100),
        `// see https://example.com/${"x".repeat(100)}`,
        `throw new Error("${"x".repeat(100)}");`,
        `f(\`\n${"x".repeat(120)}\n\`);`,
        "é".repeat(100),
      ].join("\n"),
    },
  }),
  broken(
    "lineLength",
    "a comment, code, and code with a short literal",
    {
      "src/a.ts": `// ${"x".repeat(98)}\n${"x".repeat(101)}\nf("${"y".repeat(60)}", ${"x".repeat(50)});`,
    },
    ["src/a.ts:1", "src/a.ts:2", "src/a.ts:3"],
  ),

  ...kept("tellingNames", {
    "a noun": { "src/send/outbox.ts": "", "src/send/commonplace.ts": "" },
  }),
  broken(
    "tellingNames",
    "drawers",
    {
      "src/utils/a.ts": "",
      "src/send/helpers.ts": "",
      "test/common.test.ts": "",
      "bench/misc.ts": "",
    },
    ["src/utils/a.ts:1", "src/send/helpers.ts:1", "test/common.test.ts:1", "bench/misc.ts:1"],
  ),

  ...kept("noAny", {
    "the word elsewhere, and sys/": {
      "src/send/a.ts": `// as any\nPromise.any(b);\nproperty(any, any, c);\nf("x: any", expect.any(Number));\nconst c: Many = 1;`,
      "src/sys/a.ts": "let a: any;",
    },
  }),
  broken(
    "noAny",
    "annotated, cast, as an argument, in a union",
    { "src/send/a.ts": "let a: any;\nb as any;\nlet c: Map<string, any>;\ntype D = E | any[];" },
    ["src/send/a.ts:1", "src/send/a.ts:2", "src/send/a.ts:3", "src/send/a.ts:4"],
  ),

  ...kept("noTsIgnore", {
    "an expected error": { "src/a.ts": "// @ts-expect-error: its types lack it" },
  }),
  broken("noTsIgnore", "ignored", { "src/a.ts": "\n// @ts-ignore\n/* @ts-nocheck */" }, [
    "src/a.ts:2",
    "src/a.ts:3",
  ]),

  ...kept("noLeftovers", {
    "the word in a string": { "src/a.ts": `f("TODO"); // todos are fine` },
  }),
  broken("noLeftovers", "a note", { "src/a.ts": "/**\n * FIXME\n */\nx; // TODO: later" }, [
    "src/a.ts:2",
    "src/a.ts:4",
  ]),

  ...kept("noFocusedTests", {
    "explained, conditional, or in a string": {
      "test/a.ts": `test.skip("a", f); // no openat2 here\ntest.skipIf(b)("c", d);\nf("test.only(");`,
    },
  }),
  broken(
    "noFocusedTests",
    "focused, even with a reason, and skipped without",
    { "test/a.ts": `test.only("a", b); // now\ndescribe.skip("c", d);\nit.todo("e");` },
    ["test/a.ts:1", "test/a.ts:2", "test/a.ts:3"],
  ),

  ...kept("documentedExports", {
    "documented, a value, a type, an overload, or not exported": {
      "src/a.ts": [
        "/** A. */\nexport function a(): void {}",
        "/** B. */\nexport function b(c: 1): 1;\nexport function b(c: 2): 2;",
        "export const d = f(1);\nexport const e: number[] = g.map((h) => h);",
        "export interface I {}\nfunction j(): void {}",
        "/** K. */\nexport const k: L = (m) => m;",
      ].join("\n\n"),
      "test/a.ts": "export function a(): void {}",
    },
  }),
  broken(
    "documentedExports",
    "bare, with a gap, with a plain comment, and constants",
    {
      "src/a.ts": [
        "export function a(): void {}",
        "/** B. */\n\nexport class B {}",
        "// C.\nexport const c = (d: number): number => d;",
        "export const e: (f: G) => void = (f) => f();",
        "export const h = function () {};",
        "export const i = async (\n  j: K,\n) => j;",
      ].join("\n"),
    },
    ["src/a.ts:1", "src/a.ts:4", "src/a.ts:6", "src/a.ts:7", "src/a.ts:8", "src/a.ts:9"],
  ),

  ...kept("headers", {
    "a comment first, also behind a shebang": {
      "src/a.ts": "/** Owns a. */\nx;",
      "src/serv6.ts": "#!/usr/bin/env bun\n// Starts.\nx;",
      "test/a.ts": "x;",
    },
  }),
  broken("headers", "code first", { "src/send/a.ts": `import "./b.ts";\n/** Late. */` }, [
    "src/send/a.ts:1",
  ]),

  ...kept("noPromises", {
    "marked with a reason, a type, or in another room": {
      "src/send/a.ts": [
        "// off the hot path: once a connection",
        "async function b(): Promise<void> {",
        "  await c; // off the hot path: at the end",
        "}",
        `f("await", { async: true });`,
      ].join("\n"),
      "src/client/a.ts": "await a;",
    },
  }),
  broken(
    "noPromises",
    "each form, and a mark without a reason",
    {
      "src/send/a.ts": [
        "async () => b;",
        "await c;",
        "d.then(e);",
        "new Promise(f);",
        "Promise.all(g);",
        "await h; // off the hot path:",
      ].join("\n"),
    },
    [1, 2, 3, 4, 5, 6].map((line) => `src/send/a.ts:${line}`),
  ),
];
