/** Files of a user's own: their mode, that they are whole or not there, and who comes second. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { createPrivate, replacePrivate, textOf } from "../../src/identity/privatefile.ts";
import { Tree } from "../rig/tree.ts";

test("one that is made keeps what is there, one that is replaced does not, and nothing is left", () => {
  using tree = new Tree();
  const file = tree.path("state/serv6/key");
  createPrivate(file, "first");
  createPrivate(file, "second");
  expect(textOf(file, 100)).toBe("first");
  replacePrivate(file, "third");
  expect(textOf(file, 100)).toBe("third");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.statSync(tree.path("state")).mode & 0o777).toBe(0o700);
  expect(fs.readdirSync(tree.path("state/serv6"))).toEqual(["key"]);
});

test("what a program of the same number left when it was killed is in nobody's way", () => {
  using tree = new Tree();
  // In a container each start may have the number of the one before.
  for (const rest of [process.pid, process.ppid]) tree.write(`file.${rest}`, "cut sho");
  replacePrivate(tree.path("file"), "whole");
  createPrivate(tree.path("file"), "late");
  expect(textOf(tree.path("file"), 100)).toBe("whole");
});

test("what can't get its name leaves no rest of its content beside it", () => {
  using tree = new Tree();
  tree.write("folder/inside", "");
  expect(() => replacePrivate(tree.path("folder"), "secret")).toThrow();
  expect(fs.readdirSync(tree.root)).toEqual(["folder"]);
});

test("a file that is not there is empty, and one that is too large is not read", () => {
  using tree = new Tree({ file: "12345" });
  expect(textOf(tree.path("none"), 5)).toBe("");
  expect(textOf(tree.path("file"), 5)).toBe("12345");
  expect(() => textOf(tree.path("file"), 4)).toThrow(expect.objectContaining({ code: "EFBIG" }));
});
