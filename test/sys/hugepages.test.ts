/** Which settings of the kernel make files in memory of single pages. */
import { expect, test } from "bun:test";
import { shmemPagesAreSmall } from "../../src/sys/hugepages.ts";
import { Tree } from "../rig/tree.ts";

const GLOBAL = (word: string): string =>
  "always within_size advise never deny force\n".replace(word, `[${word}]`);
const SIZE = (word: string): string =>
  "always inherit within_size advise never\n".replace(word, `[${word}]`);

test.each([
  ["never", "inherit", true],
  ["deny", "never", true],
  ["advise", "inherit", true],
  ["never", "advise", true],
  ["always", "inherit", false],
  ["within_size", "never", false],
  ["force", "never", false],
  ["never", "always", false],
  ["never", "within_size", false],
])("all %s, one size %s: small pages alone: %p", (all, size, small) => {
  using tree = new Tree({
    shmem_enabled: GLOBAL(all),
    "hugepages-64kB/shmem_enabled": SIZE("never"),
    "hugepages-2048kB/shmem_enabled": SIZE(size),
    "hugepages-8kB/other": "",
    enabled: "[always] madvise never\n",
  });
  expect(shmemPagesAreSmall(tree.root)).toBe(small);
});

test("a kernel without settings has no large pages; what can't be seen or understood may be any", () => {
  using tree = new Tree({ shmem_enabled: "what\n", "older/enabled": "[always]\n" });
  expect(shmemPagesAreSmall(tree.path("missing"))).toBe(true);
  expect(shmemPagesAreSmall(tree.path("no/sys"))).toBe(false);
  expect(shmemPagesAreSmall(tree.path("older"))).toBe(true);
  expect(shmemPagesAreSmall(tree.root)).toBe(false);
});
