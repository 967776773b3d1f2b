/** Every status that is sent has its words, those of RFC 9110 15 and RFC 6585 5. */
import { expect, test } from "bun:test";
import { reasonOf, statusOf } from "../../../src/wire/http/status.ts";

test.each([
  [200, "OK"],
  [204, "No Content"],
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
  [421, "Misdirected Request"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [503, "Service Unavailable"],
  [505, "HTTP Version Not Supported"],
] as const)("%d is %s", (status, words) => {
  expect(reasonOf(status)).toBe(words);
});

test("each code has its status", () => {
  const codes = [
    ["ENOENT", 404],
    ["EACCES", 403],
    ["EISDIR", 403],
    ["ENOTDIR", 404],
    ["EINVAL", 400],
    ["ERANGE", 416],
    ["ESTALE", 412],
    ["EBUSY", 503],
    ["ENAMETOOLONG", 404],
    ["E2BIG", 431],
    ["EOVERFLOW", 500],
    ["EIO", 500],
    ["ETIMEDOUT", 408],
    ["ENOSYS", 501],
    ["EPROTO", 400],
  ] as const;
  for (const [code, status] of codes) expect([code, statusOf(code)]).toEqual([code, status]);
});
