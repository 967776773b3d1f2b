/**
 * The guard of the architecture: each rule of test/tidy over this repository, and before that each
 * rule over snippets that break it and snippets that keep it, so that a rule that went blind fails
 * here.
 */
import { describe, expect, test } from "bun:test";
import { DOCUMENT_CASES } from "./tidy/cases/documents.ts";
import { REPOSITORY_CASES } from "./tidy/cases/repository.ts";
import { ROOM_CASES } from "./tidy/cases/rooms.ts";
import { TEXT_CASES } from "./tidy/cases/text.ts";
import * as documents from "./tidy/documents.ts";
import { functionsOf } from "./tidy/functions.ts";
import { readSources, readTracked, ROOT } from "./tidy/read.ts";
import * as repository from "./tidy/repository.ts";
import * as rooms from "./tidy/rooms.ts";
import { type Finding, parse, type SourceFile } from "./tidy/source.ts";
import * as text from "./tidy/text.ts";

type Rule = (files: readonly SourceFile[]) => Finding[];

const CASES = [...ROOM_CASES, ...TEXT_CASES, ...REPOSITORY_CASES, ...DOCUMENT_CASES];

/** The checkout that the cases pretend to live in. */
const PRETENDED = ["", "srv", "checkout"].join("/");

const OVER_SOURCES: Record<string, Rule> = {
  roomOrder: rooms.roomOrder,
  packagesInTheirRoom: rooms.packagesInTheirRoom,
  suffixedImports: rooms.suffixedImports,
  noCycles: rooms.noCycles,
  noBarrels: rooms.noBarrels,
  noDeadFiles: rooms.noDeadFiles,
  fileLength: text.fileLength,
  functionLength: text.functionLength,
  lineLength: text.lineLength,
  tellingNames: text.tellingNames,
  noAny: text.noAny,
  noTsIgnore: text.noTsIgnore,
  noLeftovers: text.noLeftovers,
  noFocusedTests: text.noFocusedTests,
  documentedExports: text.documentedExports,
  headers: text.headers,
  noPromises: text.noPromises,
};

const overTracked = (checkout: string): Record<string, Rule> => ({
  topLevel: repository.topLevel,
  dependencies: repository.dependencies,
  oneLock: repository.oneLock,
  noMachinePaths: (files) => repository.noMachinePaths(files, checkout),
});

/** Over both: a document may name a file that git does not track yet. */
const OVER_DOCUMENTS: Record<string, Rule> = {
  drawnRooms: documents.drawnRooms,
  namedFiles: documents.namedFiles,
  linkedFiles: documents.linkedFiles,
  decisionRecords: documents.decisionRecords,
  citedDecisions: documents.citedDecisions,
};

const RULES: Record<string, Rule> = {
  ...OVER_SOURCES,
  ...overTracked(PRETENDED),
  ...OVER_DOCUMENTS,
};

const places = (findings: readonly Finding[]): string[] =>
  findings.map(({ path, line }) => `${path}:${line}`);

const messages = (findings: readonly Finding[]): string[] =>
  findings.map(({ path, line, fix }) => `${path}:${line}: ${fix}`);

describe("the rules can fail", () => {
  test("every rule has a case that breaks it and one that keeps it", () => {
    for (const rule of Object.keys(RULES)) {
      const own = CASES.filter((it) => it.rule === rule);
      expect([rule, own.some((it) => it.found.length > 0)]).toEqual([rule, true]);
      expect([rule, own.some((it) => it.found.length === 0)]).toEqual([rule, true]);
    }
  });

  for (const { rule, name, files, found } of CASES) {
    test(`${rule}: ${name}`, () => {
      const findings = RULES[rule]!(
        Object.entries(files).map(([path, it]) => ({ path, text: it })),
      );
      expect(places(findings)).toEqual([...found]);
      for (const { fix } of findings) expect(fix).toMatch(/^[a-z@][^\n]{10,}[^.\n]$/);
    });
  }
});

describe("the reader of TypeScript", () => {
  const codeOf = (snippet: string): string => parse({ path: "a.ts", text: snippet }).code;

  test("blanks comments and the insides of literals and keeps every position", () => {
    const snippet = "a('x\\'y'); // b\nc(`d ${e(\"f}\")} g`); /* h\n */ i(/[/\"]`/g) / j / k;";
    expect(codeOf(snippet)).toBe(
      'a("    ");     \nc(`    e("  ")   `);     \n    i("      ") / j / k;',
    );
  });

  test("measures functions with every kind of signature", () => {
    const body = "{\n  x;\n}";
    const signatures = [
      `function a(b: { c: number } = {}): asserts b is { c: 1 } ${body}`,
      `class A extends B(C) {\n  get d(): Map<string, () => { e: 1 }>[] ${body}\n}`,
      `class A {\n  async *#f<T>(g: T): AsyncGenerator<T> | null ${body}\n}`,
      `const h = async (i = (j: string) => 1): Promise<"{" | typeof k.l> => ${body};`,
      `m((n) => ${body});`,
      `o(p => ${body});`,
    ];
    for (const snippet of signatures) {
      const heights = functionsOf(parse({ path: "a.ts", text: snippet })).map(({ lines }) => lines);
      expect([snippet, Math.max(...heights)]).toEqual([snippet, 3]);
    }
  });

  test("takes no block, class, type or call for a function", () => {
    const snippets = [
      "if (a) {\n}\nfor await (const b of c) {\n}\nswitch (d) {\n  case e(f): {\n  }\n}",
      "class A extends B(C) {\n}",
      "interface A {\n  b(c: D): { e: 1 };\n}",
      "a = b ? c(d) : { e: 1 };\nwhile (f(g)) {\n}",
    ];
    for (const snippet of snippets) {
      expect([snippet, functionsOf(parse({ path: "a.ts", text: snippet }))]).toEqual([snippet, []]);
    }
  });
});

describe("this repository", () => {
  const sources = readSources();
  const tracked = readTracked();

  test("is the one that was read", () => {
    expect(sources.map(({ path }) => path)).toContain("test/tidy.test.ts");
    expect(tracked.length).toBeGreaterThan(0);
  });

  for (const [name, rule] of Object.entries(OVER_SOURCES)) {
    test(`keeps ${name}`, () => expect(messages(rule(sources))).toEqual([]));
  }
  for (const [name, rule] of Object.entries(overTracked(ROOT))) {
    test(`keeps ${name}`, () => expect(messages(rule(tracked))).toEqual([]));
  }
  const all = [...new Map([...tracked, ...sources].map((file) => [file.path, file])).values()];
  for (const [name, rule] of Object.entries(OVER_DOCUMENTS)) {
    test(`keeps ${name}`, () => expect(messages(rule(all))).toEqual([]));
  }
});
