/** What a message is about: every failure names the path and the server it was asked of, once. */
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
 * A server's message as text. An honest one is printable already, with every backslash of a name
 * doubled, so those are not doubled again; what could move a cursor is still escaped.
 */
export function readable(message: ByteString): string {
  return printable(message).replaceAll("\\\\", "\\");
}
