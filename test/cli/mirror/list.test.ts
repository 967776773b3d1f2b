/** `mirror` of servers whose lists lie: nothing outside the folder, an error, and the rest. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Tree } from "../../rig/tree.ts";
import { type FakeConnection, until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND } from "../../rig/program.ts";
import { escape, fileLine, listing, Scripted } from "../../rig/scripted.ts";

const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;
/** More than may wait, in pages of 4,096. */
const WAITING = 16_385;
const ONCE = ["--retry", "0", "--timeout", "5"];

/** A server whose folder /top lists `lines`, and any file of which is "theirs". */
function lister(lines: readonly string[]): Scripted {
  const server = new Scripted({ "/top/good": "theirs" }, ({ verb, path }) =>
    verb === "LIST" && path === "/top/" ? { bytes: listing(lines) } : undefined,
  );
  return server;
}

function files(root: string): string[] {
  return fs.readdirSync(root, { recursive: true }).map(String).toSorted();
}

test("names that lead elsewhere are refused one by one, and the rest is mirrored", async () => {
  for (const name of ["", "..", ".", "/etc/x", "a/b", "..%2Fx", "a%00b", "n".repeat(300)]) {
    for (const type of ["file", "dir"]) {
      using tree = new Tree({ to: null });
      const bad = type === "file" ? fileLine(name, 6) : `dir mtime=5 ${name}\n`;
      const lines = [bad, fileLine("good", 6)].toSorted((a, b) => order(a) - order(b));
      using server = lister(lines);
      const run = await cli6(["mirror", ...ONCE, server.url("/top"), tree.path("to")]);
      expect([name, run.err]).toEqual([
        name,
        expect.stringContaining("which is no name: left out"),
      ]);
      expect(run.status).toBe(11);
      expect(files(tree.root)).toEqual(["to", "to/good"]);
      expect(server.requests("READ").map(({ path }) => path)).toEqual(["/top/good"]);
    }
  }
});

/** Bytes of "good" come before those of "n…" only. */
function order(line: string): number {
  return line.includes("nnn") ? 1 : line.includes(" good") ? 0 : -1;
}

test("names in no order or doubled, lines that are no entry: the list is refused", async () => {
  const good = fileLine("good", 6);
  const lists: [Buffer, string][] = [
    [listing([fileLine("", 6), fileLine("", 6)]), "no order"],
    [listing([fileLine("", 6)], 1), "no order"],
    [listing([good, fileLine("a", 6)]), "no order"],
    [listing([good, good]), "no order"],
    [listing([good, "dir mtime=5 good\n"]), "no order"],
    [listing([], 1), "no order"],
    [Buffer.from("OK 0 count=1 more=0\n"), "count="],
    [listing([`link mtime=5 x\n`]), "no entry"],
    [listing([good.replace("size=6", "size=-6")]), "no entry"],
    [listing([good.replace("mtime=1000000000", "mtime=NaN")]), "no entry"],
    [listing([good.replace("size=6", `size=${"9".repeat(500)}`)]), "no entry"],
  ];
  for (const [list, why] of lists) {
    using tree = new Tree({ "to/mine": "mine" });
    using server = new Scripted({ "/top/good": "theirs" }, ({ verb }) =>
      verb === "LIST" ? { bytes: list } : undefined,
    );
    const args = ["mirror", "--delete", ...ONCE, server.url("/top"), tree.path("to")];
    const run = await cli6(args);
    expect(run.err).toContain(why);
    expect([why, run.status]).toEqual([why, 11]);
    expect(fs.readFileSync(tree.path("to/mine"), "latin1")).toBe("mine");
    expect(fs.existsSync(tree.path(`to/${STAGING}`))).toBe(false);
  }
});

test("what was listed before the list broke off is brought whole", async () => {
  const page = Array.from({ length: 300 }, (_, nth) => fileLine(`f${1000 + nth}`, 1000));
  const bytes = content(1, 1, 1000);
  const served = Object.fromEntries(page.map((_line, nth) => [`/top/f${1000 + nth}`, bytes]));
  using server = new Scripted(served, ({ verb, key }) => {
    if (verb !== "LIST") return undefined;
    return { bytes: key("after") === undefined ? listing(page, 1) : "ERR EIO broken disk\n" };
  });
  using tree = new Tree({ "to/mine": "mine" });
  const args = ["mirror", "--delete", ...ONCE, server.url("/top"), tree.path("to")];
  const run = await cli6(args);
  expect(run.err).toContain("EIO");
  expect(run.status).toBe(1);
  const names = fs.readdirSync(tree.path("to"));
  expect(names).toHaveLength(301);
  expect(names).toContain("mine");
  for (const name of names) {
    if (name === "mine") continue;
    expect(verify(fs.readFileSync(tree.path(`to/${name}`)), 1, 1)).toBeNull();
    expect(fs.statSync(tree.path(`to/${name}`)).size).toBe(1000);
  }
});

test("names behind the page that was asked for only: one from before it is refused", async () => {
  using server = new Scripted({ "/top/b": "theirs", "/top/a": "theirs" }, ({ verb, key }) => {
    if (verb !== "LIST") return undefined;
    const first = key("after") === undefined;
    return { bytes: first ? listing([fileLine("b", 6)], 1) : listing([fileLine("a", 6)], 1) };
  });
  using tree = new Tree();
  const run = await cli6(["mirror", ...ONCE, server.url("/top"), tree.path("to")]);
  expect(run.err).toContain('its list has no order ("a")');
  expect(run.status).toBe(11);
  expect(files(tree.root)).toEqual(["to", "to/b"]);
});

test("a list without end is walked page by page, in bounded memory, until it is stopped", async () => {
  let pages = 0;
  const peaks: number[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  let pid = 0;
  using server = new Scripted({ "/top/x": "theirs" }, ({ verb }) => {
    if (verb !== "LIST") return undefined;
    peaks.push(peakOf(pid));
    if (peaks.length === 40) resolve();
    const from = 1e9 + 4096 * pages++;
    const lines = Array.from({ length: 4096 }, (_, nth) => fileLine(`f${from + nth}`, 9));
    return { bytes: listing(lines, 1) };
  });
  using tree = new Tree({ to: null });
  // Nothing is wanted, so nothing but the list itself takes time.
  const args = ["mirror", "--include", "none", server.url("/top"), tree.path("to")];
  const child = Bun.spawn([...CLI6_COMMAND, ...args], { stdin: "ignore", stderr: "ignore" });
  pid = child.pid;
  await enough;
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  // 160,000 names on pages of 300 kB each. On a quiet machine: 45 MiB, in the end 85.
  expect(peaks[0]).toBeGreaterThan(0);
  expect(peaks[39]! - peaks[0]!).toBeLessThan(120 * 1024);
});

/** The most memory that a process has had. Its rusage would count the parent's before exec(2). */
function peakOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0);
}

test("a folder that lists itself ends at a depth, with an error", async () => {
  using server = new Scripted({ "/top/x": "theirs" }, ({ verb, path }) =>
    verb === "LIST"
      ? { bytes: listing(["dir mtime=5 d\n", fileLine("x", 6)]) }
      : verb === "READ" || verb === "HASH"
        ? { bytes: "ERR ENOENT no such file\n" }
        : path === ""
          ? null
          : undefined,
  );
  using tree = new Tree();
  const flags = ["--include", "none"];
  const run = await cli6(["mirror", ...ONCE, ...flags, server.url("/top"), tree.path("to")]);
  expect(run.err).toContain("more than 200 levels");
  expect(run.status).toBe(1);
  expect(server.requests("LIST").length).toBeLessThan(210);
});

/** Waits until no request has come for `ms`. */
async function quiet({ asked }: Scripted, ms: number): Promise<void> {
  let [count, since] = [asked.length, performance.now()];
  await until(() => {
    if (asked.length !== count) [count, since] = [asked.length, performance.now()];
    return performance.now() - since > ms;
  });
}

test("a server that goes away while as many files wait as may: an end, and exit 5", async () => {
  let listed = 0;
  let ending = false;
  const readers = new Set<FakeConnection>();
  using server = new Scripted({ "/top/x": "theirs" }, ({ verb, connection }) => {
    if (verb === "READ") readers.add(connection);
    if (verb === "STAT") return undefined;
    if (verb !== "LIST") return listed > WAITING ? { bytes: "", ending: "fin" } : null;
    const lines = Array.from({ length: 4096 }, () => fileLine(`f${1e9 + listed++}`, 9));
    if (listed > WAITING && !ending) {
      ending = true;
      // The list is not read on, for want of room, and nobody brings a file: no request comes.
      void quiet(server, 300).then(() => readers.forEach((one) => one.say([], "fin")));
    }
    return { bytes: listing(lines, listed < 2 * WAITING ? 1 : 0) };
  });
  using tree = new Tree();
  const run = await cli6(["mirror", "-q", ...ONCE, server.url("/top"), tree.path("to")]);
  expect(run.status).toBe(5);
  expect(listed).toBeGreaterThanOrEqual(2 * WAITING);
});

test("times that no file has neither crash nor stick", async () => {
  const times = ["-1", "9223372036854775808", "-9223372036854775808", "9".repeat(19)];
  for (const mtime of times) {
    using server = new Scripted({}, ({ verb, path }) =>
      verb === "LIST" && path === "/top/"
        ? { bytes: listing([fileLine("good", 6, mtime)]) }
        : undefined,
    );
    server.put("/top/good", "theirs");
    using tree = new Tree();
    const run = await cli6(["mirror", ...ONCE, server.url("/top"), tree.path("to")]);
    expect([mtime, run]).toEqual([mtime, { status: 0, out: "", err: "" }]);
    const { mtimeMs } = fs.statSync(tree.path("to/good"));
    expect(mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  }
});

test("a time of more digits than any number on the wire is no time: exit 11", async () => {
  using server = new Scripted({ "/top/x": "theirs" }, ({ verb, path }) =>
    verb === "LIST" && path === "/top/"
      ? { bytes: listing([fileLine("good", 6, "9".repeat(20))]) }
      : undefined,
  );
  using tree = new Tree({ to: null });
  const run = await cli6(["mirror", ...ONCE, server.url("/top"), tree.path("to")]);
  expect(run.err).toContain("LIST has a line that is no entry");
  expect(run.status).toBe(11);
  expect(files(tree.root)).toEqual(["to"]);
});

test("names that turn the terminal are shown escaped", async () => {
  const evil = "\x1b]0;x\x07\r\n\x9b31m\xe2\x80\xae";
  using server = new Scripted({ [`/top/${evil}`]: "theirs", [`/top/z${evil}/f`]: "theirs" });
  for (const form of [["-v"], ["--progress", "json"], ["-n"]]) {
    using tree = new Tree({ to: null });
    const args = ["mirror", ...form, server.url("/top"), tree.path("to")];
    const run = await cli6(args);
    expect(run.err).toContain("31m");
    expect(run.err).toMatch(/^[\x20-\x7e\n]*$/);
    expect(run.status).toBe(0);
    expect(fs.readdirSync(tree.path("to"))).toHaveLength(form[0] === "-n" ? 0 : 2);
  }
});

test("names like our staged ones meet nothing; the staging folder's own name is left out", async () => {
  const names = ["a%2Fb", "a/b", "a%252Fb", "x.part", "%%x", `d/${STAGING}/f`, "a%b"];
  const served = Object.fromEntries(
    names.map((name, nth) => [`/top/${name}`, content(nth, 1, 100)]),
  );
  using server = new Scripted({ ...served, [`/top/${STAGING}/evil`]: "theirs" });
  using tree = new Tree();
  const run = await cli6(["mirror", ...ONCE, server.url("/top"), tree.path("to")]);
  expect(run.err).toContain("cli6 keeps such names for itself: left out");
  expect(run.status).toBe(11);
  for (const [nth, name] of names.entries()) {
    expect(verify(fs.readFileSync(tree.path(`to/${escape(name) && name}`)), nth, 1)).toBeNull();
  }
  expect(fs.existsSync(tree.path(`to/${STAGING}`))).toBe(false);
});
