/** The second wall of serv6: what the kernel says of it, and what code that got in gets. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { serve } from "../../../src/api.ts";
import { outOfReach } from "../../../src/cli/serv6/runas.ts";
import { placesOf } from "../../../src/cli/serv6/sandbox.ts";
import { content } from "../../rig/oracle.ts";
import { needing, type Need, ROOT, WALLS } from "../../rig/needs.ts";
import { Peer } from "../../rig/peer.ts";
import { cli6 } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { filesOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";
import { tries } from "./tries.ts";

const SOURCES = `${import.meta.dir}/../../../src`;
const LAUNCH = [process.execPath, "--config=/dev/null", "--no-env-file"];

/** What the wall answers; Bun's own words where it drops the errno. */
const REFUSED: unknown = expect.stringMatching(
  /^refused (?:EACCES|EPERM|ECONNREFUSED|Error: Failed to listen.*)$/,
);

const DENIED = "ERROR EACCES";
const STRANGER = { uid: 65_533, gid: 65_533, name: "stranger" };
const REACHED: Need = {
  here: outOfReach(STRANGER, { read: [fs.realpathSync(SOURCES)], write: [] }).length === 0,
  what: "a checkout that every user can read",
};

/** The values of `field` in the status of each thread (proc(5)), those that differ. */
function threads(pid: number | "self", field: string): string[] {
  const values = fs.readdirSync(`/proc/${pid}/task`).map((id) => {
    const status = fs.readFileSync(`/proc/${pid}/task/${id}/status`, "utf8");
    return new RegExp(`^${field}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "nothing";
  });
  return [...new Set(values)];
}

needing(WALLS)("89: every thread is behind the wall, those that were made later too", async () => {
  using tree = new Tree({ large: content(1, 0, 5_000_000) });
  await using started = new Started([tree.root, "-p", "0"]);
  const url = `s6://127.0.0.1:${await started.port()}`;
  const { pid } = started.child;
  // It needs a thread that was not there before.
  expect((await cli6(["hash", `${url}/large`])).out).toEndWith("  large\n");
  expect(threads(pid, "Name")).toContain("Worker");
  expect(threads(pid, "NoNewPrivs")).toEqual(["1"]);
  expect(threads(pid, "Seccomp")).toEqual(["2"]);
  expect(threads(pid, "CapEff")).toEqual(["0000000000000000"]);
  expect(threads(pid, "CapPrm")).toEqual(["0000000000000000"]);
  expect(threads(pid, "Uid")).toHaveLength(1);
  expect(started.said).not.toContain("warning");
});

needing(WALLS)("89: code that got into the server gets what is served, and no more", async () => {
  using tree = new Tree({ "a.txt": "content" });
  using scratch = new Tree({ "a.txt": "content" });
  for (const { root } of [tree, scratch]) fs.symlinkSync("/etc/passwd", `${root}/out`);
  const listener = net.createServer((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = String(typeof address === "object" ? address?.port : address);
  const pid = String(process.pid);
  // Without a wall each of them works: so it is the wall that stops them.
  const free = await tries([port, scratch.root, pid]);
  expect(Object.values(free).filter((word) => word.startsWith("refused"))).toEqual([]);

  const entry = `${import.meta.dir}/planted.ts`;
  const child = Bun.spawn([...LAUNCH, entry, port, pid, tree.root, "-p", "0"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  let said = "";
  for await (const chunk of child.stdout) {
    said += Buffer.from(chunk).toString();
    if (said.includes("\n")) break;
  }
  child.kill("SIGKILL");
  await child.exited;
  listener.close();
  const got: unknown = JSON.parse(said);
  const nothing = Object.fromEntries(
    Object.keys(free).map((name): [string, unknown] => [name, REFUSED]),
  );
  const only = { ...nothing, served: "content" };
  expect(got).toEqual({ main: only, before: only, behind: only });
  expect(fs.readdirSync(tree.root).sort()).toEqual(["a.txt", "out"]);
  expect(fs.readFileSync(tree.path("a.txt"), "utf8")).toBe("content");
});

needing(WALLS)(
  "--self-test tries it from inside; its status is 1 where nothing stops it",
  async () => {
    using tree = new Tree({ "a.txt": "content" });
    await using walled = new Started([tree.root, "--self-test"]);
    const table = await new Response(walled.child.stdout).text();
    expect(table).toMatch(/^ok +run a program \(execve\) +EPERM +EPERM in [0-9]+ threads$/m);
    expect(table).toMatch(/^ok +read \/etc\/passwd +EACCES +EACCES in [0-9]+ threads$/m);
    expect(table).not.toContain("FAIL");
    expect(await walled.status()).toBe(0);
    await using open = new Started([tree.root, "--self-test", "--no-sandbox"]);
    const holes = await new Response(open.child.stdout).text();
    expect(holes).toMatch(/^FAIL +run a program \(execve\) +EPERM +ENOENT in [0-9]+ threads$/m);
    expect(holes).toMatch(
      /^FAIL +read \/etc\/passwd +EACCES +allowed in [0-9]+ of [0-9]+ threads$/m,
    );
    expect(holes.match(/^FAIL/gm)?.length).toBeGreaterThan(20);
    expect(await open.status()).toBe(1);
    expect(open.said).toMatch(/^serv6: warning: --no-sandbox: .*\n$/);
  },
);

needing(WALLS)("89: where walls are forbidden it warns in one line, and serves", async () => {
  using tree = new Tree({ "a.txt": "content" });
  const forbidding = [...LAUNCH, `${import.meta.dir}/forbidding.ts`];
  await using started = new Started([tree.root, "-p", "0", "-q"], {}, forbidding);
  const port = await started.port();
  await started.says(
    /^serv6: warning: the sandbox has holes on this machine: Landlock \(EPERM\), seccomp \(EPERM\)\n/m,
  );
  using peer = await Peer.dial(port);
  peer.send("a.txt\n");
  expect((await peer.all()).bytes.toString()).toBe("content");
  expect(threads(started.child.pid, "CapEff")).toEqual(["0000000000000000"]);
});

test("a file that it was given opens its folder, and in the root of all files itself alone", () => {
  using tree = new Tree({ "certs/a.pem": "x" });
  fs.symlinkSync("certs/a.pem", tree.path("linked.pem"));
  fs.symlinkSync("/proc", tree.path("root.link"));
  expect(placesOf(tree.path("certs/a.pem"))).toEqual([tree.path("certs")]);
  expect(placesOf(tree.path("linked.pem"))).toEqual([tree.root, tree.path("certs")]);
  expect(placesOf(tree.path("none/b.pem"))).toEqual([tree.path("none")]);
  expect(placesOf("/proc")).toEqual(["/proc"]);
  expect(placesOf("/none.toml")).toEqual(["/none.toml"]);
  expect(placesOf(tree.path("root.link"))).toEqual([tree.root, "/proc"]);
});

needing(WALLS)("a certificate that is renewed behind the wall is taken", async () => {
  using tree = new Tree({ "a.txt": "content" });
  using keys = new Tree();
  const put = (name: Parameters<typeof filesOf>[0]): void => {
    const { cert, key } = filesOf(name);
    for (const [from, to] of [
      [cert, "cert.pem"],
      [key, "key.pem"],
    ] as const) {
      fs.copyFileSync(from, keys.path("new"));
      fs.renameSync(keys.path("new"), keys.path(to));
    }
  };
  put("good");
  const flags = ["--tls-cert", keys.path("cert.pem"), "--tls-key", keys.path("key.pem")];
  await using started = new Started([tree.root, "-p", "0", ...flags]);
  const [, port] = await started.says(/s6s:\/\/[^ ]*:([0-9]+)\//);
  const seen = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: Number(port), rejectUnauthorized: false };
      const socket = tls.connect(options, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const first = await seen();
  put("othername");
  while ((await seen()) === first) await Bun.sleep(50);
  expect(started.said).not.toContain("the certificate before stays");
});

needing(WALLS)("tokens that change behind the wall change; etags are what they were", async () => {
  using tree = new Tree({ "a.txt": "content" });
  using files = new Tree();
  const allow = (place: string): void => {
    fs.writeFileSync(files.path("new"), `[anonymous]\npaths = ["${place}"]\n`, { mode: 0o600 });
    fs.renameSync(files.path("new"), files.path("tokens.toml"));
  };
  allow("/");
  const tokens = ["--tokens", files.path("tokens.toml")];
  await using started = new Started([tree.root, "-p", "0", ...tokens]);
  await using open = new Running(tree.root);
  const port = await started.port();
  const stat = async (of: number): Promise<string> => {
    using peer = await Peer.dial(of);
    peer.send("STAT /a.txt\n");
    peer.finish();
    return (await peer.all()).bytes.toString();
  };
  expect(await stat(port)).toMatch(/^OK 0 .*etag=[0-9a-f]{16}/);
  expect(await stat(port)).toBe(await stat(open.port));
  allow("/elsewhere");
  while ((await stat(port)).startsWith("OK")) await Bun.sleep(50);
  expect(await stat(port)).toStartWith("ERR ");
});

needing(
  WALLS,
  ROOT,
  REACHED,
)("root becomes the owner of ROOT, or nobody, or who is named", async () => {
  using tree = new Tree({ "a.txt": "content", "private.txt": "content" });
  fs.chmodSync(tree.path("private.txt"), 0o600);
  const facts = async (...args: string[]) => {
    await using started = new Started([tree.root, "-p", "0", ...args]);
    const port = await started.port();
    const ask = async (name: string): Promise<string> => {
      using peer = await Peer.dial(port);
      peer.send(`${name}\n`);
      return (await peer.all()).bytes.toString().slice(0, 12);
    };
    const own = await ask("private.txt");
    const { pid } = started.child;
    const [uid = "", ...more] = threads(pid, "Uid").map((ids) => ids.replaceAll("\t", " "));
    expect(more).toEqual([]);
    const groups = threads(pid, "Groups").join().trim();
    const gid = threads(pid, "Gid").join().split("\t")[0];
    expect(await ask("a.txt")).toBe(uid.startsWith("4321") ? DENIED : "content");
    return [uid.split(" ")[0], gid, groups, own, /serves as (\w+)/.exec(started.said)?.[1]];
  };
  // Nobody but root can enter it.
  fs.chmodSync(tree.root, 0o700);
  expect(await facts()).toEqual(["0", "0", "", "content", "root"]);
  expect(await facts("--user", "4321:4322")).toEqual(["4321", "4322", "", DENIED, undefined]);
  fs.chmodSync(tree.root, 0o755);
  expect(await facts()).toEqual(["65534", "65534", "", DENIED, "nobody"]);
  fs.chownSync(tree.root, 1234, 1235);
  expect(await facts()).toEqual(["1234", "1235", "", DENIED, "1234"]);
  using keys = new Tree();
  fs.copyFileSync(filesOf("good").cert, keys.path("cert.pem"));
  fs.copyFileSync(filesOf("good").key, keys.path("key.pem"));
  const pem = ["--tls-cert", keys.path("cert.pem"), "--tls-key", keys.path("key.pem")];
  const slowly = ["--request-timeout", "1", "--user", "1234"];
  await using secured = new Started([tree.root, "-p", "0", ...slowly, ...pem]);
  await secured.says(/warning: 1234 can't use .*cert\.pem any more\n/);
  const [, port] = await secured.says(/s6s:\/\/[^ ]*:([0-9]+)\//);
  // The sweep looks at them, and then at who takes too long for a request.
  using slow = await Peer.dial(Number(port));
  slow.send("READ /a");
  await slow.all();
  using peer = await Peer.dial(Number(port));
  peer.send("a.txt\n");
  expect((await peer.all()).bytes.toString()).toBe("content");
  await using unknown = new Started([tree.root, "-p", "0", "--user", "no-such-user"]);
  expect(await unknown.status()).toBe(2);
  expect(unknown.said).toContain('/etc/passwd has no "no-such-user"');
});

test("the library's serve() leaves its caller what it is", async () => {
  using tree = new Tree({ "a.txt": "content" });
  const before = threads("self", "(?:NoNewPrivs|Seccomp)");
  const server = serve({ root: tree.root, port: 0 });
  expect(threads("self", "(?:NoNewPrivs|Seccomp)")).toEqual(before);
  expect(fs.readFileSync("/etc/passwd").length).toBeGreaterThan(0);
  await server.stop();
});
