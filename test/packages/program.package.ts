/**
 * The compiled programs, as somebody has them who has no Bun: away from the checkout, in a folder
 * that is full of traps, over a real socket.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { needing, WALLS, works } from "../rig/needs.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { ROOT, TARGETS } from "../../.ci/package/runtime.ts";
import { built, DIST } from "./built.ts";
import { run, Serving } from "./serving.ts";

const MIB = 1024 * 1024;

/** As in src/download/verifier.ts: from this size on a thread reads back. */
const THREAD_BYTES_MIN = 64 * MIB;

/** The names of a process's threads. */
function threadsOf(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return fs.readdirSync(folder).flatMap((task) => {
    try {
      return [fs.readFileSync(path.join(folder, task, "comm"), "utf8").trim()];
    } catch {
      return []; // the thread has ended meanwhile
    }
  });
}

/** A folder in which Bun, or a program of it that is not closed, runs somebody else's code. */
function trap(): Tree {
  const mark = 'require("node:fs").writeFileSync("sprung", "");\n';
  return new Tree({
    "bunfig.toml": 'preload = ["./sprung.js"]\n[run]\npreload = ["./sprung.js"]\n',
    "sprung.js": mark,
    ".env": "SERV6_GRACE=none\nCLI6_TIMEOUT=none\n",
    ".env.production": "SERV6_GRACE=none\nCLI6_TIMEOUT=none\n",
    "package.json": '{ "name": 1, "imports": { "#x": "./sprung.js" } }',
    "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./sprung.js"] } } }',
  });
}

test("--version tells version, commit and Bun", () => {
  const head = run(["git", "rev-parse", "--short=12", "HEAD"], ROOT);
  const commit = head.status === 0 ? `${head.out.trim()}\\+?` : "unknown";
  for (const program of ["serv6", "cli6"] as const) {
    const { status, out } = run([built(program), "--version"], "/");
    const { version, devDependencies } = manifest;
    expect(status).toBe(0);
    expect(out).toMatch(
      new RegExp(`^${program} ${version} \\(commit ${commit}, Bun ${devDependencies.bun}\\)\\n$`),
    );
  }
});

test("the trap springs where nothing was closed", () => {
  using tree = trap();
  run([process.execPath, path.join(ROOT, "src/serv6.ts"), "--version"], tree.root);
  expect(fs.existsSync(tree.path("sprung"))).toBe(true);
});

test("no bunfig.toml, .env, package.json or tsconfig.json of the current folder is read", async () => {
  using tree = trap();
  tree.write("served/f", "content");
  for (const program of ["serv6", "cli6"] as const) {
    expect(run([built(program), "--version"], tree.root).status).toBe(0);
  }
  // A time that is none would end it with a usage error.
  await using server = new Serving([built("serv6"), "served"], tree.root);
  const address = await server.address();
  const { status, out, err } = run([built("cli6"), "-s", address, "f"], tree.root);
  expect([status, out, err]).toEqual([0, "content", ""]);
  expect(fs.existsSync(tree.path("sprung"))).toBe(false);
});

test("the threads for digests run in both programs, and a large file arrives", async () => {
  using tree = new Tree({ "served/large": content(1, 1, THREAD_BYTES_MIN), here: null });
  await using server = new Serving([built("serv6"), "served"], tree.root);
  const address = await server.address();
  expect(threadsOf(server.child.pid)).not.toContain("Worker");
  const client = Bun.spawn([built("cli6"), "get", "-P", "here", `s6://${address}/large`], {
    cwd: tree.root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let worker = false;
  while (client.exitCode === null) {
    worker ||= threadsOf(client.pid).includes("Worker");
    await Bun.sleep(1);
  }
  expect([client.exitCode, await client.stderr.text()]).toEqual([0, expect.any(String)]);
  expect(worker).toBe(true);
  expect(threadsOf(server.child.pid)).toContain("Worker");
  const here = fs.readFileSync(tree.path("here/large"));
  expect(Buffer.compare(here, fs.readFileSync(tree.path("served/large")))).toBe(0);
  const { out } = run([built("cli6"), "hash", `s6://${address}/large`], tree.root);
  expect(out).toBe(run(["sha256sum", "large"], tree.path("served")).out);
});

test("the thread for names that are not in memory runs, and finds them", async () => {
  using tree = new Tree({ "served/d/f": "content" });
  await using server = new Serving([built("serv6"), "served"], tree.root);
  const address = await server.address();
  expect(threadsOf(server.child.pid)).not.toContain("Worker");
  // Nobody has read the folder yet; and what nobody has is in no memory.
  const listed = run([built("cli6"), "ls", "-1", `s6://${address}/d`], tree.root);
  expect([listed.status, listed.out]).toEqual([0, "f\n"]);
  expect(threadsOf(server.child.pid)).toContain("Worker");
  const none = run([built("cli6"), "stat", `s6://${address}/${crypto.randomUUID()}`], tree.root);
  expect([none.status, none.out]).toEqual([3, ""]);
});

test("arguments come byte for byte, -- included", async () => {
  using tree = new Tree({ "-x": "dash" });
  fs.writeFileSync(Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.of(0xff)]), "odd");
  await using server = new Serving([built("serv6"), "."], tree.root);
  const line = `exec "$0" -s "$1" -- -x "$(printf '\\377')"`;
  const { status, out, err } = run(
    ["sh", "-c", line, built("cli6"), await server.address()],
    tree.root,
  );
  expect([status, out, err]).toEqual([0, "dashodd", ""]);
});

test("TLS with a key of its own, between both programs", async () => {
  using tree = new Tree({ "served/f": "content" });
  const env = { XDG_STATE_HOME: tree.path("state") };
  await using server = new Serving([built("serv6"), "served", "--tls-self"], tree.root, env);
  const url = `s6s://${await server.address()}/f`;
  const { status, out } = run([built("cli6"), url], tree.root, env);
  expect([status, out]).toEqual([0, "content"]);
  const key = fs.statSync(tree.path("state/serv6/tls.pem"));
  expect(key.mode & 0o777).toBe(0o600);
});

test("mirror runs without JavaScriptCore's last compiler, with the same arguments", async () => {
  using tree = new Tree({ "served/a b": "one", "served/c": "two", here: null });
  await using server = new Serving([built("serv6"), "served"], tree.root);
  const url = `s6://${await server.address()}/`;
  // Stops before the second file: slow enough to be looked at.
  const client = Bun.spawn([built("cli6"), "mirror", "--limit-rate", "1", "-v", url, "here/a b"], {
    cwd: tree.root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const told = (file: string): string => fs.readFileSync(`/proc/${client.pid}/${file}`, "latin1");
  while (!told("environ").includes("BUN_JSC_useFTLJIT=0\0")) await Bun.sleep(1);
  expect(told("cmdline").split("\0").slice(1, -1)).toEqual([
    ...["mirror", "--limit-rate", "1", "-v", url, "here/a b"],
  ]);
  client.kill();
  await client.exited;
  const { status } = run([built("cli6"), "mirror", "-q", url, "here/a b"], tree.root);
  expect([status, fs.readFileSync(tree.path("here/a b/a b"), "utf8")]).toEqual([0, "one"]);
  const odd = `exec "$0" mirror -q "$1" "$(printf 'here/\\377')"`;
  expect(run(["sh", "-c", odd, built("cli6"), url], tree.root).status).toBe(0);
  expect(fs.readdirSync(tree.path("here"), { encoding: "latin1" }).toSorted()).toEqual([
    "a b",
    "\xff",
  ]);
});

test("the checksums are those of the files", () => {
  const { status, out } = run(["sha256sum", "-c", "--strict", "SHA256SUMS"], DIST);
  expect([status, out]).toEqual([0, expect.stringContaining("serv6: OK")]);
});

const CROSS = { linux: "/usr/aarch64-linux-gnu" };
const QEMU = {
  here: works("qemu-aarch64-static", "--version") && fs.existsSync(CROSS.linux),
  what: "qemu-user-static and libc6-arm64-cross",
};

needing(QEMU)("the one for arm64 runs, its threads and system calls included", async () => {
  const name = "linux-arm64";
  expect(TARGETS.map((target) => target.name)).toContain(name);
  // Its own folder: the build leaves nothing of another target there.
  using tree = new Tree({ f: "content" });
  const { exitCode } = Bun.spawnSync([process.execPath, ".ci/package/build.ts", name], {
    cwd: ROOT,
    stdin: "ignore",
    env: { ...process.env, SERV6_DIST: tree.path("dist"), SERV6_DEB: "zstd" },
  });
  expect(exitCode).toBe(0);
  // The emulator knows no openat2(2).
  const emulated = ["qemu-aarch64-static", "-L", CROSS.linux, tree.path(`dist/${name}/serv6`)];
  await using server = new Serving([...emulated, ".", "--unconfined"], tree.root);
  const { out } = run([built("cli6"), "hash", `s6://${await server.address()}/f`], tree.root);
  expect(out).toBe(run(["sha256sum", "f"], tree.root).out);
});

needing(WALLS)("serv6 --self-test finds no hole: what is not on the disk needs no right", () => {
  using tree = new Tree({ "a.txt": "content" });
  const { status, out } = run([built("serv6"), tree.root, "--self-test"], tree.root);
  expect(out).toMatch(/^ok +start a thread for digests +works +works$/m);
  expect(out).not.toContain("FAIL");
  expect(status).toBe(0);
});
