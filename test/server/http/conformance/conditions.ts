/** Conditions, alone and together, in the order of RFC 9110 13.2.2. */
import { type Case, GET, HOST, MODIFIED } from "./case.ts";

const BEFORE = "Mon, 15 Jan 2024 10:20:29 GMT";
const AFTER = "Mon, 15 Jan 2024 10:20:31 GMT";
const WHOLE = "200 0123456789; kept";
const PART = "206 0-1/10 01; kept";

const EXACT = "nginx compares the very second unless it is told `if_modified_since before`";
const NO_DATE =
  "a date that is none is no condition (RFC 9110 13.1.4); nginx takes it for the year 0";
const ENDS = "nginx ends the connection behind a 412";
const PRECEDENCE = "RFC 9110 13.2.2: the date counts only where there is no tag; nginx wants both";

const when = (lines: string): string => `${GET}${lines}\r\n\r\n`;
const part = (lines: string): string => `${GET}Range: bytes=0-1\r\n${lines}\r\n\r\n`;

export const CONDITIONS: readonly Case[] = [
  ["If-None-Match of the tag", when("If-None-Match: {etag}"), "304; kept"],
  ["of the tag, weak", when("If-None-Match: W/{etag}"), "304; kept"],
  ["of a list with it", when('If-None-Match: "a", {etag}'), "304; kept"],
  [
    "of a list over two lines",
    when('If-None-Match: "a"\r\nIf-None-Match: {etag}'),
    "304; kept",
    "nginx refuses a second line of it, though it is a list (RFC 9110 5.3)",
  ],
  ["of a list with empty places", when("If-None-Match: , ,{etag},"), "304; kept"],
  ["of anything", when("If-None-Match: *"), "304; kept"],
  ["of another tag", when('If-None-Match: "other"'), WHOLE],
  ["of what is no tag", when("If-None-Match: odd"), WHOLE],
  ["of nothing", when("If-None-Match:"), WHOLE],
  ["HEAD, If-None-Match", `HEAD /f HTTP/1.1\r\n${HOST}If-None-Match: {etag}\r\n\r\n`, "304; kept"],
  ["of what is not there", `GET /none HTTP/1.1\r\n${HOST}If-None-Match: *\r\n\r\n`, "404; kept"],
  ["If-Match of the tag", when("If-Match: {etag}"), WHOLE],
  ["If-Match of a list", when('If-Match: "a", {etag}'), WHOLE],
  ["If-Match of anything", when("If-Match: *"), WHOLE],
  ["If-Match of another", when('If-Match: "other"'), "412; kept", ENDS],
  ["If-Match of the tag, weak", when("If-Match: W/{etag}"), "412; kept", ENDS],
  ["If-Match of what is no tag", when("If-Match: odd"), "412; kept", ENDS],
  ["If-Modified-Since the time", when(`If-Modified-Since: ${MODIFIED}`), "304; kept"],
  ["since later", when(`If-Modified-Since: ${AFTER}`), "304; kept", EXACT],
  ["since earlier", when(`If-Modified-Since: ${BEFORE}`), WHOLE],
  [
    "since a date of RFC 850",
    when("If-Modified-Since: Monday, 15-Jan-24 10:20:30 GMT"),
    "304; kept",
  ],
  ["since a date of asctime", when("If-Modified-Since: Mon Jan 15 10:20:30 2024"), "304; kept"],
  ["since no date", when("If-Modified-Since: yesterday"), WHOLE],
  [
    "since a day that no month has",
    when("If-Modified-Since: Mon, 32 Jan 2030 10:20:30 GMT"),
    WHOLE,
  ],
  ["If-Unmodified-Since the time", when(`If-Unmodified-Since: ${MODIFIED}`), WHOLE],
  ["unmodified since later", when(`If-Unmodified-Since: ${AFTER}`), WHOLE],
  ["unmodified since earlier", when(`If-Unmodified-Since: ${BEFORE}`), "412; kept", ENDS],
  ["unmodified since no date", when("If-Unmodified-Since: yesterday"), WHOLE, NO_DATE],
  ["If-Range of the tag", part("If-Range: {etag}"), PART],
  ["If-Range of another", part('If-Range: "other"'), WHOLE],
  ["If-Range of the tag, weak", part("If-Range: W/{etag}"), WHOLE],
  ["If-Range of the time", part(`If-Range: ${MODIFIED}`), PART],
  ["If-Range of a later time", part(`If-Range: ${AFTER}`), WHOLE],
  ["If-Range of an earlier time", part(`If-Range: ${BEFORE}`), WHOLE],
  ["If-Range of no date", part("If-Range: yesterday"), WHOLE],
  ["If-Range without a range", when('If-Range: "other"'), WHOLE],
  [
    "a range that can't be met, of another",
    `${GET}Range: bytes=99-\r\nIf-Range: "other"\r\n\r\n`,
    WHOLE,
  ],
  ["a range and If-None-Match", part("If-None-Match: {etag}"), "304; kept"],
  ["a range and If-Match", part("If-Match: {etag}"), PART],
  ["a range and If-Match of another", part('If-Match: "other"'), "412; kept", ENDS],
  ["a range and If-Modified-Since", part(`If-Modified-Since: ${MODIFIED}`), "304; kept"],
  [
    "If-None-Match of another, not modified",
    when(`If-None-Match: "other"\r\nIf-Modified-Since: ${MODIFIED}`),
    WHOLE,
  ],
  [
    "If-None-Match of the tag, modified",
    when(`If-None-Match: {etag}\r\nIf-Modified-Since: ${BEFORE}`),
    "304; kept",
    PRECEDENCE,
  ],
  [
    "If-Match of the tag, modified",
    when(`If-Match: {etag}\r\nIf-Unmodified-Since: ${BEFORE}`),
    WHOLE,
    PRECEDENCE,
  ],
  ["If-Match and If-None-Match", when("If-Match: {etag}\r\nIf-None-Match: {etag}"), "304; kept"],
  [
    "If-Match of another and If-None-Match",
    when('If-Match: "other"\r\nIf-None-Match: {etag}'),
    "412; kept",
    ENDS,
  ],
];
