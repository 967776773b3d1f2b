/** The wall around the process that starts workers: what it stops, and what workers get through. */
import { expect } from "bun:test";
import fs from "node:fs";
import { eventually } from "../../rig/faults.ts";
import { needing, ROOT, WALLS } from "../../rig/needs.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";
import { childrenOf, serving } from "./workers.ts";

/** `field` of the status of each thread (proc(5)), those that differ. */
function threads(pid: number, field: string): string[] {
  const values = fs.readdirSync(`/proc/${pid}/task`).map((id) => {
    const status = fs.readFileSync(`/proc/${pid}/task/${id}/status`, "utf8");
    return new RegExp(`^${field}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "nothing";
  });
  return [...new Set(values)];
}

needing(WALLS)("it writes no file but the log, and runs no program but this one", async () => {
  using tree = new Tree({ kept: "x", "log/f": "" });
  fs.copyFileSync(process.execPath, tree.path("log/copy"));
  fs.chmodSync(tree.path("log/copy"), 0o755);
  const entry = `${import.meta.dir}/supervised.ts`;
  const words = [tree.path("made"), tree.path("log/log"), String(process.pid)];
  const child = Bun.spawn([process.execPath, entry, ...words], { stderr: "pipe" });
  const [said, wrong] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(wrong).toBe("");
  expect(JSON.parse(said)).toEqual({
    ...{ writes: "EACCES", removes: "EACCES", logs: "done" },
    ...{ shell: "EACCES", copied: "EACCES", itself: "done", memory: "EACCES" },
  });
  expect(fs.readdirSync(tree.root).sort()).toEqual(["kept", "log"]);
});

needing(WALLS)(
  "a reload that wants to write elsewhere says that it takes a restart",
  async () => {
    using tree = new Tree({ "d/f": "served" });
    using own = new Tree({ home: null, "logs/below": null, new: null });
    const base = `port = 0\nworkers = 2\nroot = ${JSON.stringify(tree.path("d"))}\n`;
    const set = (...lines: string[]): void => own.write("serv6.toml", base + lines.join("\n"));
    const log = (place: string): string => `log-file = ${JSON.stringify(own.path(place))}`;
    set(log("logs/log"));
    const env = { HOME: own.path("home"), XDG_STATE_HOME: "" };
    await using started = new Started(["-c", own.path("serv6.toml")], env);
    const workers = await serving(started, 2);
    let seen = 0;
    const reloaded = async (): Promise<string> => {
      started.child.kill("SIGHUP");
      const line = /^.* (?:not reloaded|reloaded in).*$/m;
      await eventually("a reload", () => line.test(started.said.slice(seen)), 60_000);
      const said = started.said.slice(seen);
      seen = started.said.length;
      return line.exec(said)![0];
    };
    const gaveUp = (place: string): string =>
      `; serv6 gave up the right to write in ${own.path(place)} when it started: restart it`;
    set(log("new/log"));
    expect(await reloaded()).toEndWith(`and has said why${gaveUp("new")}`);
    set(log("logs/log"), "tls-self = true");
    expect(await reloaded()).toEndWith(`(EACCES)${gaveUp("home/.local/state/serv6")}`);
    // What has another cause needs no restart.
    set(log("logs/log"), `tls-cert = ${JSON.stringify(own.path("new/c"))}`);
    expect(await reloaded()).toMatch(/not reloaded, all is as before: [^;]*belong together$/);
    expect(childrenOf(started.child.pid).sort()).toEqual(workers.sort());
    set(log("logs/below/log"));
    expect(await reloaded()).toContain("reloaded in");
  },
  150_000,
);

needing(WALLS)("89: every thread of it is behind the wall, and workers behind both", async () => {
  using tree = new Tree({ f: "served" });
  await using started = new Started([tree.root, "-p", "0", "--workers", "2", "--log", "off"]);
  await serving(started, 2);
  const { pid } = started.child;
  expect(threads(pid, "NoNewPrivs")).toEqual(["1"]);
  expect(threads(pid, "Seccomp")).toEqual(["2"]);
  for (const worker of childrenOf(pid)) {
    expect(threads(worker, "CapEff")).toEqual(["0000000000000000"]);
    expect(threads(worker, "Seccomp")).toEqual(["2"]);
  }
  await using open = new Started([tree.root, "-p", "0", "--workers", "2", "--no-sandbox"]);
  await open.port();
  expect(threads(open.child.pid, "Seccomp")).toEqual(["0"]);
});

needing(WALLS, ROOT)(
  "of root's rights it and its workers keep those that they start by",
  async () => {
    using tree = new Tree({ f: "served" });
    fs.chmodSync(tree.root, 0o755);
    await using started = new Started([tree.root, "-p", "0", "--workers", "2", "--log", "off"]);
    await serving(started, 2);
    // Reading and writing as root, kill, setgid, setuid, ports below 1,024.
    expect(threads(started.child.pid, "CapEff")).toEqual(["00000000000004e6"]);
    for (const worker of childrenOf(started.child.pid)) {
      expect(threads(worker, "CapBnd")).toEqual(["00000000000004e6"]);
      expect(threads(worker, "Uid")[0]).not.toStartWith("0\t");
    }
  },
);
