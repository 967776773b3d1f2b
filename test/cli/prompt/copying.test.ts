/** What copies to this machine at the prompt: `get`, `mget` and `mirror`, with patterns. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { until } from "../../client/fake.ts";
import { CLI6_COMMAND, environment } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

test("mget and get take patterns, mirror a folder; what is quoted and the folder's own name is none", async () => {
  using there = new Tree({
    "d[1]/m1.bin": "1",
    "d[1]/m2.bin": "2",
    "d[1]/n.txt": "n",
    "d[1]/q*": "star",
    "d[1]/sub/x": "x",
    "d1/m3.bin": "never",
    "d1/qq": "never",
  });
  await using running = new Running(there.root);
  using here = new Tree();
  let seen = "";
  const child = Bun.spawn([...CLI6_COMMAND, "--no-history", "-s", `127.0.0.1:${running.port}`], {
    cwd: here.root,
    env: { ...environment(), TERM: "xterm" },
    terminal: {
      cols: 100,
      rows: 30,
      data: (_, chunk) => (seen += Buffer.from(chunk).toString("latin1")),
    },
  });
  const prompts = (): number => Bun.stripANSI(seen).split(/serv6:[^ ]*> /).length - 1;
  const type = async (line: string): Promise<string> => {
    const [from, before] = [seen.length, prompts()];
    child.terminal?.write(`${line}\r`);
    await until(() => prompts() > before);
    return Bun.stripANSI(seen.slice(from));
  };
  try {
    await until(() => prompts() === 1);
    await type("cd d[1]");
    await type("mget m*.bin");
    expect(fs.readdirSync(here.root).sort()).toEqual(["m1.bin", "m2.bin"]);
    await type("mget m[34].bin n.*");
    expect(fs.readdirSync(here.root).sort()).toEqual(["m1.bin", "m2.bin", "n.txt"]);
    expect(await type("get 'q*'")).not.toContain("ENOENT");
    expect(fs.readFileSync(here.path("q*"), "latin1")).toBe("star");
    await type("get s?b/x y");
    expect(fs.readFileSync(here.path("y"), "latin1")).toBe("x");
    expect(await type("mget z*")).toContain("nothing matches");
    await type("mirror sub");
    await type("mirror /d1 copy");
    expect(fs.readFileSync(here.path("sub/x"), "latin1")).toBe("x");
    expect(fs.readdirSync(here.path("copy")).sort()).toEqual(["m3.bin", "qq"]);
    expect(await type("mirror /")).toContain("the root has no name");
    expect(await type("mget")).toContain("usage: mget PATTERN...");
    expect(await type("help")).toContain("mirror PATH [LOCAL]");
  } finally {
    child.kill();
  }
});
