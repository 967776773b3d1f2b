/**
 * Content-Disposition of a download (RFC 6266, RFC 8187): the name that a browser saves under. Any
 * bytes can be a name; the value is always printable ASCII.
 */
import { bytesOf, type ByteString, utf8Of } from "../bytes.ts";
import { percent } from "../escape.ts";

/**
 * What a fallback name can't have: what is not ASCII, the quote and the backslash that would end or
 * escape the string, and the percent sign, which some browsers decode.
 */
const UNFIT = /[^ -~]|["\\%/]/gu;

/** RFC 8187 3.2.1, attr-char. */
const ESCAPED = /[^!#$&+\-.^_`|~0-9A-Za-z]/g;

/**
 * `attachment; filename="..."`, and `filename*=` where the name is not plain ASCII. In the first
 * each character that does not fit is "_"; in the second bytes that are not UTF-8 are U+FFFD,
 * because RFC 8187 knows no names in bytes.
 */
export function attachment(name: ByteString): string {
  const text = utf8Of(name);
  const fallback = text.replaceAll(UNFIT, "_");
  const plain = `attachment; filename="${fallback}"`;
  if (fallback === text) return plain;
  const exact = bytesOf(text).replaceAll(ESCAPED, (byte) => percent(byte.charCodeAt(0)));
  return `${plain}; filename*=UTF-8''${exact}`;
}
