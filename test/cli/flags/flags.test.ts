/** The command line and the environment: what is taken, and the one line for what is not. */
import { expect, test } from "bun:test";
import manifest from "../../../package.json" with { type: "json" };
import { CLI6 } from "../../../src/cli/cli6/cli6.ts";
import {
  type Command,
  type Environment,
  type FlagTable,
  parseFlags,
  UsageError,
  variableOf,
} from "../../../src/cli/flags/flags.ts";
import { renderHelp, versionLine } from "../../../src/cli/flags/help.ts";
import {
  count,
  duration,
  filePath,
  oneOf,
  portNumber,
  type Reader,
  size,
  text,
} from "../../../src/cli/flags/values.ts";
import { bytesOf } from "../../../src/wire/bytes.ts";

const FLAGS = {
  port: {
    type: "string",
    alias: "p",
    group: "Where",
    valueHint: "port",
    reader: portNumber(0),
    default: "6464",
    description: "where it listens",
  },
  bind: {
    type: "string",
    alias: "b",
    group: "Where",
    valueHint: "host",
    reader: text("a host"),
    many: true,
  },
  "idle-timeout": {
    type: "string",
    group: "Limits",
    valueHint: "time",
    reader: duration({ min: 1, max: 3_600_000 }),
  },
  log: {
    type: "string",
    group: "Limits",
    valueHint: "kind",
    reader: oneOf("human", "json"),
    default: "human",
  },
  quiet: { type: "boolean", alias: "q", group: "Limits", description: "says nothing" },
  hidden: { type: "boolean", group: "Limits", default: true },
} as const satisfies FlagTable;

const TOOL: Command<typeof FLAGS> = {
  name: "tool",
  summary: "Does it.",
  flags: FLAGS,
  operands: { name: "root", description: "a folder", max: 2 },
  examples: [
    ["tool a", "does a"],
    ["tool -p 1", "does it there"],
  ],
  sections: [{ title: "Exit status", lines: ["0 done"] }],
};

function run(args: string[], environment: Environment = {}) {
  const invocation = parseFlags(TOOL, args, environment);
  if (invocation.asks !== "run") throw new Error(invocation.asks);
  return invocation;
}

function refusal(args: string[], environment: Environment = {}): string {
  try {
    parseFlags(TOOL, args, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return String(error instanceof Error ? error.message : error);
  }
  throw new Error(`taken: ${args.join(" ")}`);
}

test("takes a flag in every form", () => {
  for (const args of [["--port=1"], ["--port", "1"], ["-p", "1"], ["-p1"], ["-qp1"]]) {
    expect(run(args).values.port).toBe(1);
  }
  expect(run(["-b", "a", "--bind=b", "-bc"]).values.bind).toEqual(["a", "b", "c"]);
  expect(run(["--bind=-x"]).values.bind).toEqual(["-x"]);
  expect(run(["-q"]).values.quiet).toBe(true);
  expect(run(["--no-quiet"]).values.quiet).toBe(false);
  expect(run(["--no-hidden"]).values.hidden).toBe(false);
  expect(run(["--hidden=off"]).values.hidden).toBe(false);
  expect(run(["--idle-timeout", "500ms"]).values["idle-timeout"]).toBe(500);
});

test("reads the same bytes from a flag and from the environment, and shows them as text", () => {
  const given = bytesOf("/tmp/ü");
  expect(run(["-b", given]).values.bind).toEqual([given]);
  expect(run([], { TOOL_BIND: "/tmp/ü" }).values.bind).toEqual([given]);
  expect(filePath.read(given)).toBe("/tmp/ü");
  expect(refusal(["-p", bytesOf("ü")])).toContain('not "ü"');
  expect(refusal([], { TOOL_PORT: "ü" })).toContain('not "ü"');
});

test("gives defaults and operands, and -- ends the flags", () => {
  const { values, operands } = run(["a", "--", "-p"]);
  expect(values).toEqual({
    port: 6464,
    bind: [],
    "idle-timeout": undefined,
    log: "human",
    quiet: false,
    hidden: true,
  });
  expect(operands).toEqual([
    { text: "a", literal: false },
    { text: "-p", literal: true },
  ]);
  expect(run(["-"]).operands).toEqual([{ text: "-", literal: false }]);
});

test("says in one line what is wrong", () => {
  const cases: [string[], string][] = [
    [["--prot", "1"], "unknown flag --prot: did you mean --port?"],
    [["-x"], "unknown flag -x"],
    [["-qx"], "unknown flag -x"],
    [["--no-port"], "unknown flag --no-port"],
    [["--toString"], "unknown flag --toString"],
    [["--__proto__=1"], "unknown flag --__proto__"],
    [["--port"], "--port takes a port from 0 to 65535, and got nothing"],
    [["-p"], "-p takes a port from 0 to 65535, and got nothing"],
    [["--port", "--quiet"], "--port takes a port from 0 to 65535, and got the flag --quiet"],
    [["--port", "-1"], "--port takes a port from 0 to 65535, and got the flag -1"],
    [["--port="], '--port takes a port from 0 to 65535, not ""'],
    [["--port=x"], '--port takes a port from 0 to 65535, not "x"'],
    [["-p65536"], '-p takes a port from 0 to 65535, not "65536"'],
    [["--port", "1", "-p", "2"], "-p is given twice"],
    [["-q", "--no-quiet"], "--no-quiet is given twice"],
    [["--no-quiet=1"], "--no-quiet takes no value"],
    [["--quiet=maybe"], '--quiet takes 1 or 0 (also true, false, yes, no, on, off), not "maybe"'],
    [["--log", "xml"], '--log takes one of human, json, not "xml"'],
    [["a", "b", "c"], 'one too many: "c"'],
    [["--port=\x1b[31m\n"], '--port takes a port from 0 to 65535, not "\\x1b[31m\\x0a"'],
    [["--\x1b"], "unknown flag --\\x1b"],
  ];
  for (const [args, message] of cases) expect(refusal(args)).toBe(message);
});

test("the environment stands between flag and default, and is named when it is wrong", () => {
  expect(variableOf("serv6", "idle-timeout")).toBe("SERV6_IDLE_TIMEOUT");
  const environment = { TOOL_PORT: "1", TOOL_BIND: "a  b", TOOL_QUIET: "yes", TOOL_HIDDEN: "0" };
  expect(run([], environment).values).toMatchObject({
    port: 1,
    bind: ["a", "b"],
    quiet: true,
    hidden: false,
  });
  expect(run(["-p", "2", "--no-quiet", "-b", "c"], environment).values).toMatchObject({
    port: 2,
    bind: ["c"],
    quiet: false,
  });
  expect(run([], { TOOL_PORT: "" }).values.port).toBe(6464);
  expect(refusal([], { TOOL_PORT: "x" })).toBe('TOOL_PORT takes a port from 0 to 65535, not "x"');
  expect(refusal([], { TOOL_QUIET: "2" })).toStartWith("TOOL_QUIET takes 1 or 0");
});

test("help and version win over mistakes beside them, but not behind --", () => {
  for (const args of [["--help"], ["-h"], ["--nonsense", "-h"], ["-p", "x", "--help"]]) {
    expect(parseFlags(TOOL, args, { TOOL_PORT: "x" }).asks).toBe("help");
  }
  expect(parseFlags(TOOL, ["-V"], {}).asks).toBe("version");
  expect(run(["--", "--help"]).operands).toEqual([{ text: "--help", literal: true }]);
});

test("reads values within their bounds, exactly", () => {
  const cases: [Reader<number>, string, number | null][] = [
    ...["0", "1", "65535"].map(
      (it) => [portNumber(0), it, Number(it)] as [Reader<number>, string, number],
    ),
    ...[
      "",
      "65536",
      "-1",
      "+1",
      "01",
      "1.0",
      "1e3",
      "0x10",
      " 1",
      "1 ",
      "１",
      "99999999999999999999",
    ].map((it) => [portNumber(0), it, null] as [Reader<number>, string, null]),
    [portNumber(1), "0", null],
    [count({ min: 2, max: 5 }), "2", 2],
    [count({ min: 2, max: 5 }), "6", null],
    [duration({ min: 1, max: 86_400_000 }), "10", 10_000],
    [duration({ min: 1, max: 86_400_000 }), "1.5", 1500],
    [duration({ min: 1, max: 86_400_000 }), "500ms", 500],
    [duration({ min: 1, max: 86_400_000 }), "2m", 120_000],
    [duration({ min: 1, max: 86_400_000 }), "1h", 3_600_000],
    [duration({ min: 1, max: 86_400_000 }), "0", null],
    [duration({ min: 0, max: 86_400_000 }), "0", 0],
    [duration({ min: 1, max: 86_400_000 }), "2d", null],
    [duration({ min: 1, max: 86_400_000 }), "1 s", null],
    [duration({ min: 1, max: 86_400_000 }), "1e3", null],
    [duration({ min: 1, max: 86_400_000 }), "Infinity", null],
    [size({ min: 0, max: 2 ** 50 }), "64K", 65_536],
    [size({ min: 0, max: 2 ** 50 }), "64k", 65_536],
    [size({ min: 0, max: 2 ** 50 }), "2M", 2_097_152],
    [size({ min: 0, max: 2 ** 50 }), "1GiB", 1_073_741_824],
    [size({ min: 0, max: 2 ** 50 }), "1GB", 1_000_000_000],
    [size({ min: 0, max: 2 ** 50 }), "1.5K", 1536],
    [size({ min: 0, max: 2 ** 50 }), "7", 7],
    [size({ min: 0, max: 2 ** 50 }), "7B", 7],
    [size({ min: 0, max: 2 ** 50 }), "0.3", null],
    [size({ min: 0, max: 2 ** 50 }), "1.3K", null],
    [size({ min: 0, max: 2 ** 50 }), "2P", null],
    [size({ min: 1, max: 2 ** 50 }), "0", null],
    [size({ min: 0, max: 2 ** 50 }), "9007199254740993", null],
    [size({ min: 0, max: 2 ** 50 }), "K", null],
  ];
  for (const [reader, given, value] of cases)
    expect([given, reader.read(given)]).toEqual([given, value]);
  expect(duration({ min: 1, max: 120_000 }).takes).toContain("from 1ms to 2m");
  expect(size({ min: 1, max: 1024 ** 3 }).takes).toContain("from 1 to 1G");
});

test("help teaches: examples before options, each with its variable and default", async () => {
  const help = await renderHelp(TOOL);
  const order = ["USAGE tool", "tool -p 1", "WHERE", "--port", "LIMITS", "--quiet", "EXIT STATUS"];
  const places = order.map((part) => help.indexOf(part));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(help).toMatch(/-p, --port=<port> +where it listens \[TOOL_PORT\] \(Default: 6464\)/);
  expect(help).not.toContain("TOOL_HELP");
  expect(help).not.toContain("\x1b");
  expect(versionLine(TOOL)).toBe(
    `tool ${manifest.version} (source, Bun ${manifest.devDependencies.bun})`,
  );
});

test("the help of cli6 names every flag, fits a wide terminal and lists every exit status", async () => {
  const help = await renderHelp(CLI6);
  for (const name of Object.keys(CLI6.flags)) {
    expect(help).toContain(`--${name}`);
    // It is asked for once, and would make every later run print a script.
    if (name === "completions") expect(help).not.toContain("CLI6_COMPLETIONS");
    else expect(help).toContain(`[${variableOf("cli6", name)}]`);
  }
  for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  const statuses = help.slice(help.indexOf("EXIT STATUS"));
  for (const word of ["get", "mirror", "ls", "stat", "hash", "ping"])
    expect(help).toMatch(new RegExp(`^  ${word} +[a-z]`, "m"));
  for (let status = 0; status <= 11; status++)
    expect(statuses).toMatch(new RegExp(`\\b${status} [a-z]`));
});
