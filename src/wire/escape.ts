/**
 * `%XX` escapes of paths and values on the wire. Decoding happens exactly once, here; the result is
 * bytes. Encoding escapes `%`, control characters and bytes that are not UTF-8; in a key's value
 * the space too.
 */
import type { ByteString } from "./bytes.ts";

const PERCENT = 37;
const SPACE = 32;
const DELETE = 127;
const HEX = "0123456789ABCDEF";

/** The bytes that `text` stands for, or null when a `%` is not followed by two hex digits. */
export function unescape(text: ByteString): ByteString | null {
  let mark = text.indexOf("%");
  if (mark < 0) return text;
  let bytes = "";
  let from = 0;
  while (mark >= 0) {
    const pair = text.slice(mark + 1, mark + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(pair)) return null;
    bytes += text.slice(from, mark) + String.fromCharCode(Number.parseInt(pair, 16));
    from = mark + 3;
    mark = text.indexOf("%", from);
  }
  return bytes + text.slice(from);
}

/** `bytes` as they stand in a request's path or a listing: unescape() gives them back exactly. */
export function escapePath(bytes: ByteString): ByteString {
  return escape(bytes, false);
}

/** `bytes` as the path of an s6 URL, which has no query and no fragment: of names alone. */
export function escapeUrlPath(bytes: ByteString): ByteString {
  return escapePath(bytes).replaceAll("?", "%3F").replaceAll("#", "%23");
}

/** `bytes` as a key's value, where a space would end it. */
export function escapeValue(bytes: ByteString): ByteString {
  return escape(bytes, true);
}

/**
 * Length of the well-formed UTF-8 sequence at `at`, or 0 (RFC 3629: no overlong forms, no
 * surrogates, nothing past U+10FFFF). A byte below 0x80 is a sequence of 1.
 */
export function utf8Length(bytes: ByteString, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + count > bytes.length) return 0;
  for (let i = 1; i < count; i++) {
    if ((bytes.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  }
  const second = bytes.charCodeAt(at + 1);
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return count;
}

/** `%XX` of one byte. */
export function percent(code: number): string {
  return `%${HEX[code >> 4]}${HEX[code & 15]}`;
}

// --- internal ---

function escape(bytes: ByteString, spaceToo: boolean): ByteString {
  let out = "";
  let from = 0;
  for (let i = 0; i < bytes.length;) {
    const code = bytes.charCodeAt(i);
    const count = utf8Length(bytes, i);
    const control = code < SPACE || code === DELETE || code === PERCENT;
    // U+0080..U+009F are controls as well, though they are valid UTF-8.
    const control1 = code === 0xc2 && count === 2 && bytes.charCodeAt(i + 1) < 0xa0;
    if (count > 0 && !control && !control1 && !(spaceToo && code === SPACE)) {
      i += count;
      continue;
    }
    out += bytes.slice(from, i) + percent(code);
    i += 1;
    from = i;
    if (control1) {
      out += percent(bytes.charCodeAt(i));
      i += 1;
      from = i;
    }
  }
  return from === 0 ? bytes : out + bytes.slice(from);
}
