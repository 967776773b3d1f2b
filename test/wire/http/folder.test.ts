/** A folder as a page and as JSON: what is escaped, how long a row gets, what a browser may. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Entry } from "../../../src/wire/entry.ts";
import {
  FOLDER_JSON_END,
  FOLDER_JSON_START,
  folderJsonEntry,
  wantsJson,
} from "../../../src/wire/http/folderjson.ts";
import {
  FOLDER_PAGE_FIELDS,
  folderEnd,
  folderRow,
  folderStart,
} from "../../../src/wire/http/folderpage.ts";
import { FOLDER_POLICY, FOLDER_STYLE } from "../../../src/wire/http/folderstyle.ts";

/** A name of 255 bytes as %XX and as &quot;, and what stands around it. */
const ROW_CHARS_MAX = 255 * 3 + 255 * 6 + 265;

const MTIME = 784_111_777_123_456_789n;
const file = (size: bigint, mtime = MTIME): Entry => ({ type: "file", size, mtime, etag: "e" });
const DIRECTORY: Entry = { type: "dir", size: 0n, mtime: MTIME, etag: "" };
const TIME = "<time datetime=1994-11-06T08:49:37Z>1994-11-06 08:49</time>";
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

test("a row of a file and one of a folder", () => {
  expect(folderRow(file(1536n), "a b.txt")).toBe(
    '<tr><td><a href="a%20b.txt">a b.txt</a><td class=n><data value=1536>1.5 KiB</data>' +
      `<td class="n t">${TIME}\n`,
  );
  expect(folderRow(DIRECTORY, utf8("año"))).toBe(
    `<tr><td><a href="a%C3%B1o/">año/</a><td class=n><td class="n t">${TIME}\n`,
  );
});

test("names are text, whatever they look like", () => {
  expect(folderRow(file(0n), "<img src=x onerror=alert(1)>")).toContain(
    '<a href="%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E">&lt;img src=x onerror=alert(1)&gt;</a>',
  );
  expect(folderRow(file(0n), `"'&amp;`)).toContain(">&quot;&#39;&amp;amp;</a>");
  expect(folderRow(file(0n), "javascript:alert(1)")).toContain('<a href="javascript%3Aalert');
  expect(folderRow(file(0n), "\xff\n\x1b")).toContain('<a href="%FF%0A%1B">\\xff\\x0a\\x1b</a>');
  expect(folderRow(file(0n), utf8("\u202egpj.exe"))).toContain(">\\u{202e}gpj.exe</a>");
  const start = folderStart("a/<script>alert(1)<!--/\"'/");
  expect(start).not.toMatch(/<script|<!--/);
  expect(start).toContain("<title>/a/&lt;script&gt;alert(1)&lt;!--/&quot;&#39;/</title>");
});

test.each([
  [0n, "0 B"],
  [1023n, "1023 B"],
  [1024n, "1.0 KiB"],
  [10_239n, "9.9 KiB"],
  [10_240n, "10 KiB"],
  [1_048_575n, "1023 KiB"],
  [1_048_576n, "1.0 MiB"],
  [5_368_709_120n, "5.0 GiB"],
  [9_223_372_036_854_775_807n, "7.9 EiB"],
])("%p bytes are %s, and exact for a program", (size, text) => {
  expect(folderRow(file(size), "a")).toContain(`<data value=${size}>${text}</data>`);
});

test("a time that no calendar has is left out", () => {
  for (const seconds of [253_402_300_800n, -62_167_219_201n]) {
    expect(folderRow(file(0n, seconds * 1_000_000_000n), "a")).toEndWith('<td class="n t">\n');
  }
  expect(folderRow(file(0n, -1n), "a")).toContain("<time datetime=1969-12-31T23:59:59Z>");
});

test("a page begins with the way to it, and one up; the root has no up", () => {
  const start = folderStart("a b/\xff/");
  expect(start).toStartWith("<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n");
  expect(start).toContain(
    '<h1><a href="/">/</a><a href="/a%20b/">a b</a>/<a href="/a%20b/%FF/">\\xff</a>/</h1>',
  );
  expect(start).toContain('<tr><td><a href="../">../</a>');
  expect(folderStart(".")).toContain("<title>/</title>");
  expect(folderStart(".")).toContain('<h1><a href="/">/</a></h1>');
  expect(folderStart(".")).not.toContain("../");
});

test("a page ends with a link to the rest, or without", () => {
  expect(folderEnd(null)).toBe("</table>\n</html>\n");
  expect(folderEnd('a&"\xff')).toBe(
    '</table>\n<p><a rel=next href="?after=a%26%22%FF">More</a>\n</html>\n',
  );
});

test("the policy lets through the one style and nothing else", () => {
  const digest = new Bun.CryptoHasher("sha256").update(FOLDER_STYLE).digest("base64");
  expect(FOLDER_POLICY).toBe(
    `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; ` +
      "frame-ancestors 'none'; sandbox allow-downloads",
  );
  expect(FOLDER_PAGE_FIELDS).toBe(
    "Content-Type: text/html;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n" +
      `Content-Security-Policy: ${FOLDER_POLICY}\r\nReferrer-Policy: no-referrer\r\n` +
      "Cache-Control: no-cache\r\nVary: Accept\r\n",
  );
  const page = folderStart(".") + folderRow(file(1n), "a") + folderEnd("a");
  expect(page).toContain(`<style>${FOLDER_STYLE}</style>`);
  expect(page).not.toMatch(/<script|<link|<img|\son[a-z]+=|\sstyle=|https?:|url\(|@import/);
  expect(FOLDER_STYLE).toContain("prefers-color-scheme:dark");
  expect(FOLDER_STYLE).not.toMatch(/[<&]/);
});

test("no row is longer than its bound, and markup in it is ours alone", () => {
  const byte = fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(34, 38, 39, 60, 62, 92));
  const name = fc
    .array(byte, { minLength: 1, maxLength: 255 })
    .map((bytes) => Buffer.from(bytes.filter((it) => it !== 47)).toString("latin1"));
  fc.assert(
    fc.property(name, fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (it, size) => {
      const row = folderRow(file(size), it);
      expect(row.length).toBeLessThan(ROW_CHARS_MAX);
      const text = row.replaceAll(/<\/?(?:tr|td|a|data|time)(?: [^<>]*)?>/g, "");
      expect(text).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    }),
    { numRuns: 300 },
  );
  for (const worst of ['"', "\\", "\xff", "\x01", "\xe2\x80\xae", "\xf3\xa0\x80\x81"]) {
    const longest = worst.repeat(Math.floor(255 / worst.length));
    expect(folderRow(file(2n ** 63n - 1n), longest).length).toBeLessThan(ROW_CHARS_MAX);
  }
});

test("JSON has nginx's shape, exact sizes, and an address where the name is no text", () => {
  const text =
    FOLDER_JSON_START +
    folderJsonEntry(DIRECTORY, "d", true) +
    folderJsonEntry(file(9_223_372_036_854_775_807n), utf8('é"\n'), false) +
    folderJsonEntry(file(0n, 10n ** 30n), "\xff", false) +
    FOLDER_JSON_END;
  expect(text).toBe(
    '[\n{ "name":"d", "type":"directory", "mtime":"Sun, 06 Nov 1994 08:49:37 GMT" },' +
      '\n{ "name":"é\\"\\n", "type":"file", "mtime":"Sun, 06 Nov 1994 08:49:37 GMT"' +
      ', "size":9223372036854775807 },' +
      '\n{ "name":"\ufffd", "type":"file", "size":0, "href":"%FF" }\n]\n',
  );
  expect(JSON.parse(text)).toHaveLength(3);
  expect(JSON.parse(FOLDER_JSON_START + FOLDER_JSON_END)).toEqual([]);
});

test.each([
  ["json", undefined, true],
  ["a=1&json=1", undefined, true],
  ["", undefined, false],
  ["", "*/*", false],
  ["", "application/json", true],
  ["", "Application/JSON;charset=utf-8", true],
  ["", "application/json;q=0", false],
  ["", "application/json;q=0.5, */*;q=0.1", true],
  ["", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
  ["", "text/html, application/json", false],
  ["", "text/html;q=0.5, application/json", true],
  ["", "application/json;q=x", false],
  ["", "application/jsonp", false],
])("?%s with Accept %p wants JSON: %p", (query, accept, json) => {
  expect(wantsJson(query, accept)).toBe(json);
});
