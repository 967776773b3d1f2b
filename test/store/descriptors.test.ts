/** Questions that are asked again and again leave no descriptor behind. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { openDisk } from "../../src/store/disk.ts";
import { clock } from "../../src/sys/clock.ts";
import { openIn } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { closing, file, list } from "./asking.ts";

const TIMES = 20;
const LIMITS = { files: 64, zeroCopy: true };

for (const unconfined of [false, true]) {
  const policy = { hidden: false, symlinks: true, mounts: false, unconfined };
  const name = unconfined ? "disk, unconfined" : "disk";

  test(`${name}: a listing of links opens none for longer than it looks`, async () => {
    using tree = new Tree({ "d/f": "x", "d/e/f": "x" });
    const links = Array.from({ length: 12 }, (_, nth) => `l${10 + nth}`);
    for (const [nth, link] of links.entries()) tree.link(`d/${link}`, nth % 2 === 0 ? "f" : "e");
    tree.link("d/nowhere", "missing");
    using store = closing(openDisk(tree.root, policy, LIMITS));
    const before = openIn(tree.root);
    for (let nth = 0; nth < TIMES; nth++) {
      expect(await list(store.it, "/d", 100)).toBe(`14 e f ${links.join(" ")}`);
    }
    expect(openIn(tree.root)).toBe(before);
  });

  test(`${name}: a file that is looked at anew each second has one descriptor`, async () => {
    using tree = new Tree({ small: "x", large: content(1, 0, 100_000) });
    using store = closing(openDisk(tree.root, policy, LIMITS));
    const start = clock.now;
    const first = [await file(store.it, "/small"), await file(store.it, "/large")];
    const held = openIn(tree.root);
    expect(fs.fstatSync(first[1]!.fd).size).toBe(100_000);
    let same = 0;
    for (let nth = 1; nth <= TIMES; nth++) {
      clock.now = start + 1001 * nth;
      const again = [await file(store.it, "/small"), await file(store.it, "/large")];
      same += again.filter((it, index) => it === first[index]).length;
    }
    // The name was looked up, and still meant this version: at least the larger one's each time.
    expect(same).toBeGreaterThanOrEqual(TIMES);
    expect(openIn(tree.root)).toBe(held);
    clock.now = start;
  });

  test(`${name}: what is refused or only asked about is closed at once`, async () => {
    using tree = new Tree({ f: "x", d: null });
    expect(Bun.spawnSync(["mkfifo", tree.path("pipe")]).exitCode).toBe(0);
    using store = closing(openDisk(tree.root, policy, LIMITS));
    const before = openIn(tree.root);
    for (let nth = 0; nth < TIMES; nth++) {
      for (const path of ["/f", "/d", "/pipe", "/missing", "/f/below"])
        store.it.stat(path, waiterOf());
      expect(await list(store.it, "/f", 1)).toBe("ENOTDIR");
      for (const path of ["/d", "/pipe"]) await expect(file(store.it, path)).rejects.toThrow(path);
    }
    expect(openIn(tree.root)).toBe(before);
  });
}
