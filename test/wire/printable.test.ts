/** What a peer or a disk wrote, made safe to look at: one line that moves no cursor. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { printable, PRINTABLE_CHARS_MAX, printableText } from "../../src/wire/printable.ts";

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

test.each([
  ["plain text stays", "a b/c.txt", "a b/c.txt"],
  ["text in UTF-8 is shown", latin1("caf\u00e9 \u4e2d\u{1f600}"), "caf\u00e9 \u4e2d\u{1f600}"],
  ["a line feed", "a\nb", "a\\x0ab"],
  ["a carriage return", "a\rb", "a\\x0db"],
  ["a tab", "a\tb", "a\\x09b"],
  ["an escape sequence", "\x1b]0;x\x07", "\\x1b]0;x\\x07"],
  ["DEL", "\x7f", "\\x7f"],
  ["NUL", "\0", "\\x00"],
  ["U+0080, the first that is no byte", "\xc2\x80", "\\u{80}"],
  ["a raw 0x9b, which is no UTF-8", "\x9b2J", "\\x9b2J"],
  ["U+009B, which is UTF-8 and a control", "\xc2\x9b2J", "\\u{9b}2J"],
  ["U+202E turns no text", latin1("a\u202egpj.exe"), "a\\u{202e}gpj.exe"],
  ["U+2066 isolates no text", latin1("\u2066"), "\\u{2066}"],
  ["a zero-width space", latin1("a\u200bb"), "a\\u{200b}b"],
  ["a line separator", latin1("a\u2028b"), "a\\u{2028}b"],
  ["a byte order mark", latin1("\ufeffa"), "\\u{feff}a"],
  ["a tag character", latin1("\u{e0041}"), "\\u{e0041}"],
  ["a byte that is no UTF-8", "a\xff", "a\\xff"],
  ["an overlong dot", "\xc0\xae", "\\xc0\\xae"],
  ["an overlong NUL of three bytes", "\xe0\x80\x80", "\\xe0\\x80\\x80"],
  ["an overlong slash of four", "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"],
  ["a cut sequence", "\xe2\x82", "\\xe2\\x82"],
  ["a backslash alone is doubled", "\\", "\\\\"],
  ["a backslash can't pretend to be an escape", "\\x0a", "\\\\x0a"],
])("%s", (_, bytes, shown) => {
  expect(printable(bytes)).toBe(shown);
});

test("a JavaScript string is made safe the same way", () => {
  expect(printableText("a\nb\u202e\\\u00e9")).toBe("a\\x0ab\\u{202e}\\\\\u00e9");
});

test("any bytes give one line of visible characters, and different bytes different lines", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((it) => Buffer.from(it).toString("latin1"));
  const parts = ["\\", "x", "0", "a", "\n", "\xe2\x80\xae", "{", "}", "u"];
  const pointed = fc.array(fc.constantFrom(...parts)).map((it) => it.join(""));
  const any = fc.oneof(bytes, pointed);
  const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u;
  fc.assert(
    fc.property(any, any, (one, other) => {
      expect(printable(one)).not.toMatch(unsafe);
      expect(printable(one) === printable(other)).toBe(one === other);
    }),
    { numRuns: 3000 },
  );
});

test("a long text is cut and says so", () => {
  for (const byte of ["a", "\xff", "\n"]) {
    const shown = printable(byte.repeat(100_000));
    expect(shown.length).toBeLessThan(PRINTABLE_CHARS_MAX + 16);
    expect(shown.endsWith("...")).toBe(true);
  }
  expect(PRINTABLE_CHARS_MAX).toBe(16_380);
  const longest = "a".repeat(PRINTABLE_CHARS_MAX);
  expect([printable(longest), printableText(longest)]).toEqual([longest, longest]);
  for (const more of [`${longest}a`, `${longest}\n`]) {
    expect([printable(more), printableText(more)]).toEqual([`${longest}...`, `${longest}...`]);
  }
});
