/** Files behind a head of a door's own: which bytes, until when, and that none is kept too long. */
import { expect } from "bun:test";
import fs from "node:fs";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { needing, SMALL_PAGES } from "../rig/needs.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const SIZE = 20_000;

const hot = needing(SMALL_PAGES);

function storeOf(tree: Tree, zeroCopy = true): DiskStore & Disposable {
  const store = openDisk(tree.root, POLICY, { files: 64, zeroCopy });
  return Object.assign(store, { [Symbol.dispose]: () => store.close() });
}

function opened(store: DiskStore, path: string): OpenFile {
  const file = store.open(path, waiterOf());
  if (file === null || "code" in file) throw new Error(`${path}: ${file?.code}`);
  return file;
}

/** What sendfile(2) gives of `file` behind `head`. */
function sent(file: OpenFile | null, head: Uint8Array): Buffer {
  if (file?.headAt == null) throw new Error("it is not packed");
  const into = Buffer.alloc(head.length + SIZE);
  return into.subarray(0, Math.max(0, kernel.pread(file.fd, into, into.length, file.headAt)));
}

hot("the content lies behind each head, and another head is another place", () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  using store = storeOf(tree);
  const heads = ["first head\r\n", "another, and longer\r\n"].map((text) => Buffer.from(text));
  const files = heads.map((head) => store.packed(opened(store, "/f"), head));
  for (const [nth, head] of heads.entries()) {
    const whole = Buffer.concat([head, content(1, 0, SIZE)]);
    expect(sent(files[nth]!, head).equals(whole)).toBe(true);
  }
});

hot("one that lies in memory behind another door's head already", () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  using store = storeOf(tree);
  let file = opened(store, "/f");
  for (let nth = 0; nth < 8; nth++) {
    file.head ??= Buffer.from("OK of another door\n");
    file = opened(store, "/f");
  }
  expect(file.headAt).not.toBeNull();
  const head = Buffer.from("HTTP\r\n");
  const whole = Buffer.concat([head, content(1, 0, SIZE)]);
  expect(sent(store.packed(file, head), head).equals(whole)).toBe(true);
});

hot("the oldest goes when there are too many, but not from under who sends it", () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  using store = storeOf(tree);
  const head = Buffer.from("head");
  const file = opened(store, "/f");
  const first = store.packed(file, head)!;
  const second = store.packed(file, head)!;
  second.retain();
  for (let nth = 0; nth < 31; nth++) store.packed(file, head);
  expect([first.fd, second.fd >= 0]).toEqual([-1, true]);
  store.packed(file, head);
  expect(sent(second, head).equals(Buffer.concat([head, content(1, 0, SIZE)]))).toBe(true);
  second.release();
  expect(second.fd).toBe(-1);
});

hot("what does not hold still, is too large, too small or held for writing is not packed", () => {
  using tree = new Tree({ f: content(1, 0, SIZE), large: content(1, 0, 49_153), small: "x" });
  using store = storeOf(tree);
  const head = Buffer.from("head");
  for (const path of ["/large", "/small"])
    expect(store.packed(opened(store, path), head)).toBeNull();
  const file = opened(store, "/f");
  expect(store.packed(file, Buffer.alloc(500))).toBeNull();
  expect(store.packed(file, Buffer.alloc(384))).not.toBeNull();
  // Nor a file that is no disk's.
  const { stat: _stat, ...other } = file as OpenFile & { stat: unknown };
  expect(store.packed({ ...other, body: null }, head)).toBeNull();
  fs.writeFileSync(tree.path("f"), content(2, 0, SIZE - 1));
  expect(store.packed(file, head)).toBeNull();
  using copying = storeOf(tree, false);
  expect(copying.packed(opened(copying, "/f"), head)).toBeNull();
});

hot("a store that is closed lets all of them go, and the file in memory with the last", () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  using store = storeOf(tree);
  const file = opened(store, "/f");
  const packed = [1, 2, 3].map((nth) => store.packed(file, Buffer.from(`head ${nth}`))!);
  expect(store.facts.arenaFiles).toBe(3);
  const { fd } = packed[0]!;
  packed[2]!.retain();
  store.close();
  expect(packed.map((it) => it.fd)).toEqual([-1, -1, fd]);
  packed[2]!.release();
  expect(() => fs.fstatSync(fd)).toThrow("EBADF");
});
