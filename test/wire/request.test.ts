/** Request lines: what the grammar takes, and how everything else is refused in one short line. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/wire/errors.ts";
import { errLine } from "../../src/wire/reply.ts";
import { parseRequest, type Request, TO_THE_END } from "../../src/wire/request.ts";

const blank = { path: "", offset: 0n, length: TO_THE_END, etag: "", limit: 4096, after: "" };

const good: [line: string, want: Partial<Request>][] = [
  ["READ /a", { verb: "READ", path: "/a" }],
  ["READ /", { verb: "READ", path: "/" }],
  ["READ /a b  c ", { verb: "READ", path: "/a b  c " }],
  ["READ / offset=1", { verb: "READ", path: "/ offset=1" }],
  ["READ offset=1 /a offset=2", { verb: "READ", offset: 1n, path: "/a offset=2" }],
  ["READ /a%20b%0A%ff%25", { verb: "READ", path: "/a b\n\xff%" }],
  ["READ /%2e%2e/%2F", { verb: "READ", path: "/..//" }],
  ["READ offset=7 length=0 /a", { verb: "READ", offset: 7n, length: 0n, path: "/a" }],
  ["READ if=x= length=9 offset=0 /a", { verb: "READ", etag: "x=", length: 9n, path: "/a" }],
  [`READ if=${"e".repeat(64)} /a`, { verb: "READ", etag: "e".repeat(64), path: "/a" }],
  ["READ length=9007199254740993 /a", { verb: "READ", length: 9007199254740993n, path: "/a" }],
  ["STAT //x", { verb: "STAT", path: "//x" }],
  ["LIST /", { verb: "LIST", path: "/" }],
  ["LIST limit=0 after=a%20%0A /d/", { verb: "LIST", limit: 0, after: "a \n", path: "/d/" }],
  ["LIST limit=4095 /", { verb: "LIST", limit: 4095, path: "/" }],
  ["LIST limit=9999999999999999 /", { verb: "LIST", limit: 4096, path: "/" }],
  ["LIST after= /", { verb: "LIST", after: "", path: "/" }],
  ["LIST after=/x /", { verb: "LIST", after: "/x", path: "/" }],
  ["PING", { verb: "PING" }],
];

test.each(good)("%j is a request", (line, want) => {
  expect(parseRequest(line)).toEqual({ ...blank, verb: "READ", ...want });
});

const bad: [name: string, line: string, code: string][] = [
  ["no path", "READ", "EINVAL"],
  ["no path behind keys", "READ offset=1", "EINVAL"],
  ["nothing behind the space", "READ ", "EINVAL"],
  ["a path without a slash", "READ a", "EINVAL"],
  ["two spaces", "READ  /a", "EINVAL"],
  ["two spaces behind a key", "READ offset=1  /a", "EINVAL"],
  ["a tab", "READ\t/a", "ENOSYS"],
  ["an unknown key", "READ range=1 /a", "EINVAL"],
  ["another verb's key", "STAT offset=1 /a", "EINVAL"],
  ["a key in capitals", "READ OFFSET=1 /a", "EINVAL"],
  ["a key of every object", "READ constructor=1 /a", "EINVAL"],
  ["a doubled key", "READ offset=1 offset=1 /a", "EINVAL"],
  ["a doubled if=", "READ if=a length=1 if=a /a", "EINVAL"],
  ["a doubled after=", "LIST after=a after=b /", "EINVAL"],
  ["no key", "READ =1 /a", "EINVAL"],
  ["no value", "READ offset= /a", "EINVAL"],
  ["no equals sign", "READ offset /a", "EINVAL"],
  ["an empty if=", "READ if= /a", "EINVAL"],
  ["an if= of 65 characters", `READ if=${"e".repeat(65)} /a`, "EINVAL"],
  ["an if= of 8 KB", `READ if=${"e".repeat(8180)} /a`, "EINVAL"],
  ["an exponent", "READ offset=1e3 /a", "EINVAL"],
  ["hex", "READ offset=0x1 /a", "EINVAL"],
  ["a plus", "READ length=+1 /a", "EINVAL"],
  ["a minus", "READ offset=-5 /a", "EINVAL"],
  ["a leading zero", "READ offset=01 /a", "EINVAL"],
  ["17 digits", "READ offset=10000000000000000 /a", "EINVAL"],
  ["400 digits", `READ offset=${"9".repeat(400)} /a`, "EINVAL"],
  ["full-width digits", "READ offset=\xef\xbc\x91 /a", "EINVAL"],
  ["a range", "READ offset=5-2 /a", "EINVAL"],
  ["a limit that is no number", "LIST limit=-1 /", "EINVAL"],
  ["an escape that is none in a path", "READ /a%zz", "EINVAL"],
  ["a percent at the end of a path", "READ /a%", "EINVAL"],
  ["an escape that is none in after=", "LIST after=%q /", "EINVAL"],
  ["a path where none belongs", "PING /a", "EINVAL"],
  ["a space behind PING", "PING ", "EINVAL"],
  ["a key behind PING", "PING a=b", "EINVAL"],
  ["an unknown verb", "MOVE /a", "ENOSYS"],
  ["a verb in small letters", "read /a", "ENOSYS"],
  ["a verb of every object", "toString /a", "ENOSYS"],
  ["an empty line", "", "ENOSYS"],
  ["a space in front", " READ /a", "ENOSYS"],
  ["HASH, which is not built", "HASH /a", "ENOSYS"],
  ["HASH with whatever behind it", "HASH !!", "ENOSYS"],
  ["AUTH, which is not built", "AUTH secret", "ENOSYS"],
];

test.each(bad)("%s is refused", (_, line, code) => {
  const refused = parseRequest(line);
  expect(refused).toBeInstanceOf(Refusal);
  expect((refused as Refusal).code as string).toBe(code);
});

test("a refusal is one short printable line, whatever the request held", () => {
  const nasty = "\x1b]0;x\x07\r\x9b\xe2\x80\xae\xff".repeat(500);
  const lines = [nasty, `READ ${nasty}`, `READ offset=${nasty} /a`, `READ x${nasty}=1 /a`];
  lines.push(`READ /%${nasty}`, `LIST after=%${nasty} /`, `READ if=${nasty} /a`);
  for (const line of lines) {
    const refused = parseRequest(line);
    expect(refused).toBeInstanceOf(Refusal);
    const text = errLine(refused as Refusal);
    expect(text).toMatch(/^ERR E[A-Z0-9]+ [^\p{Cc}\p{Cf}]{1,600}\n$/u);
  }
});

test("a token is not told back", () => {
  const refused = parseRequest("AUTH my-secret-token") as Refusal;
  expect(refused.message).not.toContain("secret");
});

test("requests that are written by the grammar are read as written", () => {
  const number = fc.bigInt({ min: 0n, max: 10n ** 16n - 1n });
  const name = fc.uint8Array({ maxLength: 20 }).map((it) => Buffer.from(it).toString("latin1"));
  const every = (text: string): string =>
    [...text].map((it) => `%${it.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
  fc.assert(
    fc.property(number, number, name, fc.boolean(), (offset, length, path, swapped) => {
      const keys = [`offset=${offset}`, `length=${length}`];
      if (swapped) keys.reverse();
      const line = `READ ${keys.join(" ")} /${every(path)}`;
      const want = { ...blank, verb: "READ", offset, length, path: `/${path}` };
      expect<unknown>(parseRequest(line)).toEqual(want);
    }),
    { numRuns: 1000 },
  );
});
