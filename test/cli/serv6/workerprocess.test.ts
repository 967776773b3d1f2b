import { expect, spyOn, test } from "bun:test";
import { Sockets } from "../../../src/cli/serv6/sockets.ts";
import { WorkerProcess } from "../../../src/cli/serv6/workerprocess.ts";
import { Colleagues } from "../../../src/server/colleagues.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import { eventually } from "../../rig/faults.ts";

test("a worker that never comes to serve, as on a mount that hangs, is ended and says so", async () => {
  const { colleagues, fd } = Colleagues.make()!;
  try {
    const worker = new WorkerProcess({
      ...{ command: ["sleep", "600"], colleagues, memory: fd, nth: 0, workers: 1 },
      ...{ sockets: Sockets.open({ places: [], admin: null }, 1, null), says: false },
      ...{ config: null, startMs: 200 },
    });
    expect(await worker.begun).toBe(false);
    expect(await worker.ended).toBe("took more than 0.2 s to start, and was ended");
    expect(worker.endedItself).toBe(false);
    await eventually("it is gone", () => !Bun.spawnSync(["kill", "-0", `${worker.pid}`]).success);
  } finally {
    kernel.close(fd);
  }
}, 20_000);

test("one that can't even be killed, as within a file system that hangs, holds up nobody", async () => {
  const { colleagues, fd } = Colleagues.make()!;
  const { spawn } = Bun;
  const children: Bun.Subprocess[] = [];
  using spawning = spyOn(Bun, "spawn");
  spawning.mockImplementation(((command: string[], options: object) => {
    const child = spawn(command, options);
    children.push(child);
    const { pid, exited } = child;
    return { pid, exited, exitCode: null, signalCode: null, kill() {} };
  }) as typeof spawn);
  try {
    const worker = new WorkerProcess({
      ...{ command: ["sleep", "600"], colleagues, memory: fd, nth: 0, workers: 1 },
      ...{ sockets: Sockets.open({ places: [], admin: null }, 1, null), says: false },
      ...{ config: null, startMs: 200 },
    });
    expect(await worker.begun).toBe(false);
    expect(await worker.failure).toBe("took more than 0.2 s to start, and was ended");
    expect(Bun.peek.status(worker.ended)).toBe("pending");
  } finally {
    for (const child of children) child.kill("SIGKILL");
    kernel.close(fd);
  }
}, 20_000);

test("one that ends by itself before is told with its status", async () => {
  const { colleagues, fd } = Colleagues.make()!;
  try {
    const worker = new WorkerProcess({
      ...{ command: ["sh", "-c", "exit 3"], colleagues, memory: fd, nth: 0, workers: 1 },
      ...{ sockets: Sockets.open({ places: [], admin: null }, 1, null), says: false },
      ...{ config: null, startMs: 20_000 },
    });
    expect(await worker.begun).toBe(false);
    expect(await worker.ended).toBe("ended with status 3");
    expect(worker.endedItself).toBe(true);
  } finally {
    kernel.close(fd);
  }
}, 20_000);
