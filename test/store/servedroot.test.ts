/** A root that can't be served, in words for who started the server. */
import { expect, test } from "bun:test";
import { cannotServe, kindOf, realPath, StoreError } from "../../src/store/servedroot.ts";
import { Tree } from "../rig/tree.ts";

test("a folder and a file are what they are, by whatever name; a device is neither", () => {
  using tree = new Tree({ "folder/file": "x" });
  tree.link("link", "folder/file");
  expect(realPath(tree.path("link"))).toBe(tree.path("folder/file"));
  expect([kindOf(tree.path("folder")), kindOf(tree.path("link"))]).toEqual(["dir", "file"]);
  expect(() => kindOf("/dev/null")).toThrow(
    "cannot serve /dev/null: neither a directory nor a regular file",
  );
});

test.each([
  ["ENOENT", "ENOENT", "there is no such file or directory"],
  ["EACCES", "EACCES", "permission denied"],
  ["EMFILE", "EIO", "the server could not read the file"],
])("%s is told as %s", (code, told, why) => {
  const error = cannotServe("a\x1bb", code);
  expect([error instanceof StoreError, error.name, error.code, error.message]).toEqual([
    ...[true, "StoreError", told as "EIO", `cannot serve a\\x1bb: ${why}`],
  ]);
});

test("what is not there is told by the name that was given", () => {
  using tree = new Tree();
  expect(() => realPath(tree.path("none"))).toThrow(
    `cannot serve ${tree.path("none")}: there is no such file or directory`,
  );
});
