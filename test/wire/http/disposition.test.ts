/** Names in heads and in references: any bytes in, plain ASCII out. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { attachment } from "../../../src/wire/http/disposition.ts";
import { folderHref, hrefOf } from "../../../src/wire/http/href.ts";
import { parseHead } from "../../../src/wire/http/head.ts";

/** The bytes of `text` in UTF-8, one a character. */
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

test.each([
  ["a.txt", 'attachment; filename="a.txt"'],
  ["a b;c.txt", 'attachment; filename="a b;c.txt"'],
  ['a"b\\c', `attachment; filename="a_b_c"; filename*=UTF-8''a%22b%5Cc`],
  ["100%41", `attachment; filename="100_41"; filename*=UTF-8''100%2541`],
  [utf8("año.pdf"), `attachment; filename="a_o.pdf"; filename*=UTF-8''a%C3%B1o.pdf`],
  [utf8("€ rates"), `attachment; filename="_ rates"; filename*=UTF-8''%E2%82%AC%20rates`],
  [utf8("😀"), `attachment; filename="_"; filename*=UTF-8''%F0%9F%98%80`],
  ["a\r\nX: y", `attachment; filename="a__X: y"; filename*=UTF-8''a%0D%0AX%3A%20y`],
  ["\xff\xfeb", `attachment; filename="__b"; filename*=UTF-8''%EF%BF%BD%EF%BF%BDb`],
  [utf8("é'(*)"), `attachment; filename="_'(*)"; filename*=UTF-8''%C3%A9%27%28%2A%29`],
])("%j is saved by %s", (name, value) => {
  expect(attachment(name)).toBe(value);
});

test.each([
  ["a.txt", "a.txt"],
  ["a b", "a%20b"],
  ["javascript:alert(1)", "javascript%3Aalert%281%29"],
  ["<img src=x onerror=alert(1)>", "%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E"],
  ["\"'&", "%22%27%26"],
  ["a?b#c", "a%3Fb%23c"],
  ["50%", "50%25"],
  ["\\", "%5C"],
  ["\xff\n", "%FF%0A"],
  [utf8("é"), "%C3%A9"],
])("%j is referred to as %s", (name, href) => {
  expect(hrefOf(name)).toBe(href);
});

test.each([
  [".", "/"],
  ["a", "/a/"],
  ["a/b/", "/a/b/"],
  ["a b/\xff", "/a%20b/%FF/"],
  ["host", "/host/"],
])("the folder %j is referred to as %s", (relative, href) => {
  expect(folderHref(relative)).toBe(href);
});

test("any name is plain ASCII in both, and its reference leads back to it", () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 30 })
    .map((bytes) => Buffer.from(bytes.filter((it) => it !== 0 && it !== 47)).toString("latin1"));
  fc.assert(
    fc.property(name, (it) => {
      expect(attachment(it)).toMatch(
        /^attachment; filename="[^"\\%\0-\x1f\x7f-\xff]*"(?:; filename\*=UTF-8''[A-Za-z0-9%!#$&+\-.^_`|~]+)?$/,
      );
      expect(hrefOf(it)).toMatch(/^[A-Za-z0-9\-._~%]*$/);
      expect(parseHead(`GET /${hrefOf(it)} HTTP/1.0`)).toMatchObject({ path: `/${it}`, query: "" });
    }),
    { numRuns: 1000 },
  );
});
