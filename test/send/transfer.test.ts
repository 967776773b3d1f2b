/** What steps come to. */
import { expect, test } from "bun:test";
import { STEP } from "../../src/send/transfer.ts";

test("no two steps are taken for each other", () => {
  expect(new Set(Object.values(STEP)).size).toBe(Object.keys(STEP).length);
});
