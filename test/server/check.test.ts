/** failuresOf(): what serve() would end with, told without a server, and nothing left behind. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { failuresOf } from "../../src/server/check.ts";
import type { ServeOptions } from "../../src/server/start.ts";
import { openIn } from "../rig/open-files.ts";
import { filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const told = (options: ServeOptions, made: string[] = []): string[] =>
  failuresOf(options, made).map(({ message }) => message);

test("nothing is wrong with what can be served, however often it is asked", () => {
  using tree = new Tree({ "a/f": "", "b/f": "" });
  const { cert, key } = filesOf("good");
  const options = {
    roots: { a: tree.path("a"), b: tree.path("b/f") },
    ...{ allow: ["10.0.0.0/8"], deny: ["::1"], proxies: ["127.0.0.1"], cors: "https://a.example" },
    ...{ tls: { cert, key }, tokens: { secret: "t" }, logFile: tree.path("log") },
  };
  for (let i = 0; i < 20; i++) expect(told(options)).toEqual([]);
  expect(openIn(tree.root)).toBe(0);
  expect(fs.existsSync(tree.path("log"))).toBe(false);
  expect(told({ root: tree.path("a") })).toEqual([]);
});

test("everything that is wrong is told once", () => {
  using tree = new Tree({ f: "no certificate" });
  const { cert } = filesOf("good");
  const options = {
    roots: { a: tree.path("no"), "-": tree.root, c: tree.root },
    ...{ allow: ["10.0.0.0/8", "x"], deny: ["y"], proxies: ["z"], cors: "a" },
    ...{ tls: { cert: tree.path("f"), key: cert }, tokens: { linkKey: tree.path("f") } },
    logFile: tree.root,
  };
  expect(told(options)).toEqual(
    [
      /^the root a: cannot serve .*: there is no such file or directory$/,
      /^the root "-" takes letters/,
      /^--tls-cert: .*\/f holds no certificate in PEM$/,
      /^--link-key: .*\/f /,
      ...[/^x is no address/, /^y is no address/, /^z is no address/],
      /^cors: a is no origin/,
      /^cannot write the log .*: EISDIR$/,
    ].map((line) => expect.stringMatching(line)),
  );
  expect(told({})).toEqual(["serve() takes a root, or roots by their names"]);
  expect(told({ roots: {} })).toEqual(["1 to 16 roots can be served, not 0"]);
});

test("a key that is missing is wrong, unless who starts the server makes it", () => {
  using tree = new Tree();
  const tls = { cert: tree.path("tls.pem"), key: tree.path("tls.pem"), self: true };
  const options = { root: tree.root, tls, tokens: { linkKey: tree.path("links.key") } };
  expect(told(options)).toEqual([
    expect.stringMatching(/^--tls-cert: .*ENOENT/),
    expect.stringMatching(/^--link-key: .*ENOENT/),
  ]);
  expect(told(options, [tls.cert])).toEqual([expect.stringMatching(/^--link-key: .*ENOENT/)]);
  expect(told(options, [tls.cert, options.tokens.linkKey])).toEqual([]);
  // One that is there is read all the same.
  fs.writeFileSync(tls.cert, "x");
  expect(told(options, [tls.cert, options.tokens.linkKey])).toHaveLength(1);
});
