/** The numbers of a command: the sums of its files', whatever becomes of these. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Folder } from "../../src/destination/folder.ts";
import type { Order } from "../../src/download/order.ts";
import { FileCounter, Progress } from "../../src/download/progress.ts";

const SUMS = ["received", "kept", "verified", "arrived"] as const;

/** An order of `size` bytes, to be called "é\n" in a folder "to". */
function orderOf(size: number): Order {
  const folder = new Folder(-1, "to");
  return { file: { entry: { size: BigInt(size) } }, folder, name: "\xc3\xa9\n" } as Order;
}

test("in any course the command's sums are those of its files that were not abandoned", () => {
  const step = fc.tuple(
    fc.constantFrom("receive", "place", "keep", "verify", "abandon"),
    fc.nat({ max: 3 }),
    fc.integer({ min: -9, max: 99 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const progress = new Progress();
      const files = Array.from({ length: 4 }, () => new FileCounter(progress, orderOf(9)));
      const abandoned = new Set<FileCounter>();
      for (const file of files) file.begin();
      for (const [what, which, bytes] of steps) {
        const file = files[which]!;
        if (abandoned.has(file)) continue;
        if (what !== "abandon") file[what](bytes);
        else abandoned.add(file).forEach((each) => each === file && each.abandon());
        const running = [...progress.running];
        expect(running).toEqual(files.filter((each) => !abandoned.has(each)));
        for (const key of SUMS) {
          const counted = key === "received" ? files : running;
          expect(progress[key]).toBe(counted.reduce((sum, each) => sum + each[key], 0));
        }
      }
    }),
  );
});

test("a file that is done or given up is counted once, and named for a person", () => {
  const progress = new Progress();
  const [done, failed] = [orderOf(5), orderOf(6)].map((order) => new FileCounter(progress, order));
  done!.begin();
  done!.place(5);
  done!.succeed();
  failed!.begin();
  failed!.place(3);
  failed!.abandon();
  expect([failed!.state, failed!.arrived, progress.failed]).toEqual(["waiting", 3, 0]);
  failed!.fail();
  expect([done!.state, failed!.state, failed!.size]).toEqual(["done", "failed", 6]);
  expect(progress).toMatchObject({ done: 1, failed: 1, arrived: 5, running: new Set() });
  expect(failed!.name).toBe("to/é\\x0a");
});
