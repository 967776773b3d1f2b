/** The bar on a real pseudo terminal, whose picture a small emulator keeps. */
import { expect, test } from "bun:test";
import { displayOf } from "../../../src/cli/progress/progress.ts";
import { eventually } from "../../rig/faults.ts";
import { Unread } from "../../rig/unread.ts";
import { EmulatedTerminal } from "../../rig/terminal.ts";

const FIXTURE = [process.execPath, "test/cli/progress/progress-fixture.ts"];
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
  for (let tries = 0; ; tries++) {
    using played = new Played("resized", from, { NO_COLOR: "1" });
    await eventually("the picture before", () => played.screen.text.includes("message 3\none.iso"));
    const { length } = played.raw;
    played.resize(to, reflow);
    const text = (await played.lines("in 0:0")).join("\n");
    const since = text.slice(text.indexOf("message 3"));
    const meanwhile = played.raw.slice(length).split("message 4")[0];
    // A picture of the old width that was on its way is broken by any terminal: once more.
    if (meanwhile?.includes("one.iso") && tries < 20) continue;
    expect(since).toMatch(/^message 3\nmessage 4: resized\nnote 2: the last\n3\/3[^\n]*in 0:0\d$/);
    expect(played.raw).not.toContain("\x1b[32m");
    return;
  }
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
  "Ctrl-Z takes the picture away, fg draws it below what the shell said",
  async () => {
    const shell = 'set -m; "$0" "$@"; echo "<stopped>"; read go; fg; echo "<end>"';
    using played = new Played("resized", 80, { NO_COLOR: "1" }, ["bash", "-c", shell]);
    const { screen, child } = played;
    await eventually("a picture", () => screen.text.includes("message 3\none.iso"));
    child.terminal?.write("\x1a");
    await eventually("the stop", () => screen.text.endsWith("<stopped>"));
    expect(screen.text).not.toContain("one.iso");
    child.terminal?.write("\n");
    await eventually("a picture again", () => /<stopped>[^]*\none\.iso/.test(screen.text));
    expect(screen.text.match(/one\.iso/g)).toHaveLength(1);
    played.resize(90, true);
    const text = (await played.lines("<end>")).join("\n");
    expect(text.slice(text.indexOf("message 3"))).toMatch(
      /^message 3\n\n.*Stopped.*\n<stopped>\n\n.*\nmessage 4: resized\nnote 2: the last\n3\/3.*\n<end>$/,
    );
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

test.concurrent.each([
  ["terminal", "bar"],
  ["pipe", "json"],
] as const)("a %s that nobody reads stops no transfer (%s)", async (kind, mode) => {
  using unread = Unread[kind]();
  const child = Bun.spawn([...FIXTURE, "flood", mode], {
    env: { ...process.env, TERM: "xterm" },
    ...{ stdin: "ignore", stdout: "pipe", stderr: unread.fd },
  });
  expect(await new Response(child.stdout).text()).toBe("finished\n");
  expect(await child.exited).toBe(0);
  // It was full, and what was there is whole.
  expect(unread.read().length).toBeGreaterThan(2000);
});
