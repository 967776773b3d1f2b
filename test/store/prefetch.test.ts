/** A store that is closed while it reads a small file leaves no descriptor. */
import { expect, test } from "bun:test";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { Simulation } from "../rig/simulation.ts";

test("reads that end behind the store's close, well or not, close their files", () => {
  using simulation = new Simulation({ a: content(1, 0, 40_000), b: content(2, 0, 40_000) });
  using _disk = replaceCall("resident", () => (_fd, _at, count) => (count === undefined ? 1 : 0));
  for (const name of ["a", "b"]) simulation.connect().send(`READ /${name}\n`);
  const { loop, tree, running } = simulation;
  expect([loop.reads, openIn(tree.root)]).toEqual([2, 3]);
  running.store.close();
  loop.read();
  loop.read(undefined, "EIO");
  expect(openIn(tree.root)).toBe(0);
});
