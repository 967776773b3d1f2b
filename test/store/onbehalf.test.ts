/** Who asks a store in the name of another: the same peer and costs, and no answer of its own. */
import { expect, test } from "bun:test";
import { LookedUp, OnBehalf } from "../../src/store/onbehalf.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { waiterOf } from "../rig/waiter.ts";

test("it stands for whoever waits, and what nobody asked for is a mistake of ours", () => {
  const heard: unknown[] = [];
  const waiter = {
    ...waiterOf(undefined, (error) => heard.push(error), true, "peer"),
    charge: (requests: number) => void heard.push(requests),
  };
  const asker = new OnBehalf(waiter);
  expect([asker.gone, asker.peer, asker.waiter]).toEqual([true, "peer", waiter]);
  const error = new Error("ours");
  asker.charge(7);
  asker.crash(error);
  expect(heard).toEqual([7, error]);
  const refusal = new Refusal("EIO", "/f");
  expect(() => asker.opened(refusal)).toThrow("nobody opened a file");
  expect(() => asker.looked(refusal)).toThrow("nobody looked a name up");
  expect(() => asker.listed(refusal)).toThrow("nobody listed a folder");
  expect(() => asker.digested(refusal)).toThrow("nobody digested a file");
  const told: unknown[] = [];
  new LookedUp(waiter, (entry) => told.push(entry)).looked(refusal);
  expect(told).toEqual([refusal]);
});
