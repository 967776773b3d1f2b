import { expect, spyOn, test } from "bun:test";
import { Sockets } from "../../../src/cli/serv6/sockets.ts";
import { WorkerProcess } from "../../../src/cli/serv6/workerprocess.ts";
import { Colleagues } from "../../../src/server/colleagues.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import { eventually } from "../../rig/faults.ts";

/** The memory that workers share. */
class Memory implements Disposable {
  readonly made = Colleagues.make()!;

  [Symbol.dispose](): void {
    kernel.close(this.made.fd);
  }
}

/** The one worker of a server without sockets, which is `command` and has `startMs` to serve. */
function started(command: readonly string[], { made }: Memory, startMs: number): WorkerProcess {
  const { colleagues, fd } = made;
  return new WorkerProcess({
    ...{ command, colleagues, memory: fd, nth: 0, workers: 1, says: false, config: null, startMs },
    sockets: Sockets.open({ places: [], admin: null }, 1, null),
  });
}

test("a worker that never comes to serve, as on a mount that hangs, is ended and says so", async () => {
  using memory = new Memory();
  const worker = started(["sleep", "600"], memory, 200);
  expect(await worker.begun).toBe(false);
  expect(await worker.ended).toBe("took more than 0.2 s to start, and was ended");
  expect(worker.endedItself).toBe(false);
  await eventually("it is gone", () => !Bun.spawnSync(["kill", "-0", `${worker.pid}`]).success);
}, 20_000);

test("one that can't even be killed, as within a file system that hangs, holds up nobody", async () => {
  using memory = new Memory();
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
    const worker = started(["sleep", "600"], memory, 200);
    expect(await worker.begun).toBe(false);
    expect(await worker.failure).toBe("took more than 0.2 s to start, and was ended");
    expect(Bun.peek.status(worker.ended)).toBe("pending");
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}, 20_000);

test("one that ends by itself before is told with its status", async () => {
  using memory = new Memory();
  const worker = started(["sh", "-c", "exit 3"], memory, 20_000);
  expect(await worker.begun).toBe(false);
  expect(await worker.ended).toBe("ended with status 3");
  expect(worker.endedItself).toBe(true);
}, 20_000);
