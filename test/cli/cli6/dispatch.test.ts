/** Which command a line means, wherever its flags stand, and what is said when it means none. */
import { expect, test } from "bun:test";
import { CLI6 } from "../../../src/cli/cli6/cli6.ts";
import { choose } from "../../../src/cli/cli6/dispatch.ts";
import { readReply, replying } from "../../client/fake.ts";
import { cli6, shell } from "../../rig/program.ts";

const DIGEST = "0123456789abcdef";

function serving() {
  return replying((line) => {
    if (line.startsWith("HASH")) {
      return `OK 17 size=2 etag=e algo=xxh3 chunk=4194304\n${DIGEST}\n`;
    }
    return "OK 0 type=file size=9007199254740993 mtime=-1 etag=e\n";
  });
}

test("flags stand before or behind the command's word, also those that only it knows", async () => {
  using fake = serving();
  const { address } = fake;
  const lines = [
    ["-s", address, "hash", "--algo", "xxh3", "x"],
    ["hash", "x", "-s", address, "--algo=xxh3"],
    ["--algo", "xxh3", "-s", address, "hash", "x"],
    ["-qa", "xxh3", "hash", "x", "-s", address],
  ];
  for (const run of await Promise.all(lines.map((line) => cli6(line)))) {
    expect(run).toEqual({ status: 0, out: `${DIGEST}  0  x\n`, err: "" });
  }
  const env = { CLI6_SERVER: address, CLI6_ALGO: "xxh3" };
  expect((await cli6(["hash", "x"], { env })).out).toBe(`${DIGEST}  0  x\n`);
});

test("a flag's value and what stands behind -- are no command's word", async () => {
  using fake = serving();
  const named = await cli6(["-s", "ls", "--connect-timeout", "1ms", "--", "ls"]);
  expect([named.status, named.err.includes("ls")]).toEqual([named.status, true]);
  expect([7, 10]).toContain(named.status ?? -1);
  await cli6(["-s", fake.address, "--", "stat"]);
  expect(fake.connections[0]?.received).toBe("READ /stat\n");
});

test("a flag of another command is told apart from one of nobody", async () => {
  const cases: [string[], string][] = [
    [["ls", "--algo", "x"], "cli6: --algo is a flag of cli6 hash, not of cli6 ls"],
    [["stat", "-i", "3", "x"], "cli6: -i is a flag of cli6 get and cli6 ping, not of cli6 stat"],
    [["stat", "--plain", "x"], "cli6: --plain is a flag of cli6 PATH|URL..., not of cli6 stat"],
    [
      ["ls", "--no-recursion"],
      "cli6: unknown flag --no-recursion: did you mean --no-recursive? (try",
    ],
    [["ls", "--frobnicate"], "cli6: unknown flag --frobnicate (try cli6 ls --help)"],
    [["--verson"], "cli6: unknown flag --verson: did you mean --version? (try cli6 --help)"],
    [["get", "--forse", "x"], "unknown flag --forse: did you mean --force? (try cli6 get --help)"],
    [["--recursiv", "x"], "--recursiv: did you mean --recursive of cli6 get? (try cli6 --help)"],
    [["help", "mirorr"], "there is no command mirorr: did you mean mirror? (try cli6 --help)"],
    [["--nobody", "ls"], "cli6: unknown flag --nobody"],
    [["stat"], "stat needs a PATH or URL"],
    [["ls", "--json", "--names"], "exclude each other"],
    [["hash", "-a", "xxh3", "--chunk", "17M", "x"], "at most 16M"],
    [["ping", "a", "b"], 'one too many: "b"'],
    [["help", "nothing\x1b"], "there is no command nothing\\x1b"],
  ];
  const runs = await Promise.all(cases.map(([args]) => cli6(args)));
  for (const [nth, run] of runs.entries()) {
    expect([run.status, run.out, run.err]).toEqual([
      2,
      "",
      expect.stringContaining(cases[nth]?.[1] ?? "?"),
    ]);
    expect(run.err.split("\n").length).toBe(2);
  }
});

test("a mistyped command, which is no file there, names the command that was meant", async () => {
  using fake = replying((line) => {
    if (line === "READ /stta" || line === "READ /x") return readReply("here\n");
    return `ERR ENOENT no such file: ${line.slice("READ ".length)}\n`;
  });
  const hint = /^cli6: there is no command (.*)$/m;
  const cases: [string[], number, string | null][] = [
    [["lss"], 3, "lss: did you mean cli6 ls?"],
    [["gte", "x"], 3, "gte: did you mean cli6 get?"],
    [["stta"], 0, null], // It is there.
    [["x", "lss"], 3, null],
    [["nothing"], 3, null],
    [["./lss"], 3, null],
    [["--", "lss"], 3, null],
  ];
  for (const [args, status, told] of cases) {
    const run = await cli6(["-s", fake.address, ...args]);
    const found = hint.exec(run.err)?.[1] ?? null;
    expect([args, run.status, found]).toEqual([args, status, told]);
  }
});

test("a word without a command is kept: neither a file nor something else", async () => {
  const rows = [{ word: "put", summary: "" }];
  const chosen = choose(CLI6, rows, ["-s", "nas", "put", "x"]);
  await expect(chosen).rejects.toThrow(
    "the command put does not exist yet; a file of that name is asked",
  );
  expect(await choose(CLI6, rows, ["./put"])).toBeNull();
  expect(await choose(CLI6, rows, ["x", "put"])).toBeNull();
  expect(await choose(CLI6, rows, ["--", "put"])).toBeNull();
});

test("every command has a help of its own, under both spellings", async () => {
  for (const word of ["ls", "stat", "hash", "ping"]) {
    const [one, other] = await Promise.all([cli6([word, "--help"]), cli6(["help", word])]);
    expect([one.status, one.out, one.err]).toEqual([0, other.out, ""]);
    expect(one.out).toStartWith(`cli6 ${word} `);
    expect(one.out).toContain("EXAMPLES");
    expect(one.out).toContain("[CLI6_SERVER]");
    for (const line of one.out.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  }
  expect((await cli6(["help"])).out).toBe((await cli6(["--help"])).out);
});

test("bash completes commands, flags and words with the script", async () => {
  const ask = async (program: string, ...words: string[]): Promise<string[]> => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const set = `COMP_WORDS=(${program} ${list}); COMP_CWORD=${words.length}`;
    const line = `eval "$(cli6 --completions bash)"; ${set}; _cli6_words; echo "\${COMPREPLY[@]}"`;
    const { out, err } = await shell(line, []);
    expect(err).toBe("");
    return out.trim().split(" ");
  };
  expect(await ask("cli6", "st")).toEqual(["stat"]);
  expect(await ask("cli6", "--pl")).toEqual(["--plain"]);
  expect(await ask("cli6", "-s", "stat", "p")).toEqual(["ping"]);
  expect(await ask("cli6", "-q", "hash", "--algo", "")).toEqual(["sha256", "xxh3"]);
  expect(await ask("cli6", "ls", "--rec")).toEqual(["--recursive"]);
  expect(await ask("cli6", "file", "--bin")).toEqual(["--binary"]);
  expect(await ask("cli6", "file", "st")).toEqual([""]);
  for (const name of ["zsh", "fish"]) {
    const script = await cli6(["--completions", name]);
    expect([script.status, script.out]).toEqual([0, expect.stringContaining("recursive")]);
  }
});
