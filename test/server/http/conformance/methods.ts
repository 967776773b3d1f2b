/** Methods: GET and HEAD are answered, all others refused, and the connection ends behind them. */
import { type Case, GET, HOST } from "./case.ts";

const KEPT = "nginx keeps the connection, and names no methods";
const DROPPED = "nginx reads the body and throws it away; here no body is read";
const NO_TOKEN = "nginx takes capitals and _ alone for a method";

export const METHODS: readonly Case[] = [
  ["GET of a file", `${GET}\r\n`, "200 0123456789; kept"],
  ["GET of an empty file", `GET /empty HTTP/1.1\r\n${HOST}\r\n`, "200 empty; kept"],
  ["GET of a large file", `GET /large HTTP/1.1\r\n${HOST}\r\n`, "200 100000 bytes; kept"],
  ["HEAD of a file", `HEAD /f HTTP/1.1\r\n${HOST}\r\n`, "200 length 10; kept"],
  ["HEAD of an empty file", `HEAD /empty HTTP/1.1\r\n${HOST}\r\n`, "200 length 0; kept"],
  ["HEAD of a large file", `HEAD /large HTTP/1.1\r\n${HOST}\r\n`, "200 length 100000; kept"],
  ["HEAD of what is not there", `HEAD /none HTTP/1.1\r\n${HOST}\r\n`, "404; kept"],
  [
    "HEAD of a folder without its slash",
    `HEAD /d HTTP/1.1\r\n${HOST}\r\n`,
    "301 to /d/; kept",
    "nginx writes the whole address",
  ],
  ["POST", `POST /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  [
    "POST with a body",
    `POST /f HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
    "405 allows GET, HEAD; closed",
    DROPPED,
  ],
  [
    "PUT with a body",
    `PUT /f HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`,
    "405 allows GET, HEAD; closed",
    DROPPED,
  ],
  ["DELETE", `DELETE /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  ["PATCH", `PATCH /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  ["OPTIONS of a file", `OPTIONS /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  [
    "OPTIONS *",
    `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    "405 allows GET, HEAD; closed",
    "nginx knows no target but a path: 400",
  ],
  [
    "TRACE",
    `TRACE /f HTTP/1.1\r\n${HOST}\r\n`,
    "405 allows GET, HEAD; closed",
    "nginx names no methods",
  ],
  [
    "CONNECT",
    `CONNECT h:80 HTTP/1.1\r\n${HOST}\r\n`,
    "405 allows GET, HEAD; closed",
    "nginx knows no target but a path: 400",
  ],
  ["a method of nobody", `BREW /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  ["get", `get /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", NO_TOKEN],
  ["GETS", `GETS /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", KEPT],
  ["a method of marks", `!#$ /f HTTP/1.1\r\n${HOST}\r\n`, "405 allows GET, HEAD; closed", NO_TOKEN],
  ["a method that is no token", `G(ET /f HTTP/1.1\r\n${HOST}\r\n`, "400; closed"],
  ["no method", ` /f HTTP/1.1\r\n${HOST}\r\n`, "400; closed"],
];
