/** serv6 with a configuration file: what it serves, what it prints, what it refuses. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { UsageError } from "../../../src/cli/flags/flags.ts";
import { CONFIG_BYTES_MAX, trustedText } from "../../../src/cli/serv6/trustedfile.ts";
import { needing, ROOT, WALLS } from "../../rig/needs.ts";
import { Peer } from "../../rig/peer.ts";
import { cli6 } from "../../rig/program.ts";
import { filesOf } from "../../rig/tls.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

const TWO_ROOTS = '[roots.models]\npath = "m"\n[roots.photos]\npath = "p"\n';

/** A tree with a configuration file and two folders that others may read. */
function treeOf(toml: string, mode = 0o644): Tree {
  const tree = new Tree({ "m/a.txt": "of models", "p/a.txt": "of photos", beside: "nobody's" });
  fs.chmodSync(tree.root, 0o755);
  fs.writeFileSync(tree.path("serv6.toml"), toml);
  fs.chmodSync(tree.path("serv6.toml"), mode);
  return tree;
}

/** The lines on stderr and the status of a serv6 that ends by itself, and what it printed. */
async function ended(args: string[], env: Record<string, string> = {}) {
  await using started = new Started(args, env);
  const out = await new Response(started.child.stdout).text();
  const status = await started.status();
  return { status, out, lines: started.said.split("\n").slice(0, -1) };
}

test("roots of a file are served, and ROOT goes before them and says so", async () => {
  using tree = treeOf(`port = 0\n${TWO_ROOTS}`);
  const config = ["-c", tree.path("serv6.toml")];
  await using started = new Started(config);
  const url = `s6://127.0.0.1:${await started.port()}`;
  await started.says(/Ctrl-C stops\n/);
  const [models, photos] = [tree.path("m"), tree.path("p")];
  expect(started.said).toContain(`serves models (${models}), photos (${photos}) on s6://`);
  expect(started.said).toContain(`cli6 ${url}/models/a.txt\n`);
  expect(await cli6([`${url}/photos/a.txt`])).toEqual({ status: 0, out: "of photos", err: "" });
  expect((await cli6(["ls", "-1R", url])).out).toBe(
    "/models/\n/models/a.txt\n/photos/\n/photos/a.txt\n",
  );
  expect((await cli6(["mirror", url, tree.path("to")])).status).toBe(0);
  expect(fs.readFileSync(tree.path("to/models/a.txt"), "utf8")).toBe("of models");

  await using other = new Started([tree.path("p")], { SERV6_CONFIG: tree.path("serv6.toml") });
  const port = await other.port();
  expect(other.said).toStartWith(
    `serv6: warning: ROOT goes before ${tree.path("serv6.toml")}: the roots there are not served\n`,
  );
  using peer = await Peer.dial(port);
  peer.send("a.txt\n");
  expect((await peer.all()).bytes.toString()).toBe("of photos");
});

needing(WALLS)("89: behind the wall all roots can be read, and nothing beside them", async () => {
  using tree = treeOf(`port = 0\n${TWO_ROOTS}`);
  const config = ["-c", tree.path("serv6.toml")];
  await using walled = new Started([...config, "--self-test"]);
  const table = await new Response(walled.child.stdout).text();
  expect(table).toMatch(/^ok +read models +works +works in [0-9]+ threads$/m);
  expect(table).toMatch(/^ok +read photos +works +works in [0-9]+ threads$/m);
  expect(table).toMatch(/^ok +read \/etc\/passwd +EACCES/m);
  expect(table).not.toContain("FAIL");
  expect(await walled.status()).toBe(0);
  await using started = new Started(config);
  const url = `s6://127.0.0.1:${await started.port()}`;
  expect((await cli6(["hash", `${url}/models/a.txt`])).out).toEndWith("  a.txt\n");
  expect((await cli6([`${url}/photos/a.txt`])).out).toBe("of photos");
  await started.says(/Ctrl-C stops\n/);
  expect(started.said).not.toContain("warning");
});

needing(WALLS, ROOT)("root that becomes a user says which roots that one can't read", async () => {
  using tree = treeOf(`port = 0\nuser = 65534\n${TWO_ROOTS}`);
  fs.chmodSync(tree.path("p"), 0o700);
  const config = ["-c", tree.path("serv6.toml")];
  await using started = new Started(config);
  await started.says(/warning: \w+ can't use .*\/p any more\n/);
  const { status, lines } = await ended([...config, "--check"]);
  expect([status, lines]).toEqual([
    2,
    [expect.stringMatching(/becomes \w+, who can't read .*\/p /)],
  ]);
});

test("--print-config tells each setting and who said it, and is a file that means the same", async () => {
  const toml = `port = 7000\nidle-timeout = "2m"\nallow = ["10.0.0.0/8", "::1"]\n`;
  using tree = treeOf(`${toml}tokens = "t.toml"\nhttp = false\n${TWO_ROOTS}`);
  const config = tree.path("serv6.toml");
  const env = { SERV6_MAX_FILES: "100", SERV6_PORT: "7001" };
  const { status, out } = await ended(["-c", config, "--hidden", "--print-config"], env);
  expect(status).toBe(0);
  for (const line of [
    /^# file: .*\/serv6\.toml$/m,
    /^port = 7001 +# environment SERV6_PORT$/m,
    /^bind = \["127\.0\.0\.1"\] +# default$/m,
    /^hidden = true +# flag --hidden$/m,
    /^http = false +# file$/m,
    /^max-files = 100 +# environment SERV6_MAX_FILES$/m,
    /^idle-timeout = "2m" +# file$/m,
    /^allow = \["10\.0\.0\.0\/8", "::1"\] +# file$/m,
    /^# cors is not set +# default$/m,
    /^\[roots\."models"\]\npath = ".*\/m" +# file$/m,
  ]) {
    expect(out).toMatch(line);
  }
  expect(out).toContain(`tokens = "${tree.path("t.toml")}"`);
  const secret = { SERV6_TOKEN: "hush" };
  const hushed = await ended(["-c", config, "--print-config"], secret);
  expect(hushed.out).toMatch(/^# SERV6_TOKEN is set, and not shown$/m);
  // What is wrong is told behind what is meant.
  expect([hushed.status, hushed.lines]).toEqual([
    2,
    [expect.stringContaining("SERV6_TOKEN is one")],
  ]);
  expect(hushed.out + hushed.lines.join()).not.toContain("hush");
  fs.writeFileSync(config, out);
  const again = await ended(["-c", config, "--print-config"]);
  const values = (text: string): string[] =>
    text.split("\n").map((line) => line.replace(/ +# .*$/, ""));
  expect(values(again.out).slice(3)).toEqual(values(out).slice(3));
  const endpoint = "https://key:hush@s3.example:9000";
  const remote = await ended(["--s3-endpoint", endpoint, "--print-config"]);
  expect(remote.out).toMatch(/^s3-endpoint = "https:\/\/\.\.\.@s3\.example:9000" +# flag /m);
  const odd = tree.path('o"d\\\u001b\n\u202e');
  const named = await ended([odd, "--print-config"]);
  expect(named.out).toMatch(/^root = ".*\/o\\"d\\\\\\U0000001b\\U0000000a\\U0000202e" +# ROOT$/m);
});

test("--check names all that is wrong, a line each, and listens, makes and serves nothing", async () => {
  const toml = 'prot = 1\nlog = 5\ncors = "a"\ntls-cert = "k.pem"\ntls-key = "no"\n';
  const roots = '[roots.a]\npath = "no-a"\n[roots.b]\npath = "no-b"\n';
  using tree = treeOf(`${toml}tokens = "m/a.txt"\nlog-file = "no/log"\n${roots}`);
  fs.copyFileSync(filesOf("good").cert, tree.path("k.pem"));
  const config = ["-c", tree.path("serv6.toml")];
  const wrong = await ended([...config, "--check"], { SERV6_GRACE: "soon", SERV6_ALLOW: "x" });
  expect([wrong.status, wrong.out]).toEqual([2, ""]);
  expect(wrong.lines).toEqual(
    [
      /serv6\.toml: unknown key prot: did you mean port\?$/,
      /serv6\.toml: log takes one of human, json, combined, off, not 5$/,
      /^serv6: SERV6_ALLOW takes an address, or a network .*, not "x"$/,
      /^serv6: SERV6_GRACE takes a time .*, not "soon"$/,
      /^serv6: the root a: cannot serve .*\/no-a: there is no such file or directory$/,
      /^serv6: the root b: cannot serve .*\/no-b: there is no such file or directory$/,
      /^serv6: --tls-key: .*\/no can't be read \(ENOENT\)$/,
      /^serv6: --tokens: .*\/m\/a\.txt: it is no TOML$/,
      /^serv6: cors: a is no origin/,
      /^serv6: cannot write the log .*\/no\/log: ENOENT$/,
    ].map((line) => expect.stringMatching(line)),
  );
  // Without it the first one ends the start.
  const start = await ended(config);
  expect(start.lines).toEqual([
    expect.stringMatching(
      /unknown key prot: did you mean port\? \(1 more: --check tells all\); try/,
    ),
  ]);
  fs.writeFileSync(tree.path("serv6.toml"), `tls-self = true\nlinks = true\n${TWO_ROOTS}`);
  const home = { HOME: tree.path("home"), XDG_STATE_HOME: "" };
  expect(await ended([...config, "--check", "--log-file", tree.path("log")], home)).toEqual({
    ...{ status: 0, out: "nothing is wrong\n", lines: [] },
  });
  expect(fs.existsSync(tree.path("log"))).toBe(false);
  expect(fs.existsSync(tree.path("home/.local"))).toBe(false);
  const mismatch = ["--tls-cert", filesOf("good").cert, "--tls-key", filesOf("othername").key];
  const keys = await ended([tree.root, "--check", ...mismatch]);
  expect(keys.lines).toEqual([expect.stringMatching(/--tls-key: .* is not the key of /)]);
});

test("the key of --tls-self is below none of the roots", async () => {
  using tree = treeOf(
    `tls-self = true\nhidden = true\n[roots.a]\npath = "m"\n[roots.b]\npath = "p"`,
  );
  const home = { HOME: tree.path("p"), XDG_STATE_HOME: "" };
  for (const args of [["--check"], []]) {
    const { status, lines } = await ended(["-c", tree.path("serv6.toml"), ...args], home);
    expect(status).toBe(2);
    expect(lines).toEqual([expect.stringContaining("the key of --tls-self would be served: ")]);
  }
});

test("a file that is none, or that others could have written, is refused, and not waited for", async () => {
  using tree = treeOf("");
  const refused = (path: string): string => {
    try {
      return `taken: ${trustedText({ flag: "--config", path }).length}`;
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return String(error).replace(`UsageError: --config: ${path} `, "");
    }
  };
  const file = (name: string, text: string | Buffer, mode = 0o600): string => {
    fs.writeFileSync(tree.path(name), text);
    fs.chmodSync(tree.path(name), mode);
    return tree.path(name);
  };
  expect(refused(tree.path("none"))).toStartWith("can't be read (ENOENT)");
  expect(refused(tree.path("m"))).toStartWith("is no regular file");
  expect(refused("/dev/zero")).toStartWith("is no regular file");
  Bun.spawnSync(["mkfifo", tree.path("fifo")]);
  // By a process of its own: one that waited would never end.
  const fifo = await ended(["-c", tree.path("fifo"), "--check"]);
  expect([fifo.status, fifo.lines]).toEqual([2, [expect.stringContaining("is no regular file")]]);
  const others = "can be written by others: chmod go-w";
  expect(refused(file("all", "", 0o602))).toStartWith(others);
  expect(refused(file("group", "", 0o620))).toStartWith(others);
  const huge = `${"# much\n".repeat(CONFIG_BYTES_MAX / 7)}`;
  expect(refused(file("huge", `${huge}#######`))).toStartWith(`has more than`);
  expect(refused(file("large", huge))).toBe(`taken: ${huge.length}`);
  expect(refused(file("bytes", Buffer.from([0x61, 0xff])))).toStartWith("is no text in UTF-8");
  // By a link it is judged as what it is.
  tree.link("link", "all");
  expect(refused(tree.path("link"))).toStartWith(others);
});

needing(ROOT)("a file of somebody else's is refused; one of root's is not", async () => {
  using tree = treeOf(`port = 0\n${TWO_ROOTS}`);
  const config = tree.path("serv6.toml");
  fs.chownSync(config, 4321, 0);
  const { status, lines } = await ended(["-c", config, "--check"]);
  expect(status).toBe(2);
  expect(lines).toEqual([expect.stringMatching(/belongs to the user 4321, who is neither root/)]);
  fs.chownSync(config, 0, 4321);
  expect((await ended(["-c", config, "--check"])).status).toBe(0);
});
