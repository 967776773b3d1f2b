/**
 * http:// and https:// URLs. A path stays as its URL writes it, escapes and all: a server need not take two
 * spellings of a name for one. The query belongs to the server's address, because it may hold a
 * secret: what is told to a person names a server and a path, and never a query.
 */
import { bytesOf, type ByteString, utf8Of } from "../wire/bytes.ts";
import { percent, unescape } from "../wire/escape.ts";
import { printable } from "../wire/printable.ts";
import type { ServerAddress, Target } from "./address.ts";
import { parseAuthority } from "./authority.ts";
import { usageError } from "./error.ts";

/** The ports of http:// and https:// (RFC 9110 4.2). */
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

const HTTP = /^http(s?):\/\//i;

/** What is no character of a path or a query, or is one that proxies read in two ways. */
const FOREIGN = /[^!-~]|["<>\\^`{|}]/g;

/** True for an http:// or https:// URL. */
export function isHttpUrl(text: ByteString): boolean {
  return HTTP.test(text);
}

/**
 * The target of such a URL; what stands behind "#" is dropped. Throws ClientError (usage), which
 * quotes no query and no password.
 */
export function parseHttpUrl(text: ByteString): Target {
  const secure = HTTP.exec(text)?.[1] !== "";
  const scheme = secure ? "https" : "http";
  const [whole = ""] = text.replace(HTTP, "").split("#");
  const [, authority = "", rest = ""] = /^([^/?]*)(.*)$/s.exec(whole) ?? [];
  if (authority.includes("@")) {
    throw usageError(
      `an ${scheme}:// URL with a user name or a password is not supported: leave them out`,
    );
  }
  const mark = rest.indexOf("?");
  const path = escaped(mark < 0 ? rest : rest.slice(0, mark));
  const query = mark < 0 ? "" : escaped(rest.slice(mark + 1));
  const shown = printable(`${scheme}://${authority}${path}`);
  if (unescape(path) === null) {
    throw usageError(`${shown}: "%" without two hex digits; write %25 for itself`);
  }
  const { host, port } = parseAuthority(utf8Of(authority), shown, portOf(secure));
  const target = path.startsWith("/") ? path : `/${path}`;
  const tls = secure ? { secure } : {};
  return { server: { host, port, ...tls, http: { query } }, path: target, literal: target };
}

/**
 * Where a Location of a reply from `server` for `path` leads (RFC 9110 10.2.2), or why nobody goes
 * there. What is told names the host alone: the rest may hold a secret.
 */
export function parseLocation(
  location: ByteString,
  server: ServerAddress,
  path: ByteString,
): Target | string {
  const own = server.secure === true ? "https:" : "http:";
  const base = `${own}//${hostField(server)}${path}`;
  if (location === "" || !URL.canParse(location, base)) return "it leads to no address";
  const url = new URL(location, base);
  if (url.protocol !== own) {
    // Whoever asks by TLS asked for that, and where a plaintext reply sends nobody follows blindly.
    return `it leads to ${printable(bytesOf(url.protocol))}//, which is not ${own}//`;
  }
  if (url.username !== "" || url.password !== "") return "it leads to an address with a password";
  try {
    return parseHttpUrl(bytesOf(url.href));
  } catch {
    return "it leads to no address that can be asked";
  }
}

/** What Host says: the port only where it is not HTTP's own. */
export function hostField({ host, port, secure = false }: ServerAddress): string {
  const name = host.includes(":") ? `[${host.replace(/%.*$/, "")}]` : host;
  return port === portOf(secure) ? name : `${name}:${port}`;
}

/** The request target (RFC 9112 3.2.1). */
export function requestTarget(server: ServerAddress, path: ByteString): ByteString {
  const query = server.http?.query ?? "";
  return query === "" ? path : `${path}?${query}`;
}

/** The name of a file whose URL has `path`: the last component, unescaped. */
export function httpNameOf(path: ByteString): ByteString {
  return unescape(path.slice(path.lastIndexOf("/") + 1)) ?? "";
}

// --- internal ---

function portOf(secure: boolean): number {
  return secure ? HTTPS_PORT : HTTP_PORT;
}

function escaped(text: ByteString): ByteString {
  return text.replaceAll(FOREIGN, (character) => percent(character.charCodeAt(0)));
}
