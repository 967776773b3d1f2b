/** serv6 as a person and a script meet it: messages, exit status, signals. Case 78 and its like. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { cli6 } from "../../rig/program.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

test("it says what it serves, where, and how to fetch a file that is there", async () => {
  using tree = new Tree({ "notes.txt": "hello", "b c.txt": "x" });
  await using started = new Started([tree.root, "-p", "0"]);
  const port = await started.port();
  await started.says(/Ctrl-C stops\n/);
  expect(started.said).toContain(`serves ${tree.root} on s6://127.0.0.1:${port}/\n`);
  expect(started.said).toContain(`cli6 s6://127.0.0.1:${port}/notes.txt\n`);
  expect(started.said).toContain(`printf '%s\\n' notes.txt | nc 127.0.0.1 ${port}\n`);
  using peer = await Peer.dial(port);
  peer.send("notes.txt\n");
  expect((await peer.all()).bytes.toString()).toBe("hello");
});

test("a server of one file gives that file for its own address, and lists it", async () => {
  using tree = new Tree({ "notes.txt": "hello", other: "x" });
  await using started = new Started([tree.path("notes.txt"), "-p", "0"]);
  const url = `s6://127.0.0.1:${await started.port()}`;
  for (const args of [[`${url}/`], [url], [`${url}/notes.txt`], ["-s", url, "/"]]) {
    expect(await cli6(args)).toEqual({ status: 0, out: "hello", err: "" });
  }
  expect((await cli6(["ls", "-1", url])).out).toBe("notes.txt\n");
  expect((await cli6([`${url}/other`])).status).toBe(3);
  expect((await cli6(["mirror", url, tree.path("to")])).status).toBe(0);
  expect(fs.readFileSync(tree.path("to/notes.txt"), "utf8")).toBe("hello");
});

test("an IPv6 address is bound with and without brackets, and opened by ::", async () => {
  using tree = new Tree({});
  for (const address of ["::1", "[::1]"]) {
    await using started = new Started([tree.root, "-p", "0", "-b", address]);
    const port = await started.port();
    await started.says(/Ctrl-C stops\n/);
    expect(started.said).toContain(`on s6://[::1]:${port}/\n`);
    expect(started.said).toContain("only this machine can connect (-b :: opens it to the network)");
  }
});

test("make -C takes a relative ROOT from the folder that make was called in", async () => {
  using tree = new Tree({ "data/a.txt": "" });
  const repository = `${import.meta.dir}/../../..`;
  // The stamp counts as fresh: nothing is installed.
  const flags = ["-C", repository, "-o", "node_modules/.installed", "servidor", "PORT=0"];
  for (const [root, cwd] of [
    ["data", tree.root],
    [`${tree.root}/data`, repository],
  ] as const) {
    const child = Bun.spawn(["make", ...flags, `ROOT=${root}`], {
      cwd,
      env: { ...process.env, PWD: cwd },
      stdout: "ignore",
      stderr: "pipe",
    });
    let said = "";
    for await (const chunk of child.stderr) {
      said += Buffer.from(chunk).toString();
      if (said.includes("\n")) break;
    }
    expect(said).toContain(`serves ${tree.root}/data on `);
    child.kill();
    await child.exited;
  }
});

test.each([
  [["--prot"], 2, /^serv6: unknown flag --prot: did you mean --port\?; try serv6 --help\n$/],
  [["-p", "70000"], 2, /^serv6: -p takes a port from 0 to 65535, not "70000"/],
  [["-p"], 2, /^serv6: -p takes a port .* and got nothing/],
  [["--log", "xml"], 2, /^serv6: --log takes one of human, json, combined, off, not "xml"/],
  [["a", "b"], 2, /^serv6: one too many: "b"/],
  [["--stall-timeout", "soon"], 2, /^serv6: --stall-timeout takes a time/],
  [["/no/such/place"], 3, /^serv6: cannot serve \/no\/such\/place: there is no such file/],
  [
    ["s6://h:1/x"],
    2,
    /^serv6: s6:\/\/h:1\/x is an address, which cli6 takes: serv6 serves what is/,
  ],
  [["--allow", "10.0.0.1/8"], 2, /^serv6: 10.0.0.1\/8 is an address in a network: 10.0.0.0\/8 is/],
  [["--deny", "fd00::1/8"], 2, /^serv6: fd00::1\/8 is an address in a network: fd00::\/8 is the/],
  [["--admin-bind", "localhost"], 2, /^serv6: --admin-bind takes HOST:PORT, .* not "localhost"/],
  [["--admin-bind", "::1"], 2, /^serv6: --admin-bind takes HOST:PORT, the port not 0, not "::1"/],
  [["/dev/null"], 2, /^serv6: cannot serve \/dev\/null: neither a directory nor/],
  [["-b", "203.0.113.9", "-p", "0"], 7, /^serv6: 203.0.113.9 is not an address of this machine/],
] as const)("%j ends with status %d and one line", async (args, status, line) => {
  await using started = new Started([...args]);
  expect(await started.status()).toBe(status);
  expect(started.said).toMatch(line);
  expect(started.said.trimEnd()).not.toContain("\n");
});

test("a taken port is named, with what to do", async () => {
  const holder = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const address = holder.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using started = new Started([".", "-p", String(port)]);
  expect(await started.status()).toBe(7);
  expect(started.said).toContain(`serv6: port ${port} is taken on 127.0.0.1`);
  expect(started.said).toContain("another with -p (0 picks a free one)");
  await using admin = new Started([".", "-p", "0", "--admin-bind", `127.0.0.1:${port}`]);
  expect(await admin.status()).toBe(7);
  expect(admin.said).toContain(`serv6: port ${port} is taken on 127.0.0.1`);
  expect(admin.said).toContain("another with --admin-bind");
  holder.close();
});

test("flags come from the environment too, and a bad one names the variable", async () => {
  using tree = new Tree({ ".hidden": "seen" });
  await using started = new Started([tree.root], { SERV6_PORT: "0", SERV6_HIDDEN: "1" });
  using peer = await Peer.dial(await started.port());
  peer.send("/.hidden\n");
  expect((await peer.all()).bytes.toString()).toBe("seen");
  await using bad = new Started([tree.root], { SERV6_PORT: "x" });
  expect(await bad.status()).toBe(2);
  expect(bad.said).toStartWith("serv6: SERV6_PORT takes a port");
});

test("--help teaches and --version tells, on stdout, with status 0", async () => {
  for (const [flag, start] of [
    ["--help", "serv6 "],
    ["-V", "serv6 "],
  ] as const) {
    await using started = new Started([flag]);
    expect(await new Response(started.child.stdout).text()).toStartWith(start);
    expect(await started.status()).toBe(0);
    expect(started.said).toBe("");
  }
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s finishes the transfer under way and exits 0",
  async (signal) => {
    using tree = new Tree({ big: content(1, 0, 20_000_000) });
    await using started = new Started([tree.root, "-p", "0", "--log", "json"]);
    using peer = await Peer.dial(await started.port());
    peer.send("big\n");
    await peer.until(() => peer.length > 0);
    peer.socket.pause();
    started.child.kill(signal);
    await started.says(/finishing, again to stop now/);
    peer.socket.resume();
    const { bytes, ending } = await peer.all();
    expect([bytes.length, ending]).toEqual([20_000_000, "fin"]);
    expect(await started.status()).toBe(0);
    const line: unknown = JSON.parse(/^\{.*\}$/m.exec(started.said)?.[0] ?? "null");
    expect(line).toMatchObject({ door: "plain", verb: "READ", path: "big", status: "OK" });
  },
);

test("a second signal does not wait", async () => {
  using tree = new Tree({ big: content(1, 0, 20_000_000) });
  await using started = new Started([tree.root, "-p", "0"]);
  using peer = await Peer.dial(await started.port());
  peer.send("big\n");
  await peer.until(() => peer.length > 0);
  peer.socket.pause();
  started.child.kill("SIGTERM");
  await started.says(/finishing/);
  started.child.kill("SIGTERM");
  expect(await started.status()).toBe(143);
});
