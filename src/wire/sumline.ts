/** Lines of sha256sum(1): a digest and a name, which may be any bytes. */
import type { ByteString } from "./bytes.ts";

/**
 * The line, with its LF. A name with a backslash, LF or CR has them as `\\`, `\n` and `\r`, and
 * then a backslash begins the line: sha256sum(1) takes it back. `digest` is in hex; what a caller
 * puts behind it stands there as it is.
 */
export function sumLine(digest: string, name: ByteString): ByteString {
  const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === name ? "" : "\\"}${digest}  ${escaped}\n`;
}
