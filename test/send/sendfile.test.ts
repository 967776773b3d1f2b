/** What sendfile(2) answers, and what its transfer makes of it. */
import { expect, test } from "bun:test";
import { SendfileTransfer } from "../../src/send/sendfile.ts";
import { STEP } from "../../src/send/transfer.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { replaceCall } from "../rig/faults.ts";

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
  while (answers.length > 0) steps.push(transfer.step(socket));
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
