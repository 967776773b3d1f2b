/** The form of error messages: each names the path and the server that was asked, once. */
import { printable } from "../wire/printable.ts";
import { type ServerAddress, urlOf } from "./address.ts";
import type { ByteString } from "../wire/bytes.ts";

/**
 * `text: PATH (s6://host:port)`, without the path where `text` ends in it already or `path` is "".
 */
export function about(text: string, server: ServerAddress, path: ByteString): string {
  const name = printable(path);
  const named = name === "" || text.endsWith(`: ${name}`);
  return `${text}${named ? "" : `: ${name}`} (${urlOf(server)})`;
}

/**
 * A server's message as text. serv6 sends it printable, with every backslash of a name doubled, so
 * that these are not doubled again; control characters of another server are still escaped.
 */
export function readable(message: ByteString): string {
  return printable(message).replaceAll("\\\\", "\\");
}
