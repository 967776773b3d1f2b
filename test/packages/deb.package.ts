/**
 * The Debian package in a root of its own: installed, started by its unit's own command line, asked
 * for a file, removed. No systemd runs here: what the unit forbids is compared with what is called.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import { needing, ROOT, STRACE, works } from "../rig/needs.ts";
import { Tree } from "../rig/tree.ts";
import { built, DIST } from "./built.ts";
import { run, Serving } from "./serving.ts";

const DPKG = { here: works("dpkg", "--version"), what: "dpkg" };
const ANALYZE = { here: works("systemd-analyze", "--version"), what: "systemd-analyze" };

const UNIT = path.join(import.meta.dir, "../../.ci/package/debian/serv6.service");

/** systemd's own judgement of the unit, from 0 to 10: below 2 there is little left to take away. */
const EXPOSURE_MOST = 1.5;

const deb = (): string => {
  const [file = ""] = fs.readdirSync(DIST).filter((name) => name.endsWith(".deb"));
  return path.join(DIST, file);
};

/** What stands behind NAME= in the unit, of the last line that has it. */
function setting(unit: string, name: string): string {
  return (
    unit
      .split("\n")
      .findLast((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1) ?? ""
  );
}

/** Everything below `root` but what dpkg keeps for itself. */
function contents(root: string): string[] {
  const all = fs.readdirSync(root, { recursive: true, encoding: "utf8" });
  return all.filter((file) => !/^var(?:\/lib(?:\/dpkg.*)?)?$/.test(file)).sort();
}

/** An empty system, and dpkg for it: the package's scripts run outside and leave systemd alone. */
function system(): { root: Tree; dpkg: (...args: string[]) => ReturnType<typeof run> } {
  const root = new Tree({
    "var/lib/dpkg/status": "",
    "var/lib/dpkg/updates": null,
    "var/lib/dpkg/info": null,
    "var/lib/dpkg/triggers": null,
  });
  const force = ["--force-depends", "--force-script-chrootless", "--log=/dev/null"];
  return { root, dpkg: (...args) => run(["dpkg", `--root=${root.root}`, ...force, ...args], "/") };
}

needing(ROOT, DPKG)(
  "it installs, serves by its unit's command line, and goes without a rest",
  async () => {
    const { root, dpkg } = system();
    using _root = root;
    const installed = dpkg("-i", deb());
    expect([installed.status, installed.err]).toEqual([0, expect.not.stringContaining("rror")]);
    expect(dpkg("--verify", "serv6")).toEqual({ status: 0, out: "", err: "" });
    const unit = fs.readFileSync(root.path("usr/lib/systemd/system/serv6.service"), "utf8");
    const served = setting(unit, "Environment").replace("ROOT=", "");
    root.write(`${served.slice(1)}/f`, "content");
    const command = setting(unit, "ExecStart")
      .replace("${ROOT}", root.root + served)
      .split(" ");
    await using server = new Serving([root.root + command[0], ...command.slice(1)], "/");
    const address = await server.address();
    const { status, out } = run([root.path("usr/bin/cli6"), "-s", address, "f"], "/");
    expect([status, out]).toEqual([0, "content"]);
    expect(contents(root.root)).toContain("usr/share/man/man1/cli6.1.gz");
    expect(contents(root.root)).toContain("usr/share/doc/serv6/copyright");

    // As systemd makes it for StateDirectory.
    root.write("var/lib/private/serv6-keys/serv6/tls.pem", "key");
    root.link("var/lib/serv6-keys", "private/serv6-keys");
    fs.rmSync(root.path("var/lib/serv6/f"));
    expect(dpkg("--purge", "serv6").status).toBe(0);
    expect(contents(root.root)).toEqual(["var/lib/private"]);
  },
);

needing(ROOT, DPKG)(
  "what is served and what the administrator has written stays when it is removed",
  () => {
    const { root, dpkg } = system();
    using _root = root;
    expect(dpkg("-i", deb()).status).toBe(0);
    root.write("var/lib/serv6/f", "content");
    fs.appendFileSync(root.path("etc/default/serv6"), "SERV6_PORT=7000\n");
    expect(dpkg("--remove", "serv6").status).toBe(0);
    expect(fs.readFileSync(root.path("var/lib/serv6/f"), "utf8")).toBe("content");
    expect(fs.readFileSync(root.path("etc/default/serv6"), "utf8")).toContain("7000");
  },
);

needing(ANALYZE)("systemd finds little to take away from the unit", () => {
  const { out } = run(["systemd-analyze", "security", "--offline=true", UNIT], "/");
  const exposure = Number(/exposure level .*: ([0-9.]+)/.exec(out)?.[1]);
  expect(exposure).toBeLessThanOrEqual(EXPOSURE_MOST);
});

/** The system calls of a group of systemd's, those of the groups in it included. */
function callsOf(group: string): string[] {
  const { out } = run(["systemd-analyze", "syscall-filter", group], "/");
  const words = out
    .split("\n")
    .slice(1)
    .map((line) => line.trim());
  return words.flatMap((word) =>
    word.startsWith("@") ? callsOf(word) : /^\w+$/.test(word) ? [word] : [],
  );
}

/** What builds the second wall (decision 0039). */
const WALL = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"];

needing(ANALYZE, STRACE)("serv6 makes no system call that the unit forbids", async () => {
  using tree = new Tree({ "served/f": "content", "served/large": Buffer.alloc(9_000_000, 7) });
  const trace = tree.path("trace");
  const env = { XDG_STATE_HOME: tree.path("state") };
  {
    const strace = ["strace", "-D", "-f", "-qq", "-o", trace];
    const traced = [...strace, built("serv6"), "-b", "0.0.0.0", "--tls-self", "served"];
    await using server = new Serving(traced, tree.root, env);
    const address = await server.address();
    for (const path of ["f", "large", "large"])
      run([built("cli6"), "-s", address, path], tree.root);
    for (const word of ["ls", "stat", "hash"]) {
      const target = `s6://${address}/${word === "ls" ? "" : "large"}`;
      expect(run([built("cli6"), word, target], tree.root).status).toBe(0);
    }
    expect(run([built("cli6"), `s6s://${address}/large`], tree.root, env).status).toBe(0);
    expect(await (await fetch(`http://${address}/f`)).text()).toBe("content");
    server.child.kill("SIGTERM");
    await server.child.exited;
    // With -D the tracer is a process beside it, which writes on.
    while (!fs.readFileSync(trace, "utf8").includes("exit_group(")) await Bun.sleep(5);
  }
  const names = fs.readFileSync(trace, "utf8").matchAll(/^\d+ +([a-z0-9_]+)\(/gm);
  const called = new Set([...names].map(([, name]) => name!));
  // The unit's user is not root, and has nothing to give up by these.
  if (process.geteuid?.() === 0) {
    for (const name of ["capset", "setgroups", "setresgid", "setresuid"]) called.delete(name);
  }
  const allowed = new Set([...callsOf("@system-service"), ...WALL]);
  for (const name of ["@privileged", "@resources"].flatMap(callsOf)) allowed.delete(name);
  expect(called.has("openat2")).toBe(true);
  expect([...called].filter((name) => !allowed.has(name))).toEqual([]);
});

test("the unit's filter is the one that is compared here", () => {
  const filters = fs.readFileSync(UNIT, "utf8").match(/^SystemCallFilter=.*$/gm);
  expect(filters).toEqual([
    "SystemCallFilter=@system-service",
    `SystemCallFilter=${WALL.join(" ")}`,
    "SystemCallFilter=~@privileged @resources",
  ]);
});
