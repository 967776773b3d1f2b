/** The bare dialect, byte for byte: what the exercise's client sends and what it gets. */
import { expect, test } from "bun:test";
import path from "node:path";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const BIG = 5_000_001;

test.each(BRANCHES)(
  "every way to end a path gives the content and FIN (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({
      "a/small": content(1, 0, 1000),
      "a/big": content(2, 0, BIG),
      empty: "",
    });
    await using running = new Running(tree.root, { zeroCopy });
    const sizes: [string, number, number][] = [
      ["a/small", 1, 1000],
      ["a/big", 2, BIG],
      ["empty", 3, 0],
    ];
    for (const [name, file, size] of sizes) {
      for (const form of [`/${name}`, name, `./${name}`, `//${name}`, path.join(tree.root, name)]) {
        for (const [end, fin] of [
          ["\n", false],
          ["\r\n", false],
          ["", true],
          ["\n", true],
          ["", false],
        ] as const) {
          using peer = await running.dial();
          peer.send(form + end);
          if (fin) peer.finish();
          const { bytes, ending } = await peer.all();
          expect([form, end, fin, ending, bytes.length]).toEqual([form, end, fin, "fin", size]);
          expect(verify(bytes, file, 0)).toBeNull();
        }
      }
    }
  },
);
