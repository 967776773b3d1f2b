/** Whether a stretch of a file is in memory: with real pages, thrown out and read again. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { RESIDENT_BYTES_MAX } from "../../src/sys/types.ts";
import { eventually } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";

/** tmpfs, on which the temporary folder may lie, can't tell. */
const UNTOLD = -ERRNO.EOPNOTSUPP;
const LENGTH = 200_000;

test("what was thrown out is not there, and asking brings it back without a read of ours", async () => {
  using tree = new Tree({ f: Buffer.alloc(LENGTH, 1) });
  const fd = fs.openSync(tree.path("f"), "r");
  const look = (offset: number, count: number): number =>
    kernel.resident(fd, BigInt(offset), count);
  expect([1, UNTOLD]).toContain(look(0, 40_000));
  await eventually("all of it thrown out", () => {
    const out = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
    expect(Bun.spawnSync(["dd", `of=${tree.path("f")}`, ...out]).exitCode).toBe(0);
    return [0, UNTOLD].includes(look(0, 40_000));
  });
  await eventually("what was asked about is in memory", () =>
    [1, UNTOLD].includes(look(0, 40_000)),
  );
  fs.readSync(fd, new Uint8Array(LENGTH), 0, LENGTH, 0);
  for (const [offset, count] of [
    [0, 1],
    [0, RESIDENT_BYTES_MAX],
    // The rest of it is not looked at.
    [0, LENGTH],
    [LENGTH - 10, 10],
    [LENGTH, 10],
  ] as const) {
    expect([1, UNTOLD]).toContain(look(offset, count));
  }
  // Less than that is left: not all of it is there.
  expect([0, UNTOLD]).toContain(look(LENGTH - 10, 20));
  // The length is forgotten by the next look.
  expect([1, UNTOLD]).toContain(kernel.resident(fd, BigInt(LENGTH - 1)));
  fs.closeSync(fd);
  expect(kernel.resident(-1, 0n, 10)).toBe(-ERRNO.EBADF);
});
