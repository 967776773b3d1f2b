/** get and mirror behind their second wall: nothing is written but below the destination. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { needing, WALLS } from "../../rig/needs.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const OUTSIDE = { outside: "EACCES", remove: "EACCES", cut: "EACCES", later: "EACCES" };
const REST = { inside: "done", read: "done", program: "EACCES" };

async function behind(inside: string, outside: string, ...args: string[]): Promise<unknown> {
  const launch = [process.execPath, "--config=/dev/null", "--no-env-file"];
  const child = Bun.spawn(
    [...launch, `${import.meta.dir}/behindwall.ts`, inside, outside, ...args],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const said = await new Response(child.stdout).text();
  expect(await new Response(child.stderr).text()).toBe("");
  await child.exited;
  return JSON.parse(said);
}

needing(WALLS)("100: get writes below its destination alone, also one that it makes", async () => {
  using tree = new Tree({ "a.txt": "content" });
  using here = new Tree();
  using outside = new Tree({ "a.txt": "mine" });
  await using server = new Running(tree.root);
  const url = `s6://127.0.0.1:${server.port}/a.txt`;
  const to = here.path("made/now");
  expect(await behind(to, outside.root, "get", "-q", "-P", to, url)).toEqual({
    ...{ status: 0, ...OUTSIDE, ...REST },
  });
  expect(fs.readFileSync(here.path("made/now/a.txt"), "utf8")).toBe("content");
  expect(fs.readdirSync(outside.root)).toEqual(["a.txt"]);
  expect(fs.readFileSync(outside.path("a.txt"), "utf8")).toBe("mine");
});

needing(WALLS)("100: mirror writes and removes below its destination alone", async () => {
  using tree = new Tree({ "d/a.txt": "content", "e/b.txt": "more" });
  using here = new Tree({ "old/c.txt": "gone", "d/a.txt": "before" });
  using outside = new Tree({ "a.txt": "mine" });
  await using server = new Running(tree.root);
  const url = `s6://127.0.0.1:${server.port}/`;
  const args = ["mirror", "-q", "--delete", url, here.root];
  expect(await behind(here.root, outside.root, ...args)).toEqual({
    ...{ status: 0, ...OUTSIDE, ...REST },
  });
  fs.rmSync(here.path("planted"));
  expect(fs.readdirSync(here.root, { recursive: true }).sort()).toEqual([
    ...["d", "d/a.txt", "e", "e/b.txt"],
  ]);
  expect(fs.readFileSync(outside.path("a.txt"), "utf8")).toBe("mine");
});

test("to standard output nothing is written at all, and it works", async () => {
  using tree = new Tree({ "a.txt": "" });
  await using server = new Running(tree.root);
  using outside = new Tree({ "a.txt": "mine" });
  const url = `s6://127.0.0.1:${server.port}/a.txt`;
  const got = await behind(outside.root, outside.root, "get", "-q", "-o", "-", url);
  if (WALLS.here) expect(got).toMatchObject({ status: 0, ...OUTSIDE, inside: "EACCES" });
  else expect(got).toMatchObject({ status: 0 });
});
