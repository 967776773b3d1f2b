/** What this machine refuses costs a mirror those names, and no folder stays held for them. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { mirror } from "../../src/download/mirror.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

/** More than may be held at once. */
const FOLDERS = 300;

/** Folders there and here that this machine won't let anybody look into. */
function setUp() {
  const tree = new Tree();
  for (let nth = 0; nth < FOLDERS; nth++) {
    tree.write(`there/d${nth}/refused`, "theirs");
    tree.write(`to/d${nth}/extra`, "mine");
  }
  return tree;
}

test.each(["refused", "extra"])(
  "%s can't be looked at in any folder: told, and an end",
  async (name) => {
    using tree = setUp();
    await using running = new Running(tree.path("there"));
    const folder = tree.path("to");
    using _ = replaceCall("statx", (real) => (fd, path, into) => {
      // The server of this process looks at such names too.
      const here = path === name && fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      return here ? -ERRNO.EACCES : real(fd, path, into);
    });
    const from = `s6://127.0.0.1:${running.port}/`;
    let failures = 0;
    const onEvent = ({ type }: { type: string }): void =>
      void (failures += type === "failed" ? 1 : 0);
    const { kind, code } = await rejection(mirror({ from, folder, delete: true, onEvent }));
    expect([kind, code, failures]).toEqual(["local", "EACCES", FOLDERS]);
    expect(fs.existsSync(tree.path("to/d0/extra"))).toBe(true);
    expect(openIn(folder)).toBe(0);
  },
);
