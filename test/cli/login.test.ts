/** Tokens as people use them: made by serv6, saved by cli6, and shown to nobody else. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { replying, until } from "../client/fake.ts";
import { CLI6_COMMAND, cli6, environment } from "../rig/program.ts";
import { Tree } from "../rig/tree.ts";
import { Started } from "./serv6/started.ts";
import { childrenOf } from "./serv6/workers.ts";

/** A server that takes any token, and knows nothing. */
const serving = () =>
  replying((line) => (line.startsWith("AUTH ") ? "OK 0\n" : "ERR ENOENT no such file\n"));

const SERVES = ["-p", "0", "--log", "off"];

/** A token and the file that has it, for `paths`. */
async function made(folder: Tree, paths: string): Promise<string> {
  await using server = new Started(["--new-token", "ci"]);
  const line = await server.child.stdout.text();
  await server.status();
  expect(line).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  const out = line.trim();
  expect(server.said).not.toContain(out);
  fs.writeFileSync(folder.path("tokens.toml"), `${server.said}paths = ${paths}\n`);
  return out;
}

test("--new-token, --tokens, login: then the paths of the token, and no other, without a word more", async () => {
  using tree = new Tree({ "d/f": "content", "other/f": "secret" });
  using keys = new Tree();
  using state = new Tree();
  using here = new Tree();
  const env = { XDG_STATE_HOME: state.root };
  const token = await made(keys, '["/d"]');
  await using server = new Started(
    [tree.root, ...SERVES, "--tls-self", "--tokens", keys.path("tokens.toml")],
    env,
  );
  const url = `s6s://127.0.0.1:${(await server.says(/s6s:\/\/[^ ]*:([0-9]+)\//))[1]}`;
  const run = (args: string[], input?: string) =>
    cli6(args, { env, ...(input === undefined ? {} : { input }) });
  const none = await run(["-q", "ls", url]);
  expect([none.status, none.out]).toEqual([4, ""]);
  const wrong = await run(["login", url], "wrong\n");
  expect([wrong.status, wrong.err]).toEqual([4, expect.stringContaining("no such token")]);
  expect(fs.existsSync(state.path("cli6/tokens"))).toBe(false);
  const login = await run(["login", url], `${token}\n`);
  expect([login.status, login.err]).toEqual([0, expect.stringContaining("takes the token")]);
  fs.writeFileSync(keys.path("token"), token);
  expect((await run(["login", url, "--token-file", keys.path("token")])).status).toBe(0);
  expect(login.err + login.out).not.toContain(token);
  expect(fs.statSync(state.path("cli6/tokens")).mode & 0o777).toBe(0o600);
  expect((await run(["ls", "-1R", url])).out).toBe("/d/\n/d/f\n");
  const got = await run(["get", `${url}/d/f`, "-P", here.root, "-q"]);
  expect([got.status, got.err, fs.readFileSync(here.path("f"), "utf8")]).toEqual([
    0,
    "",
    "content",
  ]);
  expect((await run([`${url}/other/f`])).status).toBe(3);
  const mirrored = await run(["mirror", `${url}/d`, here.path("m"), "-q"]);
  expect([mirrored.status, fs.readdirSync(here.path("m"))]).toEqual([0, ["f"]]);
  expect((await run(["login", "--forget", url])).status).toBe(0);
  expect((await run(["-q", `${url}/d/f`])).status).toBe(4);
  expect((await cli6([`${url}/d/f`], { env: { ...env, CLI6_TOKEN: token } })).out).toBe("content");
});

test("a server that asks for no token is said to take any", async () => {
  using tree = new Tree();
  using state = new Tree();
  await using server = new Started([tree.root, ...SERVES]);
  const url = `s6://127.0.0.1:${await server.port()}`;
  const env = { XDG_STATE_HOME: state.root };
  const { status, err } = await cli6(["login", url], { env, input: "anything\n" });
  expect([status, err]).toEqual([0, expect.stringContaining("asks for no token, and takes any")]);
});

test("a server that wants a token is named with what to do, and by HTTP where one is shown", async () => {
  using tree = new Tree({ f: "content" });
  using here = new Tree();
  const env = { SERV6_TOKEN: "right-one" };
  await using server = new Started([tree.root, ...SERVES], env);
  const url = `s6://127.0.0.1:${await server.port()}`;
  for (const args of [
    ["ls", url],
    ["get", `${url}/f`, "-P", here.root],
  ]) {
    const { status, err } = await cli6(args);
    expect([status, err]).toEqual([4, expect.stringMatching(/: a token is needed: \//)]);
    expect(err).toEndWith(`(${url}); cli6 login ${url} saves a token\n`);
  }
  const { status, err } = await cli6([`${url.replace("s6:", "http:")}/f`]);
  expect([status, err]).toEqual([4, expect.stringContaining("shows a token by s6s:// alone")]);
});

test("on a terminal the token is asked for and never shown, and can be corrected", async () => {
  using state = new Tree();
  using fake = serving();
  let seen = "";
  const typed = ["sec", "x\x7f", "ret\r"];
  const child = Bun.spawn([...CLI6_COMMAND, "login", `s6://${fake.address}`], {
    env: { ...environment(), XDG_STATE_HOME: state.root },
    terminal: {
      data(terminal, chunk) {
        const before = seen;
        seen += Buffer.from(chunk).toString("latin1");
        if (!before.includes("token for") && seen.includes("token for")) {
          for (const keys of typed) terminal.write(keys);
        }
      },
    },
  });
  expect(await child.exited).toBe(0);
  await until(() => seen.includes("takes the token"));
  expect(seen.split("cli6: ")[0]).not.toMatch(/sec|ret/);
  const saved = fs.readFileSync(state.path("cli6/tokens"), "utf8");
  expect(saved).toBe(`s6://${fake.address} secret\n`);
});

test("a signal that ends it while it asks leaves the terminal as it was", async () => {
  using state = new Tree();
  using fake = serving();
  const statuses = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const;
  for (const [signal, status] of Object.entries(statuses)) {
    let seen = "";
    // The shell outlives what is ended, and tells what the terminal does then.
    const line = `trap : HUP INT TERM; "$@"; echo "status=$?"; stty -a`;
    const words = [...CLI6_COMMAND, "login", `s6://${fake.address}`];
    const child = Bun.spawn(["bash", "-c", line, "sh", ...words], {
      env: { ...environment(), XDG_STATE_HOME: state.root },
      terminal: { data: (_terminal, chunk) => (seen += Buffer.from(chunk).toString("latin1")) },
    });
    await until(() => seen.includes("token for"));
    const [login] = childrenOf(child.pid);
    process.kill(login!, signal);
    await child.exited;
    await until(() => seen.includes("extproc"));
    expect(seen).toContain(`status=${status}`);
    const flags = seen.slice(seen.indexOf("status=")).split(/[\s;]+/);
    expect(flags).toEqual(expect.arrayContaining(["icanon", "echo", "isig", "icrnl", "opost"]));
  }
});

test("a saved token goes to its server alone, and one that is given not in plaintext to others", async () => {
  using state = new Tree();
  using fake = serving();
  const env = { XDG_STATE_HOME: state.root };
  state.write("cli6/tokens", `s6://${fake.address} for-this-one\ns6s://nas:6464 for-nas\n`);
  fs.chmodSync(state.path("cli6/tokens"), 0o600);
  await cli6(["-s", fake.address, "stat", "/a"], { env });
  expect(fake.connections.map(({ received }) => received).join("")).toContain(
    "AUTH for-this-one\n",
  );
  using other = serving();
  await cli6(["-s", other.address, "stat", "/a"], { env });
  expect(other.connections.map(({ received }) => received).join("")).not.toContain("AUTH");
  const refused = await cli6(["s6://192.0.2.1:1/a"], { env: { ...env, CLI6_TOKEN: "secret-one" } });
  expect([refused.status, refused.err]).toEqual([
    2,
    expect.stringContaining("only shown by TLS: s6s://"),
  ]);
  expect(refused.err).not.toContain("secret-one");
  fs.chmodSync(state.path("cli6/tokens"), 0o644);
  const open = await cli6(["-s", fake.address, "stat", "/a"], { env });
  expect([open.status, open.err]).toEqual([
    9,
    expect.stringContaining("others may read the tokens"),
  ]);
  const url = `s6://${fake.address}`;
  for (const args of [
    ["login", "--forget", url],
    ["login", url],
  ]) {
    const { status, err } = await cli6(args, { env, input: "token\n" });
    expect([status, err.split("\n").length]).toEqual([9, 2]);
    expect(err).toStartWith("cli6: EACCES: others may read the tokens in ");
  }
});
