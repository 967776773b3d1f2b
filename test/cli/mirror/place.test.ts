/** `mirror` and what is in its way here: links, swapped folders, files for folders, another run. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND } from "../../rig/program.ts";
import { fileLine, listing, Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

test("links in the destination are never followed: folders refused, files replaced", async () => {
  using server = new Scripted({ "/top/d/f": "theirs", "/top/f": "theirs", "/top/g": "theirs" });
  using tree = new Tree({ "outside/f": "mine", to: null });
  tree.link("to/d", "../outside");
  tree.link("to/f", "../outside/f");
  tree.link("to/g", "../outside/new");
  const run = await cli6(["mirror", "--delete", server.url("/top"), tree.path("to")]);
  expect(run.err).toContain(`${tree.path("to/d")} is in the way`);
  expect(run.status).toBe(9);
  expect(fs.readdirSync(tree.path("outside"))).toEqual(["f"]);
  expect(fs.readFileSync(tree.path("outside/f"), "latin1")).toBe("mine");
  expect(fs.lstatSync(tree.path("to/d")).isSymbolicLink()).toBe(true);
  for (const name of ["f", "g"]) {
    expect(fs.lstatSync(tree.path(`to/${name}`)).isFile()).toBe(true);
    expect(fs.readFileSync(tree.path(`to/${name}`), "latin1")).toBe("theirs");
  }
});

test("a folder swapped for a link while its files come: they land where it went", async () => {
  const large = content(1, 1, 5 * MIB);
  for (const bytes of [large, content(1, 1, 500)]) {
    using tree = new Tree({ outside: null });
    using server = new Scripted({ "/top/d/f": bytes }, ({ verb }) => {
      if (verb === "READ" && !fs.existsSync(tree.path("moved"))) {
        fs.renameSync(tree.path("to/d"), tree.path("moved"));
        fs.symlinkSync("../outside", tree.path("to/d"));
      }
      return undefined;
    });
    const run = await cli6(["mirror", server.url("/top"), tree.path("to")]);
    expect(fs.readdirSync(tree.path("outside"))).toEqual([]);
    expect(run.status).toBe(0);
    expect(verify(fs.readFileSync(tree.path("moved/f")), 1, 1)).toBeNull();
  }
});

test("the staging folder swapped for a link while files come: nothing lands behind it", async () => {
  using tree = new Tree({ outside: null });
  const names = Array.from({ length: 40 }, (_, nth) => [`/top/f${nth}`, content(nth, 1, 300)]);
  using server = new Scripted(Object.fromEntries(names), ({ verb }) => {
    if (verb === "READ" && !fs.existsSync(tree.path("moved"))) {
      fs.renameSync(tree.path(`to/${STAGING}`), tree.path("moved"));
      fs.symlinkSync("../outside", tree.path(`to/${STAGING}`));
    }
    return undefined;
  });
  const run = await cli6(["mirror", server.url("/top"), tree.path("to")]);
  expect(fs.readdirSync(tree.path("outside"))).toEqual([]);
  expect(run.status).toBe(0);
  expect(fs.readdirSync(tree.path("to"))).toHaveLength(41);
});

test("a file where a folder is needed, a folder where a file is: told, and both stay", async () => {
  using server = new Scripted({ "/top/a/f": "theirs", "/top/b": "theirs", "/top/c": "theirs" });
  using tree = new Tree({ "to/a": "mine", "to/b/f": "mine", "to/old": "mine" });
  const run = await cli6(["mirror", "--delete", server.url("/top"), tree.path("to")]);
  expect(run.err).toContain(`${tree.path("to/a")} is in the way`);
  expect(run.err).toContain(`${tree.path("to/b")} is in the way`);
  expect(run.err).toContain("so nothing is removed");
  expect(run.status).toBe(9);
  expect(fs.readFileSync(tree.path("to/a"), "latin1")).toBe("mine");
  expect(fs.readFileSync(tree.path("to/b/f"), "latin1")).toBe("mine");
  expect(fs.readFileSync(tree.path("to/c"), "latin1")).toBe("theirs");
  expect(fs.existsSync(tree.path("to/old"))).toBe(true);
});

test("-n tells what is in the way, looks through no link, and fails as the mirror would", async () => {
  const served = { "/top/a/f": "theirs", "/top/b": "theirs", "/top/c": "theirs", "/top/d/f": "x" };
  using server = new Scripted({ ...served, "/top/e/f": "theirs", "/top/.cli6-0/f": "theirs" });
  using tree = new Tree({ "to/a": "mine", "to/b/f": "mine", "to/e/f": "mine", "outside/old": "" });
  tree.link("to/d", "../outside");
  const mirror = ["mirror", "--delete", server.url("/top"), tree.path("to")];
  const dry = await cli6([...mirror, "-n"]);
  for (const [name, code] of Object.entries({ a: "ENOTDIR", b: "EEXIST", d: "ENOTDIR" })) {
    expect(dry.err).toContain(`cli6: ${code}: ${tree.path(`to/${name}`)} is in the way`);
  }
  expect(dry.err).toContain('".cli6-0": cli6 keeps such names');
  const planned = dry.err.split("\n").filter((line) => /^(?:new|changed|removed) /.test(line));
  expect(planned.map((line) => line.replaceAll(/ +/g, " ")).toSorted()).toEqual([
    "changed 6 B e/f",
    "new 6 B c",
  ]);
  expect(dry.err).toEndWith("2 files to fetch, 12 B\n");
  expect([dry.status, (await cli6(mirror)).status]).toEqual([11, 11]);
  // A destination that is no folder is none for -n either.
  const file = ["mirror", "-n", server.url("/top"), tree.path("to/a")];
  expect(await cli6(file)).toMatchObject({ status: 9, err: expect.stringContaining("ENOTDIR") });
});

test("a name that appears while its file comes stays, and is told", async () => {
  for (const size of [6, 5 * MIB]) {
    using tree = new Tree();
    using server = new Scripted({ "/top/f": content(1, 1, size) }, ({ verb }) => {
      if (verb === "READ") tree.write("to/f", "appeared");
      return undefined;
    });
    const run = await cli6(["mirror", server.url("/top"), tree.path("to")]);
    expect(run.err).toContain("exists already");
    expect(run.status).toBe(9);
    expect(fs.readFileSync(tree.path("to/f"), "latin1")).toBe("appeared");
  }
});

test("a folder and a file of one name in one list are a list without order", async () => {
  using server = new Scripted({ "/top/a": "theirs" }, ({ verb, path }) =>
    verb === "LIST" && path === "/top/"
      ? { bytes: listing(["dir mtime=5 a\n", fileLine("a", 6)]) }
      : undefined,
  );
  using tree = new Tree();
  const run = await cli6(["mirror", "--retry", "0", server.url("/top"), tree.path("to")]);
  expect(run.err).toContain('has no order ("a")');
  expect(run.status).toBe(11);
  expect(fs.statSync(tree.path("to/a")).isDirectory()).toBe(true);
});

test("two mirrors into one folder: the second says so, touches nothing, and works later", async () => {
  using from = new Tree({ "d/f": content(1, 1, 6 * MIB) });
  using to = new Tree();
  await using running = new Running(from.root);
  const args = ["mirror", `s6://127.0.0.1:${running.port}/`, to.root];
  const slow = Bun.spawn([...CLI6_COMMAND, ...args, "--limit-rate", "8M"], { stdin: "ignore" });
  await until(() => fs.existsSync(to.path(`${STAGING}/d%2Ff`)));
  // However long the second one takes to start, the first is not done by then.
  slow.kill("SIGSTOP");
  const second = await cli6(args);
  slow.kill("SIGCONT");
  expect(second.err).toBe(`cli6: EBUSY: another cli6 is writing to ${to.root}: wait for its end\n`);
  expect(second.status).toBe(9);
  expect(await slow.exited).toBe(0);
  expect(verify(fs.readFileSync(to.path("d/f")), 1, 1)).toBeNull();
  expect(await cli6(args)).toEqual({ status: 0, out: "", err: "" });
  expect(fs.readdirSync(to.root)).toEqual(["d"]);
});
