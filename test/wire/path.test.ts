/** The lexical half of confinement: one canonical form for a path, and no `..` past it. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/wire/errors.ts";
import { isHidden, relativeOf } from "../../src/wire/path.ts";

test.each([
  ["/a", "a"],
  ["/a/b", "a/b"],
  ["/a/b/", "a/b/"],
  ["a/b", "a/b"],
  ["0a", "0a"],
  ["a", "a"],
  ["//a", "a"],
  ["///a", "a"],
  ["/./a", "a"],
  ["/a//b", "a/b"],
  ["/a/./b", "a/b"],
  ["/a/b/.", "a/b/"],
  ["/a//", "a/"],
  ["./a", "a"],
  ["/", "."],
  ["", "."],
  ["//", "."],
  ["/.", "."],
  ["/./", "."],
  ["/...", "..."],
  ["/..a", "..a"],
  ["/a..", "a.."],
  ["/a/..b/c..", "a/..b/c.."],
  ["/.a", ".a"],
  ["//etc/passwd", "etc/passwd"],
  ["/%2e%2e/etc", "%2e%2e/etc"],
  ["/.%2e/x", ".%2e/x"],
  ["/%252e%252e/", "%252e%252e/"],
  ["/a\\..\\..\\x", "a\\..\\..\\x"],
  ["/private\\x", "private\\x"],
  ["\\", "\\"],
  ["/\xc0\xae\xc0\xae/x", "\xc0\xae\xc0\xae/x"],
  ["/\xef\xbc\x8e\xef\xbc\x8e/x", "\xef\xbc\x8e\xef\xbc\x8e/x"],
  ["/ a ", " a "],
  ["/-rf", "-rf"],
  ["/~", "~"],
  ["/a\nb", "a\nb"],
  ["/. .", ". ."],
])("%j is %j below the root", (path, relative) => {
  expect(relativeOf(path)).toBe(relative);
});

test.each([
  ["/../etc/passwd"],
  ["/a/../../etc/passwd"],
  [".."],
  ["/.."],
  ["/../"],
  ["/./../x"],
  ["//../x"],
  ["../x"],
  ["/a/.."],
  ["/a/../b"],
  ["/a/b/../../c"],
])("%j has a .. and is EACCES", (path) => {
  const refused = relativeOf(path);
  expect(refused).toBeInstanceOf(Refusal);
  expect((refused as Refusal).code).toBe("EACCES");
});

test.each([["/f\0.jpg"], ["\0"], ["/\0"], ["/a/\0/b"], ["/../\0"]])(
  "%j holds a NUL and is EINVAL, never cut there",
  (path) => {
    expect((relativeOf(path) as Refusal).code).toBe("EINVAL");
  },
);

test("a name is hidden when one of its components starts with a dot", () => {
  for (const it of [".git", ".git/config", "a/.env", "a/.b/c", "...", ".a.b"]) {
    expect([it, isHidden(it)]).toEqual([it, true]);
  }
  for (const it of [".", "a", "a.b", "a/b.c", "a./b", "a/b/"]) {
    expect([it, isHidden(it)]).toEqual([it, false]);
  }
});

test("no path gives one that could leave the root or that is not canonical", () => {
  const part = fc.constantFrom("/", ".", "..", "a", "\\", "%2e", "\0", "...", " ", "\xff");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const path = parts.join("");
      const relative = relativeOf(path);
      if (relative instanceof Refusal) {
        expect(path).toMatch(/\0|(?:^|\/)\.\.(?:\/|$)/);
        return;
      }
      const names = relative.replace(/(?<=.)\/$/, "").split("/");
      for (const name of names) expect(["", ".."].includes(name)).toBe(false);
      expect(relative === "." || !names.includes(".")).toBe(true);
      expect(relativeOf(`/${relative}`)).toBe(relative);
      expect(relativeOf(`/./${path}`)).toEqual(relative);
    }),
    { numRuns: 5000 },
  );
});
