/** What becomes of the connection, and several requests on one. */
import { type Case, GET, HOST } from "./case.ts";

const OLD = `GET /f HTTP/1.0\r\n${HOST}`;

export const CONNECTIONS: readonly Case[] = [
  ["HTTP/1.1 goes on", `${GET}\r\n`, "200 0123456789; kept"],
  ["HTTP/1.1 with keep-alive", `${GET}Connection: keep-alive\r\n\r\n`, "200 0123456789; kept"],
  ["HTTP/1.1 with close", `${GET}Connection: close\r\n\r\n`, "200 0123456789; closed"],
  ["close in capitals", `${GET}Connection: CLOSE\r\n\r\n`, "200 0123456789; closed"],
  ["close in a list", `${GET}Connection: TE, close\r\n\r\n`, "200 0123456789; closed"],
  ["close and keep-alive", `${GET}Connection: close, keep-alive\r\n\r\n`, "200 0123456789; closed"],
  [
    "an unknown word",
    `${GET}Connection: closed\r\n\r\n`,
    "200 0123456789; kept",
    "nginx looks for the letters of close anywhere",
  ],
  ["two lines", `${GET}Connection: a\r\nConnection: close\r\n\r\n`, "200 0123456789; closed"],
  ["HTTP/1.0 ends", `${OLD}\r\n`, "200 0123456789; closed"],
  ["HTTP/1.0 with keep-alive", `${OLD}Connection: Keep-Alive\r\n\r\n`, "200 0123456789; kept"],
  ["HTTP/1.0 with close", `${OLD}Connection: close\r\n\r\n`, "200 0123456789; closed"],
  [
    "HEAD with close",
    `HEAD /f HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    "200 length 10; closed",
  ],
  ["404 goes on", `GET /none HTTP/1.1\r\n${HOST}\r\n`, "404; kept"],
  ["404 with close", `GET /none HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, "404; closed"],
  ["416 goes on", `${GET}Range: bytes=10-\r\n\r\n`, "416 */10; kept"],
  ["304 goes on", `${GET}If-None-Match: {etag}\r\n\r\n`, "304; kept"],
  [
    "412 goes on",
    `${GET}If-Match: "other"\r\n\r\n`,
    "412; kept",
    "nginx ends the connection behind a 412",
  ],
  ["two in a row", `${GET}\r\n${GET}\r\n`, "200 0123456789, 200 0123456789; kept"],
  [
    "all kinds in a row",
    `${GET}\r\nHEAD /f HTTP/1.1\r\n${HOST}\r\nGET /none HTTP/1.1\r\n${HOST}\r\n${GET}Range: bytes=2-3\r\n\r\n`,
    "200 0123456789, 200 length 10, 404, 206 2-3/10 23; kept",
  ],
  [
    "what follows a close is not read",
    `${GET}Connection: close\r\n\r\n${GET}\r\n`,
    "200 0123456789; closed",
  ],
  [
    "what follows a refusal is not read",
    `${GET}\r\nGET /f HTTP/1.1\r\n\r\n${GET}\r\n`,
    "200 0123456789, 400; closed",
  ],
];
