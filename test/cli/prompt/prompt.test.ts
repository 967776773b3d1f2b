/** The prompt, on a real pseudo-terminal. */
import fs from "node:fs";
import os from "node:os";
import { afterAll, expect, test } from "bun:test";
import { FakeServer, readReply, replying, until } from "../../client/fake.ts";
import { CLI6_COMMAND, environment } from "../../rig/program.ts";
import { Tree } from "../../rig/tree.ts";

/** Where these tests keep their history: not where the person who runs them has it. */
const STATE = fs.mkdtempSync(`${os.tmpdir()}/cli6-state-`);
afterAll(() => fs.rmSync(STATE, { recursive: true }));

/** cli6 on a terminal: what the person sees, and typing. */
function terminal(args: string[], state = STATE, cwd = process.cwd()) {
  let seen = "";
  const child = Bun.spawn([...CLI6_COMMAND, ...args], {
    cwd,
    env: { ...environment(), TERM: "xterm", XDG_STATE_HOME: state },
    terminal: {
      cols: 100,
      rows: 30,
      data: (_terminal, chunk) => {
        seen += Buffer.from(chunk).toString("latin1");
      },
    },
  });
  return {
    child,
    /** What stands on the screen, without the cursor's movements. */
    seen: () => Bun.stripANSI(seen).replaceAll("\r", ""),
    prompts: () => Bun.stripANSI(seen).split(/serv6:[^ ]*> /).length - 1,
    type: (text: string) => child.terminal?.write(text),
    [Symbol.dispose]: () => child.kill(),
  };
}

/** Sorts behind "dir", and must neither be offered nor written to the terminal as it is. */
const HOSTILE = "dir mtime=1 dir%1B]0;pwned%07\n";

function page(lines: string): string {
  return `OK ${lines.length} count=${lines.split("\n").length - 1} more=0\n${lines}`;
}

function serving(): FakeServer {
  const files: Record<string, string> = { "/a": "one\n", "/b": "no end", "/bin": "x\0y" };
  return replying((line) => {
    if (line === "PING") return "OK 0 server=x version=1\n";
    if (line === "STAT /dir one/") return "OK 0 type=dir size=0 mtime=1 etag=x\n";
    if (line.startsWith("STAT")) return "ERR ENOENT no such file\n";
    if (line === "LIST limit=200 after=dir /") return page(`dir mtime=1 dir one\n${HOSTILE}`);
    if (line.endsWith(" /dir one")) return page("file size=2 mtime=3 etag=0123456789abcdef it's\n");
    const path = line.slice("READ ".length);
    const content = path === "/dir one/it's" ? "its\n" : files[path];
    return content === undefined ? `ERR ENOENT no such file: ${path}\n` : readReply(content);
  });
}

test("asks for paths on one connection until quit", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  expect(cli.seen()).toContain(`s6://${fake.address}`);
  for (const [path, prompts] of [
    ["a", 2],
    ["b", 3],
    ["nope", 4],
    ["", 5],
  ] as const) {
    cli.type(`${path}\r`);
    await until(() => cli.prompts() >= prompts);
  }
  // The second prompt stands on a line of its own although the file had no end of line.
  expect(cli.seen()).toContain("one\nserv6:/> ");
  expect(cli.seen()).toContain("no end\nserv6:/> ");
  expect(cli.seen()).toContain(`cli6: ENOENT: no such file: /nope (s6://${fake.address})`);
  cli.type("quit\r");
  expect(await cli.child.exited).toBe(0);
  expect(fake.connections.length).toBe(1);
});

test("Ctrl-C drops the line that is typed, Ctrl-D ends it, each with a line break", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("nope");
  await until(() => cli.seen().endsWith("serv6:/> nope"));
  cli.type("\x03");
  await until(() => cli.prompts() >= 2);
  expect(cli.seen()).toContain("serv6:/> nope^C\nserv6:/> ");
  cli.type("a\r");
  await until(() => cli.seen().includes("one\nserv6:/> "));
  expect(fake.connections[0]?.received).toBe("PING\nREAD /a\n");
  cli.type("\x04");
  expect(await cli.child.exited).toBe(0);
  await until(() => cli.seen().endsWith("serv6:/> \n"));
});

test("Ctrl-C stops the command that is running, alone; --timeout ends the wait for it", async () => {
  using silent = replying((line) => {
    if (line === "READ /a") return readReply("one\n");
    if (line === "READ /half") return readReply("half").slice(0, -2);
    return line === "PING" ? "OK 0 server=x version=1\n" : "";
  });
  using patient = terminal(["--timeout", "300ms", "-s", silent.address]);
  await until(() => patient.prompts() === 1);
  patient.type("hash a\r");
  await until(() => patient.prompts() === 2);
  expect(patient.seen()).toContain("ETIMEDOUT: nothing came for 0.3 s: /a");
  using cli = terminal(["-s", silent.address]);
  await until(() => cli.prompts() === 1);
  let prompts = 1;
  for (const command of ["hash b", "ls", "half", "stat c"]) {
    const asked = silent.connections.length;
    cli.type(`${command}\r`);
    const request = { "hash b": " /b\n", ls: " /\n", half: " /half\n", "stat c": " /c\n" }[command];
    await until(() => silent.connections.some(({ received }) => received.endsWith(`${request}`)));
    cli.type("\x03");
    prompts += 1;
    await until(() => cli.prompts() >= prompts && silent.connections.length >= asked);
  }
  cli.type("a\r");
  await until(() => cli.seen().includes("one\nserv6:/> "));
  // The person who stopped them is told of no failure.
  expect(cli.seen()).not.toContain("cli6:");
  cli.type("quit\r");
  expect(await cli.child.exited).toBe(0);
});

test("Ctrl-C stops a get, alone, and the prompt goes on", async () => {
  using tree = new Tree({});
  using slow = replying((line) => {
    if (line.startsWith("READ") || line.startsWith("HASH")) return "";
    if (line.startsWith("STAT")) return `OK 0 type=file size=1000 mtime=1 etag=${"e".repeat(16)}\n`;
    return "OK 0 server=x version=1\n";
  });
  using cli = terminal(["-s", slow.address], STATE, tree.root);
  await until(() => cli.prompts() === 1);
  const asked = (): string => slow.connections.map(({ received }) => received).join("");
  for (let nth = 1; nth <= 3; nth++) {
    cli.type("get big\r");
    await until(() => asked().split("READ ").length === nth + 1);
    cli.type("\x03");
    await until(() => cli.seen().split("cli6: interrupted;").length === nth + 1);
    await until(() => cli.prompts() >= nth + 1);
  }
  // Nothing is left that would end the program a second later.
  await Bun.sleep(1200);
  cli.type("pwd\r");
  await until(() => cli.seen().includes(`s6://${slow.address}/\n`));
  cli.type("quit\r");
  expect(await cli.child.exited).toBe(0);
});

test("what is typed behind a Tab waits for its completion", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  // In one chunk, as a fast typist or a paste sends it.
  cli.type("cd dir\t\rpwd\r");
  await until(() => cli.seen().includes(`s6://${fake.address}/dir one\n`));
  cli.type("quit\r");
  expect(await cli.child.exited).toBe(0);
});

test("history outlives the prompt, for the user alone; --no-history keeps none", async () => {
  using fake = serving();
  const state = fs.mkdtempSync(`${STATE}/`);
  const file = `${state}/cli6/history`;
  using silent = terminal(["--no-history", "-s", fake.address], state);
  await until(() => silent.prompts() === 1);
  silent.type("a\rquit\r");
  expect([await silent.child.exited, fs.existsSync(file)]).toEqual([0, false]);
  using first = terminal(["-s", fake.address], state);
  await until(() => first.prompts() === 1);
  first.type("a\r");
  await until(() => first.prompts() === 2);
  first.child.kill("SIGKILL");
  await first.child.exited;
  expect(fs.readFileSync(file, "utf8")).toBe("a\n");
  expect([fs.statSync(file).mode & 0o777, fs.statSync(`${state}/cli6`).mode & 0o777]).toEqual([
    0o600, 0o700,
  ]);
  using second = terminal(["-s", fake.address], state);
  await until(() => second.prompts() === 1);
  second.type("\x1b[A\r");
  await until(() => second.seen().includes("one\nserv6:/> "));
  second.type("quit\r");
  expect(await second.child.exited).toBe(0);
});

test("a mistyped command names the one that was meant", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("lss\r");
  await until(() => cli.prompts() === 2);
  expect(cli.seen()).toContain("there is no command lss: did you mean ls?\n");
  cli.type("nope\r");
  await until(() => cli.prompts() === 3);
  expect(cli.seen().split("did you mean").length).toBe(2);
});

test("binary content is refused with advice, and the prompt goes on", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("bin\r");
  await until(() => cli.prompts() === 2);
  expect(cli.seen()).toContain("--binary");
  expect(cli.seen()).not.toContain("\0");
  cli.type("a\r");
  await until(() => cli.prompts() === 3);
  expect(cli.seen()).toContain("one\n");
});

test("--binary prints it, a single path is refused with status 2", async () => {
  using fake = serving();
  using refused = terminal(["-s", fake.address, "bin"]);
  expect(await refused.child.exited).toBe(2);
  using printed = terminal(["--binary", "-s", fake.address, "bin"]);
  expect(await printed.child.exited).toBe(0);
  await until(() => printed.seen().includes("x\0y"));
});

test("an idle connection that the server closed is opened again, unseen", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  fake.connections[0]?.say([], "fin");
  await until(() => fake.connections[0]?.closed === true);
  cli.type("a\r");
  await until(() => cli.prompts() === 2);
  expect(cli.seen()).toContain("one\n");
  expect(fake.connections.length).toBe(2);
});

test("nobody there: one line and status 7 instead of a prompt", async () => {
  using gone = serving();
  const { address } = gone;
  gone[Symbol.dispose]();
  using cli = terminal(["-s", address]);
  expect(await cli.child.exited).toBe(7);
  await until(() => cli.seen().includes("no server answers"));
  expect(cli.prompts()).toBe(0);
});

test("--plain has a prompt too, with a connection a path", async () => {
  using fake = new FakeServer(
    () => {},
    (connection) => connection.say(`<${connection.received}>\n`, "fin"),
  );
  using cli = terminal(["--plain", "-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("a/b\r");
  await until(() => cli.prompts() === 2);
  cli.type("c\r");
  await until(() => cli.prompts() === 3);
  expect(cli.seen()).toContain("<a/b>\nserv6:/> ");
  expect(fake.connections.map(({ received }) => received)).toEqual(["a/b", "c"]);
});

test("goes through folders, completes and quotes names, resolves .. itself; mistakes end nothing", async () => {
  using fake = serving();
  using cli = terminal(["-s", fake.address]);
  await until(() => cli.prompts() === 1);
  const enter = async (line: string, sight: string): Promise<void> => {
    cli.type(`${line}\r`);
    await until(() => cli.seen().includes(sight));
  };
  cli.type("cd dir\t");
  await until(() => cli.seen().includes("cd dir\\ one/"));
  await enter("", "serv6:/dir one> ");
  await enter("ls", "1970-01-01");
  expect(cli.seen()).toMatch(/file +2 {2}1970-01-01 ..:.. {2}it's\n/);
  await enter('cat "it\'s"', "its\n");
  await enter("it's", "its\nserv6:/dir one> ");
  await enter("cat 'open", "has no end");
  await enter("stat", "usage: stat PATH");
  await enter("cd /nope", "ENOENT: no such file: /nope");
  await enter("pwd", `s6://${fake.address}/dir one\n`);
  await enter("../a", "one\n");
  await enter("help", "hash PATH");
  expect(cli.seen()).not.toContain("pwned");
  cli.type("exit\r");
  expect(await cli.child.exited).toBe(0);
  expect([cli.child.exitCode, fake.connections.length]).toEqual([0, 1]);
});

test("--plain: Ctrl-C stops a path that does not come", async () => {
  using fake = new FakeServer((connection) => {
    if (connection.received === "a") connection.say("one\n", "fin");
  });
  using cli = terminal(["--plain", "-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("never\r");
  await until(() => fake.connections[0]?.received === "never");
  cli.type("\x03");
  await until(() => cli.prompts() === 2);
  cli.type("a\r");
  await until(() => cli.seen().includes("one\nserv6:/> "));
  expect(cli.seen()).not.toContain("cli6:");
});

test("--plain: commands that need more than bare paths say so", async () => {
  using fake = new FakeServer(() => {});
  using cli = terminal(["--plain", "-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("ls\r");
  await until(() => cli.seen().includes("ls needs S6/1"));
  expect(fake.connections.length).toBe(0);
});
