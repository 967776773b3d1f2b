/** Conditions and ranges together, in the order of RFC 9110 13.2.2. */
import { expect, test } from "bun:test";
import { type Selection, selectionOf } from "../../../src/wire/http/conditions.ts";
import { parseHead } from "../../../src/wire/http/head.ts";
import { HeadRefusal } from "../../../src/wire/http/headrefusal.ts";

const ETAG = "0123456789abcdef";
const T = `"${ETAG}"`;
const SAME = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const FILE = { type: "file", size: 10n, mtime: 784_111_777_900_000_000n, etag: ETAG } as const;
const NOW = 1_795_698_962n;

const PART: Selection = { start: 2n, length: 2n };
const RANGE = "Range: bytes=2-3";

function selected(lines: readonly string[], method = "GET"): Selection {
  const head = parseHead([`${method} / HTTP/1.1`, "Host: h", ...lines].join("\r\n"));
  if (head instanceof HeadRefusal) throw new Error(head.message);
  return selectionOf(head, FILE, NOW);
}

const CASES: [lines: string[], selection: Selection][] = [
  [[], "whole"],
  [[RANGE], PART],
  [["Range: bytes=10-"], "unsatisfiable"],
  [["Range: bytes=1-2,4-5"], "whole"],
  [[RANGE, RANGE], "whole"],
  // If-Match: strong, and the first of all.
  [[`If-Match: ${T}`], "whole"],
  [["If-Match: *"], "whole"],
  [['If-Match: "x"'], "failed"],
  [[`If-Match: W/${T}`], "failed"],
  [[`If-Match: "x", ${T}`], "whole"],
  [[`If-Match: "x"`, `If-Match: ${T}`], "whole"],
  [[`If-Match: , ,${T} ,,`], "whole"],
  [[`If-Match: "x"${T}`], "failed"],
  [[`If-Match: ${ETAG}`], "failed"],
  [["If-Match:"], "failed"],
  [[`If-Match: ${T}, junk`], "failed"],
  [[`If-Match: w/${T}`], "failed"],
  [['If-Match: "a,b", "*"'], "failed"],
  [[`If-Match: "x, ${ETAG}"`], "failed"],
  [[`If-Match: ${T}`, RANGE], PART],
  [['If-Match: "x"', RANGE], "failed"],
  [['If-Match: "x"', `If-None-Match: ${T}`], "failed"],
  [[`If-Match: ${T}`, `If-Unmodified-Since: ${BEFORE}`], "whole"],
  // If-Unmodified-Since: only without If-Match.
  [[`If-Unmodified-Since: ${SAME}`], "whole"],
  [[`If-Unmodified-Since: ${AFTER}`], "whole"],
  [[`If-Unmodified-Since: ${BEFORE}`], "failed"],
  [["If-Unmodified-Since: yesterday"], "whole"],
  [[`If-Unmodified-Since: ${BEFORE}`, `If-Unmodified-Since: ${BEFORE}`], "whole"],
  [["If-Unmodified-Since: Sunday, 06-Nov-94 08:49:36 GMT"], "failed"],
  [["If-Unmodified-Since: Sun Nov  6 08:49:36 1994"], "failed"],
  [[`If-Unmodified-Since: ${BEFORE}`, `If-None-Match: ${T}`], "failed"],
  // If-None-Match: weak.
  [[`If-None-Match: ${T}`], "not-modified"],
  [[`If-None-Match: W/${T}`], "not-modified"],
  [["If-None-Match: *"], "not-modified"],
  [['If-None-Match: "x"'], "whole"],
  [[`If-None-Match: "x",W/"y" , ${T}`], "not-modified"],
  [[`If-None-Match: ${ETAG}`], "whole"],
  [["If-None-Match:"], "whole"],
  [['If-None-Match: ""'], "whole"],
  [[`If-None-Match: "x`, RANGE], PART],
  [[`If-None-Match: ${T}`, RANGE], "not-modified"],
  [['If-None-Match: "x"', RANGE], PART],
  [[`If-Match: ${T}`, `If-None-Match: ${T}`], "not-modified"],
  [['If-None-Match: "x"', `If-Modified-Since: ${AFTER}`], "whole"],
  // If-Modified-Since: only without If-None-Match.
  [[`If-Modified-Since: ${SAME}`], "not-modified"],
  [[`If-Modified-Since: ${AFTER}`], "not-modified"],
  [[`If-Modified-Since: ${BEFORE}`], "whole"],
  [["If-Modified-Since: 0"], "whole"],
  [[`If-Modified-Since: ${SAME}`, RANGE], "not-modified"],
  [[`If-Modified-Since: ${BEFORE}`, RANGE], PART],
  [[`If-Unmodified-Since: ${SAME}`, `If-Modified-Since: ${SAME}`], "not-modified"],
  // If-Range: strong, and without Range nothing.
  [[`If-Range: ${T}`, RANGE], PART],
  [['If-Range: "x"', RANGE], "whole"],
  [[`If-Range: W/${T}`, RANGE], "whole"],
  [[`If-Range: ${ETAG}`, RANGE], "whole"],
  [["If-Range: *", RANGE], "whole"],
  [["If-Range:", RANGE], "whole"],
  [[`If-Range: ${T}, ${T}`, RANGE], "whole"],
  [[`If-Range: ${T}`, `If-Range: ${T}`, RANGE], "whole"],
  [[`If-Range: ${SAME}`, RANGE], PART],
  [[`If-Range: ${BEFORE}`, RANGE], "whole"],
  [[`If-Range: ${AFTER}`, RANGE], "whole"],
  [["If-Range: yesterday", RANGE], "whole"],
  [['If-Range: "x"', "Range: bytes=10-"], "whole"],
  [[`If-Range: ${T}`, "Range: bytes=10-"], "unsatisfiable"],
  [['If-Range: "x"'], "whole"],
  [[`If-None-Match: ${T}`, `If-Range: ${T}`, RANGE], "not-modified"],
  [['If-Match: "x"', `If-Range: ${T}`, RANGE], "failed"],
];

test.each(CASES)("GET with %j gets %p", (lines, selection) => {
  expect(selected(lines)).toEqual(selection);
});

test("HEAD has the same conditions, and no range", () => {
  for (const [lines, selection] of CASES) {
    const ranged = typeof selection === "object" || selection === "unsatisfiable";
    const want = ranged ? "whole" : selection;
    expect([lines, selected(lines, "HEAD")]).toEqual([lines, want]);
  }
});
