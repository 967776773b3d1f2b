/** Where `get` puts a file, and what it refuses to touch: links, others' files, its own names. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content, verify } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";
import { until } from "../../client/fake.ts";
import { cli6, CLI6_COMMAND } from "../../rig/program.ts";
import { escape, Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;
const large = content(2, 1, 5 * MIB);

test.each(["/small", "/large"])("what has the name of %s stays without --force", async (path) => {
  using server = new Scripted({ "/small": "theirs", "/large": large });
  const name = path.slice(1);
  for (const kind of ["file", "folder", "pipe", "link", "dangling link"]) {
    using tree = new Tree({ "outside/f": "mine", out: null });
    const at = tree.path(`out/${name}`);
    if (kind === "file") fs.writeFileSync(at, "mine");
    if (kind === "folder") fs.mkdirSync(at);
    if (kind === "pipe") Bun.spawnSync(["mkfifo", at]);
    if (kind === "link") fs.symlinkSync("../outside/f", at);
    if (kind === "dangling link") fs.symlinkSync("../outside/new", at);
    const before = fs.lstatSync(at, { bigint: true });
    const run = await cli6(["get", "-P", tree.path("out"), server.url(path)]);
    const replaces = kind === "file" || kind.endsWith("link");
    const keeps = kind === "folder" ? "is a folder here" : "is no file to replace";
    const why = replaces ? "exists already (--force replaces it)" : `${keeps}, use -o`;
    expect([kind, run.err]).toEqual([kind, `cli6: EEXIST: ${at} ${why}\n`]);
    expect(run.status).toBe(9);
    expect(fs.lstatSync(at, { bigint: true }).ino).toBe(before.ino);
    expect(fs.readdirSync(tree.path("out"))).toEqual([name]);

    const forced = await cli6(["get", "--force", "-P", tree.path("out"), server.url(path)]);
    expect([kind, forced.status]).toEqual([kind, replaces ? 0 : 9]);
    if (replaces) {
      expect(fs.lstatSync(at).isFile()).toBe(true);
      expect(fs.readFileSync(at).equals(path === "/small" ? Buffer.from("theirs") : large)).toBe(
        true,
      );
    } else {
      expect(forced.err).toBe(run.err);
    }
    // A link was replaced, never written through.
    expect(fs.readdirSync(tree.path("outside"))).toEqual(["f"]);
    expect(fs.readFileSync(tree.path("outside/f"), "latin1")).toBe("mine");
  }
});

test("-o that is a folder, or ends in a slash, is where it goes, as cp and mv read it", async () => {
  using server = new Scripted({ "/a": "one", "/b": "two" });
  using tree = new Tree({ folder: null, "with/in": null });
  fs.symlinkSync("folder", tree.path("link"));
  const [a, b] = [server.url("/a"), server.url("/b")];
  const places: readonly (readonly [args: readonly string[], file: string])[] = [
    [["-o", tree.path("folder"), a, b], "folder/b"],
    [["-o", tree.path("link"), a], "folder/a"],
    [["-o", `${tree.path("new")}/`, a, b], "new/b"],
    [["-P", tree.path("with"), "-o", "in", a], "with/in/a"],
    [["-P", tree.path("with"), "-o", "deep/", a], "with/deep/a"],
    [["-o", tree.path("name"), a], "name"],
  ];
  for (const [args, file] of places) {
    const run = await cli6(["get", ...args]);
    expect([run.err, run.status]).toEqual(["", 0]);
    expect(fs.readFileSync(tree.path(file), "latin1")).toBe(args.includes(b) ? "two" : "one");
  }
  const several = await cli6(["get", "-o", tree.path("missing"), a, b]);
  expect(several.err).toContain("-o names one file, and several are asked for");
  expect(several.status).toBe(2);
});

test("a file that appears while ours arrives stays, and so does what has arrived", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/small": "theirs", "/large": large }, ({ verb, path }) => {
    if (verb === "READ") tree.write(path.slice(1), "appeared");
    return undefined;
  });
  for (const path of ["/small", "/large"]) {
    const run = await cli6(["get", "-P", tree.root, server.url(path)]);
    expect(run.err).toContain("exists already (--force replaces it)");
    expect(run.status).toBe(9);
    expect(fs.readFileSync(tree.path(path.slice(1)), "latin1")).toBe("appeared");
  }
});

test("a staging folder that is a link, a file or open to others is refused, nothing is followed", async () => {
  using server = new Scripted({ "/f": "theirs" });
  for (const kind of ["link", "file", "open"]) {
    using tree = new Tree({ outside: null, out: null });
    const at = tree.path(`out/${STAGING}`);
    if (kind === "link") fs.symlinkSync("../outside", at);
    if (kind === "file") fs.writeFileSync(at, "");
    if (kind === "open") {
      fs.mkdirSync(at);
      fs.chmodSync(at, 0o777);
    }
    const run = await cli6(["get", "-P", tree.path("out"), server.url("/f")]);
    expect(run.err).toContain(at);
    expect(run.err.split("\n")).toHaveLength(2);
    expect([kind, run.status]).toEqual([kind, 9]);
    expect(fs.readdirSync(tree.path("outside"))).toEqual([]);
    expect(fs.readdirSync(tree.path("out"))).toEqual([STAGING]);
  }
});

test("links planted in the staging folder are not followed either, wherever they lead", async () => {
  using server = new Scripted({ "/small": "theirs", "/large": large });
  using tree = new Tree({ "outside/f": "mine", out: null });
  fs.mkdirSync(tree.path(`out/${STAGING}`), { mode: 0o700 });
  for (const name of ["small", "large"]) {
    for (const target of ["f", "new"]) {
      fs.rmSync(tree.path(`out/${STAGING}/${name}`), { force: true });
      tree.link(`out/${STAGING}/${name}`, `../../outside/${target}`);
      const run = await cli6(["get", "-P", tree.path("out"), server.url(`/${name}`)]);
      expect(run.status).toBe(9);
      expect(fs.readdirSync(tree.path("outside"))).toEqual(["f"]);
      expect(fs.readFileSync(tree.path("outside/f"), "latin1")).toBe("mine");
      expect(fs.existsSync(tree.path(`out/${name}`))).toBe(false);
    }
  }
});

test("a folder that can't be written to, or is none, is one line and exit 9", async () => {
  using server = new Scripted({ "/f": "theirs" });
  using tree = new Tree({ file: "mine" });
  for (const place of ["/proc", tree.path("file"), tree.path("file/below")]) {
    const run = await cli6(["get", "-P", place, server.url("/f")]);
    expect(run.err).toContain(place);
    expect(run.err.split("\n")).toHaveLength(2);
    expect([place, run.status]).toEqual([place, 9]);
  }
});

test("names like those of cli6's own files meet nothing", async () => {
  const names = ["x", "x.part", "a%2Fb", "a%b", "%%x", "%25", "n".repeat(255), "\xff"];
  const files = Object.fromEntries(names.map((name, nth) => [`/${name}`, content(nth, 1, 100)]));
  using server = new Scripted(files);
  using tree = new Tree();
  const urls = names.map((name) => server.url(`/${escape(name)}`));
  const run = await cli6(["get", "-P", tree.root, ...urls]);
  expect(run).toEqual({ status: 0, out: "", err: "" });
  for (const [nth, name] of names.entries()) {
    const bytes = fs.readFileSync(Buffer.from(tree.path(name), "latin1"));
    expect([name, verify(bytes, nth, 1)]).toEqual([name, null]);
  }
  const own = await cli6(["get", "-P", tree.root, server.url(`/${STAGING}`)]);
  expect(own.err).toContain("are cli6's own, use -o");
  expect(own.status).toBe(2);
});

test("two at once on one file: one brings it, the other says so", async () => {
  using from = new Tree({ f: content(1, 1, 6 * MIB) });
  using to = new Tree();
  await using running = new Running(from.root);
  const args = ["get", "-P", to.root, `s6://127.0.0.1:${running.port}/f`];
  const slow = Bun.spawn([...CLI6_COMMAND, ...args, "--limit-rate", "8M"], { stdin: "ignore" });
  const staged = to.path(`${STAGING}/f`);
  // It has bytes only when it has been locked.
  await until(() => (fs.statSync(staged, { throwIfNoEntry: false })?.size ?? 0) > 0);
  // Stopped, or on a busy machine it may have brought the file before the other looks.
  slow.kill("SIGSTOP");
  const second = await cli6(args);
  slow.kill("SIGCONT");
  expect(second.err).toBe("cli6: EBUSY: another cli6 is fetching f: wait for its end\n");
  expect(second.status).toBe(9);
  expect(await slow.exited).toBe(0);
  expect(verify(fs.readFileSync(to.path("f")), 1, 1)).toBeNull();
  expect(await cli6(args)).toEqual({ status: 0, out: "", err: "" });
  expect(fs.readdirSync(to.root)).toEqual(["f"]);
});

test("many at once on the same small files: whole files, and nobody's bug", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, nth) => [`f${nth}`, content(nth, 1, 2000)]),
  );
  using from = new Tree(files);
  using to = new Tree();
  await using running = new Running(from.root);
  const urls = Object.keys(files).map((name) => `s6://127.0.0.1:${running.port}/${name}`);
  const runs = await Promise.all([1, 2, 3, 4].map(() => cli6(["get", "-P", to.root, ...urls])));
  for (const { status } of runs) expect([0, 9]).toContain(status ?? -1);
  for (let nth = 0; nth < 20; nth++) {
    expect(verify(fs.readFileSync(to.path(`f${nth}`)), nth, 1)).toBeNull();
    expect(fs.statSync(to.path(`f${nth}`)).size).toBe(2000);
  }
});

test("times no file can have are left out, rights of the server never come along", async () => {
  const times = ["-1", "-62135596800000000000", "9223372036854775807", "9223372036854775808"];
  for (const mtime of times) {
    using server = new Scripted({});
    server.put("/small", "theirs", 1, mtime);
    using tree = new Tree();
    const run = await cli6(["get", "-P", tree.root, server.url("/small")]);
    const digits = mtime.replace("-", "").length;
    expect([mtime, run.status]).toEqual([mtime, digits > 19 ? 11 : 0]);
    if (digits > 19) continue;
    expect(fs.statSync(tree.path("small")).mode & 0o111).toBe(0);
    if (mtime === "9223372036854775807") continue;
    expect(fs.statSync(tree.path("small")).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  }
});

test("names and words of a server reach the terminal and the events escaped", async () => {
  const evil = "\x1b]0;x\x07\r\x9b31m\xe2\x80\xae";
  using server = new Scripted({ [`/${evil}`]: "theirs" }, ({ path, verb }) =>
    verb === "STAT" && path === "/denied" ? { bytes: `ERR EACCES ${evil}\n` } : undefined,
  );
  using tree = new Tree({ here: "mine" });
  for (const form of [["-v"], ["--progress", "json", "-v"]]) {
    const urls = [server.url("/denied"), server.url(`/${escape(evil)}`)];
    const run = await cli6(["get", "-f", ...form, "-P", tree.root, ...urls]);
    expect(run.err).toContain("EACCES");
    expect(run.err).toContain("31m");
    expect(run.err).toMatch(/^[\x20-\x7e\n]*$/);
    expect(run.status).toBe(4);
    fs.rmSync(Buffer.from(tree.path(evil), "latin1"));
  }
});
