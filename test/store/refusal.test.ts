/** What a client learns of the kernel's errors. */
import { expect, test } from "bun:test";
import { refusalOf } from "../../src/store/refusal.ts";

test.each([
  [2, "ENOENT"],
  [20, "ENOTDIR"],
  [21, "EISDIR"],
  [36, "ENAMETOOLONG"],
  [75, "EOVERFLOW"],
  [13, "EACCES"],
  [1, "EACCES"],
  [18, "EACCES"],
  [40, "EACCES"],
  [6, "EACCES"],
  [19, "EACCES"],
  [24, "EBUSY"],
  [23, "EBUSY"],
  [12, "EBUSY"],
  [11, "EBUSY"],
  [16, "EBUSY"],
  [5, "EIO"],
  [22, "EIO"],
  [116, "EIO"],
] as const)("errno %d is %s, with the path escaped", (errno, code) => {
  const refusal = refusalOf(-errno, "/a\x1b\xff");
  expect([refusal.code, refusal.message.endsWith(": /a\\x1b\\xff")]).toEqual([code, true]);
});
