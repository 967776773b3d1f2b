/**
 * Digests of files, with a thread that the test plays: who gets it when, what becomes of a job
 * that nobody waits for, that fails, or that is one too many.
 */
import { expect, test } from "bun:test";
import { Digester, JOB_UNITS_MAX, PEER_JOB_UNITS_MAX } from "../../src/store/digester.ts";
import { clock } from "../../src/sys/clock.ts";
import {
  askerOf,
  BUSY,
  EIO,
  fileOf,
  line,
  MIB,
  rangeOf,
  startDigester,
  told,
} from "../rig/digesting.ts";
import { clockSays, replaceCall } from "../rig/faults.ts";

test("whoever has left before its turn costs no portion, and its file is let go", () => {
  using it = startDigester();
  const [busy, left, stays] = [fileOf(), fileOf({ etag: "v2" }), fileOf({ etag: "v3" })];
  it.digester.digests(busy, rangeOf({ length: 8 * MIB }), askerOf("busy"));
  const leaver = askerOf("left");
  it.digester.digests(left, rangeOf({}), leaver);
  const asker = askerOf("stays");
  it.digester.digests(stays, rangeOf({}), asker);
  leaver.gone = true;
  it.thread.answer("abcd".replace(/./g, line));
  expect([left.users, it.digester.jobs, it.digester.portions]).toEqual([0, 2, 3]);
  it.thread.answer("efgh".replace(/./g, line));
  it.thread.answer(line("z"));
  expect([leaver.heard, asker.heard, it.digester.portions]).toEqual([[], [line("z")], 3]);
});

test("equal questions are one job, which lasts while one of them waits", () => {
  using it = startDigester();
  const file = fileOf();
  const [first, second] = [askerOf("one"), askerOf("two")];
  for (const asker of [first, second]) it.digester.digests(file, rangeOf({}), asker);
  expect([it.digester.portions, it.digester.jobs, file.users]).toEqual([1, 1, 1]);
  const third = askerOf("three");
  it.digester.digests(file, rangeOf({}), third);
  first.gone = third.gone = true;
  it.digester.sweep();
  expect(it.digester.jobs).toBe(1);
  it.thread.answer(line("a"));
  expect([first.heard, second.heard, third.heard]).toEqual([[], [line("a")], []]);
});

test("a disk that hangs gathers none of those who asked and left, nor what they asked for", () => {
  using it = startDigester();
  it.digester.digests(fileOf({ etag: "a" }), rangeOf({}), askerOf());
  it.digester.digests(fileOf({ etag: "b" }), rangeOf({}), askerOf());
  const file = fileOf({ etag: "c" });
  const stays = askerOf("stays");
  let looked = 0;
  for (let nth = 0; nth < 3000; nth++) {
    const leaver = askerOf();
    Object.defineProperty(leaver, "gone", { get: () => ++looked > 0 });
    it.digester.digests(file, rangeOf({}), leaver);
    it.digester.digests(file, rangeOf({ start: BigInt(1 + nth) }), leaver);
    if (nth % 200 > 0) continue;
    // Behind them one who stays.
    it.digester.digests(file, rangeOf({}), stays);
    it.digester.sweep();
  }
  expect(it.digester.waiting).toBeLessThan(600);
  looked = 0;
  while (stays.heard.length === 0) it.thread.answer(line("a"));
  expect(looked).toBeLessThan(300);
});

test("the next sweep ends a job without waiters; its file is let go with the answer", () => {
  using it = startDigester();
  const file = fileOf();
  const asker = askerOf();
  it.digester.digests(file, rangeOf({ length: 12 * MIB, chunk: 12 * MIB, algo: "sha256" }), asker);
  asker.gone = true;
  it.digester.sweep();
  // The thread holds the beginning of a chunk, and reads from the descriptor still.
  expect([it.digester.jobs, it.thread.dropped, file.users]).toEqual([0, [1], 1]);
  it.thread.answer("");
  expect(file.users).toBe(1);
  it.thread.answer("");
  expect([file.users, it.digester.portions, asker.heard]).toEqual([0, 2, []]);
});

test("the job of a peer with least left goes first", () => {
  using it = startDigester();
  const files = ["a", "b", "c"].map((etag) => fileOf({ etag }));
  it.digester.digests(files[0]!, rangeOf({ length: 8 * MIB }), askerOf());
  it.digester.digests(files[1]!, rangeOf({ length: 4 * MIB }), askerOf());
  it.digester.digests(files[2]!, rangeOf({ length: 2 * MIB }), askerOf());
  it.thread.answer("abcd".replace(/./g, line));
  it.thread.answer("efgh".replace(/./g, line));
  expect(it.thread.portions.map(({ job }) => job)).toEqual([3, 2]);
});

test.each([
  ["grown", "ESTALE"],
  ["changed", "ESTALE"],
] as const)("a file that has %s under the thread is %s, and looked up anew", (state, code) => {
  using it = startDigester();
  const file = fileOf();
  const asker = askerOf();
  it.digester.digests(file, rangeOf({}), asker);
  file.state = state;
  it.thread.answer(line("a"));
  expect([asker.heard, file.expired, file.users]).toEqual([
    [`${code} the file has changed: it was edited while it was hashed`],
    true,
    0,
  ]);
  expect([it.digester.jobs, it.digester.cache.size]).toEqual([0, 0]);
});

test("what the thread could not read is EIO; the file is not looked up anew", () => {
  using it = startDigester();
  const file = fileOf();
  const asker = askerOf();
  it.digester.digests(file, rangeOf({}), asker);
  it.thread.answer(-5);
  expect([asker.heard, file.expired, file.users, it.digester.jobs]).toEqual([[EIO], false, 0, 0]);
});

test("a waiter that throws costs itself alone", () => {
  using it = startDigester();
  const file = fileOf();
  const [bad, good] = [askerOf("bad"), askerOf("good")];
  const error = new Error("ours");
  bad.digested = () => {
    throw error;
  };
  for (const asker of [bad, good]) it.digester.digests(file, rangeOf({}), asker);
  it.thread.answer(line("a"));
  expect([bad.crashes, good.heard, good.crashes]).toEqual([[error], [line("a")], []]);
});

test("a thread that crashes fails what it had begun; the rest goes to the next one", () => {
  using it = startDigester();
  const files = ["a", "b", "c"].map((etag) => fileOf({ etag }));
  const askers = ["one", "two", "three"].map(askerOf);
  const pieces = rangeOf({ length: 20 * MIB, chunk: 20 * MIB, algo: "sha256" });
  it.digester.digests(files[0]!, pieces, askers[0]!);
  it.digester.digests(files[1]!, rangeOf({ length: 2 * MIB }), askers[1]!);
  it.digester.digests(files[2]!, rangeOf({}), askers[2]!);
  it.thread.answer("");
  it.thread.answer("");
  // At the thread: the first's third piece, and the second's chunks.
  expect(it.thread.portions.map(({ job }) => job)).toEqual([1, 2]);
  it.thread.crash();
  expect(askers.map(({ heard }) => heard)).toEqual([[EIO], [EIO], []]);
  expect([files.map(({ users }) => users), it.threads.length]).toEqual([[0, 0, 1], 2]);
  it.threads[1]!.crash();
  expect(it.digester.thread).not.toBeNull();
  it.thread.answer(line("c"));
  expect([askers[2]!.heard, it.digester.jobs]).toEqual([[line("c")], 0]);
});

test("a job that waits in the middle of a chunk is lost with the thread as well", () => {
  using it = startDigester();
  const askers = ["one", "two", "three"].map(askerOf);
  const pieces = rangeOf({ length: 20 * MIB, chunk: 20 * MIB, algo: "sha256" });
  for (const [nth, asker] of askers.entries()) {
    it.digester.digests(fileOf({ etag: `${nth}` }), nth === 0 ? pieces : rangeOf({}), asker);
  }
  for (let answers = 0; answers < 3; answers++) it.thread.answer("");
  expect(it.thread.portions.map(({ job }) => job)).toEqual([2, 3]);
  it.thread.crash();
  expect(askers.map(({ heard }) => heard)).toEqual([[EIO], [EIO], [EIO]]);
  expect([it.digester.jobs, it.digester.thread]).toEqual([0, null]);
});

test("one peer has its share of jobs, and more where they are large; an end makes room", () => {
  using it = startDigester();
  for (let nth = 0; nth < PEER_JOB_UNITS_MAX - 1; nth++) {
    const range = rangeOf({ start: BigInt(nth) });
    expect(told(it.digester.digests(fileOf(), range, askerOf()))).toBe("later");
  }
  // 964 digests are 16,388 bytes: one more unit, which is one too many; 963 fit.
  const ask = (count: number): string =>
    told(it.digester.digests(fileOf(), rangeOf({ length: count * MIB }), askerOf()));
  expect([ask(964), ask(963), ask(1)]).toEqual([BUSY, "later", "later"]);
  expect(told(it.digester.digests(fileOf(), rangeOf({ start: 9999n }), askerOf()))).toBe(BUSY);
  const other = askerOf("other");
  expect(told(it.digester.digests(fileOf(), rangeOf({ start: 9999n }), other))).toBe("later");
  it.thread.answer(line("a"));
  expect(told(it.digester.digests(fileOf(), rangeOf({ start: 9998n }), askerOf()))).toBe("later");
});

test("where all is taken, who has less takes the place of the newest of who has most", async () => {
  using it = startDigester();
  const askers = new Map<string, ReturnType<typeof askerOf>>();
  const each = JOB_UNITS_MAX / 8;
  const ask = (peer: string, nth: number): string => {
    const asker = askerOf(peer);
    askers.set(`${peer} ${nth}`, asker);
    const range = rangeOf({ start: BigInt(1000 * Number(peer) + nth) });
    return told(it.digester.digests(fileOf(), range, asker));
  };
  for (let peer = 0; peer < 8; peer++) {
    for (let nth = 0; nth < each; nth++) ask(`${peer}`, nth);
  }
  expect(it.digester.jobs).toBe(JOB_UNITS_MAX);
  // The newest of peer 0 has been joined by another: it stays.
  const joined = rangeOf({ start: BigInt(each - 1) });
  it.digester.digests(fileOf(), joined, askerOf("joins"));
  expect(ask("8", 0)).toBe("later");
  await Promise.resolve();
  const refused = [...askers].filter(([, { heard }]) => heard.length > 0);
  expect(refused.map(([name, { heard }]) => [name, heard])).toEqual([
    [`0 ${each - 2}`, ["EBUSY server is busy, try again: another address has had less"]],
  ]);
  expect(it.digester.jobs).toBe(JOB_UNITS_MAX);
});

test("nobody gives way to who would have as much then, nor a job that others wait for", () => {
  using it = startDigester();
  const ask = (peer: string, nth: number): string =>
    told(
      it.digester.digests(fileOf({ etag: peer }), rangeOf({ start: BigInt(nth) }), askerOf(peer)),
    );
  const fill = (peer: string, count: number): void => {
    for (let nth = 0; nth < count; nth++) ask(peer, nth);
  };
  for (let peer = 0; peer < 15; peer++) fill(`${peer}`, 128);
  fill("15", 127);
  fill("16", 1);
  expect([ask("15", 127), ask("0", 128), it.digester.jobs]).toEqual([BUSY, BUSY, JOB_UNITS_MAX]);
  expect([ask("16", 1), it.digester.jobs]).toEqual(["later", JOB_UNITS_MAX]);
  // Each job of those who have 128 is waited for by others too.
  for (let peer = 0; peer < 15; peer++) {
    for (let nth = 0; nth < 128; nth++) {
      it.digester.digests(
        fileOf({ etag: `${peer}` }),
        rangeOf({ start: BigInt(nth) }),
        askerOf("all"),
      );
    }
  }
  expect([ask("17", 0), it.digester.jobs]).toEqual([BUSY, JOB_UNITS_MAX]);
});

test("who joins a job of another peer brings it a turn of its own", () => {
  using it = startDigester();
  it.digester.digests(fileOf({ etag: "a" }), rangeOf({ length: 16 * MIB }), askerOf("one"));
  it.digester.digests(fileOf({ etag: "b" }), rangeOf({ length: 20 * MIB }), askerOf("one"));
  it.digester.digests(fileOf({ etag: "b" }), rangeOf({ length: 20 * MIB }), askerOf("two"));
  const order: number[] = [];
  while (it.thread.portions.length > 0) {
    const { job } = it.thread.portions[0]!;
    order.push(job);
    it.thread.answer("abcd".replace(/./g, line));
  }
  expect(order).toEqual([1, 1, 1, 2, 1, 2, 2, 2, 2]);
});

test("a thread that was idle for ten seconds is ended; one with work is not", () => {
  using it = startDigester();
  using _ = clockSays(() => 50_000);
  const before = clock.now;
  it.digester.digests(fileOf(), rangeOf({}), askerOf());
  clock.now += 100_000;
  it.digester.sweep();
  expect([it.thread.terminated, it.digester.thread === null]).toEqual([false, false]);
  it.thread.answer(line("a"));
  clock.now += 9_000;
  it.digester.sweep();
  expect([it.thread.terminated, it.digester.thread === null]).toEqual([false, false]);
  clock.now += 1_000;
  it.digester.sweep();
  expect([it.thread.terminated, it.digester.thread === null]).toEqual([false, false]);
  clock.now += 1;
  it.digester.sweep();
  expect([it.thread.terminated, it.digester.thread === null]).toEqual([true, true]);
  clock.now = before;
});

test("a closed digester answers nobody, and lets files go when the thread has ended", () => {
  using it = startDigester();
  const files = ["a", "b", "c"].map((etag) => fileOf({ etag }));
  const askers = files.map(() => askerOf());
  for (const [nth, file] of files.entries()) it.digester.digests(file, rangeOf({}), askers[nth]!);
  it.digester.cache.put("kept", 0, "line");
  it.digester.close();
  expect([it.thread.terminated, it.digester.jobs, it.digester.cache.size]).toEqual([true, 0, 0]);
  expect(files.map(({ users }) => users)).toEqual([1, 1, 0]);
  it.thread.crash();
  expect(files.map(({ users }) => users)).toEqual([0, 0, 0]);
  expect([askers.flatMap(({ heard }) => heard), it.digester.thread]).toEqual([[], null]);
});

test("what is digested at once is charged by its bytes; an answer nobody asked for throws", () => {
  using it = startDigester();
  const body = new Uint8Array(65_016).fill(7);
  const asker = askerOf();
  const range = rangeOf({ start: 16n, length: 32_768, chunk: 1024 });
  const one = told(it.digester.digests(fileOf({ body }), range, asker));
  expect([one.length, asker.charged]).toEqual([32 * 17, [1, 0.5]]);
  const sums = told(it.digester.digests(fileOf({ body }), { ...range, algo: "sha256" }, asker));
  expect([sums.length, asker.charged.slice(2)]).toEqual([32 * 65, [1, 4]]);
  const first = new Bun.CryptoHasher("sha256").update(body.subarray(0, 1024)).digest("hex");
  expect(sums.slice(0, 65)).toBe(`${first}\n`);
  // 64 digests are for the loop, one more is for the thread.
  const many = { ...range, length: 65_000, chunk: 1000 };
  expect(told(it.digester.digests(fileOf({ body }), many, asker))).toBe("later");
  expect(told(it.digester.digests(fileOf({ body }), { ...many, length: 64_000 }, asker))).not.toBe(
    "later",
  );
  const byte = new Bun.CryptoHasher("sha256").update("\x07").digest("hex");
  const last = rangeOf({ start: 65_015n, length: 1, algo: "sha256" });
  expect(told(it.digester.digests(fileOf({ body }), last, asker))).toBe(`${byte}\n`);
  expect(() => new Digester().answered("")).toThrow("an answer that nobody asked for");
});

test("a range of a file is digested at once only where it is in memory and read whole", () => {
  using it = startDigester();
  const file = fileOf();
  const range = rangeOf({ start: 8n, length: 4096, chunk: 4096 });
  const looked: unknown[] = [];
  let [resident, got] = [1, 4096];
  using _look = replaceCall("resident", () => (fd, at, count) => {
    looked.push([fd, at, count]);
    return resident;
  });
  using _read = replaceCall("pread", () => (_fd, into, count) => {
    into.fill(7, 0, count);
    return got;
  });
  expect(told(it.digester.digests(file, range, askerOf()))).toHaveLength(17);
  expect(looked).toEqual([[77, 5_001_008n, 4096]]);
  file.state = "changed";
  expect(told(it.digester.digests(file, range, askerOf()))).toBe("later");
  [file.state, resident] = ["same", 0];
  expect(told(it.digester.digests(file, { ...range, start: 9n }, askerOf()))).toBe("later");
  [resident, got] = [1, 0];
  expect(told(it.digester.digests(file, { ...range, start: 10n }, askerOf()))).toBe("later");
  expect(told(it.digester.digests(file, { ...range, length: 0 }, askerOf()))).toBe(
    "2d06800538d394c2\n",
  );
});

test("what was seen in memory lately is not looked for, where it is sent in one step", () => {
  using it = startDigester();
  const look = (size: bigint, until: number, length: number): boolean => {
    let looked = false;
    using _look = replaceCall("resident", () => () => Number((looked = true)));
    using _read = replaceCall("pread", () => (_fd, _into, count) => count);
    const file = fileOf({ etag: `${size} ${until} ${length}` });
    Object.assign(file, { residentUntil: until, entry: { ...file.entry, size } });
    const at = it.digester.digests(file, rangeOf({ length }), askerOf());
    return looked || at === null;
  };
  expect(look(65_536n, clock.now + 1, 65_536)).toBe(false);
  expect(look(65_536n, clock.now, 65_536)).toBe(true);
  expect(look(65_537n, clock.now + 1, 65_536)).toBe(true);
  expect([it.digester.jobs, look(65_537n, 0, 65_537), it.digester.jobs]).toEqual([0, true, 1]);
});

test("the shares hold what an operator was told", () => {
  expect([JOB_UNITS_MAX, PEER_JOB_UNITS_MAX]).toEqual([2048, 256]);
});
