/**
 * What HTTP requests are answered with, in literal bytes, a row a connection. `make conformance`
 * shows the same table beside nginx.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Running } from "../../../rig/running.ts";
import type { Tree } from "../../../rig/tree.ts";
import { faultsOf, idleNotes, markdownOf, type Row } from "./beside.ts";
import { type Case, servedTree } from "./case.ts";
import { etagAt, outcomeOf } from "./outcome.ts";
import { TABLE } from "./table.ts";

let tree: Tree;
let running: Running;
let etag = "";

beforeAll(async () => {
  tree = servedTree();
  running = new Running(tree.root);
  etag = await etagAt(running.port);
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
});

for (const [about, cases] of TABLE) {
  describe(about, () => {
    test.each(cases.map(([name, sent, expected]) => [name, sent, expected] as const))(
      "%s",
      async (_name, sent, expected) => {
        expect(await outcomeOf(running.port, sent.replaceAll("{etag}", etag))).toBe(expected);
      },
    );
  });
}

describe("the judgement of make conformance", () => {
  const row = (seen: string, other: string | null, ...note: string[]): Row => {
    const [name, sent, expected] = ["a|b", "", "200; kept"];
    return { about: "Rows", row: [name, sent, expected, ...note] as unknown as Case, seen, other };
  };
  test.each([
    ["all alike", row("200; kept", "200; kept"), []],
    ["no nginx", row("200; kept", null), []],
    ["explained", row("200; kept", "404; kept", "why"), []],
    ["not explained", row("200; kept", "404; kept"), ["Rows, a|b: nginx says 404; kept"]],
    ["ours is another", row("404; kept", "404; kept"), ["Rows, a|b: 404; kept, expected"]],
  ])("%s", (_name, one, faults) => {
    const told = faultsOf([one]);
    expect(told.length).toBe(faults.length);
    for (const [nth, fault] of faults.entries()) expect(told[nth]).toStartWith(fault);
    expect(markdownOf([one])).toContain("| a\\|b | 200; kept |");
  });

  test("a note that is not needed is told", () => {
    expect(idleNotes([row("200; kept", "200; kept", "why")])).toEqual(["Rows, a|b: why"]);
  });
});

test("no two rows have one name", () => {
  for (const [, cases] of TABLE) {
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  }
});
