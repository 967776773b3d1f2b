/** The file of tokens: what it may say, and that what is wrong is told without a value. */
import { describe, expect, test } from "bun:test";
import fs from "node:fs";
import { parseTokens } from "../../src/identity/tokenfile.ts";
import { Tokens } from "../../src/identity/tokens.ts";
import { Tree } from "../rig/tree.ts";

const DIGEST = "ab".repeat(32);
const token = (more: string): string => `[[token]]\nname = "ci"\nsha256 = "${DIGEST}"\n${more}\n`;

describe("says", () => {
  const cases: [string, object][] = [
    ["", { paths: [""], uses: ["read", "list"], until: Infinity, rate: 0 }],
    ['paths = ["/"]', { paths: [""] }],
    ['paths = ["/a//b/./", "/c"]', { paths: ["a/b", "c"] }],
    ['paths = ["/é"]', { paths: ["\xc3\xa9"] }],
    ['may = ["list"]', { uses: ["list"] }],
    ["may = []", { uses: [] }],
    ["until = 2027-01-02", { until: Date.UTC(2027, 0, 2) }],
    ["until = 2027-01-02T03:04:05Z", { until: Date.UTC(2027, 0, 2, 3, 4, 5) }],
    ['until = "2027-01-02T03:04:05+01:00"', { until: Date.UTC(2027, 0, 2, 2, 4, 5) }],
    ['rate = "10M"', { rate: 10 * 1024 * 1024 }],
    ["rate = 5000", { rate: 5000 }],
  ];
  test.each(cases)("%s", (more, grant) => {
    expect(parseTokens(token(more), 9)).toEqual([
      { digest: DIGEST, grant: expect.objectContaining({ name: "ci", ...grant }) },
    ]);
  });

  test("nothing, which lets nobody in", () => {
    expect(parseTokens("", 9)).toEqual([]);
  });
});

describe("is refused in words", () => {
  const cases: [string, string, string][] = [
    ["no TOML", "[[token", "it is no TOML"],
    ["no TOML, with a digest in it", `sha256 = ${DIGEST}`, "it is no TOML"],
    ["an unknown table", "[tokens]\n", "tokens is not known"],
    ["an unknown key", token("pahts = []"), "token 1 has an unknown key pahts"],
    ["no name", `[[token]]\nsha256 = "${DIGEST}"\n`, "token 1 needs a name"],
    ["an odd name", '[[token]]\nname = "a b"\n', "token 1 needs a name"],
    ["no digest", '[[token]]\nname = "a"\n', "token 1 (a) needs the sha256"],
    ["a short digest", '[[token]]\nname = "a"\nsha256 = "abc"\n', "sha256 is 64 hex digits"],
    ["a path that is relative", token('paths = ["a"]'), 'a path starts with "/"'],
    ["a path that leads up", token('paths = ["/a/../b"]'), "a path has no .."],
    ["no path", token("paths = []"), "paths is a list of paths"],
    ["another use", token('may = ["write"]'), "may is a list"],
    ["a time without its zone", token("until = 2027-01-01T00:00:00"), "until is a date"],
    ["no time", token('until = "soon"'), "until is a date"],
    ["no rate", token('rate = "fast"'), "rate is bytes a second"],
    ["the same twice", token("") + token(""), "has the sha256 of one before"],
    ["a secret for nobody", `[anonymous]\nsha256 = "${DIGEST}"\n`, "[anonymous] has no token"],
    ["too many", token("").repeat(10), "up to 9 times"],
  ];
  test.each(cases)("%s", (_what, text, message) => {
    const told = parseTokens(text, 9);
    expect(told).toContain(message);
    expect(told).not.toContain(DIGEST.slice(0, 8));
  });
});

test("the file that others may write is refused, and one that can't be read is named", () => {
  using tree = new Tree({ tokens: token(""), broken: "[[token" });
  expect(() => Tokens.ofFile(tree.path("none"))).toThrow(
    /--tokens: .*none can't be read \(ENOENT\)/,
  );
  expect(() => Tokens.ofFile(tree.path("broken"))).toThrow(/--tokens: .*broken: it is no TOML/);
  fs.chmodSync(tree.path("tokens"), 0o666);
  expect(() => Tokens.ofFile(tree.path("tokens"))).toThrow("can be written by others");
  fs.chmodSync(tree.path("tokens"), 0o644);
  expect(Tokens.ofFile(tree.path("tokens")).anonymous).toBeNull();
});
