/**
 * Names and paths as references in a page or a Location. Everything but what can't be mistaken is
 * escaped, so that no name is a scheme ("javascript:"), another host ("//"), a query or markup.
 */
import type { ByteString } from "../bytes.ts";
import { percent } from "../escape.ts";
import { HERE } from "../path.ts";

/** The name of a file in a folder as a reference relative to that folder. Any bytes will do. */
export function hrefOf(name: ByteString): string {
  // Most names need nothing, and a test is a third of a replacement.
  if (!/[^A-Za-z0-9\-._~/]/.test(name)) return name;
  return name.replaceAll(/[^A-Za-z0-9\-._~/]/g, (byte) => percent(byte.charCodeAt(0)));
}

/**
 * The absolute reference of a folder: "/", "/a/b/". `relative` comes from relativeOf(), with a
 * slash at its end or without: a path as it was sent, "//host/a", would lead to another server.
 */
export function folderHref(relative: ByteString): string {
  if (relative === HERE) return "/";
  return `/${hrefOf(relative)}${relative.endsWith("/") ? "" : "/"}`;
}
