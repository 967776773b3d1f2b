/**
 * Connections under random courses of events: partial writes, late and needless drains, EAGAIN,
 * EINTR and EINVAL from sendfile, resets, requests in any pieces. Whatever comes, a client gets
 * exactly the bytes it asked for, in order, or the beginning of them and RST (faults 24, 37, 39,
 * 42, 49).
 */
import { expect, test } from "bun:test";
import { FakeKernel, FakeSocket, CALM } from "../rig/fake-socket.ts";
import { openIn } from "../rig/open-files.ts";
import { warmNames } from "../rig/faults.ts";
import { inlineLooks } from "../rig/inlinelooks.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { play, type World } from "./course.ts";
import { Library } from "./pipeline.ts";
import { Random, SEED } from "./random.ts";

/** Courses of a run on each branch, when RUNS does not say. */
const COURSES = Number(process.env["RUNS"] ?? 700);

/** What one request is answered, on a socket that takes everything. */
function askOnce({ server, kernel, loop }: World, request: string): string {
  let text = "";
  const socket = new FakeSocket(kernel, CALM, (bytes) => {
    text += Buffer.from(bytes).toString("latin1");
  });
  socket.connection = server.accept(socket);
  socket.connection?.data(Buffer.from(request));
  loop.settle();
  socket.close();
  return text;
}

test.each(BRANCHES)(
  `24, 37, 39, 49: any course of events gives each client its own bytes (%s, SEED=${SEED})`,
  async (_, zeroCopy) => {
    using tree = new Tree();
    using loop = new SimulatedLoop();
    using kernel = new FakeKernel();
    using _warm = warmNames();
    using _looks = inlineLooks();
    // Fewer descriptors than large files: some are let go of while they are sent.
    const running = new Running(tree.root, { zeroCopy, limits: { files: 5 } });
    const { server, store } = running;
    const library = new Library(tree);
    const world: World = { server, loop, kernel, library };
    library.learn((request) => askOnce(world, request));
    const before = openIn(tree.root);
    for (let seed = SEED; seed < SEED + COURSES; seed++) {
      try {
        play(world, new Random(seed));
        store.cache.clear();
        expect(store.openFds).toBe(0);
      } catch (error) {
        throw new Error(`SEED=${seed} RUNS=1 repeats it: ${String(error)}`);
      }
    }
    expect(openIn(tree.root)).toBe(before);
    expect(server.counters.crashes).toBe(0);
    kernel.random = null;
    void server.stop(0);
    loop.pass(100);
  },
  60_000 + 20 * COURSES,
);
