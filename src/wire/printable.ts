/**
 * Text from a peer or a disk made safe for a terminal or a log: one line, without control
 * characters and bidi overrides. Every message, log line and prompt goes through here
 * (CVE-2019-6109, CVE-2013-1862). Pure functions.
 */
import { utf8Length } from "./escape.ts";
import { type ByteString, utf8Of } from "./bytes.ts";

/**
 * C0, DEL and C1 controls, line and paragraph separators, bidi overrides, zero-width and tag
 * characters: all that moves a cursor, ends a line or makes one name look like another.
 */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/u;

/**
 * Longest printable form of one text, in characters; the rest becomes "...". It is the longest path
 * of Linux (PATH_MAX without its NUL) with each byte written as `\xHH`, so that no name is cut.
 */
export const PRINTABLE_CHARS_MAX = 4 * 4095;

/**
 * `bytes` as text: UTF-8 decoded, bytes that are not UTF-8 as `\xHH`, unsafe characters as `\xHH`
 * or `\u{H}`, and `\` doubled so that no name can pretend to be an escape.
 */
export function printable(bytes: ByteString): string {
  let out = "";
  let ascii = true;
  for (let i = 0; i < bytes.length && ascii; i++) {
    const code = bytes.charCodeAt(i);
    ascii = code >= 0x20 && code < 0x7f && code !== 0x5c;
  }
  if (ascii && bytes.length <= PRINTABLE_CHARS_MAX) return bytes;
  for (let i = 0; i < bytes.length;) {
    if (out.length >= PRINTABLE_CHARS_MAX) return `${out}...`;
    const count = utf8Length(bytes, i);
    if (count === 0) {
      out += hex(bytes.charCodeAt(i));
      i += 1;
      continue;
    }
    out += safe(utf8Of(bytes.slice(i, i + count)));
    i += count;
  }
  return out;
}

/** The same for a JavaScript string (an operating system's message, a host name). */
export function printableText(text: string): string {
  let out = "";
  for (const character of text) {
    if (out.length >= PRINTABLE_CHARS_MAX) return `${out}...`;
    out += safe(character);
  }
  return out;
}

// --- internal ---

function safe(character: string): string {
  if (character === "\\") return "\\\\";
  if (!UNSAFE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? hex(code) : `\\u{${code.toString(16)}}`;
}

function hex(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}
