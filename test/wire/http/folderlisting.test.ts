/** What a page of a folder lists: the first of its files, and where its README may be. */
import { expect, test } from "bun:test";
import { type Entry, listLine } from "../../../src/wire/entry.ts";
import { FolderListing } from "../../../src/wire/http/folderlisting.ts";
import { readmeNames } from "../../../src/wire/http/folderreadme.ts";

const FILE: Entry = { type: "file", size: 1n, mtime: 0n, etag: "0".repeat(16) };
const FOLDER: Entry = { type: "dir", size: 0n, mtime: 0n, etag: "" };

/** A page of `names` in their order; those with a slash at the end are folders. */
function listing(...names: string[]): FolderListing {
  const lines = names.map((name) =>
    name.endsWith("/") ? listLine(FOLDER, name.slice(0, -1)) : listLine(FILE, name),
  );
  return new FolderListing(Buffer.from(lines.join(""), "latin1"));
}

test("the first file that is wanted is none of the folders", () => {
  const page = listing("a/", "b", "c/", "d");
  expect(page.file(() => true)).toBe("b");
  expect(page.file((name) => name !== "b")).toBe("d");
  expect(page.file((name) => name === "a")).toBeNull();
});

test.each<[string, string[], boolean, boolean, string[]]>([
  ["on the page, best first", ["README", "README.md", "z"], true, true, ["README.md", "README"]],
  ["the only one on the page", ["README.txt", "z"], true, true, ["README.txt"]],
  ["on a later page, too", ["README"], false, false, ["README"]],
  ["a folder is none, and its name is taken", ["README/"], true, true, ["README.md", "README.txt"]],
  ["behind the last name of the first page", ["A", "README.n"], true, true, ["README.txt"]],
  ["behind a first page without names", [], true, true, ["README.md", "README.txt", "README"]],
  ["nowhere, for all is on the page", ["A"], true, false, []],
  ["nowhere, for the first page was before", ["A"], false, true, []],
])("a README is %s", (_, names, first, more, wanted) => {
  expect(readmeNames(listing(...names), first, more)).toEqual(wanted);
});
