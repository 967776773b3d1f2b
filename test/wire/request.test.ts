/** Request lines: what the grammar takes, and how everything else is refused in one short line. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/wire/errors.ts";
import { errLine } from "../../src/wire/reply.ts";
import { parseRequest, type Request, TO_THE_END, wholeFile } from "../../src/wire/request.ts";

const blank = {
  path: "",
  offset: 0n,
  length: TO_THE_END,
  etag: "",
  limit: 4096,
  after: "",
  left: false,
  chunk: 0n,
  algo: "xxh3" as const,
  token: "",
};

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
  ["HASH /a", { verb: "HASH", path: "/a" }],
  ["HASH chunk=1 /a chunk=2", { verb: "HASH", chunk: 1n, path: "/a chunk=2" }],
  ["HASH algo=xxh3 chunk=16777216 /a", { verb: "HASH", chunk: 16777216n, path: "/a" }],
  ["HASH algo=sha256 /a", { verb: "HASH", algo: "sha256", path: "/a" }],
  [
    "HASH chunk=9999999999999999 length=2 offset=1 algo=sha256 /a",
    {
      verb: "HASH",
      offset: 1n,
      length: 2n,
      chunk: 9999999999999999n,
      algo: "sha256",
      path: "/a",
    },
  ],
  ["LIST left=1 /", { verb: "LIST", left: true, path: "/" }],
  ["LIST left=0 after=a limit=2 /", { verb: "LIST", after: "a", limit: 2, path: "/" }],
  ["PING", { verb: "PING" }],
  ["AUTH a.secret/==", { verb: "AUTH", token: "a.secret/==" }],
];

test.each(good)("%j is a request", (line, want) => {
  expect(parseRequest(line)).toEqual({ ...blank, verb: "READ", ...want });
});

test("a whole file is asked for as a line without keys asks for it", () => {
  expect(wholeFile("READ", "/a")).toEqual(parseRequest("READ /a") as Request);
  expect(wholeFile("HASH", "/b c")).toEqual(parseRequest("HASH /b c") as Request);
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
  ["a left= that is neither 0 nor 1", "LIST left=2 /", "EINVAL"],
  ["a left= of another verb", "STAT left=1 /", "EINVAL"],
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
  ["HASH with whatever behind it", "HASH !!", "EINVAL"],
  ["HASH without a path", "HASH", "EINVAL"],
  ["an if= of HASH", "HASH if=a /a", "EINVAL"],
  ["a chunk of no bytes", "HASH chunk=0 /a", "EINVAL"],
  ["a chunk that is no number", "HASH chunk=4M /a", "EINVAL"],
  ["a doubled chunk=", "HASH chunk=1 chunk=1 /a", "EINVAL"],
  ["a chunk too large for xxh3", "HASH chunk=16777217 /a", "EINVAL"],
  ["the same, in the other order", "HASH chunk=16777217 algo=xxh3 /a", "EINVAL"],
  ["an unknown algo", "HASH algo=md5 /a", "EINVAL"],
  ["an algo in capitals", "HASH algo=XXH3 /a", "EINVAL"],
  ["an algo of every object", "HASH algo=constructor /a", "EINVAL"],
  ["no algo", "HASH algo= /a", "EINVAL"],
  ["chunk= of another verb", "READ chunk=1 /a", "EINVAL"],
  ["AUTH without a token", "AUTH ", "EINVAL"],
  ["AUTH with two words", "AUTH a secret", "EINVAL"],
  ["AUTH with a byte that is no ASCII", "AUTH \xe9", "EINVAL"],
  ["AUTH with more than a token has", `AUTH ${"a".repeat(513)}`, "EINVAL"],
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
  const refused = parseRequest("AUTH my-secret token") as Refusal;
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

test("of HASH's keys every order reads the same, and xxh3 alone bounds the chunk", () => {
  const number = fc.bigInt({ min: 0n, max: 10n ** 16n - 1n });
  // Every second one at the bound, where it matters.
  const chunks = fc.oneof(number, fc.bigInt({ min: 0n, max: 33_554_432n }));
  const algos = fc.constantFrom("xxh3" as const, "sha256" as const);
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  fc.assert(
    fc.property(number, number, chunks, algos, order, (offset, length, chunk, algo, at) => {
      const keys = [`offset=${offset}`, `length=${length}`, `chunk=${chunk}`, `algo=${algo}`];
      const read = parseRequest(`HASH ${at.map((index) => keys[index]).join(" ")} /a`);
      if (chunk === 0n || (algo === "xxh3" && chunk > 16_777_216n)) {
        expect(read).toMatchObject({ code: "EINVAL" });
      } else {
        const want = { ...blank, verb: "HASH", offset, length, chunk, algo, path: "/a" };
        expect<unknown>(read).toEqual(want);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a line that starts with a space has no verb, and a bad value is told what is a good one", () => {
  expect(parseRequest(" READ /a")).toMatchObject({ message: expect.stringMatching(/verb ''$/) });
  expect(parseRequest("HASH algo=md4 /a")).toMatchObject({
    message: expect.stringMatching(/algo= takes \w+( or \w+)+, got 'md4'$/),
  });
  expect(parseRequest("HASH chunk=0 /a")).toMatchObject({
    message: expect.stringContaining("chunk= takes at least 1 byte"),
  });
  const long = parseRequest(`abc${"d".repeat(500)}`) as Refusal;
  expect(long.message).toMatch(/verb 'abcd+\.\.\.'$/);
});
