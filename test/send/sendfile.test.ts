/** What sendfile(2) answers, and what its transfer makes of it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { SendfileTransfer } from "../../src/send/sendfile.ts";
import { STEP } from "../../src/send/transfer.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Simulation } from "../rig/simulation.ts";

/** Over what is sent corked. */
const LENGTH = 1_000_000;

/** The steps of a transfer whose sendfile gives `answers`, and what the cork was set to. */
function stepsOf(...answers: number[]): { steps: number[]; corks: number[] } {
  const corks: number[] = [];
  using _sent = replaceCall("sendfile", () => () => answers.shift()!);
  using _corked = replaceCall("setsockopt", () => (_fd, _level, _name, on) => {
    corks.push(on);
    return 0;
  });
  const file = {
    fd: -1,
    entry: { size: BigInt(LENGTH) },
    residentUntil: Infinity,
    retain() {},
    release() {},
    revalidate: () => "same",
  } as unknown as OpenFile;
  const socket = { fd: -1 } as StreamSocket;
  const transfer = new SendfileTransfer(socket, file, 0n, LENGTH, { peer: "", windowReady() {} });
  const steps: number[] = [];
  // One that does not ask the kernel has no more of them for that.
  while (answers.length > 0 && steps.length < 10) steps.push(transfer.step(socket));
  transfer.close();
  return { steps, corks };
}

test.each([
  ["EPIPE", STEP.dead],
  ["ECONNRESET", STEP.dead],
  ["EBADF", STEP.dead],
  ["EIO", STEP.failed],
  ["EINTR", STEP.more],
] as const)("%s ends in step %d, corked as it was", (name, step) => {
  expect(stepsOf(-ERRNO[name])).toEqual({ steps: [step], corks: [1] });
});

test.each(["EINVAL", "ENOSYS"] as const)("%s leaves it to the other branch, uncorked", (name) => {
  expect(stepsOf(-ERRNO[name])).toEqual({ steps: [STEP.unfit], corks: [1, 0] });
});

test("a file that has ended is told, and one that is out is uncorked", () => {
  expect(stepsOf(0)).toEqual({ steps: [STEP.changed], corks: [1] });
  expect(stepsOf(LENGTH - 1, 1)).toEqual({ steps: [STEP.more, STEP.done], corks: [1, 0] });
});

test("a range that is not in memory is read ahead from its own start to its end", () => {
  const [length, start] = [3_000_000, 1_000_000];
  using simulation = new Simulation({ large: content(1, 0, length) });
  using _disk = replaceCall("resident", () => () => 0);
  const read = fs.read;
  const asked: [at: number, count: number][] = [];
  const spy = (
    ...args: [number, Uint8Array, number, number, bigint | number, () => void]
  ): void => {
    asked.push([Number(args[4]), args[3]]);
    (read as (...args: unknown[]) => void)(...args);
  };
  Object.assign(fs, { read: spy });
  const peer = simulation.connect();
  peer.send(`READ offset=${start} /large\n`);
  const body = (): Buffer => peer.bytes.subarray(peer.text.indexOf("\n") + 1);
  for (let round = 0; body().length < length - start; round++) {
    // A round moves half a MiB.
    if (round > 100) throw new Error(`stands still at ${body().length}`);
    simulation.loop.settle();
    peer.take();
    peer.drain();
  }
  Object.assign(fs, { read });
  let next = start;
  for (const [at, count] of asked) {
    expect(at).toBe(next);
    next += count;
  }
  expect(next).toBe(length);
  expect(body().equals(content(1, 0, length).subarray(start))).toBe(true);
});
