/** `%XX` on the wire: every byte survives the way there and back, and nothing is decoded twice. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { byteStringOf } from "../../src/wire/bytes.ts";
import { escapePath, escapeValue, unescape, utf8Length } from "../../src/wire/escape.ts";

/** Any bytes, one a character. */
const bytes = fc.uint8Array({ maxLength: 64 }).map((it) => Buffer.from(it).toString("latin1"));

/** Bytes that are more often the ones with a meaning. */
const pointed = fc
  .array(fc.constantFrom("%", "%2", "%41", " ", "\n", "\xc2\x9b", "\xe2\x80\xae", "a", "\xff"))
  .map((parts) => parts.join(""));

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

test("each single byte is escaped, or is printable ASCII, and comes back", () => {
  for (let code = 0; code < 256; code++) {
    const byte = String.fromCharCode(code);
    const plain = code >= 0x20 && code < 0x7f && byte !== "%";
    const want = plain ? byte : `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
    expect([code, escapePath(byte)]).toEqual([code, want]);
    expect([code, escapeValue(byte)]).toEqual([code, byte === " " ? "%20" : want]);
    expect([code, unescape(want)]).toEqual([code, byte]);
    const hex = code.toString(16).padStart(2, "0");
    expect([code, unescape(`%${hex}`)]).toEqual([code, byte]);
  }
});

test.each<[string, plain: string, changed: string | null]>([
  ["a space stays in a path", "a b", "a b"],
  ["text in UTF-8 stays", latin1("é \u4e2d \u{1f600}"), latin1("é \u4e2d \u{1f600}")],
  ["a percent is escaped", "100%25", "100%2525"],
  ["a line end is escaped", "a\nb\r", "a%0Ab%0D"],
  ["a C1 control is escaped though it is UTF-8", "a\xc2\x9bb", "a%C2%9Bb"],
  ["a cut sequence is escaped", "\xe2\x80", "%E2%80"],
  ["an overlong dot is escaped", "\xc0\xae", "%C0%AE"],
  ["a surrogate is escaped", "\xed\xa0\x80", "%ED%A0%80"],
  ["past U+10FFFF is escaped", "\xf4\x90\x80\x80", "%F4%90%80%80"],
  ["an overlong sequence of three is escaped", "\xe0\x9f\xbf", "%E0%9F%BF"],
  ["an overlong sequence of four is escaped", "\xf0\x8f\xbf\xbf", "%F0%8F%BF%BF"],
  ["the last C1 control is escaped", "\xc2\x9f", "%C2%9F"],
  ["the first of each length stays", "\xc2\xa0\xe0\xa0\x80\xf0\x90\x80\x80", null],
  ["the last of each length stays", "\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf", null],
  ["what is around the surrogates stays", "\xed\x9f\xbf\xee\x80\x80", null],
  ["a letter behind a cut sequence stays", "\xe2a\x80", "%E2a%80"],
])("%s", (_, plain, changed) => {
  const escaped = changed ?? plain;
  expect(escapePath(plain)).toBe(escaped);
  expect(unescape(escaped)).toBe(plain);
});

test("an escape that is no escape is refused, wherever it stands", () => {
  for (const broken of ["%", "%4", "%GG", "%4G", "%G4", "% 1", "%+1", "%0x", "%%41", "%-1"]) {
    for (const text of [broken, `/a${broken}`, `${broken}/`, `%41${broken}`, `%41${broken}%42`]) {
      const complete = /^(?:[^%]|%[0-9A-Fa-f]{2})*$/.test(text);
      expect([text, unescape(text) !== null]).toEqual([text, complete]);
    }
  }
});

test("decoding happens once: an escaped escape is not an escape", () => {
  expect(unescape("%252e%252e")).toBe("%2e%2e");
  expect(unescape("%2525")).toBe("%25");
  expect(unescape("%00%0a%2F")).toBe("\0\n/");
});

test("any bytes come back from both escapes", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, pointed), (it) => {
      expect(unescape(escapePath(it))).toBe(it);
      expect(unescape(escapeValue(it))).toBe(it);
    }),
    { numRuns: 2000 },
  );
});

test("what was escaped is one line of UTF-8 without a control, as a value without a space", () => {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  fc.assert(
    fc.property(fc.oneof(bytes, pointed), (it) => {
      const path = utf8.decode(Buffer.from(escapePath(it), "latin1"));
      expect(path).not.toMatch(/\p{Cc}/u);
      expect(escapeValue(it)).toBe(escapePath(it).replaceAll(" ", "%20"));
    }),
    { numRuns: 2000 },
  );
});

test("well-formed UTF-8 is what the platform's own decoder takes", () => {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const wellFormed = (it: string): boolean => {
    try {
      utf8.decode(Buffer.from(it, "latin1"));
      return true;
    } catch {
      return false;
    }
  };
  const heads = ["\x7f", "\x80", "\xc1", "\xc2", "\xdf", "\xe0", "\xed", "\xef"];
  heads.push("\xf0", "\xf4", "\xf5", "\xff");
  const tails = ["", "\x7f", "\x80", "\x8f", "\x90", "\x9f", "\xa0", "\xbf", "\xc0"];
  for (const head of heads) {
    for (const second of tails) {
      for (const rest of ["", "\x80", "\xbf", "\x80\x80", "\xbf\xc0", "\x7f\x80"]) {
        const it = head + second + rest;
        let at = 0;
        while (at < it.length && utf8Length(it, at) > 0) at += utf8Length(it, at);
        expect([it, at === it.length]).toEqual([it, wellFormed(it)]);
      }
    }
  }
});

test("each byte in memory is one character, of a part of a buffer too", () => {
  const whole = Uint8Array.from({ length: 256 }, (_, code) => code);
  expect(byteStringOf(whole.subarray(100))).toBe(String.fromCharCode(...whole.subarray(100)));
});
