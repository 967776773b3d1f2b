/** Every status that is sent has its words, those of RFC 9110 15 and RFC 6585 5. */
import { expect, test } from "bun:test";
import { reasonOf } from "../../../src/wire/http/status.ts";

test.each([
  [200, "OK"],
  [206, "Partial Content"],
  [301, "Moved Permanently"],
  [304, "Not Modified"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [412, "Precondition Failed"],
  [413, "Content Too Large"],
  [414, "URI Too Long"],
  [416, "Range Not Satisfiable"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [503, "Service Unavailable"],
  [505, "HTTP Version Not Supported"],
] as const)("%d is %s", (status, words) => {
  expect(reasonOf(status)).toBe(words);
});
