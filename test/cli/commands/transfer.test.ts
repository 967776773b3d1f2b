/** What `get` and `mirror` leave on a terminal, and how long a reader may hold up their end. */
import { expect, test } from "bun:test";
import { Events } from "../../../src/cli/progress/events.ts";
import { Screen } from "../../../src/cli/progress/screen.ts";
import { Progress } from "../../../src/download/progress.ts";
import { CLI6_COMMAND, environment } from "../../rig/program.ts";
import { replaceCall } from "../../rig/faults.ts";
import { Running } from "../../rig/running.ts";
import { SimulatedLoop } from "../../rig/simulatedloop.ts";
import { Tree } from "../../rig/tree.ts";
import { EmulatedTerminal } from "../../rig/terminal.ts";

/** What stands on a terminal when cli6 has ended there. */
async function left(...args: string[]): Promise<string> {
  const screen = new EmulatedTerminal(100, 10);
  const decoder = new TextDecoder();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const child = Bun.spawn([...CLI6_COMMAND, ...args], {
    env: { ...environment(), TERM: "xterm" },
    terminal: {
      ...{ cols: 100, rows: 10 },
      data: (_terminal, chunk) => screen.write(decoder.decode(chunk, { stream: true })),
      exit: () => close(),
    },
  });
  await child.exited;
  await closed;
  return screen.text;
}

test("one line tells what has become of it: no bar stays above it", async () => {
  using tree = new Tree({ "there/a": "forty-two", "there/b": "x", here: null });
  await using running = new Running(tree.path("there"));
  const url = `s6://127.0.0.1:${running.port}`;
  const one = /^1 file, 9 B in [\d.]+ s( \([^)]+\))?, all verified$/;
  expect(await left("get", "-P", tree.path("here"), `${url}/a`)).toMatch(one);
  const two = /^2 files, 10 B in [\d.]+ s( \([^)]+\))?, all verified$/;
  expect(await left("mirror", url, tree.path("copy"))).toMatch(two);
  const same = "nothing to do, 2 files unchanged";
  expect(await left("mirror", url, tree.path("copy"))).toBe(same);
  expect(await left("mirror", "-q", url, tree.path("copy"))).toBe("");
});

test("of what has brought nothing no bar stays, only what went wrong", async () => {
  using tree = new Tree({ "there/a": "x", here: null });
  await using running = new Running(tree.path("there"));
  const url = `s6://127.0.0.1:${running.port}`;
  const into = ["get", "-P", tree.path("here")];
  const lines = (await left(...into, `${url}/nope`)).split("\n");
  expect(lines).toEqual([expect.stringContaining("cli6: ENOENT")]);
  const both = (await left(...into, `${url}/nope`, `${url}/neither`)).split("\n");
  expect(both).toEqual([
    expect.stringContaining("cli6: ENOENT"),
    expect.stringContaining("cli6: ENOENT"),
  ]);
});

test.each([
  ["takes nothing", 0],
  ["takes a byte now and then", 300],
])("a reader who %s holds up the end for a second, a stopped terminal for half", (_, stepMs) => {
  const look = { speed: 0, stalled: false, elapsedMs: 1, etaMs: null };
  const shown = [
    (progress: Progress) => new Events(99, progress, () => look),
    () =>
      new Screen(
        99,
        () => ({ columns: 80, rows: 24 }),
        (_size, over) => [`over: ${over}`],
      ),
  ];
  const waits = shown.map((start) => {
    using loop = new SimulatedLoop();
    let full = false;
    using _polled = replaceCall("pollOut", () => (_fd, timeoutMs) => {
      if (!full) return 1;
      loop.now += stepMs === 0 ? timeoutMs : Math.min(stepMs, timeoutMs);
      return stepMs > 0 && timeoutMs > 0 ? 1 : 0;
    });
    using _written = replaceCall("write", () => (_fd, _bytes, count) => (full ? 1 : count));
    const display = start(new Progress());
    full = true;
    display.say("message");
    const before = loop.now;
    display.stop();
    return loop.now - before;
  });
  expect(waits).toEqual([1000, 500]);
});
