/** The lines to copy: words of a shell, whatever Host and names are. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { folderLines } from "../../../src/wire/http/folderlines.ts";
import { isAuthority } from "../../../src/wire/http/target.ts";

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");
const lines = (host: string, relative: string, file: string | null): string[] =>
  folderLines(host, relative, file, false).map(({ line }) => line);

test.each([
  [
    ["nas:6464", "a/b/", "f.bin"],
    "cli6 mirror s6://nas:6464/a/b/ b",
    "cli6 get s6://nas:6464/a/b/f.bin",
    "curl -C - -O http://nas:6464/a/b/f.bin",
  ],
  [
    ["nas", ".", utf8("el niño's")],
    "cli6 mirror s6://nas:80/ nas",
    "cli6 get s6://nas:80/el%20ni%C3%B1o%27s",
    "curl -C - -o 'el niño'\\''s' http://nas/el%20ni%C3%B1o%27s",
  ],
  [
    ["[::1]:7", utf8("-x y/"), "\xff"],
    "cli6 mirror s6://[::1]:7/-x%20y/ copy",
    "cli6 get s6://[::1]:7/-x%20y/%FF",
    "curl -C - -O http://[::1]:7/-x%20y/%FF",
  ],
  [
    ["$(id);'&", "$(id)/", "a\\\n"],
    "cli6 mirror 's6://$(id);'\\''&:80/%24%28id%29/' '$(id)'",
    "cli6 get 's6://$(id);'\\''&:80/%24%28id%29/a%5C%0A'",
    "curl -C - -O 'http://$(id);'\\''&/%24%28id%29/a%5C%0A'",
  ],
  [["h:", ".", null], "cli6 mirror s6://h:80/ h"],
  [["[fe80::1]:80", ".", null], "cli6 mirror s6://[fe80::1]:80/ copy"],
] as [[string, string, string | null], ...string[]][])("%j", (given, ...wanted) => {
  const [host, relative, file] = given as [string, string, string | null];
  expect(isAuthority(host)).toBe(true);
  expect(lines(host, relative, file)).toEqual(wanted as string[]);
});

test("there are none where no host is named", () => {
  for (const host of ["", ":80"]) expect(lines(host, "a/", "f")).toEqual([]);
});

test("a shell takes each line for the words that it shows, and for nothing else", async () => {
  const byte = fc.constantFrom(..."ab~!$&'()*+;=%._-".split(""));
  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }).map((it) => utf8(it).replaceAll(/[/\0]/g, "x")),
    fc.constantFrom("$(id)", "`id`", "a;id", "a'b", 'a"b', "-rf", "*", "~", "#"),
  );
  const host = fc.array(byte, { minLength: 1, maxLength: 12 }).map((it) => it.join(""));
  const all: string[] = [];
  fc.assert(
    fc.property(host, name, name, (it, folder, file) => {
      if (isAuthority(it)) all.push(...lines(it, `${folder}/`, file));
    }),
    { numRuns: 100 },
  );
  // The commands are functions that write each of their words with a NUL behind it.
  const script = `show() { printf '%s\\0' "$@"; printf '\\n\\0'; }; cli6() { show cli6 "$@"; }; curl() { show curl "$@"; }\n`;
  const shell = Bun.spawn(["sh", "-c", script + all.join("\n")], { stderr: "pipe" });
  const [out, err] = await Promise.all([shell.stdout.text(), shell.stderr.text()]);
  expect(err).toBe("");
  const ran = out.split("\n\0").slice(0, -1);
  expect(ran).toHaveLength(all.length);
  ran.forEach((words, nth) => {
    const [command, ...rest] = words.split("\0").slice(0, -1);
    const quoted = rest.map((word) =>
      /^[A-Za-z0-9_./:@%+=,[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
    );
    expect([command, ...quoted].join(" ")).toBe(all[nth]!);
  });
});

test("each line says what it does", () => {
  expect(folderLines("nas", "d/", "f", false).map(({ does }) => does)).toEqual([
    "The whole folder; run again, it brings what has changed",
    "One file, compared with the server's digests",
    "One file with curl, going on where it stopped",
  ]);
});

test("by TLS its schemes and their port are in the lines", () => {
  const secure = (host: string): string[] =>
    folderLines(host, "d/", "f", true).map(({ line }) => line);
  expect(secure("nas")).toEqual([
    "cli6 mirror s6s://nas:443/d/ d",
    "cli6 get s6s://nas:443/d/f",
    "curl -C - -O https://nas/d/f",
  ]);
  expect(secure("nas:6464")[2]).toBe("curl -C - -O https://nas:6464/d/f");
});
