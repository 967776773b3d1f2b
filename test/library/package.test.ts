/**
 * The package as somebody else has it: packed, unpacked into the node_modules of a strict package
 * as `bun init` makes one, checked for types and run. No registry is asked: what it depends on is
 * linked from this repository. And the README's own program, as it stands there.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";

const ROOT = path.join(import.meta.dir, "../..");
const MIB = 1024 * 1024;

/** What `bun init` writes. */
const TSCONFIG = {
  compilerOptions: {
    lib: ["ESNext"],
    target: "ESNext",
    module: "Preserve",
    moduleDetection: "force",
    jsx: "react-jsx",
    allowJs: true,
    types: ["bun"],
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    noFallthroughCasesInSwitch: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
  },
};

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

let package_: Tree;

function run(cwd: string, command: readonly string[]): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, stdin: "ignore" });
  return { status: exitCode, out: stdout.toString(), err: stderr.toString() };
}

const bun = (...args: readonly string[]): Ran => run(package_.root, [process.execPath, ...args]);

/** The program in the README's section of that name. */
function readme(section: string): string {
  const text = fs.readFileSync(path.join(ROOT, "README.md"), "utf8");
  const [, behind = ""] = text.split(`\n## ${section}\n`);
  return /```ts\n(.*?)```/s.exec(behind)?.[1] ?? "";
}

beforeAll(() => {
  package_ = new Tree({
    "package.json": JSON.stringify({ name: "consumer", type: "module", private: true }),
    "tsconfig.json": JSON.stringify(TSCONFIG),
    "consumer.ts": fs.readFileSync(path.join(import.meta.dir, "consumer.ts")),
    "readme.ts": readme("As a library"),
    "served/large": content(1, 1, 9 * MIB),
    "served/small": "small",
    "models/README.md": "a text",
    "models/a.bin": "a".repeat(1000),
    "models/b.bin": content(2, 1, 5 * MIB),
    "node_modules/@types": null,
  });
  const packed = run(ROOT, [process.execPath, "pm", "pack", "--destination", package_.root]);
  expect([packed.status, packed.err]).toEqual([0, expect.not.stringContaining("error")]);
  const [tarball] = fs.readdirSync(package_.root).filter((name) => name.endsWith(".tgz"));
  run(package_.root, ["tar", "xzf", tarball ?? ""]);
  fs.renameSync(package_.path("package"), package_.path("node_modules/serv6"));
  // What every installer does with "bin".
  fs.mkdirSync(package_.path("node_modules/.bin"));
  for (const [name, file] of Object.entries(manifest.bin)) {
    fs.chmodSync(package_.path(`node_modules/serv6/${file}`), 0o755);
    package_.link(`node_modules/.bin/${name}`, `../serv6/${file}`);
  }
  for (const name of ["citty", "bun-types", "@types/bun", "@types/node", "undici-types"]) {
    const there = path.join(ROOT, "node_modules", name);
    if (fs.existsSync(there)) package_.link(`node_modules/${name}`, there);
  }
});

afterAll(() => package_[Symbol.dispose]());

test("a strict package that depends on it has no type error, here or in it", () => {
  const { status, out, err } = bun("check", "--no-script");
  expect([status, out + err]).toEqual([0, expect.stringContaining("No type errors")]);
});

test("a wrong call, and a type error of the package's own, would be seen there", () => {
  const source = package_.path("node_modules/serv6/src/wire/path.ts");
  const before = fs.readFileSync(source);
  package_.write("wrong.ts", 'import { serve } from "serv6";\nserve({ root: 1 });\n');
  fs.appendFileSync(source, 'export const wrong: number = "text";\n');
  const { status, out, err } = bun("check", "--no-script");
  fs.rmSync(package_.path("wrong.ts"));
  fs.writeFileSync(source, before);
  expect(status).toBe(1);
  expect(out + err).toMatch(/wrong\.ts\(2,/);
  expect(out + err).toContain("serv6/src/wire/path.ts(");
});

test("its program serves, downloads, mirrors, looks at the progress and ends a download", () => {
  const { status, out, err } = bun("consumer.ts");
  expect([status, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toEqual({
    version: true,
    looked: true,
    downloaded: [2, 9 * MIB + 5],
    events: ["done", "done"],
    mirrored: [2, 0],
    aborted: ["aborted", 1],
  });
  const copied = fs.readFileSync(package_.path("copy/large"));
  expect(Buffer.compare(copied, fs.readFileSync(package_.path("served/large")))).toBe(0);
});

test("the README's program runs as it stands there", () => {
  const { status, out, err } = bun("readme.ts");
  expect([status, err]).toEqual([0, ""]);
  const size = 5 * MIB + 1000;
  const lines = out.trimEnd().split("\n");
  expect(lines).toContain(`${size} of ${size} bytes`);
  expect(lines).toContain("copy/b.bin");
  expect(lines.at(-1)).toBe(`6 2 ${size}`);
  expect(fs.readdirSync(package_.path("here")).toSorted()).toEqual(["a.bin", "b.bin"]);
});

test("bunx finds both programs in it, and they read no bunfig.toml and no .env", () => {
  package_.write("trap/bunfig.toml", 'preload = ["./sprung.ts"]\n');
  package_.write("trap/sprung.ts", 'await Bun.write("sprung", "");\n');
  package_.write("trap/.env", "SERV6_PORT=none\nCLI6_TIMEOUT=none\n");
  const bin = path.join(ROOT, "node_modules/.bin");
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH ?? ""}` };
  for (const [program, ...args] of [
    ["serv6", "--version"],
    ["cli6", "--version"],
    ["cli6", "-s", "127.0.0.1:1", "f"],
    ["serv6", "no-such-folder"],
  ] as const) {
    const command = [path.join(bin, "bunx"), "--no-install", program, ...args];
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
      cwd: package_.path("trap"),
      env,
    });
    const said = stdout.toString() + stderr.toString();
    if (args[0] === "--version") expect(said).toStartWith(`${program} ${manifest.version} (source`);
    else expect([program, exitCode]).toEqual([program, program === "serv6" ? 3 : 7]);
  }
  expect(fs.existsSync(package_.path("trap/sprung"))).toBe(false);
});

test("under Node each program and the import say in one line that Bun is needed", () => {
  for (const program of ["cli6", "serv6"]) {
    const { status, out, err } = run(ROOT, ["node", `src/${program}.ts`]);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toMatch(new RegExp(`^${program}: .*needs Bun [^\n]*\n$`));
  }
  const importing = 'import("serv6").catch(({ message }) => console.log(message))';
  const { status, out, err } = run(package_.root, ["node", "-e", importing]);
  expect([status, err]).toEqual([0, ""]);
  expect(out).toMatch(/^serv6 needs Bun [^\n]*\n$/);
});
