/**
 * Addresses of servers and targets: `s6://host:port/path`, `s6s://` by TLS, http:// URLs as
 * httpaddress.ts reads them, or a bare path on a server that is given elsewhere. It does no I/O and
 * resolves no names. Paths are bytes; the percent escapes of an s6 URL are decoded exactly once, a
 * bare path is literal.
 */
import { escapeUrlPath, unescape } from "../wire/escape.ts";
import { printable, printableText } from "../wire/printable.ts";
import { PORT_DEFAULT } from "../wire/vocabulary.ts";
import { IPV6, parseAuthority } from "./authority.ts";
import { usageError } from "./error.ts";
import { isHttpUrl, parseHttpUrl } from "./httpaddress.ts";
import { bytesOf, type ByteString, byteStringOf, utf8Of } from "../wire/bytes.ts";

/** A server's address. IPv6 stands here without its brackets. */
export interface ServerAddress {
  readonly host: string;
  /** 1..65535. */
  readonly port: number;
  /** By TLS. */
  readonly secure?: boolean;
  /** A signed link that it is shown: part of the address, but never of a message. */
  readonly link?: string;
  /** It speaks HTTP/1.1, and each request has this query ("" for none); missing: S6/1. */
  readonly http?: { readonly query: ByteString };
}

/** A path on a server. */
export interface Target {
  readonly server: ServerAddress;
  /** Decoded bytes, starting with "/": what S6/1 asks for. */
  readonly path: ByteString;
  /** The bytes as they were given: what the bare dialect asks for. */
  readonly literal: ByteString;
}

/** The server of bare paths unless another one is given. */
export const SERVER_DEFAULT: ServerAddress = { host: "127.0.0.1", port: PORT_DEFAULT };

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;
/**
 * A URL whose `s6://` was left out: HOST:PORT or [IPv6], alone or before a "/". A HOST is an IPv4
 * address or begins with a letter, so that no time of day ("12:30") is one.
 */
const WITHOUT_SCHEME = ((): RegExp => {
  const host = "(?:[A-Za-z][A-Za-z0-9.-]{0,254}|[0-9]{1,3}(?:[.][0-9]{1,3}){3})";
  const port = ":[1-9][0-9]{0,4}";
  const ipv6 = `\\[${IPV6.source.slice(1, -1)}\\]`;
  return new RegExp(`^(?:${host}${port}|${ipv6}(?:${port})?)(?:/|$)`);
})();

/**
 * `HOST`, `HOST:PORT`, `[IPv6]:PORT`, `IPv6` or any of them behind `s6://`; a "/" at the end is
 * allowed. Throws ClientError (usage) that quotes it.
 */
export function parseServer(text: string): ServerAddress {
  const shown = printableText(text);
  const scheme = SCHEME.exec(text);
  const rest = text.slice(scheme?.[0].length ?? 0).replace(/(?<=.)\/$/s, "");
  return addressOf(parseAuthority(rest, shown), isSecure(scheme?.[1], shown));
}

/** True for what is read as a URL, with or without its `s6://`; else it is a bare path. */
export function isUrl(text: ByteString): boolean {
  return SCHEME.test(text) || WITHOUT_SCHEME.test(text);
}

/**
 * A URL with its own server, whose `s6://` may be left out before HOST:PORT and [IPv6], or a bare
 * path on `server`: `a/b` is asked for as `/a/b`, and `./nas:7000` is a file called so. Throws
 * ClientError (usage) for a URL that can't be meant as one.
 */
export function parseTarget(text: ByteString, server: ServerAddress): Target {
  if (!isUrl(text)) return bareTarget(text, server);
  if (isHttpUrl(text)) return parseHttpUrl(text);
  const scheme = SCHEME.exec(text);
  // Also one that is no link any more: it may be a secret with a letter too many.
  const shown = printable(text.replace(/\?link=.*$/s, "?link=..."));
  const secure = isSecure(scheme?.[1], shown);
  const [plain, link] = splitLink(text);
  const rest = plain.slice(scheme?.[0].length ?? 0);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const escaped = slash < 0 ? "/" : rest.slice(slash);
  const marked = /[?#]/.exec(rest)?.[0];
  if (marked !== undefined) {
    const escape = marked === "?" ? "%3F" : "%23";
    throw usageError(
      `${shown}: an s6 URL has no "${marked}" part; in a name it is written ${escape}`,
    );
  }
  const path = unescape(escaped);
  if (path === null) throw usageError(`${shown}: "%" without two hex digits; write %25 for itself`);
  const host = utf8Of(authority);
  const named = addressOf(parseAuthority(host, shown), secure);
  const given = link.slice("?link=".length);
  return { server: link === "" ? named : { ...named, link: given }, path, literal: path };
}

/**
 * A bare path, never read as a URL: a line of standard input. Throws ClientError (usage) when it is
 * empty.
 */
export function bareTarget(path: ByteString, server: ServerAddress): Target {
  if (path === "") throw usageError("the path is empty");
  return { server, path: path.startsWith("/") ? path : `/${path}`, literal: path };
}

/** `host:port`, IPv6 in brackets, printable. */
export function authorityOf({ host, port }: ServerAddress): string {
  const shown = printableText(host);
  return host.includes(":") ? `[${shown}]:${port}` : `${shown}:${port}`;
}

/** `s6://host:port`, as messages name a server, with `path` behind it when given. */
export function urlOf(server: ServerAddress, path: ByteString = ""): string {
  // A path of HTTP is escaped as it stands.
  if (server.http !== undefined) {
    return `${server.secure === true ? "https" : "http"}://${authorityOf(server)}${printable(path)}`;
  }
  const scheme = server.secure === true ? "s6s" : "s6";
  return `${scheme}://${authorityOf(server)}${printable(escapeUrlPath(path))}`;
}

/** As long as a token may be. */
const LINK_END = /\?link=(link\.[0-9A-Za-z._-]{1,507})$/;

/** A URL without the signed link at its end, and that end ("" where there is none). */
export function splitLink(url: ByteString): [plain: ByteString, link: string] {
  const [found = ""] = LINK_END.exec(url) ?? [];
  return [url.slice(0, url.length - found.length), found];
}

/** True when they are equal as text; two names of one machine are two servers. */
export function sameServer(a: ServerAddress, b: ServerAddress): boolean {
  return serverKey(a) === serverKey(b);
}

/** Equal for what sameServer() takes for the same: with its secrets, so not for a person. */
export function serverKey(server: ServerAddress): string {
  const secret = server.link ?? server.http?.query;
  return secret === undefined ? urlOf(server) : `${urlOf(server)} ${secret}`;
}

/**
 * The bytes of a path: text is taken as UTF-8. Throws ClientError (usage) unless it starts with
 * "/".
 */
export function pathBytes(path: string | Uint8Array): ByteString {
  const bytes = typeof path === "string" ? bytesOf(path) : byteStringOf(path);
  if (!bytes.startsWith("/")) throw usageError(`a path starts with "/": ${printable(bytes)}`);
  return bytes;
}

// --- internal ---

function addressOf(authority: ServerAddress, secure: boolean): ServerAddress {
  return secure ? { ...authority, secure } : authority;
}

/** Whether `scheme`, where there is one, means TLS. Throws ClientError (usage) for another one. */
function isSecure(scheme: string | undefined, shown: string): boolean {
  const name = scheme?.toLowerCase() ?? "s6";
  if (name === "s6") return false;
  if (name === "s6s") return true;
  if (name === "http" || name === "https") {
    throw usageError(`${shown}: only s6:// and s6s:// here: such a URL stands where a path does`);
  }
  const asFile = `a file of that name is asked for as ./${shown}`;
  throw usageError(
    `${shown}: only s6://, s6s://, http:// and https:// URLs can be fetched; ${asFile}`,
  );
}
