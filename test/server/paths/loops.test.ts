/** Two images made alike, which `--mounts` brings below one root: what is in them never mixes. */
import { expect } from "bun:test";
import fs from "node:fs";
import { Apart } from "../../rig/apart.ts";
import { exchange, factOf } from "../../rig/exchange.ts";
import { MOUNTS, type Need, needing, works } from "../../rig/needs.ts";
import { Tree } from "../../rig/tree.ts";

/** Mounts an image; the namespace's end unmounts it. */
const TRY =
  "f=$(mktemp); trap 'rm -f $f' EXIT; truncate -s 1M $f; mkfs.ext4 -q $f; " +
  "mount -o loop $f /mnt; umount /mnt";

/** Containers seldom have loop devices. */
const LOOPS: Need = {
  here: MOUNTS.here && works("unshare", "--mount", "sh", "-ec", TRY),
  what: "the right to mount an image of ext4 by a loop device",
};

const ONE = "ONE ".repeat(30_000);

needing(LOOPS)(
  "files of two images with equal inodes, sizes and times have etags of their own",
  async () => {
    using tree = new Tree({ "src/f": ONE, "root/a": null, "root/b": null });
    const [one, two] = [tree.path("one"), tree.path("two")];
    fs.writeFileSync(one, "");
    fs.truncateSync(one, 4 * 1024 * 1024);
    const made = Bun.spawnSync(["mkfs.ext4", "-q", "-d", tree.path("src"), one]);
    expect(made.exitCode).toBe(0);
    // The blocks of the file alone: its inode is the same to the nanosecond.
    const image = fs.readFileSync(one, "latin1").replaceAll("ONE ", "TWO ");
    fs.writeFileSync(two, image, "latin1");
    const mounts =
      `mount -o loop,ro,noload ${one} ${tree.path("root/a")}; ` +
      `mount -o loop,ro,noload ${two} ${tree.path("root/b")}`;
    await using apart = await Apart.start(tree.path("root"), { mounts, policy: { mounts: true } });
    const ask = ["/a/f", "/b/f", "/a/f", "/b/f"];
    const replies = await exchange(
      apart.port,
      ask.map((path) => `READ ${path}`),
    );
    expect(replies.map(({ body }) => body.toString("latin1", 0, 8))).toEqual([
      "ONE ONE ",
      "TWO TWO ",
      "ONE ONE ",
      "TWO TWO ",
    ]);
    const [a, b] = replies.map((reply) => factOf(reply, "etag")!);
    expect(a).not.toBe(b);
    for (const key of ["size", "mtime"])
      expect(factOf(replies[0]!, key)).toBe(factOf(replies[1]!, key));
    // Resuming one with the other's version is refused.
    const [mixed] = await exchange(apart.port, [`READ offset=100 if=${a} /b/f`]);
    expect(mixed?.line).toStartWith("ERR ESTALE ");
    const hashes = await exchange(apart.port, ["HASH /a/f", "HASH /b/f"]);
    expect(hashes[0]?.body.toString()).not.toBe(hashes[1]?.body.toString());
    const ids = await exchange(apart.port, ["LIST /a", "LIST /b"]);
    expect(factOf(ids[0]!, "id")).not.toBe(factOf(ids[1]!, "id"));
  },
);
