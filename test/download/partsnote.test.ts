/** The note of what is in place: believed for one URL, one version, one size, and whole ranges. */
import { expect, test } from "bun:test";
import type { ServerAddress } from "../../src/client/address.ts";
import { Folder } from "../../src/destination/folder.ts";
import { ETAG_ATTRIBUTE, Staged } from "../../src/destination/staged.ts";
import { Staging } from "../../src/destination/staging.ts";
import type { RemoteFile } from "../../src/download/origin.ts";
import { contentIn, PartsNote, versionIn } from "../../src/download/partsnote.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { Tree } from "../rig/tree.ts";

const SERVER: ServerAddress = { host: "nas", port: 80, http: { query: "" } };
const SIZE = 10_000_000;

function fileOf(etag = '"1"', size = SIZE, path = "/f"): RemoteFile {
  return { path, entry: { type: "file", size: BigInt(size), mtime: 0n, etag } };
}

function noteOf(file: Staged, server: ServerAddress, remote: RemoteFile): PartsNote {
  return new PartsNote(file, remote.entry.size, versionIn(server, remote));
}

/** A staged file as a run has it, of SIZE bytes. */
function staged(): { file: Staged } & Disposable {
  const tree = new Tree();
  const folder = Folder.open(Buffer.from(tree.root).toString("latin1"), true);
  const staging = Staging.open(folder);
  const file = Staged.open(staging, "g");
  file.reserve(BigInt(SIZE));
  file.close();
  const again = Staged.open(staging, "g");
  return {
    file: again,
    [Symbol.dispose]() {
      again.close();
      staging.close();
      folder.close();
      tree[Symbol.dispose]();
    },
  };
}

test("whole ranges are told again, whatever the order they came in", () => {
  using here = staged();
  const note = noteOf(here.file, SERVER, fileOf());
  for (const offset of [4000, 0, 2000, 9_999_000]) note.add({ offset, length: 1000 });
  note.add({ offset: 1000, length: 1000 });
  note.flush();
  const again = noteOf(here.file, SERVER, fileOf());
  const has = (offset: number, length: number) => again.has({ offset, length });
  expect([has(0, 3000), has(500, 1), has(4000, 1000), has(9_999_000, 1000)]).not.toContain(false);
  expect([has(0, 3001), has(3000, 1), has(3999, 2), has(9_998_999, 2)]).not.toContain(true);
});

test("nothing is told of another version, size, path, query, server or boot, and it is gone", () => {
  const others: [RemoteFile, ServerAddress][] = [
    [fileOf('"2"'), SERVER],
    [fileOf('"1"', SIZE - 1), SERVER],
    [fileOf('"1"', SIZE, "/g"), SERVER],
    [fileOf(), { ...SERVER, http: { query: "a" } }],
    [fileOf(), { ...SERVER, port: 81 }],
  ];
  for (const [file, server] of others) {
    using here = staged();
    const note = noteOf(here.file, SERVER, fileOf());
    note.add({ offset: 0, length: 5000 });
    note.flush();
    expect(noteOf(here.file, server, file).has({ offset: 0, length: 1 })).toBe(false);
    expect(noteOf(here.file, SERVER, fileOf()).has({ offset: 0, length: 1 })).toBe(false);
  }
  using here = staged();
  const note = noteOf(here.file, SERVER, fileOf());
  note.add({ offset: 0, length: 5000 });
  note.flush();
  const text = String(kernel.attribute(here.file.fd, ETAG_ATTRIBUTE));
  kernel.setAttribute(here.file.fd, ETAG_ATTRIBUTE, text.replace(/[0-9a-f]{8}-/, "00000000-"));
  expect(noteOf(here.file, SERVER, fileOf()).has({ offset: 0, length: 1 })).toBe(false);
});

test.each(["", "0", "0-", "-5", "5-5", "9-5", "00-5", "0-99999999999", "0-1e3", "x", "0-10000001"])(
  "a range %j is none",
  (range) => {
    using here = staged();
    const empty = noteOf(here.file, SERVER, fileOf());
    empty.flush();
    const text = String(kernel.attribute(here.file.fd, ETAG_ATTRIBUTE));
    kernel.setAttribute(here.file.fd, ETAG_ATTRIBUTE, `${text}${range},7000-8000`);
    const note = noteOf(here.file, SERVER, fileOf());
    expect(note.has({ offset: 0, length: 1 })).toBe(false);
    expect(note.has({ offset: 7000, length: 1000 })).toBe(true);
  },
);

test("of more ranges than an attribute holds the first ones are kept", () => {
  using here = staged();
  const note = noteOf(here.file, SERVER, fileOf());
  for (let offset = 0; offset < SIZE; offset += 10_000) note.add({ offset, length: 1000 });
  note.flush();
  const again = noteOf(here.file, SERVER, fileOf());
  expect(again.has({ offset: 0, length: 1000 })).toBe(true);
  expect(again.has({ offset: 1_000_000, length: 1000 })).toBe(true);
  expect(again.has({ offset: SIZE - 10_000, length: 1000 })).toBe(false);
});

test("what one version has is a part of the content that several tell, and not the other way", () => {
  using here = staged();
  const whole = { algo: "sha256", hex: "ab" } as const;
  const content = contentIn(whole, BigInt(SIZE));
  const versions = [SERVER, { ...SERVER, port: 81 }].map((server) => versionIn(server, fileOf()));
  const joined = (text = content): PartsNote =>
    new PartsNote(here.file, BigInt(SIZE), text, versions);
  const first = { offset: 0, length: 1000 };
  const second = { offset: 5000, length: 1000 };
  const one = noteOf(here.file, { ...SERVER, port: 81 }, fileOf());
  one.add(first);
  one.flush();
  const both = joined();
  expect(both.has(first)).toBe(true);
  both.add(second);
  both.flush();
  expect([joined().has(first), joined().has(second)]).toEqual([true, true]);
  expect(noteOf(here.file, SERVER, fileOf()).has(first)).toBe(false);
  expect(joined(contentIn({ ...whole, hex: "cd" }, BigInt(SIZE))).has(first)).toBe(false);
});
