/** Which of the paths and URLs that are asked for are one file on several servers. */
import { expect, test } from "bun:test";
import { parseServer, urlOf } from "../../src/client/address.ts";
import { soughtOf } from "../../src/download/sought.ts";

const APART = { named: false, apart: false, glob: true };

/** Each file as its URLs, the first one first. */
function joined(
  texts: readonly string[],
  given: Partial<typeof APART> = {},
  servers = "l",
): string[] {
  const [first = "", ...more] = servers.split(",");
  const all = [parseServer(first), ...more.map(parseServer)] as const;
  return soughtOf(texts, { ...APART, ...given, servers: all }).map(({ others, ...one }) =>
    [one, ...others].map(({ server, path }) => urlOf(server, path)).join(" "),
  );
}

test("one path on different servers is one file", () => {
  const [a, b, c] = ["s6://a:1/d/x", "s6://b:1/d/x", "http://c/d/x"];
  expect(joined([a, b, c])).toEqual([`${a} ${b} http://c:80/d/x`]);
  expect(joined([a, "s6://a:1/y", b, "s6://b:1/y"])).toEqual([
    `${a} ${b}`,
    "s6://a:1/y s6://b:1/y",
  ]);
  expect(joined(["s6://a:1/d%20x", "http://c/d%20x"])).toHaveLength(1);
});

test("other paths, one server twice, patterns and what is joined nowhere stay apart", () => {
  for (const [one, other] of [
    ["s6://a:1/x", "s6://b:1/e/x"],
    ["s6://a:1/x", "s6://a:1/x"],
    ["s6://a:1/*", "s6://b:1/*"],
  ] as const) {
    expect(joined([one, other])).toHaveLength(2);
  }
  expect(joined(["s6://a:1/x", "s6://b:1/x"], { apart: true })).toHaveLength(2);
});

test("under one name any paths on different servers are one file, and never two of one server", () => {
  expect(joined(["s6://a:1/x", "http://b/y?z"], { named: true })).toHaveLength(1);
  expect(joined(["s6://a:1/x", "s6://b:1/y", "s6://a:1/z"], { named: true })).toHaveLength(2);
});

test("a bare path is on all servers that are named, a URL on its own", () => {
  const both = ["s6://l:6464/x s6://m:6464/x", "s6://a:1/y"];
  expect(joined(["x", "s6://a:1/y"], {}, "l,m")).toEqual(both);
  // Twice named is once asked: else it would outvote the others.
  expect(joined(["x", "s6://a:1/y"], {}, "l,m,m,l")).toEqual(both);
  expect(joined(["x"], {}, "l,l")).toEqual(["s6://l:6464/x"]);
});

test("more than 16 servers of one file are refused", () => {
  const urls = Array.from({ length: 17 }, (_, nth) => `s6://h${nth}:1/x`);
  expect(joined(urls.slice(1))).toHaveLength(1);
  expect(() => joined(urls)).toThrow("16 servers at most");
});
