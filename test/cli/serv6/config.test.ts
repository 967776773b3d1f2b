/** The configuration file as the flags' table has it: what it may say, and who goes before whom. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { readConfig } from "../../../src/cli/serv6/configfile.ts";
import { configured } from "../../../src/cli/serv6/configured.ts";
import { SERV6 } from "../../../src/cli/serv6/serv6.ts";
import { type Environment, type FlagTable, parseFlags } from "../../../src/cli/flags/flags.ts";
import { Tree } from "../../rig/tree.ts";

const FLAGS: FlagTable = SERV6.flags;

/** Every flag that a file may set: a new one is among them by itself. */
const SETTABLE = Object.entries(FLAGS).filter(
  ([name, flag]) => flag.momentary !== true && name !== "config",
);

/** Values of all kinds; a flag takes the first two that its reader does. */
const SAMPLES = [
  ...["/tmp/one", "/tmp/two", "7001", "7002", "64K", "1M", "15s", "2m", "json", "combined", "auto"],
  ...["3", "4", "100M", "2G"],
  ...["10.0.0.0/8", "fd00::/8", "127.0.0.1:7000", "[::1]:7001"],
];

function samplesOf(name: string): [string, string] {
  const flag = FLAGS[name];
  if (flag?.type === "boolean") return ["true", "false"];
  const [one, two] = SAMPLES.filter(
    (text) => flag?.reader.read(text) !== null && flag?.default !== text,
  );
  if (one === undefined || two === undefined) throw new Error(`--${name} needs samples here`);
  return [one, two];
}

/** How a file says it: a switch without quotes. */
function lineOf(name: string, text: string): string {
  return `${name} = ${FLAGS[name]?.type === "boolean" ? text : JSON.stringify(text)}\n`;
}

/** What comes of a file with `toml`, `args` and the environment: values, and who said them. */
function read(toml: string, args: string[] = [], environment: Environment = {}) {
  using tree = new Tree();
  fs.writeFileSync(tree.path("serv6.toml"), toml, { mode: 0o600 });
  const file = readConfig(tree.path("serv6.toml"), SERV6);
  const beside = { filed: file.values };
  const invocation = parseFlags(SERV6, args, environment, beside);
  if (invocation.asks !== "run") throw new Error(invocation.asks);
  const wrong = file.wrong.map(({ message }) =>
    message.replace(`${tree.path("serv6.toml")}: `, ""),
  );
  const values: Readonly<Record<string, unknown>> = invocation.values;
  return { values, said: invocation.said, wrong, served: file.served, folder: tree.root };
}

/** The command line's own reading of the same. */
function typed(name: string, text: string): unknown {
  const invocation = parseFlags(SERV6, [`--${name}=${text}`], {});
  if (invocation.asks !== "run") throw new Error(invocation.asks);
  const values: Readonly<Record<string, unknown>> = invocation.values;
  return values[name];
}

test.each(SETTABLE.map(([name]) => name))("a file sets %s as the command line does", (name) => {
  for (const text of samplesOf(name)) {
    const { values, said, wrong } = read(lineOf(name, text));
    expect(wrong).toEqual([]);
    expect(values[name]).toEqual(typed(name, text));
    expect(said.get(name)).toEqual({ by: "file", texts: [text] });
    if (/^[0-9]+$/.test(text))
      expect(read(`${name} = ${text}\n`).values[name]).toEqual(values[name]);
  }
});

test.each(SETTABLE.map(([name]) => name))("%s: flag, environment, file, default", (name) => {
  const [one, two] = samplesOf(name);
  const file = lineOf(name, one);
  const environment = { [`SERV6_${name.toUpperCase().replaceAll("-", "_")}`]: two };
  const flag = [`--${name}=${one}`];
  const table: [string, string[], Environment, string, string | null][] = [
    ["", [], {}, "default", null],
    [file, [], {}, "file", one],
    ["", [], environment, "environment", two],
    [file, [], environment, "environment", two],
    ["", flag, {}, "flag", one],
    [lineOf(name, two), flag, {}, "flag", one],
    ["", flag, environment, "flag", one],
    [lineOf(name, two), flag, environment, "flag", one],
  ];
  for (const [toml, args, env, by, text] of table) {
    const { values, said } = read(toml, args, env);
    expect(said.get(name)?.by).toBe(by as "flag");
    if (text !== null) expect([by, values[name]]).toEqual([by, typed(name, text)]);
  }
});

test("a flag that may be repeated takes a value or a list; nobody's values are mixed", () => {
  const both = ["10.0.0.0/8", "fd00::/8"];
  expect(read(`allow = ${JSON.stringify(both)}`).values["allow"]).toEqual(both);
  expect(read('allow = "10.0.0.0/8"').values["allow"]).toEqual(["10.0.0.0/8"]);
  expect(read('allow = ["10.0.0.0/8"]', ["--allow", "::1"]).values["allow"]).toEqual(["::1"]);
  // A value of a file is one value, spaces and all.
  expect(read('cors = "a b"').values["cors"]).toBe("a b");
  expect(read('bind = "ü"').values["bind"]).toEqual(["\xc3\xbc"]);
});

test("relative paths are relative to the file, and a URL is none", () => {
  const { values, served, folder } = read('tokens = "a/../t"\nlog-file = "/var/l"\nroot = "."');
  expect([values["tokens"], values["log-file"]]).toEqual([`${folder}/t`, "/var/l"]);
  expect(served).toEqual({ root: folder });
  const roots = read('[roots.a]\npath = "x"\n[roots.b]\npath = "../y"\n[roots."c"]\npath = "/z"');
  expect(roots.served).toEqual({
    roots: { a: `${roots.folder}/x`, b: roots.folder.replace(/[^/]+$/, "y"), c: "/z" },
  });
  expect(read('root = "s3://bucket/prefix"').served).toEqual({ root: "s3://bucket/prefix" });
});

test.each([
  ["prot = 1", "unknown key prot: did you mean port?"],
  ["max_connections = 1", "unknown key max_connections: did you mean max-connections?"],
  ["no-http = true", "unknown key no-http: say http = false"],
  ["no-port = 1", "unknown key no-port: say port = false"],
  ['"a\\nb" = 1', "unknown key a\\x0ab"],
  ["__proto__ = 1", "unknown key __proto__"],
  ["toString = 1", "unknown key toString"],
  ['config = "x"', "config belongs on the command line, as --config"],
  ["check = true", "check belongs on the command line, as --check"],
  ["help = true", "help belongs on the command line, as --help"],
  ['new-token = "x"', "new-token belongs on the command line, as --new-token"],
  ["port = true", "port takes a port from 0 to 65535, not true"],
  ["port = 1.5", "port takes a port from 0 to 65535, not 1.5"],
  ["port = 65536", "port takes a port from 0 to 65535, not 65536"],
  ["port = [1]", "port takes a port from 0 to 65535, not a list"],
  ["[port]\na = 1", "port takes a port from 0 to 65535, not a table"],
  ['hidden = "yes"', 'hidden takes true or false, not "yes"'],
  ["hidden = 1", "hidden takes true or false, not 1"],
  ["port = inf", "port takes a port from 0 to 65535, not Infinity"],
  ["tokens = 2027-01-01T00:00:00Z", "tokens takes a file, not 2027-01-01T00:00:00Z"],
  ["allow = []", /^allow takes an address, .*, or a list of such, not an empty list$/],
  ['allow = ["::1", 5]', /^allow takes an address, .*, or a list of such, not a list$/],
  ['tokens = "a\\u0000b"', 'tokens takes a file, not "a\\x00b"'],
  ['user = "a\\nb"', 'user takes NAME or UID[:GID], not "a\\x0ab"'],
  [
    `log = "${"x".repeat(100)}"`,
    `log takes one of human, json, combined, off, not "${"x".repeat(60)}..."`,
  ],
  ["root = 1", "root takes the path of a folder or a file, not 1"],
  [
    'root = "a"\n[roots.b]\npath = "c"',
    "root is one place and roots are several: give one of them",
  ],
  ['roots = "a"', 'roots are tables, as [roots.models], not "a"'],
  ["[roots]", "roots are 1 to 16 tables, not 0"],
  ['[[roots]]\npath = "a"', "roots are tables, as [roots.models], not a list"],
  ['roots.a = "b"', 'roots.a is a table with a path, not "b"'],
  ["[roots.a]", "roots.a.path takes the path of a folder or a file, not nothing"],
  ["[roots.a]\npath = 5", "roots.a.path takes the path of a folder or a file, not 5"],
  ['[roots.a]\npath = ""', 'roots.a.path takes the path of a folder or a file, not ""'],
  ['[roots.a]\npath = "x"\npaht = "y"', "roots.a: unknown key paht: did you mean path?"],
  ['[roots."../b"]\npath = "x"', /^roots\.\.\.\/b takes letters, digits, /],
  ['[roots.__proto__]\npath = "x"', /^roots\.__proto__ takes letters, digits, /],
  ['[root]\npath = "x"', "root takes the path of a folder or a file, not a table"],
  ['[rots.a]\npath = "x"', "unknown key rots: did you mean roots?"],
] as const)("%j is wrong, and says how", (toml, message) => {
  const { wrong } = read(toml);
  expect(wrong).toHaveLength(1);
  if (typeof message === "string") expect(wrong[0]).toBe(message);
  else expect(wrong[0]).toMatch(message);
});

test("what is no TOML is told by its line, without a word of what is in it", () => {
  for (const [toml, message] of [
    ["a = 1\nb = [\n1,\n2]\nc = secret\n", / is no TOML in line 5: Strings must be quoted$/],
    ["port = 1\nport = 2\n", / is no TOML in line 2: Cannot redefine key$/],
    ["\0\0\x01", / is no TOML in line 1: Expected a key but found/],
    ["port =\n", / is no TOML in line 1: Missing value after =$/],
    ["secret", / is no TOML in line 1: Expected = after a key but found end of file$/],
    [`x = "${"\n".repeat(2000)}`, / is no TOML: Unterminated string$/],
    [`x = ${"[".repeat(60_000)}`, / is no TOML.*: Maximum call stack size exceeded\.?$/],
  ] as const) {
    let said = "";
    try {
      read(toml);
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(message);
    expect(said).not.toContain("secret");
  }
});

test("configured() reads anew each time, makes no key where it may not, and tells all", () => {
  using tree = new Tree();
  const file = tree.path("serv6.toml");
  const put = (text: string): void => fs.writeFileSync(file, text, { mode: 0o600 });
  const home = { HOME: tree.path("home") };
  const read = (args: string[] = []) =>
    configured(SERV6, ["-c", file, ...args], home, { makes: false });
  put('port = 1\nroot = "data"\ntls-self = true\nlinks = true\n');
  const { options } = read();
  expect(options).toMatchObject({ port: 1, root: tree.path("data"), tls: { self: true } });
  expect(fs.existsSync(tree.path("home"))).toBe(false);
  put("port = 2\n[roots.a]\npath = 'b'\n");
  expect(read().options).toMatchObject({ port: 2, roots: { a: tree.path("b") } });
  expect(read().options).not.toHaveProperty("root");
  const over = read(["elsewhere"]);
  expect(over.options).toMatchObject({ root: "elsewhere" });
  expect(over.options).not.toHaveProperty("roots");
  expect(over.unused).toBe(`ROOT goes before ${file}: the roots there are not served`);
  put("port = 3\nprot = 1\nhots = 2\n");
  expect(() => read()).toThrow("prot: did you mean port? (1 more: --check tells all)");
  expect(() => configured(SERV6, ["--help"], {})).toThrow("--help");
});
