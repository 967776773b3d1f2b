/** A folder's page: what is escaped, how long a row gets, what a browser may, where links lead. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Entry, listLine } from "../../../src/wire/entry.ts";
import { kindOf, kindPictures } from "../../../src/wire/http/folderkind.ts";
import { FolderListing } from "../../../src/wire/http/folderlisting.ts";
import {
  FOLDER_PAGE_FIELDS,
  folderEnd,
  folderStart,
  type FolderView,
} from "../../../src/wire/http/folderpage.ts";
import { FOLDER_POLICY } from "../../../src/wire/http/folderpolicy.ts";
import { readmeHtml } from "../../../src/wire/http/folderreadme.ts";
import { folderRow } from "../../../src/wire/http/folderrow.ts";
import { FOLDER_SCRIPT } from "../../../src/wire/http/folderscript.ts";
import { sizeText, timeCell } from "../../../src/wire/http/folderquantity.ts";
import { sortOf } from "../../../src/wire/http/foldersort.ts";
import { FOLDER_STYLE } from "../../../src/wire/http/folderstyle.ts";

/** A name of 255 bytes as %XX and as &quot;, and what stands around it. */
const ROW_CHARS_MAX = 255 * 3 + 255 * 6 + 330;

const MTIME = 784_111_777_123_456_789n;
const file = (size: bigint, mtime = MTIME): Entry => ({ type: "file", size, mtime, etag: "e" });
const DIRECTORY: Entry = { type: "dir", size: 0n, mtime: MTIME, etag: "" };
const TIME = "<time datetime=1994-11-06T08:49:37.123Z>1994-11-06<span> 08:49</span></time>";
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");
const picture = (kind: string): string => `<svg aria-hidden=true><use href="#${kind}"/></svg>`;

/** A page of the root without entries, unless told. */
const view = (changes: Partial<FolderView> = {}): FolderView => ({
  ...{ relative: ".", host: "nas:6464", secure: false, after: "", next: null, sort: sortOf("") },
  ...{ folders: 0, files: 0, bytes: 0n, example: null },
  ...changes,
});

test("the folders above are links, each to its own page", () => {
  const links = (relative: string): string[] =>
    [...folderStart(view({ relative })).matchAll(/<a href="([^"]*)">[^<]*<\/a>/g)]
      .map(([, href]) => href!)
      .filter((href) => href.startsWith("/"));
  expect(links("a")).toEqual(["/"]);
  expect(links("a b/c/d/e")).toEqual(["/", "/a%20b/", "/a%20b/c/", "/a%20b/c/d/"]);
});

test("the column that sorts says which way", () => {
  for (const [order, way] of [
    ["asc", "ascending"],
    ["desc", "descending"],
  ] as const) {
    const page = folderStart(view({ sort: { by: "size", order } }));
    expect(page.match(/<th [^>]*aria-sort=\w+/g)).toEqual([`<th scope=col aria-sort=${way}`]);
  }
});

test("a row of a file and one of a folder", () => {
  expect(folderRow(file(1536n), "a b.txt")).toBe(
    `<tr><th scope=row><a href="a%20b.txt">${picture("p")}a b.txt</a>` +
      `<td title="1,536 bytes">1.5 KiB<td>${TIME}\n`,
  );
  expect(folderRow(DIRECTORY, utf8("año"))).toBe(
    `<tr><th scope=row><a href="a%C3%B1o/">${picture("d")}año/</a><td><td>${TIME}\n`,
  );
});

test("names are text, whatever they look like", () => {
  const row = folderRow(file(0n), "<img src=x onerror=alert(1)>");
  expect(row).toContain('<a href="%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E">');
  expect(row).toContain("</svg>&lt;img src=x onerror=alert(1)&gt;</a>");
  expect(folderRow(file(0n), `"'&amp;`)).toContain(">&quot;&#39;&amp;amp;</a>");
  expect(folderRow(file(0n), "javascript:alert(1)")).toContain('<a href="javascript%3Aalert');
  const odd = folderRow(file(0n), "\xff\n\x1b");
  expect(odd).toContain('<a href="%FF%0A%1B">');
  expect(odd).toContain("</svg>\\xff\\x0a\\x1b</a>");
  expect(folderRow(file(0n), utf8("\u202egpj.exe"))).toContain(">\\u{202e}gpj.exe</a>");
  const start = folderStart(view({ relative: "a/<script>alert(1)<!--/\"'/", host: "&h" }));
  expect(start).not.toMatch(/<script|<!--|&h/);
  expect(start).toContain("<title>/a/&lt;script&gt;alert(1)&lt;!--/&quot;&#39;/</title>");
});

test.each([
  [0n, "0 B", "0 bytes"],
  [1n, "1 B", "1 byte"],
  [100n, "100 B", "100 bytes"],
  [123_456n, "120 KiB", "123,456 bytes"],
  [1023n, "1023 B", "1,023 bytes"],
  [1024n, "1.0 KiB", "1,024 bytes"],
  [1_126n, "1.0 KiB", "1,126 bytes"],
  [1_127n, "1.1 KiB", "1,127 bytes"],
  [1_125_899_906_842_623n, "1023 TiB", "1,125,899,906,842,623 bytes"],
  [1_152_921_504_606_846_975n, "1023 PiB", "1,152,921,504,606,846,975 bytes"],
  [10_239n, "9.9 KiB", "10,239 bytes"],
  [10_240n, "10 KiB", "10,240 bytes"],
  [1_048_575n, "1023 KiB", "1,048,575 bytes"],
  [1_048_576n, "1.0 MiB", "1,048,576 bytes"],
  [5_368_709_120n, "5.0 GiB", "5,368,709,120 bytes"],
  [9_223_372_036_854_775_807n, "7.9 EiB", "9,223,372,036,854,775,807 bytes"],
])("%p bytes are %s, and exact to the byte for who points at them", (size, text, exact) => {
  expect(folderRow(file(size), "a")).toContain(`<td title="${exact}">${text}<td>`);
});

test("all files of a page together may have more bytes than one of them can", () => {
  expect(sizeText(2n ** 73n)).toBe("8192 EiB");
});

test("a time that no calendar has is left out", () => {
  expect(timeCell(-62_167_219_200_000n * 1_000_000n - 1n)).toBe("<td>");
  const at = (seconds: number): string => folderRow(file(0n, BigInt(seconds) * 10n ** 9n), "a");
  for (const seconds of [253_402_300_800, -62_167_219_201]) expect(at(seconds)).toEndWith("<td>\n");
  expect(at(-62_167_219_200)).toContain("<time datetime=0000-01-01T00:00:00.000Z>");
  const before = folderRow(file(0n, -1n), "a");
  expect(before).toContain("datetime=1969-12-31T23:59:59.999Z>1969-12-31<span> 23:59</span>");
});

test.each([
  ["a.JPEG", "i"],
  ["song.flac", "a"],
  ["film.mkv", "v"],
  ["b.tar.zst", "z"],
  ["a.whl", "z"],
  ["a.conf", "c"],
  ["a.make", "c"],
  ["x.rs", "c"],
  ["a.xls", "p"],
  ["a.arrow", "m"],
  ["README", "p"],
  [".txt", "p"],
  ["paper.pdf", "p"],
  ["w.safetensors", "m"],
  ["core", "f"],
  ["a.constructor", "f"],
  [`x.${"y".repeat(250)}`, "f"],
])("%s has the picture %s", (name, kind) => {
  expect(kindOf(name)).toBe(kind as ReturnType<typeof kindOf>);
  expect(kindPictures()).toContain(`<symbol id=${kind} `);
});

test("each kind has a picture, and so have folders and the way up", () => {
  const drawn = /<symbol id=(\w) viewBox="0 0 16 16"><(?:path|rect|ellipse) /g;
  const kinds = [...kindPictures().matchAll(drawn)].map(([, kind]) => kind);
  expect(kinds.join("")).toBe("udiavzcpmf");
});

test("a page begins with the way to it, and one up; the root has no up", () => {
  const start = folderStart(view({ relative: "a b/\xff/" }));
  expect(start).toStartWith("<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n");
  expect(start).toContain('<li><a href="/">nas:6464</a><li><a href="/a%20b/">a b</a></ol>');
  expect(start).toContain("<h1>\\xff</h1>");
  expect(start).toContain('<a href="../" rel=up><svg aria-hidden=true><use href="#u"/></svg>..<');
  const root = folderStart(view());
  expect(root).toContain("<title>nas:6464</title>");
  expect(root).toContain("<h1>nas:6464</h1>");
  expect(root).not.toContain("../");
  expect(root).toContain("<header>\n<h1>");
  expect(root).toEndWith("</a>\n<tbody id=rows>\n");
  expect(start).toEndWith("</a><td><td>\n<tbody id=rows>\n");
  expect(folderStart(view({ host: "" }))).toContain("<h1>/</h1>");
});

test("the way to a folder is as long as it is deep, and no longer", () => {
  const deep = folderStart(view({ relative: "a/".repeat(4000) }));
  expect(deep).toContain("<li>…<li>");
  const ways = [65, 66].map((depth) => folderStart(view({ relative: "a/".repeat(depth) })));
  // The root's and those of 64 folders.
  expect(ways.map((way) => way.match(/<li><a /g)?.length)).toEqual([65, 65]);
  expect(ways.map((way) => way.includes("<li>…<li>"))).toEqual([false, true]);
  // Each of the last 64 is a path of 8,000 characters.
  expect(deep.length).toBeLessThan(600_000);
});

test.each<[string, string, string[]]>([
  ["", "", ["?sort=name&amp;order=desc", "?sort=size&amp;order=desc", "?sort=time&amp;order=desc"]],
  ["sort=name&order=desc", "", ["./", "?sort=size&amp;order=desc"]],
  ["sort=size&order=desc", "", ["./", "?sort=size", "?sort=time&amp;order=desc"]],
  ["sort=size", "", ["./", "?sort=size&amp;order=desc"]],
  ["sort=time", 'a&"', ["?after=a%26%22", "?after=a%26%22&amp;sort=size&amp;order=desc"]],
  ["sort=x&order=up", "", ["?sort=name&amp;order=desc"]],
])("?%s behind %p: the headings lead to where they say", (query, after, wanted) => {
  const start = folderStart(view({ sort: sortOf(query), after }));
  const texts = [...start.matchAll(/<th scope=col[^>]*><a [^>]*>(.*?)<\/a>/g)].map(([, it]) => it!);
  expect(texts).toEqual(["Name", "Size", "Changed<span> (UTC)</span>"]);
  const links = [...start.matchAll(/<th scope=col[^>]*><a href="([^"]*)">/g)].map(([, it]) => it!);
  expect(links).toHaveLength(3);
  expect(links.slice(0, wanted.length)).toEqual(wanted);
  expect(start.match(/<th [^>]*aria-sort=/g)).toHaveLength(1);
});

test("rows are sorted as asked, folders first, the equal ones by their names' bytes", () => {
  const lines = [
    listLine({ ...file(3n, 30n), etag: "0".repeat(16) }, "B"),
    listLine({ ...DIRECTORY, mtime: 20n }, "a"),
    listLine({ ...file(3n, 10n), etag: "0".repeat(16) }, "b"),
    listLine({ ...file(2n ** 62n, 25n), etag: "0".repeat(16) }, "c"),
    listLine({ ...DIRECTORY, mtime: 40n }, "d"),
  ];
  const listing = new FolderListing(Buffer.from(lines.join(""), "latin1"));
  const order = (query: string): string =>
    [...listing.rows(sortOf(query)).matchAll(/<a href="([^"/]*)/g)].map(([, it]) => it).join("");
  expect(order("")).toBe("adBbc");
  expect(order("sort=name&order=desc")).toBe("dacbB");
  expect(order("sort=size")).toBe("adBbc");
  expect(order("sort=size&order=desc")).toBe("adcBb");
  expect(order("sort=time")).toBe("adbcB");
  expect(order("sort=time&order=desc")).toBe("daBcb");
  expect([listing.folders, listing.files, listing.bytes]).toEqual([2, 3, 2n ** 62n + 6n]);
});

test("an order that is asked for is the one that links keep", () => {
  expect(sortOf("order=desc")).toEqual({ by: "name", order: "desc" });
  expect(sortOf("sort=time&order=asc")).toEqual({ by: "time", order: "asc" });
});

test.each([
  [0, 0, "Empty"],
  [1, 0, "1 folder"],
  [0, 1, '1 file, <data value=5 title="5 bytes">5 B</data>'],
  [2, 3, '2 folders, 3 files, <data value=5 title="5 bytes">5 B</data>'],
])("%d folders and %d files are told as %s", (folders, files, told) => {
  const counted = { folders, files, bytes: 5n };
  expect(folderStart(view(counted))).toContain(`<p>${told}</p>\n</header>`);
  const wide = folderStart(view({ ...counted, next: "x" }));
  expect(wide).toContain(`<p>${told} on this page of a wide folder. Sorting`);
});

test("commands are shown where a host is named, and there are as many as there are files to show", () => {
  const lines = (changes: Partial<FolderView>): number =>
    folderStart(view(changes)).match(/<dt>/g)?.length ?? 0;
  expect([lines({ host: "" }), lines({}), lines({ example: "f" })]).toEqual([0, 1, 3]);
  expect(folderStart(view())).toContain(
    "<main>\n<details><summary>From a terminal</summary>\n<dl><div><dt>The whole folder; run " +
      "again, it brings what has changed<dd><code>cli6 mirror s6://nas:6464/ nas</code></div>\n" +
      "</dl></details>\n<p id=filter",
  );
  expect(folderStart(view({ host: "" }))).toContain("<main>\n<p id=filter");
});

test("a page of many says so, and leads to the next one in the same order", () => {
  expect(folderEnd(view(), "")).toStartWith("</table>\n</main>\n<footer>");
  expect(folderStart(view({ files: 2, bytes: 3n }))).toContain(
    '<p>2 files, <data value=3 title="3 bytes">3 B</data></p>',
  );
  const first = view({ folders: 1000, next: 'a&"\xff', sort: sortOf("sort=size") });
  expect(folderStart(first)).toContain("<p>1,000 folders on this page of a wide folder. Sorting");
  const end = folderEnd(first, "");
  expect(end).toContain('<a href="?after=a%26%22%FF&amp;sort=size" rel=next>Next page</a>');
  expect(end).toContain("up to <b>a&amp;&quot;\\xff</b>");
  const last = folderEnd(view({ after: "<" }), "");
  expect(last).toContain('<a href="./" rel=first>');
  expect(last).toContain("behind <b>&lt;</b>");
  expect(last).toContain('<a href="?json&amp;after=%3C">');
  expect(last).not.toContain("rel=next>");
});

test("a README is text, at most all of it, and never markup", () => {
  const readme = (text: string) =>
    readmeHtml({ name: "README.md", size: 9n, content: Buffer.from(text, "latin1") });
  expect(readmeHtml(null)).toBe("");
  expect(readme("\n</pre><script>&amp;\x1b\xff")).toBe(
    '<section aria-labelledby=r><h2 id=r><a href="README.md">README.md</a></h2>\n' +
      "<pre>\n\n&lt;/pre>&lt;script>&amp;amp;\ufffd\ufffd</pre></section>\n",
  );
  expect(readme("a\0b")).toBe("");
  expect(readmeHtml({ name: "README", size: 70_000n, content: null })).toContain(
    '<a href="README">README</a></h2>\n<p>70,000 bytes, not shown here.',
  );
});

test("the policy lets through the one style, the one script and nothing else", () => {
  const digest = (text: string): string =>
    new Bun.CryptoHasher("sha256").update(text).digest("base64");
  expect(FOLDER_POLICY).toBe(
    `default-src 'none'; script-src 'sha256-${digest(FOLDER_SCRIPT)}'; ` +
      `style-src 'sha256-${digest(FOLDER_STYLE)}'; base-uri 'none'; form-action 'none'; ` +
      "frame-ancestors 'none'; sandbox allow-downloads allow-scripts",
  );
  expect(FOLDER_PAGE_FIELDS).toBe(
    "Content-Type: text/html;charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n" +
      `Content-Security-Policy: ${FOLDER_POLICY}\r\nReferrer-Policy: no-referrer\r\n` +
      "Cache-Control: no-cache\r\nVary: Accept\r\n",
  );
  const page = folderStart(view()) + folderRow(file(1n), "a") + folderEnd(view(), "");
  expect(page.split(`<style>${FOLDER_STYLE}</style>`)).toHaveLength(2);
  expect(page.split(`<script>${FOLDER_SCRIPT}</script>`)).toHaveLength(2);
  const rest = page.replace(FOLDER_SCRIPT, "").replace(FOLDER_STYLE, "");
  expect(rest.match(/<script/g)).toHaveLength(1);
  expect(rest).not.toMatch(/<link|<img|\son[a-z]+=|\sstyle=/);
  expect(page).not.toMatch(/https?:|url\(|@import|fetch\(|innerHTML/);
  expect(FOLDER_STYLE).not.toMatch(/[<&]/);
  expect(FOLDER_SCRIPT).not.toMatch(/<\/|<!--/);
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
      const text = row.replaceAll(
        /<\/?(?:tr|th|td|a|data|time|span|svg)(?: [^<>]*)?>|<use [^<>]*>/g,
        "",
      );
      expect(text).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    }),
    { numRuns: 300 },
  );
  for (const worst of ['"', "\\", "\xff", "\x01", "\xe2\x80\xae", "\xf3\xa0\x80\x81"]) {
    const longest = worst.repeat(Math.floor(255 / worst.length));
    expect(folderRow(file(2n ** 63n - 1n), longest).length).toBeLessThan(ROW_CHARS_MAX);
  }
});
