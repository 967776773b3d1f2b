/**
 * What lies in a root and is no file to serve, and what this user may not read: faults 13, 14, 15
 * and 19.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { Apart } from "../../rig/apart.ts";
import { codesOf, exchange } from "../../rig/exchange.ts";
import { eventually } from "../../rig/faults.ts";
import { MOUNTS, needing, ROOT } from "../../rig/needs.ts";
import { content, verify } from "../../rig/oracle.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

/** Runs a command; false when it failed. */
function ran(...command: string[]): boolean {
  return Bun.spawnSync(command, { stderr: "ignore" }).success;
}

const denied = (lines: readonly string[]): [string, string][] =>
  lines.map((line) => [line, "EACCES"]);

/** The state letter of a process: S while it waits. */
function stateOf(pid: number): string {
  return /\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? "";
}

test("13: a FIFO is EACCES at once, wakes no writer, and keeps nobody waiting", async () => {
  using tree = new Tree({ f: "served" });
  expect(ran("mkfifo", tree.path("empty"), tree.path("waiting"))).toBe(true);
  const writer = Bun.spawn(["sh", "-c", 'echo x > "$0"', tree.path("waiting")]);
  // The shell has closed what it was started with, and sleeps in open(2) of its standard output.
  const blocked = (): boolean => stateOf(writer.pid) === "S" && writer.exitCode === null;
  await eventually("a writer that waits for a reader", blocked);
  await using running = new Running(tree.root);
  using other = await running.dial();
  for (let round = 0; round < 20; round++) {
    const lines = ["READ /empty", "READ /waiting", "STAT /waiting"];
    const asked = codesOf(running.port, lines);
    other.send("READ /f\n");
    expect((await other.reply()).body.toString()).toBe("served");
    expect(await asked).toEqual(denied(lines));
    expect((await running.ask("waiting\n")).text).toStartWith("ERROR EACCES: ");
  }
  expect(blocked()).toBe(true);
  // A reader at last: that the writer goes on now proves that it had waited all the time.
  const reader = fs.openSync(tree.path("waiting"), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  expect(await writer.exited).toBe(0);
  expect(fs.readFileSync(reader, "latin1")).toBe("x\n");
  fs.closeSync(reader);
});

/** READ, STAT, a bare path and LIST of `names`, all there is: EACCES, and not listed. */
async function expectDenied(running: Running, names: readonly string[]): Promise<void> {
  const lines = names.flatMap((name) => [`READ /${name}`, `STAT /${name}`]);
  expect(await codesOf(running.port, lines)).toEqual(denied(lines));
  for (const name of names) {
    expect((await running.ask(`${name}\n`)).text).toStartWith("ERROR EACCES: ");
  }
  const [list] = await exchange(running.port, ["LIST /"]);
  expect(list?.line).toStartWith(`OK 0 count=0 more=0 left=${names.length} id=`);
}

test("14: sockets, and links to devices, are EACCES, never opened, never listed", async () => {
  using tree = new Tree();
  tree.link("link", "/dev/zero");
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(tree.path("socket"), resolve));
  await using running = new Running(tree.root);
  await expectDenied(running, ["link", "socket"]);
  server.close();
});

needing(ROOT)("14: devices and terminals are EACCES, never opened, never listed", async () => {
  using tree = new Tree();
  const nodes = { zero: "c 1 5", null: "c 1 3", tty: "c 5 0", console: "c 5 1", disk: "b 7 0" };
  const made = Object.entries(nodes).filter(([name, node]) =>
    ran("mknod", tree.path(name), ...node.split(" ")),
  );
  // Some containers allow root only some of them.
  expect(made.length).toBeGreaterThan(0);
  await using running = new Running(tree.root);
  await expectDenied(
    running,
    made.map(([name]) => name),
  );
});

const PROC = [
  "/proc/version",
  "/proc/self/status",
  "/proc/kmsg",
  "/proc/kcore",
  "/proc/1/root/etc",
];

needing(MOUNTS)(
  "15: other file systems below the root are EACCES when nobody asked for them",
  async () => {
    using tree = new Tree({ proc: null, mounted: null, f: "served" });
    const mounts =
      `mount -t proc proc ${tree.path("proc")}; mount -t tmpfs none ${tree.path("mounted")}; ` +
      `echo inside > ${tree.path("mounted/f")}`;
    await using apart = await Apart.start(tree.root, { mounts });
    const lines = [...PROC.map((path) => `READ ${path}`), "READ /mounted/f", "STAT /proc/version"];
    lines.push("LIST /proc", "LIST /mounted", "STAT /mounted/f");
    expect(await codesOf(apart.port, lines)).toEqual(denied(lines));
    const [served] = await exchange(apart.port, ["READ /f"]);
    expect(served?.body.toString()).toBe("served");
  },
);

needing(MOUNTS)(
  "15: where they are asked for, files without a true size end in an error, never wait",
  async () => {
    using tree = new Tree({ proc: null, sys: null, mounted: null, f: "served" });
    fs.writeFileSync(tree.path("big"), content(3, 0, 200_000));
    const mounts =
      `mount -t proc proc ${tree.path("proc")}; mount --rbind /sys ${tree.path("sys")}; ` +
      `mount -t tmpfs none ${tree.path("mounted")}; cp ${tree.path("big")} ${tree.path("mounted")}`;
    await using apart = await Apart.start(tree.root, { mounts, policy: { mounts: true } });
    const lines = [
      ...PROC,
      "/sys/kernel/mm/transparent_hugepage/enabled",
      "/sys/kernel/uevent_seqnum",
    ];
    const codes = await codesOf(
      apart.port,
      lines.map((path) => `READ ${path}`),
    );
    for (const [line, code] of codes) {
      expect([line, code]).toEqual([line, expect.stringMatching(/^(?:EACCES|EIO|EBUSY|ENOENT)$/)]);
    }
    const replies = await exchange(apart.port, ["READ /mounted/big", "READ /f"]);
    expect(verify(replies[0]!.body, 3, 0)).toBeNull();
    expect(replies.map(({ body }) => body.length)).toEqual([200_000, 6]);
  },
);

test("19: what nobody may read is EACCES", async () => {
  using tree = new Tree({ open: "open", none: "no" });
  fs.chmodSync(tree.root, 0o755);
  fs.chmodSync(tree.path("none"), 0);
  // Root may read all: the server is somebody else then.
  await using apart = await Apart.start(tree.root, ROOT.here ? { uid: 65_534 } : {});
  expect(await codesOf(apart.port, ["READ /none"])).toEqual(denied(["READ /none"]));
  const [open] = await exchange(apart.port, ["READ /open"]);
  expect(open?.body.toString()).toBe("open");
});

needing(ROOT)("19: what only another user may read is EACCES", async () => {
  using tree = new Tree({ open: "open", "d/f": "no", mine: "no" });
  fs.chmodSync(tree.root, 0o755);
  for (const [name, mode] of Object.entries({ d: 0o700, mine: 0o600 })) {
    fs.chmodSync(tree.path(name), mode);
  }
  await using apart = await Apart.start(tree.root, { uid: 65_534 });
  const lines = ["READ /d/f", "READ /mine", "LIST /d"];
  expect(await codesOf(apart.port, lines)).toEqual(denied(lines));
  const [open] = await exchange(apart.port, ["READ /open"]);
  expect(open?.body.toString()).toBe("open");
});
