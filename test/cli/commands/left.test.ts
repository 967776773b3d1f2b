/** What `ls` and `mirror` say of names that the server leaves out. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { cli6 } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const OUT = "links that lead out of what is served, or are not followed";

function servedTree(): Tree {
  const tree = new Tree({ "s/a": "theirs", "s/d/f": "theirs", to: null });
  for (const name of ["l1", "l2", "l3", "l4"]) tree.link(`s/${name}`, "/etc/passwd");
  tree.link("s/d/none", "gone");
  return tree;
}

test("ls names the first few and counts the rest, whatever its form; the status stays 0", async () => {
  using tree = servedTree();
  tree.link("s/l0\u001b", "/etc/passwd");
  await using running = new Running(tree.path("s"));
  const at = `127.0.0.1:${running.port}`;
  const line = `cli6: 5 names left out of s6://${at}/: l0\\x1b, l1, l2 and 2 more: ${OUT}\n`;
  for (const flag of ["-l", "--json", "--names", "-0", "-t"]) {
    const run = await cli6(["ls", flag, "-s", at]);
    expect([flag, run.status, run.err]).toEqual([flag, 0, line]);
    expect(run.out).not.toContain("l1");
  }
  expect(await cli6(["ls", "-q", "-s", at])).toMatchObject({ status: 0, err: "" });
  expect((await cli6(["ls", "-R", "-s", at])).err).toBe(
    line.replace(": l0\\x1b, l1, l2", ": /l0\\x1b, /l1, /l2") +
      `cli6: 1 name left out of s6://${at}/: /d/none: links that lead nowhere\n`,
  );
});

test("mirror brings the rest and ends with 5; --delete keeps what is here by such a name", async () => {
  using tree = servedTree();
  await using running = new Running(tree.path("s"));
  const url = `s6://127.0.0.1:${running.port}/`;
  fs.writeFileSync(tree.path("to/l1"), "mine");
  fs.writeFileSync(tree.path("to/extra"), "mine");
  const run = await cli6(["mirror", "--delete", url, tree.path("to")]);
  expect(run.status).toBe(5);
  expect(run.err).toContain(`EACCES: 4 names left out of ${url}: l1, l2, l3 and 1 more: ${OUT}`);
  expect(run.err).toContain(`ENOENT: 1 name left out of ${url}d: none: links that lead nowhere`);
  expect(run.err).toContain("nothing is removed");
  expect(fs.readFileSync(tree.path("to/d/f"), "latin1")).toBe("theirs");
  for (const name of ["l1", "extra"]) expect(fs.existsSync(tree.path(`to/${name}`))).toBe(true);
  const dry = await cli6(["mirror", "-n", "--delete", url, tree.path("to")]);
  expect(dry.status).toBe(5);
  expect(dry.err).not.toMatch(/removed +l1/);
});

test("what is excluded is not missed; a pipe is told and not missed; neither is removed here", async () => {
  using tree = servedTree();
  await using running = new Running(tree.path("s"));
  spawnSync("mkfifo", [tree.path("s/pipe")]);
  for (const name of ["l1", "pipe", "extra"]) fs.writeFileSync(tree.path(`to/${name}`), "mine");
  const url = `s6://127.0.0.1:${running.port}/`;
  const flags = ["--delete", "--exclude", "l?", "--exclude", "none"];
  const run = await cli6(["mirror", ...flags, url, tree.path("to")]);
  expect([run.status, run.err]).toEqual([
    0,
    `cli6: 1 name left out of ${url}: pipe: devices, pipes or sockets\n`,
  ]);
  expect(fs.readdirSync(tree.path("to")).toSorted()).toEqual(["a", "d", "l1", "pipe"]);
});

test("a link that leads back up is said once and not followed again: ls -R, mirror, get -r", async () => {
  using tree = new Tree({ "s/d/f": "theirs", to: null });
  tree.link("s/d/up", "..");
  tree.link("s/twice", "d");
  await using running = new Running(tree.path("s"));
  const at = `127.0.0.1:${running.port}`;
  const told = (path: string, above: string): string =>
    `cli6: ELOOP: ${path}: links lead back to ${above}: not listed again (s6://${at})\n`;
  const both = told("/d/up", "/") + told("/twice/up", "/");
  for (const flag of ["--names", "-tr1"]) {
    const ls = await cli6(["ls", "-R", flag, "-s", at]);
    expect([ls.status, ls.err]).toEqual([5, flag === "--names" ? both : expect.any(String)]);
    expect(ls.err.split("\n").toSorted()).toEqual(both.split("\n").toSorted());
    expect(ls.out.split("\n").filter(Boolean).toSorted()).toEqual([
      "/d/",
      "/d/f",
      "/d/up/",
      "/twice/",
      "/twice/f",
      "/twice/up/",
    ]);
  }
  for (const words of [["mirror"], ["get", "-r", "-P"]]) {
    const to = tree.path(`to/${words[0]}`);
    const url = `s6://${at}/d`;
    const run = await cli6(
      words[0] === "mirror" ? ["mirror", `s6://${at}/`, to] : [...words, to, url],
    );
    expect([words[0], run.status]).toEqual([words[0]!, 5]);
    expect(run.err).toContain("not listed again");
    const names = fs.readdirSync(to, { recursive: true }).map(String);
    expect(names.filter((name) => name.endsWith("/f")).length).toBe(words[0] === "mirror" ? 2 : 1);
  }
});
