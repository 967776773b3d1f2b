/** The bar on a real pseudo terminal, whose picture a small emulator keeps. */
import { expect, test } from "bun:test";
import { displayOf } from "../../src/cli/progress.ts";
import { eventually } from "../rig/faults.ts";
import { EmulatedTerminal } from "./terminal.ts";

const FIXTURE = [process.execPath, "test/cli/progress-fixture.ts"];
const ROWS = 12;

/** The fixture's `scene` on a terminal. */
class Played implements Disposable {
  readonly screen: EmulatedTerminal;
  readonly child: Bun.Subprocess;
  /** All that was written, controls included. */
  raw = "";
  readonly #decoder = new TextDecoder();

  /** `prefix`: what starts the fixture. */
  constructor(
    scene: string,
    columns: number,
    env: Record<string, string> = {},
    prefix: string[] = [],
  ) {
    this.screen = new EmulatedTerminal(columns, ROWS);
    this.child = Bun.spawn([...prefix, ...FIXTURE, scene], {
      env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...env },
      terminal: {
        ...{ cols: columns, rows: ROWS },
        data: (_terminal, chunk) => {
          const text = this.#decoder.decode(chunk, { stream: true });
          this.raw += text;
          this.screen.write(text);
        },
      },
    });
  }

  /** Lines that stand there when the program has ended and the terminal has told all. */
  async lines(last: string): Promise<string[]> {
    expect(await this.child.exited).toBe(0);
    await eventually(last, () => this.screen.text.includes(last));
    return this.screen.text.split("\n");
  }

  resize(columns: number, reflow: boolean): void {
    this.screen.resize(columns, reflow);
    this.child.terminal?.resize(columns, ROWS);
  }

  [Symbol.dispose](): void {
    this.child.kill();
    this.child.terminal?.close();
  }
}

/** The messages of the fixture as a terminal so wide breaks them. */
function broken(columns: number, ...messages: string[]): string[] {
  const lines = messages.flatMap((message) => {
    return message.match(new RegExp(`.{1,${columns}}`, "g")) ?? [];
  });
  return lines.map((line) => line.trimEnd());
}

const FIRST = "message 1: before anything is known";
const NOTE = "note 1: chunk 3 arrived wrong, fetched again";
const LONG = `message 2: ${"long ".repeat(60)}end`;
const LAST = "note 2: the last";

for (const columns of [20, 40, 80, 200]) {
  test.concurrent(`${columns} columns: messages above, one picture at the end`, async () => {
    using played = new Played("files", columns);
    const lines = await played.lines("the last word");
    const above = broken(columns, FIRST, NOTE, LONG, "message 3", LAST);
    expect(lines.slice(0, above.length)).toEqual(above);
    expect(lines.slice(above.length + 1)).toEqual(["the last word"]);
    expect(lines[above.length]).toMatch(/^3\/3.* 100%.* in 0:0\d$/);
    expect(played.raw).not.toMatch(/\x1b\[\?/);
    // The pictures between were there, and are gone.
    expect(played.raw).toContain("one.iso");
    expect(played.raw.includes("\x1b[32m")).toBe(columns >= 80);
  });
}

test.concurrent.each([
  [80, 40, true],
  [80, 40, false],
  [60, 110, true],
])("resized from %d to %d columns, nothing is left over", async (from, to, reflow) => {
  using played = new Played("resized", from, { NO_COLOR: "1" });
  await eventually("the picture before", () => played.screen.text.includes("message 3\none.iso"));
  played.resize(to, reflow);
  const text = (await played.lines("in 0:0")).join("\n");
  const since = text.slice(text.indexOf("message 3"));
  expect(since).toMatch(/^message 3\nmessage 4: resized\nnote 2: the last\n3\/3[^\n]*in 0:0\d$/);
  expect(played.raw).not.toContain("\x1b[32m");
});

test.concurrent(
  "a program that ends without stop() leaves the cursor below the picture",
  async () => {
    using played = new Played("forgotten", 80);
    const lines = await played.lines("in 0:0");
    expect(lines.at(-1)).toMatch(/^3\/3 files .* in 0:0\d$/);
    expect(played.screen.cursor).toEqual([lines.length, 0]);
  },
);

test.concurrent(
  "a background job prints its messages and the end, but no picture before",
  async () => {
    using played = new Played("files", 80, {}, ["sh", "-c", 'set -m; "$0" "$@" & wait']);
    const lines = await played.lines("the last word");
    const above = broken(80, FIRST, NOTE, LONG, "message 3", LAST);
    expect(lines.slice(0, above.length)).toEqual(above);
    expect(lines.slice(above.length + 1)).toEqual(["the last word"]);
    expect(played.raw).not.toContain("one.iso");
  },
);

test.concurrent("TERM=dumb: messages as they would be without a bar", async () => {
  using played = new Played("files", 80, { TERM: "dumb" });
  const said = broken(80, FIRST, NOTE, LONG, "message 3", LAST, "the last word");
  expect(await played.lines("the last word")).toEqual(said);
  expect(played.raw).not.toContain("\x1b");
});

test.each([
  [undefined, true, { TERM: "xterm" }, "bar", true],
  [undefined, false, { TERM: "xterm" }, "none", false],
  ["bar", true, { TERM: "xterm", NO_COLOR: "" }, "bar", true],
  ["bar", true, { TERM: "xterm", NO_COLOR: "1" }, "bar", false],
  ["bar", true, { TERM: "dumb" }, "none", false],
  ["bar", true, {}, "none", false],
  ["bar", false, { TERM: "xterm" }, "none", false],
  ["none", true, { TERM: "xterm" }, "none", false],
  ["json", true, { TERM: "xterm" }, "json", false],
  ["json", false, {}, "json", false],
] as const)("asked for %s, terminal %j, %j: %s, colors %j", (asked, tty, env, mode, color) => {
  expect(displayOf(asked, tty, env)).toEqual({ mode, color });
});

const python = Bun.which("python3");
if (python === null) console.log("no python3 here, so no test of a reader that does not read");

test.skipIf(python === null).concurrent.each([
  ["pty", "bar"],
  ["pipe", "json"],
])("a %s that nobody reads stops no transfer (%s)", async (kind, mode) => {
  const child = Bun.spawn([python ?? "", "test/cli/unread.py", kind, ...FIXTURE, "flood", mode], {
    env: { ...process.env, TERM: "xterm" },
    stderr: "inherit",
  });
  const said = await new Response(child.stdout).text();
  expect(said).toBe("finished\nstatus 0\n");
});
