/** Paths that are decided before the kernel is asked: faults 1 to 8 and 18. */
import { expect, test } from "bun:test";
import { replaceCall } from "../../rig/faults.ts";
import { codesOf, exchange } from "../../rig/exchange.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

/** The same answer to each of `lines`. */
const all = (lines: readonly string[], code: string): [string, string][] =>
  lines.map((line) => [line, code]);

test("1: a path with .. is EACCES in each form and dialect, and nothing is opened", async () => {
  using tree = new Tree({ "a/b": "inside" });
  await using running = new Running(tree.root);
  let opens = 0;
  const count = <A extends unknown[]>(real: (...args: A) => number): ((...args: A) => number) => {
    return (...args) => ((opens += 1), real(...args));
  };
  using _one = replaceCall("openat2", count);
  using _other = replaceCall("openat", count);
  const paths = ["/../etc/passwd", "/a/../../etc/passwd", "/..", "/./../x", "/a/..", "/a/../a/b"];
  paths.push("//../x", "/../", "/a/b/..", `/${"../".repeat(1000)}etc/passwd`);
  const lines = paths.flatMap((path) => ["READ", "STAT", "LIST"].map((verb) => `${verb} ${path}`));
  expect(await codesOf(running.port, lines)).toEqual(all(lines, "EACCES"));
  for (const path of [...paths, "..", "../etc/passwd", "a/../a/b", `${tree.root}/../x`]) {
    const { text, ending } = await running.ask(`${path}\n`);
    expect([text, ending]).toEqual([`ERROR EACCES: permission denied: ${path}\n`, "fin"]);
  }
  expect(opens).toBe(0);
  expect((await running.ask("a/b\n")).text).toBe("inside");
  expect(opens).toBeGreaterThan(0);
});

test("2: the bare dialect decodes nothing: an escape is part of a name", async () => {
  using tree = new Tree({ f: "plain", "%2e%2e/f": "literal", "%66": "percent" });
  await using running = new Running(tree.root);
  for (const path of ["/%2e%2e/etc/passwd", "/.%2e/", "/%252e%252e/", "%2e%2e/g"]) {
    expect((await running.ask(`${path}\n`)).text).toStartWith("ERROR ENOENT: ");
  }
  expect((await running.ask("%2e%2e/f\n")).text).toBe("literal");
  expect((await running.ask("/%66\n")).text).toBe("percent");
});

test("3: S6/1 decodes exactly once, and judges what comes out", async () => {
  using tree = new Tree({ f: "plain", "%66": "percent", "admin/x": "both ways" });
  await using running = new Running(tree.root);
  const escaped = ["/%2e%2e/etc/passwd", "/.%2e/x", "/%2E%2E", "/admin%2f..%2fadmin/x"];
  const lines = escaped.map((path) => `READ ${path}`);
  expect(await codesOf(running.port, lines)).toEqual(all(lines, "EACCES"));
  const twice = ["READ /%252e%252e/etc/passwd", "STAT /%252e%252e"];
  expect(await codesOf(running.port, twice)).toEqual(all(twice, "ENOENT"));
  const same = ["READ /admin%2fx", "READ /admin/x", "READ /%61dmin/%78", "READ %2fadmin/x"];
  const bodies = (await exchange(running.port, same)).map(({ body }) => body.toString());
  expect(bodies).toEqual(["both ways", "both ways", "both ways", ""]);
  const [once] = await exchange(running.port, ["READ /%2566"]);
  expect(once?.body.toString()).toBe("percent");
});

test("4: a backslash is a byte of a name, not a separator", async () => {
  using tree = new Tree({ x: "no", "private/x": "no", "private\\x": "yes", "a\\..\\x": "dots" });
  await using running = new Running(tree.root);
  expect((await running.ask("/private\\x\n")).text).toBe("yes");
  const lines = ["READ /private\\x", "READ /private%5cx", "READ /a\\..\\x"];
  const replies = await exchange(running.port, lines);
  expect(replies.map(({ body }) => body.toString())).toEqual(["yes", "yes", "dots"]);
  const none = ["READ /a\\..\\..\\x", "READ /\\x", "READ /private%5cy"];
  expect(await codesOf(running.port, none)).toEqual(all(none, "ENOENT"));
});

test("5: a NUL is EINVAL and cuts no name", async () => {
  using tree = new Tree({ f: "not this" });
  await using running = new Running(tree.root);
  expect((await running.ask("/f\0.jpg\n")).text).toStartWith("ERROR EINVAL: ");
  const lines = ["READ /f%00.jpg", "READ /f\0.jpg", "READ /f%00", "STAT /%00", "LIST /%00/.."];
  expect(await codesOf(running.port, lines)).toEqual(all(lines, "EINVAL"));
});

test("6: doubled slashes and single dots name the same file, below the root only", async () => {
  using tree = new Tree({ f: "f", "a/b": "ab" });
  await using running = new Running(tree.root);
  for (const path of ["//f", "///f", "/./f", "f", "./f", ".//./f"]) {
    expect((await running.ask(`${path}\n`)).text).toBe("f");
  }
  const same = ["READ //a//b", "READ /./a/./b", "READ /a///b"];
  const replies = await exchange(running.port, same);
  expect(replies.map(({ body }) => body.toString())).toEqual(["ab", "ab", "ab"]);
  const outside = ["READ //etc/passwd", "READ ///etc/passwd", "READ /etc/passwd"];
  expect(await codesOf(running.port, outside)).toEqual(all(outside, "ENOENT"));
});

test("7: names are bytes: no overlong form, no look-alike and no normal form is another", async () => {
  using tree = new Tree({ "caf\u00e9": "composed", "cafe\u0301": "decomposed" });
  await using running = new Running(tree.root);
  const dots = ["%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "\xef\xbc\x8e\xef\xbc\x8e"];
  const lines = dots.map((it) => `READ /${it}/etc/passwd`);
  lines.push("READ /f\xef\xbc\x8fg", "READ /CAF%c3%89");
  expect(await codesOf(running.port, lines)).toEqual(all(lines, "ENOENT"));
  const twins = ["READ /caf%c3%a9", "READ /cafe%cc%81"];
  const replies = await exchange(running.port, twins);
  expect(replies.map(({ body }) => body.toString())).toEqual(["composed", "decomposed"]);
});

test("8: a sibling that shares the root's first letters is out of reach", async () => {
  using tree = new Tree({ "root/f": "mine", "root_evil/x": "theirs", rootx: "theirs" });
  tree.link("root/evil", "../root_evil/x");
  await using running = new Running(tree.path("root"));
  for (const path of [
    tree.path("root_evil/x"),
    tree.path("rootx"),
    `${tree.path("root")}/../rootx`,
  ]) {
    expect((await running.ask(`${path}\n`)).text).toMatch(/^ERROR (?:ENOENT|EACCES): /);
  }
  const lines = ["READ /../root_evil/x", "READ /_evil/x", "READ /evil"];
  const codes = (await codesOf(running.port, lines)).map(([, code]) => code);
  expect(codes).toEqual(["EACCES", "ENOENT", "EACCES"]);
  expect((await running.ask(`${tree.path("root/f")}\n`)).text).toBe("mine");
});

test("18: a directory is never read, and a file is no directory", async () => {
  using tree = new Tree({ "d/f": "f", f: "f" });
  await using running = new Running(tree.root);
  const directory = ["READ /d", "READ /d/", "READ /", "READ /d/.", "READ /."];
  expect(await codesOf(running.port, directory)).toEqual(all(directory, "EISDIR"));
  const file = ["READ /f/", "READ /f/x", "READ /f/.", "STAT /f/", "LIST /f", "LIST /f/"];
  expect(await codesOf(running.port, file)).toEqual(all(file, "ENOTDIR"));
  const good = ["STAT /d", "STAT /d/", "STAT /", "LIST /d", "LIST /d/", "LIST /"];
  expect(await codesOf(running.port, good)).toEqual(all(good, "OK"));
  for (const path of ["d", "/d/", "/", tree.root, `${tree.root}/d`]) {
    expect((await running.ask(`${path}\n`)).text).toStartWith("ERROR E");
  }
  expect((await running.ask("f/\n")).text).toBe("ERROR ENOTDIR: not a directory: f/\n");
});
