/** What a client writes can't forge or break a line of the log: fault 69. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../rig/faults.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const NASTY = ["\x1b]0;x\x07", "\x9b2J", "\xe2\x80\xae", "\r2026-01-01 forged", "\xff", "\\x0a"];

const SHOWN = ["\\x1b]0;x\\x07", "\\x9b2J", "\\u{202e}", "\\x0d2026-01-01", "\\xff", "\\\\x0a"];

test.each(["human", "json"] as const)(
  "69: each request is one line of the log without a control, verb and path escaped (%s)",
  async (format) => {
    using tree = new Tree();
    using logs = new Tree({ log: "" });
    const fd = fs.openSync(logs.path("log"), "a");
    using _closing = { [Symbol.dispose]: () => fs.closeSync(fd) };
    await using running = new Running(tree.root, { log: format, logFd: fd });
    const requests = NASTY.flatMap((text) => [`X${text} /a`, `READ /${text}`, `READ /%0a${text}`]);
    await running.ask(`PING\n${requests.join("\n")}\n`);
    for (const text of NASTY) await running.ask(`/${text}\n`);
    const count = 1 + requests.length + NASTY.length;
    const read = (): string => fs.readFileSync(logs.path("log"), "utf8");
    await eventually("the lines", () => read().split("\n").length > count);
    const lines = read().split("\n").slice(0, -1);
    expect(lines.length).toBe(count);
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\ufffd]/u);
    const shown = format === "json" ? SHOWN.map((it) => JSON.stringify(it).slice(1, -1)) : SHOWN;
    for (const text of shown) {
      const times = lines.filter((line) => line.includes(text)).length;
      expect([text, times]).toEqual([text, 4]);
    }
  },
);
