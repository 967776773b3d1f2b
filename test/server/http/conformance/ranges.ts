/** Ranges: one is answered with 206 or 416, whatever else a Range says with the whole. */
import { type Case, GET, HOST } from "./case.ts";

const SEVERAL = "nginx answers several ranges; here the whole is, which is always right";
const MALFORMED = "nginx takes what is no range for one that can't be met";
const WHOLE = "200 0123456789; kept";

const of = (range: string): string => `${GET}Range: ${range}\r\n\r\n`;

export const RANGES: readonly Case[] = [
  ["the first byte", of("bytes=0-0"), "206 0-0/10 0; kept"],
  ["some in the middle", of("bytes=2-4"), "206 2-4/10 234; kept"],
  ["the last byte", of("bytes=9-9"), "206 9-9/10 9; kept"],
  ["all of them", of("bytes=0-9"), "206 0-9/10 0123456789; kept"],
  ["from the first on", of("bytes=0-"), "206 0-9/10 0123456789; kept"],
  ["from the sixth on", of("bytes=5-"), "206 5-9/10 56789; kept"],
  ["past the end", of("bytes=8-100"), "206 8-9/10 89; kept"],
  [
    "an end that no number holds",
    of("bytes=8-99999999999999999999"),
    "206 8-9/10 89; kept",
    "nginx counts no further than 64 bits; a last byte behind the end is clipped (RFC 9110 14.1.2)",
  ],
  ["zeros in front", of("bytes=0000000000000000000002-3"), "206 2-3/10 23; kept"],
  ["the last three", of("bytes=-3"), "206 7-9/10 789; kept"],
  ["the last thirty", of("bytes=-30"), "206 0-9/10 0123456789; kept"],
  ["the unit in another case", of("Bytes=1-1"), "206 1-1/10 1; kept"],
  ["white space behind the =", of("bytes= 1-1"), "206 1-1/10 1; kept"],
  [
    "of a large file",
    `GET /large HTTP/1.1\r\n${HOST}Range: bytes=99998-\r\n\r\n`,
    "206 99998-99999/100000 ll; kept",
  ],
  [
    "HEAD has no range",
    `HEAD /f HTTP/1.1\r\n${HOST}Range: bytes=0-1\r\n\r\n`,
    "200 length 10; kept",
    "nginx answers HEAD with 206",
  ],
  [
    "HEAD past the end",
    `HEAD /f HTTP/1.1\r\n${HOST}Range: bytes=10-\r\n\r\n`,
    "200 length 10; kept",
    "nginx answers HEAD with 416",
  ],
  ["behind the last byte", of("bytes=10-"), "416 */10; kept"],
  ["far behind it", of("bytes=99999999999999999999-"), "416 */10; kept"],
  ["the last none", of("bytes=-0"), "416 */10; kept"],
  [
    "of an empty file",
    `GET /empty HTTP/1.1\r\n${HOST}Range: bytes=0-\r\n\r\n`,
    "416 */0; kept",
    "nginx has the whole for any range of an empty file",
  ],
  [
    "the last of an empty file",
    `GET /empty HTTP/1.1\r\n${HOST}Range: bytes=-1\r\n\r\n`,
    "200 empty; kept",
  ],
  ["of what is not there", `GET /none HTTP/1.1\r\n${HOST}Range: bytes=0-1\r\n\r\n`, "404; kept"],
  ["two", of("bytes=0-1,3-4"), WHOLE, SEVERAL],
  ["two that touch", of("bytes=0-1,2-3"), WHOLE, SEVERAL],
  ["one and nothing", of("bytes=0-1,"), WHOLE, MALFORMED],
  [
    "two lines",
    `${GET}Range: bytes=0-1\r\nRange: bytes=3-4\r\n\r\n`,
    WHOLE,
    "nginx 1.22 takes the last one",
  ],
  ["backwards", of("bytes=4-2"), WHOLE, MALFORMED],
  ["nothing", of("bytes="), WHOLE],
  ["a dash alone", of("bytes=-"), WHOLE, MALFORMED],
  ["no dash", of("bytes=1"), WHOLE, MALFORMED],
  ["letters", of("bytes=a-b"), WHOLE, MALFORMED],
  ["a sign", of("bytes=+1-2"), WHOLE, MALFORMED],
  ["hex", of("bytes=0x1-2"), WHOLE, MALFORMED],
  ["a space in front of the dash", of("bytes=1 -2"), WHOLE, "nginx skips it"],
  ["another unit", of("lines=0-1"), WHOLE],
  ["no unit", of("0-1"), WHOLE],
  ["no =", of("bytes 0-1"), WHOLE],
];
