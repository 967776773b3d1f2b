/**
 * Sizes at every border, past 2^31, 2^32 and 2^53, and what an etag tells: cases 50 to 52, 54, 56.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { kernel } from "../../src/sys/kernel.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const SIZES = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145];
const BORDER = [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1];

/** A file of holes with `tail` at its very end. */
function sparse(tree: Tree, name: string, size: number, tail: string): void {
  tree.write(name, "");
  fs.truncateSync(tree.path(name), size);
  const fd = fs.openSync(tree.path(name), "r+");
  fs.writeSync(fd, tail, size - tail.length);
  fs.closeSync(fd);
}

test.each(BRANCHES)("50: exact bytes at every border of size (%s)", async (_, zeroCopy) => {
  using tree = new Tree();
  for (const size of [...SIZES, 2_097_151, 2_097_152, 2_097_153, 4_194_305]) {
    tree.write(`f${size}`, content(7, 0, size));
  }
  await using running = new Running(tree.root, { zeroCopy });
  using peer = await running.dial();
  for (const name of fs.readdirSync(tree.root)) {
    const size = Number(name.slice(1));
    peer.send(`READ /${name}\n`);
    const { line, body } = await peer.reply();
    expect(line).toStartWith(`OK ${size} size=${size} offset=0 etag=`);
    expect([body.length, verify(body, 7, 0)]).toEqual([size, null]);
  }
});

test.each(BRANCHES)("50: ranges around 2^31 and 2^32 (%s)", async (_, zeroCopy) => {
  using tree = new Tree();
  for (const size of BORDER) sparse(tree, `f${size}`, size, "the end");
  await using running = new Running(tree.root, { zeroCopy });
  using peer = await running.dial();
  for (const size of BORDER) {
    peer.send(`READ offset=${size - 7} /f${size}\nREAD offset=${size} /f${size}\n`);
    expect((await peer.reply()).body.toString()).toBe("the end");
    expect((await peer.reply()).line).toStartWith(`OK 0 size=${size} offset=${size} `);
    peer.send(`READ offset=${size + 1} /f${size}\n`);
    expect((await peer.reply()).line).toMatch(/^ERR ERANGE /);
  }
});

test("50: a whole file of more than 2 GiB comes in one reply", async () => {
  using tree = new Tree();
  const size = 2 ** 31 + 4097;
  sparse(tree, "f", size, "the end");
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send("READ /f\n");
  expect(await peer.line()).toStartWith(`OK ${size} size=${size} `);
  let left = size;
  let tail: Buffer = Buffer.alloc(0);
  while (left > 0) {
    const chunk = await peer.take(Math.min(left, 16_000_000));
    left -= chunk.length;
    tail = chunk.subarray(-7);
    if (chunk.length === 0) break;
  }
  expect([left, tail.toString()]).toEqual([0, "the end"]);
  // 3 s, and ten times that on one core that another program shares.
}, 90_000);

test("51: the last byte of 8 TiB, and a whole read that is given up", async () => {
  using tree = new Tree();
  const size = 2 ** 43;
  sparse(tree, "f", size, "!");
  await using running = new Running(tree.root);
  using peer = await running.dial();
  peer.send(`READ offset=${size - 1} /f\n`);
  expect((await peer.reply()).body.toString()).toBe("!");
  const before = process.memoryUsage().rss;
  peer.send("READ /f\n");
  expect(await peer.line()).toStartWith(`OK ${size} size=${size} offset=0 `);
  await peer.take(1_000_000);
  peer.socket.pause();
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  peer.reset();
  expect((await running.ask("PING\n")).text).toStartWith("OK 0 ");
});

test("52: sizes over 2^53 are told exactly and never rounded", async () => {
  using tree = new Tree({ f: content(1, 0, 100_000) });
  await using running = new Running(tree.root);
  const size = 2n ** 53n + 1n;
  // On any file system: the kernel's answer is made to say so. huge.test.ts has a real one.
  using _lie = replaceCall("statx", (real) => (fd, name, out) => {
    const answer = real(fd, name, out);
    if (out.isFile) out.size = size;
    return answer;
  });
  using peer = await running.dial();
  peer.send("STAT /f\n");
  expect((await peer.reply()).line).toStartWith(`OK 0 type=file size=${size} `);
  peer.send("READ offset=16 length=32 /f\n");
  const { line, body } = await peer.reply();
  expect(line).toStartWith(`OK 32 size=${size} offset=16 `);
  expect(verify(body, 1, 0, 16)).toBeNull();
  peer.send("READ /f\n");
  expect((await peer.reply()).line).toMatch(/^ERR EOVERFLOW /);
  peer.send(`READ offset=${size} /f\n`);
  expect((await peer.reply()).line).toStartWith(`OK 0 size=${size} offset=${size} `);
  peer.send(`READ offset=${size + 1n} /f\n`);
  expect((await peer.reply()).line).toMatch(/^ERR ERANGE /);
});

test("54, 56: an etag changes with a forged mtime and shows no part of the identity", async () => {
  using tree = new Tree({ f: "same size" });
  await using running = new Running(tree.root);
  const etag = async (): Promise<string> => {
    const { text } = await running.ask("STAT /f\n");
    return /etag=([0-9a-f]{16})\n/.exec(text)?.[1] ?? "";
  };
  const stat = () => fs.statSync(tree.path("f"), { bigint: true });
  const { mtimeNs, ctimeNs, ino, size } = stat();
  const first = await etag();
  expect(first).toHaveLength(16);
  expect(await etag()).toBe(first);
  // To the nanosecond, so that ctime alone tells; until it does, where a clock's grain is coarse.
  const forge = (): boolean => {
    fs.writeFileSync(tree.path("f"), "same SIZE");
    const fd = fs.openSync(tree.path("f"), "r+");
    expect(kernel.setMtime(fd, mtimeNs)).toBe(0);
    fs.closeSync(fd);
    return stat().ctimeNs !== ctimeNs;
  };
  await eventually("another ctime", forge);
  expect([stat().mtimeNs, stat().ino, stat().size]).toEqual([mtimeNs, ino, size]);
  expect(await etag()).not.toBe(first);
  for (const part of [ino, size]) expect(first).not.toContain(part.toString(16).padStart(8, "0"));
});
