/** The table of blocks: which object a name means. */
import { expect, test } from "bun:test";
import { Refusal } from "../../../src/wire/errors.ts";
import { CacheRig, FakeObject } from "../../rig/blocks.ts";
import { eventually } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";

test("a fill that failed and is still written lets go of its own object alone", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 67_108_864);
  await rig.read(new FakeObject("kept", 10));
  const disk = rig.disk!;
  const object = new FakeObject("a", 100_000);
  object.pieceBytes = 50_000;
  object.failAt = 50_000;
  object.refusal = new Refusal("EBUSY", "");
  disk.held = true;
  expect(await rig.reads(object)).toBe("failed after 0");
  object.failAt = Number.POSITIVE_INFINITY;
  const again = rig.reads(object);
  disk.release();
  expect(await again).toBe("right");
  await eventually("all is written", () => disk.jobs.length === 0);
  expect(await rig.reads(object)).toBe("right");
  // Nothing is brought a second time.
  expect(object.asked).toHaveLength(2);
});
