/** TLS as two people use it: one starts `serv6 --tls-self`, the other types what it says. */
import { expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import fs from "node:fs";
import { content } from "../rig/oracle.ts";
import { until } from "../client/fake.ts";
import { CLI6_COMMAND, cli6, environment, shell } from "../rig/program.ts";
import { CA, CA_FILE, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";
import { Started } from "./serv6/started.ts";

const SERVES = ["-p", "0", "--log", "off"];

/** The port of the first s6s:// URL. */
async function portOf(server: Started): Promise<string> {
  return (await server.says(/s6s:\/\/[^ ]*:([0-9]+)\//))[1] ?? "";
}

test("--tls-self: the command that it prints works, and its key is the same at the next start", async () => {
  using tree = new Tree({ "a.txt": "content" });
  using state = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  let pin = "";
  for (const run of [1, 2]) {
    await using server = new Started([tree.root, ...SERVES, "--tls-self"], env);
    const [, command = ""] = await server.says(/fetch a file: {2}(cli6 s6s:.*--pin sha256:.*)\n/);
    const got = await shell(command, []);
    expect([got.status, got.out, got.err]).toEqual([0, "content", ""]);
    const now = /sha256:[0-9a-f]{64}/.exec(command)?.[0] ?? "none";
    if (run === 2) expect(now).toBe(pin);
    pin = now;
    expect(server.said).not.toContain("| nc ");
  }
  expect(fs.statSync(state.path("serv6/tls.pem")).mode & 0o777).toBe(0o600);
});

test("get, mirror, ls and ping by s6s://, of a server that is seen for the first time", async () => {
  const large = content(3, 0, 5_000_000);
  using tree = new Tree({ large, "d/small": "x" });
  using state = new Tree();
  using here = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  await using server = new Started([tree.root, ...SERVES, "--tls-self"], env);
  const url = `s6s://127.0.0.1:${await portOf(server)}`;
  const run = (...args: string[]) => cli6(args, { env });
  const first = await run("get", `${url}/large`, "-P", here.root, "-q");
  expect([first.status, first.err]).toEqual([
    0,
    expect.stringMatching(
      /^cli6: 127\.0\.0\.1:[0-9]+ is seen for the first time: .*sha256:\S+ is noted/,
    ),
  ]);
  expect(fs.readFileSync(here.path("large")).equals(large)).toBe(true);
  expect(await run("ls", "-1", url)).toEqual({ status: 0, out: "d/\nlarge\n", err: "" });
  const mirrored = await run("mirror", `${url}/`, here.path("m"), "-q");
  expect([mirrored.status, mirrored.err]).toEqual([0, ""]);
  expect(fs.readFileSync(here.path("m/d/small"), "utf8")).toBe("x");
  expect((await run("ping", "-c", "1", url)).status).toBe(0);
  const bare = await run("--plain", `${url}/large`);
  expect([bare.status, bare.out]).toEqual([2, ""]);
  // Somebody else's key in its place.
  fs.writeFileSync(state.path("cli6/known_hosts"), `${url.slice(6)} sha256:${"0".repeat(64)}\n`);
  const changed = await run("get", `${url}/large`, "-P", here.path("x"));
  expect([changed.status, changed.err]).toEqual([4, expect.stringContaining("HAS CHANGED")]);
});

test("--ca believes an authority; without it, or for another name, status 4 says why", async () => {
  using tree = new Tree({ f: "content" });
  using state = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  const { cert, key } = filesOf("good");
  const tls = ["--tls-cert", cert, "--tls-key", key];
  await using server = new Started([tree.root, ...SERVES, ...tls], env);
  const port = await portOf(server);
  const good = await cli6(["--ca", CA_FILE, `s6s://localhost:${port}/f`], { env });
  expect([good.status, good.out, good.err]).toEqual([0, "content", ""]);
  const unknown = await cli6([`s6s://localhost:${port}/f`], { env });
  expect([unknown.status, unknown.err]).toEqual([4, expect.stringContaining("no authority")]);
  const pinned = await cli6(["--pin", "sha256:1", `s6s://localhost:${port}/f`], { env });
  expect([pinned.status, pinned.err]).toEqual([2, expect.stringContaining("--pin takes")]);
});

test("one file from two servers with a certificate each, by a pin for each", async () => {
  using tree = new Tree({ f: "content" });
  using here = new Tree();
  const serve = async (name: "good" | "othername") => {
    const { cert, key } = filesOf(name);
    const server = new Started([tree.root, ...SERVES, "--tls-cert", cert, "--tls-key", key]);
    const der = new X509Certificate(fs.readFileSync(cert)).raw;
    return { server, pin: `sha256:${createHash("sha256").update(der).digest("hex")}` };
  };
  const [one, other] = [await serve("good"), await serve("othername")];
  await using first = one.server;
  await using second = other.server;
  for (const scheme of ["s6s", "https"]) {
    const ports = [await portOf(first), await portOf(second)];
    const urls = ports.map((port) => `${scheme}://localhost:${port}/f`);
    const get = (pin: string) => cli6(["get", "-f", "-P", here.root, "--pin", pin, ...urls]);
    const both = await get(`${one.pin},${other.pin}`);
    expect([both.status, both.err]).toEqual([0, ""]);
    const half = await get(one.pin);
    expect([half.status, half.err]).toEqual([
      0,
      expect.stringContaining(`${urls[1]} is left out: EKEYREJECTED`),
    ]);
  }
});

test("get at the prompt shows the certificate and the token that the prompt was given", async () => {
  using tree = new Tree({ f: "content" });
  using own = new Tree({ here: null });
  // As of a shell's <(command): what comes out of it comes once.
  await Bun.$`mkfifo ${own.path("token")}`;
  const { cert, key } = filesOf("good");
  const tls = ["--tls-cert", cert, "--tls-key", key, "--tls-client-ca", CA_FILE];
  await using server = new Started([tree.root, ...SERVES, ...tls], { SERV6_TOKEN: "right-one" });
  const mine = filesOf("client");
  const flags = [`--ca=${CA_FILE}`, `--cert=${mine.cert}`, `--key=${mine.key}`];
  const url = `s6s://localhost:${await portOf(server)}`;
  const shown = ["--no-history", ...flags, "--token-file", own.path("token"), "-s", url];
  let seen = "";
  const once = Bun.spawn(["sh", "-c", 'echo right-one >"$0"', own.path("token")]);
  const child = Bun.spawn([...CLI6_COMMAND, ...shown], {
    cwd: own.path("here"),
    env: { ...environment(), TERM: "xterm" },
    terminal: { data: (_, chunk) => (seen += Buffer.from(chunk).toString("latin1")) },
  });
  const prompts = (): number => seen.split("serv6:").length - 1;
  try {
    await until(() => prompts() > 0);
    const before = prompts();
    child.terminal?.write("get f\r");
    await until(() => prompts() > before);
    expect(seen).not.toContain("cli6:");
    expect(fs.readFileSync(own.path("here/f"), "utf8")).toBe("content");
  } finally {
    child.kill();
    once.kill();
  }
});

test("cli6 says which file of TLS or tokens is wrong, and why, in one line with status 2", async () => {
  using tree = new Tree({ f: "no token here\n", empty: "" });
  const { cert, key } = filesOf("client");
  const other = filesOf("good").key;
  const middle = /(?<=-----\n)[^-]+/;
  tree.write("torn", fs.readFileSync(cert, "utf8").replace(middle, "AAAA\n"));
  // A chain of which not all is written.
  tree.write("half", fs.readFileSync(cert, "utf8") + CA.slice(0, CA.length / 2));
  tree.write("cut", fs.readFileSync(key, "utf8").replace(middle, "AAAA\n"));
  const cases: [string[], string][] = [
    [["--ca", tree.path("none")], `--ca: ${tree.path("none")} can't be read (ENOENT)`],
    [["--ca", tree.root], `--ca: ${tree.root} can't be read (EISDIR)`],
    [["--ca", tree.path("empty")], `--ca: ${tree.path("empty")} holds no certificate in PEM`],
    [["--cert", cert], "--cert and --key belong together"],
    [["--cert", cert, "--key", other], `${other} is not the key of ${cert}`],
    [
      ["--cert", tree.path("torn"), "--key", key],
      `${tree.path("torn")} holds a certificate that is`,
    ],
    [
      ["--cert", cert, "--key", tree.path("cut")],
      `${tree.path("cut")} holds a private key that is`,
    ],
    [["--ca", tree.path("torn")], `--ca: ${tree.path("torn")} holds a certificate that is damaged`],
    [["--ca", tree.path("half")], `--ca: ${tree.path("half")} holds a certificate that is damaged`],
    [
      ["--cert", tree.path("half"), "--key", key],
      `${tree.path("half")} holds a certificate that is`,
    ],
    [["--cert", key, "--key", key], `--cert: ${key} holds no certificate in PEM`],
    [["--cert", cert, "--key", cert], `--key: ${cert} holds no private key in PEM`],
    [["--token-file", tree.path("none")], `--token-file: ${tree.path("none")} can't be read`],
    [["--token-file", tree.path("f")], `--token-file: ${tree.path("f")} has no token`],
  ];
  for (const [flags, message] of cases) {
    const { status, out, err } = await cli6(["ls", "s6s://127.0.0.1:1/", ...flags]);
    expect([flags, status, out, err]).toEqual([flags, 2, "", expect.stringContaining(message)]);
    expect(err.trim().split("\n")).toHaveLength(1);
  }
});

test("files of TLS may have names of any letters", async () => {
  using tree = new Tree({ f: "content", "schlüssel/x": "" });
  const files = { cert: tree.path("schlüssel/cert"), key: tree.path("schlüssel/key") };
  const { cert, key } = filesOf("good");
  fs.copyFileSync(cert, files.cert);
  fs.copyFileSync(key, files.key);
  const tls = ["--tls-cert", files.cert, "--tls-key", files.key];
  await using server = new Started([tree.path("schlüssel"), ...SERVES, ...tls]);
  expect(await portOf(server)).toMatch(/^[0-9]+$/);
});

test("serv6 says which flags of TLS do not go together, with status 2", async () => {
  using tree = new Tree({ f: "" });
  using state = new Tree();
  const { cert, key } = filesOf("good");
  const cases: [string[], string][] = [
    [["--tls-cert", cert], "belong together"],
    [["--tls-self", "--tls-cert", cert, "--tls-key", key], "--tls-self makes"],
    [["--plaintext"], "--plaintext needs"],
    [["--tls-client-ca", CA_FILE], "--tls-client-ca needs"],
    [["--tls-cert", cert, "--tls-key", tree.path("f")], "holds no private key"],
  ];
  for (const [flags, message] of cases) {
    await using server = new Started([tree.root, ...SERVES, ...flags]);
    expect([flags, await server.status()]).toEqual([flags, 2]);
    expect(server.said).toContain(message);
    expect(server.said.trim().split("\n")).toHaveLength(1);
  }
  const served = ["--tls-self", "--hidden"];
  await using below = new Started([state.root, ...SERVES, ...served], {
    XDG_STATE_HOME: state.root,
  });
  expect(await below.status()).toBe(2);
  expect(below.said).toContain("would be served");
});
