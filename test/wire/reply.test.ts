/** Reply lines both ways: what the server writes a client reads, and nothing else is a reply. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { failureKindOf, isWireCode, Refusal, textOf } from "../../src/wire/errors.ts";
import {
  errLine,
  okLine,
  parsePlainError,
  parseReply,
  plainErrorLine,
  replyOf,
} from "../../src/wire/reply.ts";
import { PORT_DEFAULT, PORT_MAX, PROTOCOL } from "../../src/wire/vocabulary.ts";

/** The facts of `line` under `keys`, and under one that it does not have. */
function factsOf(line: string, keys: readonly string[]): (string | undefined)[] {
  const reply = parseReply(line);
  if (reply?.ok !== true) throw new Error(`no reply: ${line}`);
  return [...keys, "absent"].map((key) => reply.facts.get(key));
}

test("a reply that is a line has no bytes behind it", () => {
  expect(replyOf("OK 0\n")).toEqual({ kind: "reply", head: "OK 0\n", bytes: null, content: 0 });
});

test("an OK line gives its length and its facts", () => {
  const line = "OK 5 size=5 offset=0 etag=00ff mtime=-1";
  expect(parseReply(line)).toMatchObject({ ok: true, length: 5 });
  const keys = ["size", "offset", "etag", "mtime"];
  expect(factsOf(line, keys)).toEqual(["5", "0", "00ff", "-1", undefined]);
  expect(parseReply("OK 0")).toMatchObject({ ok: true, length: 0 });
  expect(factsOf("OK 0", [])).toEqual([undefined]);
  expect(factsOf("OK 0 a=b=c d=", ["a", "d"])).toEqual(["b=c", "", undefined]);
  // A key that is the start or the end of another one's, and a value that looks like a key.
  expect(factsOf("OK 0 ab=1 b=a=2", ["a", "ab", "b"])).toEqual([undefined, "1", "a=2", undefined]);
});

test("many facts are read as few are, and a doubled key is seen among them", () => {
  const keys = Array.from({ length: 40 }, (_, nth) => `k${nth}`);
  const line = `OK 0 ${keys.map((key) => `${key}=v${key}`).join(" ")}`;
  expect(factsOf(line, keys)).toEqual([...keys.map((key) => `v${key}`), undefined]);
  expect(parseReply(`${line} k7=again`)).toBeNull();
  expect(parseReply(`${line} =x`)).toBeNull();
  expect(factsOf(`${line} a=1`, ["a"])).toEqual(["1", undefined]);
});

test("an ERR line gives its code, also one that is unknown, and its message", () => {
  const reply = (code: string, message: string) => ({ ok: false, code, message });
  expect<unknown>(parseReply("ERR ENOENT no such file: /a b")).toEqual(
    reply("ENOENT", "no such file: /a b"),
  );
  expect<unknown>(parseReply("ERR E2BIG ")).toEqual(reply("E2BIG", ""));
  expect<unknown>(parseReply("ERR ENEWER \xff")).toEqual(reply("ENEWER", "\xff"));
});

test.each([
  [""],
  ["OK"],
  ["OK "],
  ["OK  0"],
  ["OK -1"],
  ["OK +1"],
  ["OK 01"],
  ["OK 1e9"],
  ["OK 0x1"],
  ["OK 9007199254740992"],
  ["OK 99999999999999999999"],
  [`OK ${"9".repeat(400)}`],
  ["OK 0 size"],
  ["OK 0 =1"],
  ["OK 0 a=1 a=1"],
  ["OK 0 a=1 "],
  ["OK 0  a=1"],
  ["ok 0"],
  ["OK\t0"],
  ["OKAY 0"],
  ["ERR"],
  ["ERR ENOENT"],
  ["ERR enoent x"],
  ["ERR NOENT x"],
  ["ERR E x"],
  [`ERR E${"A".repeat(32)} x`],
  ["ERROR ENOENT: x"],
  [" OK 0"],
  ["HTTP/1.1 200 OK"],
])("%j is no reply", (line) => {
  expect(parseReply(line)).toBeNull();
});

test("a bare dialect's error is told from a file's content", () => {
  expect(parsePlainError("ERROR ENOENT: no such file: /a")).toEqual({
    code: "ENOENT",
    message: "no such file: /a",
  });
  for (const line of ["ERROR", "ERROR ENOENT", "ERROR ENOENT no", "ERROR: x", "error ENOENT: x"]) {
    expect([line, parsePlainError(line)]).toEqual([line, null]);
  }
});

test("what the server writes is what the client reads", () => {
  const line = okLine(9007199254740991n, " a=1");
  expect(parseReply(line.slice(0, -1))).toMatchObject({
    ok: true,
    length: Number.MAX_SAFE_INTEGER,
  });
  expect(factsOf(line.slice(0, -1), ["a"])).toEqual(["1", undefined]);
  const refusal = new Refusal("ENOENT", "/x");
  const message = "no such file: /x";
  expect(errLine(refusal)).toBe(`ERR ENOENT ${message}\n`);
  expect(plainErrorLine(refusal)).toBe(`ERROR ENOENT: ${message}\n`);
  expect(parseReply(errLine(refusal).slice(0, -1))).toEqual({ ok: false, code: "ENOENT", message });
});

test("no line makes the reader of replies throw, and what it takes is a safe count", () => {
  const part = fc.constantFrom("OK", "ERR", " ", "=", "a", "0", "9", "-", "E", "\r", "\xff");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 16 }), (parts) => {
      const reply = parseReply(parts.join(""));
      if (reply?.ok !== true) return;
      expect(Number.isSafeInteger(reply.length) && reply.length >= 0).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ["ENOENT", "not-found"],
  ["EACCES", "denied"],
  ["EISDIR", "usage"],
  ["ENOTDIR", "not-found"],
  ["EINVAL", "usage"],
  ["ERANGE", "usage"],
  ["ESTALE", "changed"],
  ["EBUSY", "no-connection"],
  ["ENAMETOOLONG", "not-found"],
  ["E2BIG", "usage"],
  ["EOVERFLOW", "usage"],
  ["EIO", "unexpected"],
  ["ETIMEDOUT", "timed-out"],
  ["ENOSYS", "protocol"],
  ["EPROTO", "protocol"],
])("%s is of the kind %j", (code, kind) => {
  expect<string>(failureKindOf(code)).toBe(kind);
});

test("the protocol has its name and its ports", () => {
  expect([PROTOCOL, PORT_DEFAULT, PORT_MAX]).toEqual(["S6/1", 6464, 65_535]);
});

test("a foreign error is unexpected", () => {
  for (const foreign of ["EWHAT", "toString", "__proto__", ""]) {
    const told = [isWireCode(foreign), failureKindOf(foreign)];
    expect([foreign, ...told]).toEqual([foreign, false, "unexpected"]);
  }
  expect(new Refusal("EIO").message).toBe(textOf("EIO"));
});

test("each code has words of its own for a person", () => {
  const codes = [
    ...(["ENOENT", "EACCES", "EISDIR", "ENOTDIR", "EINVAL", "ERANGE", "ESTALE", "EBUSY"] as const),
    ...(["ENAMETOOLONG", "E2BIG", "EOVERFLOW", "EIO", "ETIMEDOUT", "ENOSYS", "EPROTO"] as const),
  ];
  const words = codes.map(textOf);
  expect(words.filter((text) => !/^[a-z][a-z ,]+[a-z]$/.test(text))).toEqual([]);
  expect(new Set(words).size).toBe(codes.length);
});
