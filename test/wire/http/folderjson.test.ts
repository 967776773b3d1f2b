/** A folder as JSON, in nginx's shape, and when it is asked for. */
import { expect, test } from "bun:test";
import type { Entry } from "../../../src/wire/entry.ts";
import {
  FOLDER_JSON_END,
  FOLDER_JSON_FIELDS,
  FOLDER_JSON_START,
  folderJsonEntry,
  wantsJson,
} from "../../../src/wire/http/folderjson.ts";

const MTIME = 784_111_777_123_456_789n;
const file = (size: bigint, mtime = MTIME): Entry => ({ type: "file", size, mtime, etag: "e" });
const DIRECTORY: Entry = { type: "dir", size: 0n, mtime: MTIME, etag: "" };
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

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

test("a list is not kept, and Accept could have chosen the page", () => {
  expect(FOLDER_JSON_FIELDS).toBe(
    "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n" +
      "Cache-Control: no-cache\r\nVary: Accept\r\n",
  );
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
  ["", "application/json;q=1", true],
  ["", "application/json;q=0, text/html;q=0", false],
  ["", "application/jsonp", false],
])("?%s with Accept %p wants JSON: %p", (query, accept, json) => {
  expect(wantsJson(query, accept)).toBe(json);
});
