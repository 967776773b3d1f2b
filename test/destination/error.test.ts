/** What this machine refuses, in words: with the system's own where it has any. */
import { expect, test } from "bun:test";
import { localError, must } from "../../src/destination/error.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { failed } from "../rig/destination.ts";

test("an error says what was tried and why it failed, also where the system has no words", () => {
  const full = localError(-ERRNO.ENOSPC, "writing x");
  expect([full.code, full.message]).toEqual(["ENOSPC", "writing x: no space left on device"]);
  expect(full.name).toBe("LocalError");
  expect(localError(-4000, "writing x").message).toBe("writing x: failed");
});

test("0 is no error, and -1 is", () => {
  const doing = (): string => "looking";
  expect([must(0, doing), must(7, doing)]).toEqual([0, 7]);
  expect(failed(() => must(-1, doing)).code).toBe("EPERM");
});
