/**
 * Digests of files that have no descriptor: their bytes are brought into memory first, portions of
 * few jobs at once, and go to the thread from there, or are digested where they are.
 */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { Digester } from "../../src/store/digester.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { askerOf, fileOf, line, MIB, rangeOf, startDigester } from "../rig/digesting.ts";
import { content } from "../rig/oracle.ts";
import { PlayedSource } from "../rig/playedsource.ts";

type Remote = OpenFile & { users: number };

/** A file of an object store, of the version `etag`. */
function remoteOf(source: PlayedSource, etag = "v1"): Remote {
  return Object.assign(fileOf({ etag }), { fd: -1, base: 0n, source }) as unknown as Remote;
}

function sha256Of(bytes: Uint8Array): string {
  return `${createHash("sha256").update(bytes).digest("hex")}\n`;
}

test("a small chunk is digested where it is brought to, of just its bytes", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const file = remoteOf(source);
  const asker = askerOf("peer");
  const bytes = content(1, 0, 65_536);
  const range = rangeOf({ start: 5n, length: 65_536, chunk: 65_536, algo: "sha256" });
  expect(it.digester.digests(file, range, asker)).toBeNull();
  const [stream] = source.streams;
  expect([stream!.at, stream!.length, stream!.peer]).toEqual([5n, 65_536, "peer"]);
  stream!.come(bytes.subarray(0, 1000), bytes.subarray(1000));
  expect([asker.heard, it.threads.length, file.users]).toEqual([[sha256Of(bytes)], 0, 0]);
});

test("a larger one is the thread's, which gets the bytes themselves", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const file = remoteOf(source);
  const asker = askerOf();
  const range = rangeOf({ start: 9n, length: 65_537, chunk: 65_537, algo: "sha256" });
  it.digester.digests(file, range, asker);
  const bytes = content(1, 0, 65_537);
  source.streams[0]!.come(bytes);
  expect(it.thread.portions).toMatchObject([{ at: 0n, count: 65_537, source: bytes }]);
  it.thread.answer(line("a").repeat(4));
  expect([asker.heard.length, file.users, it.digester.jobs]).toEqual([1, 0, 0]);
});

test("a job has one portion on its way, and four jobs have theirs at once", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const askers = Array.from({ length: 6 }, (_, nth) => askerOf(`peer ${nth}`));
  for (const [nth, asker] of askers.entries()) {
    const range = rangeOf({ length: 8 * MIB, chunk: 4 * MIB });
    it.digester.digests(remoteOf(source, `v${nth}`), range, asker);
  }
  const asked = (): string[] => source.streams.map(({ peer, at }) => `${peer} ${at}`);
  expect(asked()).toEqual(["peer 0 0", "peer 1 0", "peer 2 0", "peer 3 0"]);
  const bytes = Buffer.alloc(4 * MIB);
  // What is at the thread has its bytes in memory still, and counts.
  source.streams[0]!.come(bytes);
  expect([asked().length, it.thread.portions.length]).toEqual([4, 1]);
  it.thread.answer(line("a"));
  expect(asked().slice(4)).toEqual(["peer 4 0"]);
  const end = 12;
  for (let nth = 1; nth < end; nth++) {
    source.streams[nth]!.come(bytes);
    it.thread.answer(line("b"));
  }
  expect(asked().toSorted()).toEqual(
    askers.flatMap(({ peer }) => [`${peer} 0`, `${peer} ${4 * MIB}`]),
  );
  expect(askers.map(({ heard }) => heard.length)).toEqual([1, 1, 1, 1, 1, 1]);
  expect([it.digester.jobs, it.digester.portions]).toEqual([0, end]);
});

test("where some are at the thread, as many are brought as there is room for", () => {
  using it = startDigester();
  const source = new PlayedSource();
  for (let nth = 0; nth < 6; nth++) {
    it.digester.digests(remoteOf(source, `v${nth}`), rangeOf({ length: 2 * MIB }), askerOf());
  }
  for (const stream of source.streams.slice(0, 3)) stream.come(Buffer.alloc(2 * MIB));
  expect([it.thread.portions.length, source.streams.length]).toEqual([3, 4]);
  it.thread.answer(line("a").repeat(2));
  expect(source.streams.length).toBe(5);
});

test("what is digested where it is may be followed by more, behind what is known already", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const file = remoteOf(source);
  const chunk = 65_536;
  const bytes = content(1, 0, 3 * chunk);
  const [asker, other] = [askerOf(), askerOf()];
  const range = { chunk, algo: "sha256" } as const;
  it.digester.digests(file, rangeOf({ ...range, start: BigInt(chunk), length: chunk }), other);
  source.streams[0]!.come(bytes.subarray(chunk, 2 * chunk));
  expect(other.heard.length).toBe(1);
  it.digester.digests(file, rangeOf({ ...range, length: 3 * chunk }), asker);
  source.streams[1]!.come(bytes.subarray(0, chunk));
  source.streams[2]!.come(bytes.subarray(2 * chunk));
  expect(source.streams.map(({ at, length }) => [at, length])).toEqual([
    [65_536n, chunk],
    [0n, chunk],
    [131_072n, chunk],
  ]);
  const lines = [0, 1, 2].map((nth) => sha256Of(bytes.subarray(nth * chunk, (nth + 1) * chunk)));
  expect([asker.heard, it.threads.length]).toEqual([[lines.join("")], 0]);
});

test("after one that was small the job goes on, and others take the place", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const asker = askerOf();
  const range = rangeOf({ length: 10 * MIB, chunk: MIB });
  it.digester.digests(remoteOf(source), range, asker);
  // Portions of 4 MiB at most.
  for (let nth = 0; nth < 3; nth++) {
    const { length } = source.streams[nth]!;
    expect(length).toBe(nth < 2 ? 4 * MIB : 2 * MIB);
    source.streams[nth]!.come(Buffer.alloc(length));
    it.thread.answer(line("c").repeat(length / MIB));
  }
  expect([asker.heard, source.streams.length]).toEqual([[line("c").repeat(10)], 3]);
  // Nine small chunks of one portion, digested where they are.
  const small = askerOf();
  it.digester.digests(
    remoteOf(source, "v2"),
    rangeOf({ length: 5 * 900_000, chunk: 900_000 }),
    small,
  );
  source.streams[3]!.come(Buffer.alloc(source.streams[3]!.length));
  if (it.thread.portions.length > 0) it.thread.answer(line("d").repeat(4));
  source.streams[4]!.come(Buffer.alloc(source.streams[4]!.length));
  expect([small.heard.length, source.streams.length, it.digester.jobs]).toEqual([1, 5, 0]);
});

test.each([
  ["failed", "EBUSY server is busy, try again: the store stopped while it was hashed"],
  ["changed", "ESTALE the file has changed: it was edited while it was hashed"],
] as const)("a stream that has %s ends its job as that, and the next is begun", (state, why) => {
  using it = startDigester();
  const source = new PlayedSource();
  const files = Array.from({ length: 5 }, (_, nth) => remoteOf(source, `v${nth}`));
  const askers = files.map((file) => {
    const asker = askerOf();
    it.digester.digests(file, rangeOf({}), asker);
    return asker;
  });
  expect(source.streams.length).toBe(4);
  source.streams[0]!.fail(state);
  expect([askers[0]!.heard, files[0]!.users, source.streams.length]).toEqual([[why], 0, 5]);
  expect(it.digester.jobs).toBe(4);
});

test("who leaves stops what is brought for it, and so does the close", () => {
  using it = startDigester();
  const source = new PlayedSource();
  const files = [remoteOf(source, "a"), remoteOf(source, "b")] as const;
  const [leaver, stays] = [askerOf(), askerOf("other")];
  it.digester.digests(files[0], rangeOf({}), leaver);
  it.digester.digests(files[1], rangeOf({}), stays);
  leaver.gone = true;
  it.digester.sweep();
  expect(closedOf(it.digester, source, files)).toEqual([1, [1, 0], [0, 1]]);
  // Its place is another's.
  const next = Array.from({ length: 4 }, (_, nth) => remoteOf(source, `next ${nth}`));
  for (const file of next) it.digester.digests(file, rangeOf({}), leaver);
  expect(source.streams.length).toBe(2 + 3);
  it.digester.close();
  expect(closedOf(it.digester, source, files)).toEqual([0, [1, 1, 1, 1, 1], [0, 0]]);
  for (const stream of source.streams) stream.come(Buffer.alloc(MIB));
  expect([leaver.heard, stays.heard, it.threads.length]).toEqual([[], [], 0]);
});

function closedOf(digester: Digester, source: PlayedSource, files: readonly Remote[]): unknown {
  return [digester.jobs, source.streams.map(({ closed }) => closed), files.map((it) => it.users)];
}
