/** The prompt, on a real pseudo-terminal. */
import { expect, test } from "bun:test";
import { FakeServer, readReply, replying, until } from "../../client/fake.ts";
import { CLI6_COMMAND, environment } from "../../rig/program.ts";

/** cli6 on a terminal: what the person sees, and typing. */
function terminal(args: string[]) {
  let seen = "";
  const child = Bun.spawn([...CLI6_COMMAND, ...args], {
    env: { ...environment(), TERM: "xterm" },
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

test("Ctrl-D ends it, Ctrl-C ends it with 130", async () => {
  using fake = serving();
  for (const [key, status] of [
    ["\x04", 0],
    ["\x03", 130],
  ] as const) {
    using cli = terminal(["-s", fake.address]);
    await until(() => cli.prompts() === 1);
    cli.type(key);
    expect(await cli.child.exited).toBe(status);
  }
});

test("a hash that does not come: --timeout ends the wait, Ctrl-C the program", async () => {
  using silent = replying((line) => (line === "PING" ? "OK 0 server=x version=1\n" : ""));
  using patient = terminal(["--timeout", "300ms", "-s", silent.address]);
  await until(() => patient.prompts() === 1);
  patient.type("hash a\r");
  await until(() => patient.prompts() === 2);
  expect(patient.seen()).toContain("ETIMEDOUT: nothing came for 0.3 s: /a");
  using waiting = terminal(["-s", silent.address]);
  await until(() => waiting.prompts() === 1);
  waiting.type("hash b\r");
  await until(() => silent.connections.some(({ received }) => received.endsWith(" /b\n")));
  waiting.type("\x03");
  expect(await waiting.child.exited).toBe(130);
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

test("--plain: commands that need more than bare paths say so", async () => {
  using fake = new FakeServer(() => {});
  using cli = terminal(["--plain", "-s", fake.address]);
  await until(() => cli.prompts() === 1);
  cli.type("ls\r");
  await until(() => cli.seen().includes("ls needs S6/1"));
  expect(fake.connections.length).toBe(0);
});
