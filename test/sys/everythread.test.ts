/** A system call in every thread of a process: of this one, so with calls that change nothing. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { EveryThread } from "../../src/sys/everythread.ts";
import { OPEN } from "../../src/sys/types.ts";

const X64 = process.arch === "x64";
const GETPID = X64 ? 39 : 172;
const CLOSE = X64 ? 3 : 57;
const DUP = X64 ? 32 : 23;
const PREAD64 = X64 ? 17 : 67;

const threads = () => fs.readdirSync("/proc/self/task").length;

test("each thread makes the call once, workers and the runtime's own among them", async () => {
  const every = EveryThread.make();
  const source = "self.onmessage = ({ data }) => self.postMessage(data + 1)";
  const workers = [1, 2].map(() => new Worker(URL.createObjectURL(new Blob([source]))));
  const answers = () =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve) => {
            worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
            worker.postMessage(1);
          }),
      ),
    );
  await answers();
  const before = fs.readdirSync("/proc/self/fd").length;
  const file = fs.openSync("/dev/null", OPEN.readOnly);
  const outcome = every?.call(DUP, file);
  expect(outcome?.threads).toBeGreaterThan(3);
  expect(outcome).toMatchObject({ answered: outcome?.threads, failed: 0, errno: 0 });
  // One descriptor for each thread, and the one that was duplicated.
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before + 1 + (outcome?.threads ?? 0));
  for (const fd of fs.readdirSync("/proc/self/fd").map(Number)) {
    try {
      if (fs.readlinkSync(`/proc/self/fd/${fd}`) === "/dev/null" && fd > 2) fs.closeSync(fd);
    } catch {
      // It was the listing's own.
    }
  }
  // They go on as if nothing had happened.
  expect(await answers()).toEqual([2, 2]);
  for (const worker of workers) worker.terminate();
});

test("a failure is counted, and its errno told; arguments arrive in order", () => {
  const every = EveryThread.make();
  const failed = every?.call(CLOSE, -1);
  expect(failed).toMatchObject({ failed: failed?.threads, errno: ERRNO.EBADF });
  expect(every?.call(GETPID)).toMatchObject({ failed: 0, errno: 0 });
  // EINVAL of a negative offset is looked at behind the descriptor, and EFAULT behind the offset.
  const file = fs.openSync(import.meta.path, OPEN.readOnly);
  expect(every?.call(PREAD64, file, 0, 1, -1).errno).toBe(ERRNO.EINVAL);
  expect(every?.call(PREAD64, file, 0, 1, 0).errno).toBe(14);
  expect(every?.call(PREAD64, file, 0, 0, 0).failed).toBe(0);
  fs.closeSync(file);
  expect(threads()).toBeGreaterThan(1);
});

test("threads that end meanwhile are no reason to take another's answer for granted", async () => {
  const every = EveryThread.make();
  const source = "self.onmessage = () => self.postMessage(0)";
  const url = URL.createObjectURL(new Blob([source]));
  for (let round = 0; round < 10; round++) {
    const workers = Array.from({ length: 6 }, () => new Worker(url));
    const heard = workers.map((worker) => {
      worker.postMessage(0);
      return new Promise((resolve) => (worker.onmessage = resolve));
    });
    await Promise.all(heard);
    for (const worker of workers) worker.terminate();
    const outcome = every?.call(CLOSE, -1);
    const { threads = 0 } = outcome ?? {};
    expect(threads).toBeGreaterThan(3);
    expect(outcome).toMatchObject({ answered: threads, failed: threads, errno: ERRNO.EBADF });
  }
});
