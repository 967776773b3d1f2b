/** A newcomer that is reset while its first byte is waited for. */
import { afterEach, expect, test } from "bun:test";
import { kernel } from "../../../src/sys/kernel.ts";
import { SOCKET } from "../../../src/sys/types.ts";
import { eventually } from "../../rig/faults.ts";
import { Running } from "../../rig/running.ts";
import { askSecurely, filesOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";

const { peek, setsockopt } = kernel;
afterEach(() => Object.assign(kernel, { peek, setsockopt }));

test("a reset between the loop's look at its sockets and the lobby's costs nobody else", async () => {
  // The kernel would keep it to itself until its first byte is there.
  kernel.setsockopt = (fd, level, option, value) =>
    option === SOCKET.tcpDeferAccept ? 0 : setsockopt(fd, level, option, value);
  using tree = new Tree({ f: "content" });
  await using running = new Running(tree.root, { tls: filesOf("good") });
  let looks = 0;
  let reset = (): void => {};
  kernel.peek = (fd, into, count) => {
    looks += 1;
    if (looks === 3) reset();
    return peek(fd, into, count);
  };
  let closed = false;
  const client = await Bun.connect({
    ...{ hostname: "127.0.0.1", port: running.port },
    socket: { data() {}, close: () => void (closed = true) },
  });
  reset = () => {
    client.write(new Uint8Array([0x16]));
    client.terminate();
  };
  await eventually("its reset", () => closed);
  expect(looks).toBeGreaterThanOrEqual(3);
  expect((await askSecurely(running.port, "READ /f\n")).text).toMatch(/^OK 7 .*\ncontent/);
});
