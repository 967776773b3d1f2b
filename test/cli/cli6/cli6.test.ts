/** The program as a person and a script meet it: contents, messages, statuses, pipes. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { connect } from "../../../src/client/connect.ts";
import { serve } from "../../../src/server/start.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { answering, FakeServer, readReply, replying, until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND, environment, shell } from "../../rig/program.ts";

/** Files by the path they are asked for; everything else is ENOENT. */
function serving(files: Readonly<Record<string, string>>): FakeServer {
  return replying((line) => {
    const path = line.slice("READ ".length);
    const content = files[path];
    return content === undefined ? `ERR ENOENT no such file: ${path}\n` : readReply(content);
  });
}

test("prints files in order over one connection; a failure names itself and the others go on", async () => {
  using fake = serving({ "/a": "one\n", "/b/c": "two", "/\xc3\xa9": "three\n" });
  const run = await cli6(["-s", fake.address, "a", "nope", "/b/c", "é", "worse"]);
  expect(run.out).toBe("one\ntwothree\n");
  expect(run.err).toBe(
    `cli6: ENOENT: no such file: /nope (s6://${fake.address})\n` +
      `cli6: ENOENT: no such file: /worse (s6://${fake.address})\n`,
  );
  expect([run.status, fake.connections.length]).toEqual([3, 1]);
  expect(fake.connections[0]?.received.split("\n")[0]).toBe("READ /a");
});

test("the status is the first failure's", async () => {
  using fake = replying((line) => `ERR ${line.slice("READ /".length)} words\n`);
  expect((await cli6(["-s", fake.address, "EACCES", "ENOENT"])).status).toBe(4);
  expect((await cli6(["-s", fake.address, "ESTALE", "EACCES"])).status).toBe(6);
});

test("URLs bring their server; output keeps the order of the arguments over several", async () => {
  using one = serving({ "/a": "1a ", "/b": "1b " });
  using two = serving({ "/a b": "2a " });
  const run = await cli6([
    `s6://${one.address}/a`,
    `s6://${two.address}/a%20b`,
    `s6://${one.address}/b`,
  ]);
  expect(run).toEqual({ status: 0, out: "1a 2a 1b ", err: "" });
  expect([one.connections.length, two.connections.length]).toEqual([1, 1]);
});

test("the server comes from the flag, the environment, the default", async () => {
  using fake = serving({ "/a": "here" });
  const env = { CLI6_SERVER: fake.address };
  expect((await cli6(["a"], { env })).out).toBe("here");
  expect((await cli6(["-s", fake.address, "a"], { env: { CLI6_SERVER: "127.0.0.1:1" } })).out).toBe(
    "here",
  );
  const bad = await cli6(["a"], { env: { CLI6_TIMEOUT: "soon" } });
  expect([bad.status, bad.err]).toEqual([2, expect.stringContaining("CLI6_TIMEOUT takes a time")]);
  const worse = await cli6(["a"], { env: { CLI6_SERVER: "nas:0" } });
  expect([worse.status, worse.err]).toEqual([2, expect.stringContaining("CLI6_SERVER takes HOST")]);
});

test("usage mistakes: status 2, one line, nothing fetched", async () => {
  using fake = serving({ "/a": "x" });
  const cases: [string[], string][] = [
    [["--nope"], "unknown flag --nope (try cli6 --help)"],
    [["--timeout", "x", "a"], "--timeout takes a time"],
    [["-s", "nas:x", "a"], "-s takes HOST, HOST:PORT, IPv6 or [IPv6]:PORT"],
    [["--server=ftp://nas", "a"], "--server"],
    [["a", "gopher://nas/x"], "only s6://, s6s://, http:// and https:// URLs"],
    [["stat"], "stat needs a PATH or URL (try cli6 stat --help)"],
    [[""], "the path is empty"],
  ];
  const runs = cases.map(([args]) => cli6(args, { env: { CLI6_SERVER: fake.address } }));
  for (const [index, run] of (await Promise.all(runs)).entries()) {
    expect([cases[index]?.[0], run.status, run.out]).toEqual([cases[index]?.[0], 2, ""]);
    expect(run.err).toContain(cases[index]?.[1] ?? "?");
    expect(run.err.split("\n").length).toBe(2);
  }
  expect(fake.connections.length).toBe(0);
});

test("words of commands are files behind -- or with ./, and after the first place", async () => {
  using fake = serving({ "/get": "g", "/./get": "g2", "/a": "a" });
  const env = { CLI6_SERVER: fake.address };
  expect((await cli6(["--", "get"], { env })).out).toBe("g");
  expect((await cli6(["./get"], { env })).out).toBe("g2");
  expect((await cli6(["a", "get"], { env })).out).toBe("ag");
});

test("--help and --version go to standard output", async () => {
  const [help, version] = await Promise.all([cli6(["--help"]), cli6(["-V"])]);
  expect([help.status, help.err, version.status]).toEqual([0, "", 0]);
  expect(help.out).toContain("EXAMPLES");
  expect(version.out).toMatch(/^cli6 \d+\.\d+\.\d+ \(source, Bun \d+\.\d+\.\d+\)\n$/);
});

test("-q says nothing, the status tells", async () => {
  using fake = serving({});
  expect(await cli6(["-q", "-s", fake.address, "x"])).toEqual({ status: 3, out: "", err: "" });
});

test("nobody there, a silent server, a server of another kind, a cut answer: each its status", async () => {
  using gone = serving({});
  const address = gone.address;
  gone[Symbol.dispose]();
  using silent = new FakeServer(() => {});
  using foreign = answering("HTTP/1.1 400 Bad Request\r\n\r\n", "fin");
  using cut = answering(readReply("hello").slice(0, -1), "fin");
  using reset = answering(readReply("hello").slice(0, -1), "rst");
  using wrong = answering("OK 5 size=9 offset=4 etag=0123456789abcdef mtime=1\nhello");
  const runs = await Promise.all([
    cli6(["-s", address, "x"]),
    cli6(["-s", silent.address, "--timeout", "100ms", "x"]),
    cli6(["-s", foreign.address, "x"]),
    cli6(["-s", cut.address, "x"]),
    cli6(["-s", reset.address, "x"]),
    cli6(["-s", wrong.address, "x"]),
  ]);
  expect(runs.map(({ status }) => status)).toEqual([7, 10, 11, 5, 5, 11]);
  expect(runs.map(({ out }) => out)).toEqual(["", "", "", "hell", "hell", ""]);
  expect(runs[0]?.err).toContain(`serv6 DIR -p ${address.split(":")[1]}`);
  for (const { err } of runs) expect(err.split("\n").length).toBe(2);
});

test("an error's controls are escaped on the way to the terminal", async () => {
  using fake = replying(() => "ERR ENOENT \x1b]0;pwned\x07\x9b31m\xe2\x80\xae\n");
  const run = await cli6(["-s", fake.address, "a\x1bb"]);
  expect(run.err).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  expect(run.err).toContain("\\x1b]0;pwned\\x07");
});

test("paths from a pipe: one a line, bytes as they are, empty lines skipped, the last without LF", async () => {
  using fake = serving({ "/a": "one\n", "/%FF": "two\n", "/b": "three\n", "/s6://x/y": "four\n" });
  const input = "a\n\n\xff\nnope\r\nb\ns6://x/y";
  const run = await cli6(["-s", fake.address], { input });
  expect(run.out).toBe("one\ntwo\nthree\nfour\n");
  expect([run.status, run.err]).toEqual([3, expect.stringContaining("no such file: /nope")]);
  expect(fake.connections.length).toBe(1);
});

test("a pipe's paths are answered as they come, while more may follow", async () => {
  using fake = serving({ "/a": "one\n", "/b": "two\n" });
  const child = Bun.spawn([...CLI6_COMMAND, "-s", fake.address], {
    stdin: "pipe",
    stdout: "pipe",
    env: environment(),
  });
  let out = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) out += Buffer.from(chunk).toString();
  })();
  child.stdin.write("a\n");
  await child.stdin.flush();
  await until(() => out === "one\n");
  // The server closes the idle connection; the next path opens another, unseen.
  fake.connections[0]?.say([], "fin");
  await until(() => fake.connections[0]?.closed === true);
  child.stdin.write("b\n");
  await child.stdin.flush();
  await until(() => out === "one\ntwo\n");
  await child.stdin.end();
  await reading;
  expect(await child.exited).toBe(0);
});

test("ten thousand paths from a pipe come in order over one connection", async () => {
  using fake = replying((line) => readReply(`${line.slice("READ /".length)}\n`));
  const names = Array.from({ length: 10_000 }, (_, nth) => `file-${nth}\n`).join("");
  const run = await cli6(["-s", fake.address], { input: names });
  expect([run.status, run.out === names, fake.connections.length]).toEqual([0, true, 1]);
});

test("a line that is too long, and no line at all", async () => {
  using fake = serving({ "/a": "one\n" });
  const run = await cli6(["-s", fake.address], { input: `a\n${"x".repeat(9000)}\na\n` });
  expect([run.status, run.out]).toEqual([2, "one\n"]);
  expect(run.err).toContain("over 8192 bytes");
  expect(await cli6(["-s", "127.0.0.1:1"], { input: "" })).toEqual({ status: 0, out: "", err: "" });
  expect(await cli6(["-s", "127.0.0.1:1"])).toEqual({ status: 0, out: "", err: "" });
});

test("an input that can't be read: status 9", async () => {
  const run = await shell(`cli6 -s 127.0.0.1:1 < /`, []);
  expect([run.status, run.err]).toEqual([9, "cli6: EISDIR: standard input can't be read\n"]);
});

test("an argument that is not UTF-8 arrives as its bytes", async () => {
  using fake = serving({ "/%FFx": "bytes" });
  const run = await shell(`cli6 -s "$1" $'\\xffx'`, [fake.address]);
  expect([run.status, run.out]).toEqual([0, "bytes"]);
});

test("a reader that closes early ends it quietly: 141; a full disk says so: 9", async () => {
  const content = "line\n".repeat(400_000);
  using fake = replying(() => readReply(content));
  const early = await shell(`cli6 -s "$1" x y z | head -c 4; echo " $PIPESTATUS"`, [fake.address]);
  expect([early.out, early.err]).toEqual(["line 141\n", ""]);
  const full = await shell(`cli6 -s "$1" x > /dev/full`, [fake.address]);
  expect([full.status, full.err]).toEqual([
    9,
    expect.stringContaining("ENOSPC: writing standard output"),
  ]);
  const endless = await shell(`yes x | cli6 -s "$1" | head -c 4; echo " \${PIPESTATUS[1]}"`, [
    fake.address,
  ]);
  expect([endless.out, endless.err]).toEqual(["line 141\n", ""]);
});

test("a help whose reader is gone ends as other programs do, with 141", async () => {
  // The reader has ended before cli6 starts: no race about who is first.
  const run = await shell(
    `exec 3> >(:); wait $!; cli6 --help >&3; echo $?; cli6 -V >&3; echo $?`,
    [],
  );
  expect([run.out, run.err]).toEqual(["141\n141\n", ""]);
});

test("hosts are read alike: with and without s6://, IPv6 with and without brackets", async () => {
  using tree = new Tree({ "a.txt": "here" });
  const server = serve({ root: tree.root, hosts: ["::1", "127.0.0.1"], port: 0, log: "off" });
  const [six, four] = server.addresses.map(({ port }) => port);
  for (const args of [
    [`s6://127.0.0.1:${four}/a.txt`],
    [`127.0.0.1:${four}/a.txt`],
    [`[::1]:${six}/a.txt`],
    [`localhost:${four}/a.txt`, "-s", "127.0.0.1:1"],
    ["-s", `[::1]:${six}/`, "a.txt"],
  ]) {
    expect([args, await cli6(args)]).toEqual([args, { status: 0, out: "here", err: "" }]);
  }
  const listed = await cli6(["ls", "-1", `127.0.0.1:${four}`]);
  expect(listed).toEqual({ status: 0, out: "a.txt\n", err: "" });
  const bare = await cli6(["-s", "::1", "--connect-timeout", "5", "./127.0.0.1:1/x"]);
  expect([bare.status === 2, bare.err]).toEqual([false, expect.stringContaining("[::1]:6464")]);
  const file = await cli6(["nothing.invalid:7"]);
  expect([file.status, file.err]).toEqual([
    7,
    expect.stringContaining("a file of that name is ./nothing.invalid:7"),
  ]);
  await server.stop();
});

test("a folder is told apart, with what does something with it", async () => {
  using fake = replying(() => "ERR EISDIR is a directory: /sub\n");
  const run = await cli6(["-s", fake.address, "sub"]);
  expect(run).toEqual({
    status: 2,
    out: "",
    err: `cli6: EISDIR: is a directory: /sub (s6://${fake.address}); cli6 ls lists it, cli6 mirror copies it\n`,
  });
});

test("a long name is cut in the middle of a message: what happened, its end and the server stay", async () => {
  using tree = new Tree({});
  await using server = new Running(tree.root);
  const path = Array.from({ length: 10 }, () => "\\xff".repeat(250)).join("/");
  const run = await shell(`cli6 -s "$1" "$(printf "$2")"`, [`127.0.0.1:${server.port}`, path]);
  expect(run.status).toBe(3);
  expect(run.err).toStartWith("cli6: ENOENT: no such file: /\\xff\\xff");
  expect(run.err).toEndWith(`\\xff\\xff (s6://127.0.0.1:${server.port})\n`);
  expect(run.err).toContain(" [...] ");
  expect(run.err.length).toBeLessThan(500);
  const url = `s6://127.0.0.1:${server.port}/${"a/".repeat(1000)}x`;
  const got = await cli6(["get", "-P", tree.path("new"), url]);
  expect(got.err).toMatch(
    /^cli6: ENOENT: no such file: \/a\/a[^]* \[\.\.\.\] [^]*\/a\/x \(s6:[^]*\)\n$/,
  );
  expect(got.err.length).toBeLessThan(500);
  const short = await cli6([`s6://127.0.0.1:${server.port}/${"b".repeat(250)}`]);
  expect(short.err).toContain(`/${"b".repeat(250)} (`);
});

test("what the server says of a name comes whole to the library, however much must be escaped", async () => {
  using tree = new Tree({});
  await using server = new Running(tree.root);
  const path = Array.from({ length: 10 }, () => "\xff".repeat(250)).join("/");
  const client = await connect({ host: "127.0.0.1", port: server.port });
  const missing = client.stat(Buffer.from(`/${path}`, "latin1"));
  await expect(missing).rejects.toThrow(`no such file: /${path.replaceAll("\xff", "\\xff")} (`);
  client.close();
});

/** What a pipe has, a page of it; null where that is nothing yet, "" at its end. */
function readNow(fd: number): string | null {
  const page = Buffer.alloc(4096);
  try {
    return page.toString("latin1", 0, fs.readSync(fd, page));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return null;
    throw error;
  }
}

test("a non-blocking standard output with a slow reader gets every byte", async () => {
  const content = "0123456789abcdef".repeat(40_000);
  using fake = replying(() => readReply(content));
  using tree = new Tree();
  expect(Bun.spawnSync(["mkfifo", tree.path("pipe")]).exitCode).toBe(0);
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
  const reading = fs.openSync(tree.path("pipe"), O_RDONLY | O_NONBLOCK);
  const writing = fs.openSync(tree.path("pipe"), O_WRONLY);
  // dd leaves its standard output so, which is also ours.
  const line = 'dd if=/dev/null oflag=nonblock status=none; exec "$@"';
  const child = Bun.spawn(["bash", "-c", line, "sh", ...CLI6_COMMAND, "-s", fake.address, "x"], {
    ...{ stdin: "ignore", stdout: writing, stderr: "pipe" },
    env: environment(),
  });
  // Nobody reads until it is full.
  await until(() => kernel.pollOut(writing, 0) === 0);
  const flags = fs.readFileSync(`/proc/${child.pid}/fdinfo/1`, "latin1");
  expect(parseInt(/flags:\s*([0-7]+)/.exec(flags)?.[1] ?? "", 8) & O_NONBLOCK).toBe(O_NONBLOCK);
  fs.closeSync(writing);
  let out = "";
  await until(() => {
    const piece = readNow(reading);
    out += piece ?? "";
    return piece === "";
  });
  fs.closeSync(reading);
  expect([await new Response(child.stderr).text(), out === content]).toEqual(["", true]);
  expect(await child.exited).toBe(0);
});

test("--plain: arguments, pipe, errors; one connection a path, the bytes as given", async () => {
  using fake = new FakeServer(
    () => {},
    (connection) => {
      const path = connection.received;
      const missing = path === "nope";
      connection.say(missing ? `ERROR ENOENT: no such file: ${path}\n` : `<${path}>\n`, "fin");
    },
  );
  const run = await cli6(["--plain", "-s", fake.address, "a/b", "nope", "READ x", "/c"]);
  expect(run.out).toBe("<a/b>\n<./READ x>\n</c>\n");
  expect([run.status, run.err]).toEqual([
    3,
    `cli6: ENOENT: no such file: nope (s6://${fake.address})\n`,
  ]);
  expect(fake.connections.length).toBe(4);
  const piped = await cli6(["--plain", "-s", fake.address], { input: "\xff\nb" });
  expect([piped.status, piped.out]).toEqual([0, "<\xff>\n<b>\n"]);
  const broken = await cli6(["--plain", "-s", fake.address, "a\nb", "c"]);
  expect([broken.status, broken.out]).toEqual([2, "<c>\n"]);
});

test("Ctrl-C ends it as a shell expects: 130", async () => {
  using fake = new FakeServer(() => {});
  const child = Bun.spawn([...CLI6_COMMAND, "-s", fake.address, "x"], {
    stdout: "pipe",
    stderr: "pipe",
    env: environment(),
  });
  await until(() => fake.connections[0]?.received === "READ /x\n");
  child.kill("SIGINT");
  await child.exited;
  expect(child.signalCode ?? child.exitCode).toBeOneOf(["SIGINT", 130]);
});
