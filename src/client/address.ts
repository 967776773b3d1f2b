/**
 * Addresses of servers and targets: `s6://host:port/path`, `s6s://` by TLS, or a bare path on a server that is given
 * elsewhere. It does no I/O and resolves no names. Paths are bytes; the percent escapes of a URL
 * are decoded exactly once, a bare path is literal.
 */
import { escapePath, unescape } from "../wire/escape.ts";
import { parseCount } from "../wire/number.ts";
import { printable, printableText } from "../wire/printable.ts";
import { PORT_DEFAULT, PORT_MAX } from "../wire/vocabulary.ts";
import { type ClientError, usageError } from "./error.ts";
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
/** A DNS name (other scripts are written in punycode) or an IPv4 address. */
const HOST = /^[A-Za-z0-9._-]{1,255}$/;
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?$/;

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
  return parseAuthority(rest, shown, isSecure(scheme?.[1], shown));
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
  const named = parseAuthority(host, shown, secure);
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
  return `${server.secure === true ? "s6s" : "s6"}://${authorityOf(server)}${printable(escapePath(path))}`;
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

/** Equal for what sameServer() takes for the same: with its link, so not for a person. */
export function serverKey(server: ServerAddress): string {
  return server.link === undefined ? urlOf(server) : `${urlOf(server)} ${server.link}`;
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

/** Whether `scheme`, where there is one, means TLS. Throws ClientError (usage) for another one. */
function isSecure(scheme: string | undefined, shown: string): boolean {
  const name = scheme?.toLowerCase() ?? "s6";
  if (name === "s6") return false;
  if (name === "s6s") return true;
  const asFile = `a file of that name is asked for as ./${shown}`;
  throw usageError(`${shown}: only s6:// and s6s:// URLs can be fetched; ${asFile}`);
}

function parseAuthority(text: string, shown: string, secure: boolean): ServerAddress {
  const address = (host: string, port: number): ServerAddress =>
    secure ? { host, port, secure } : { host, port };
  if (text.includes("@")) throw usageError(`${shown}: an s6 address has no user name`);
  const bracketed = /^\[([^\]]*)\](.*)$/s.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1] ?? "";
    if (!isIpv6(host)) throw usageError(`${shown}: no IPv6 address between the brackets`);
    return address(host, parsePort(bracketed[2] ?? "", shown));
  }
  const colon = text.indexOf(":");
  if (colon !== text.lastIndexOf(":")) {
    if (isPlainIpv6(text)) return address(text, PORT_DEFAULT);
    throw usageError(`${shown}: an IPv6 address is written in brackets, as [::1]:${PORT_DEFAULT}`);
  }
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST.test(host)) throw badHost(host, shown);
  return address(host, parsePort(colon < 0 ? "" : text.slice(colon), shown));
}

/**
 * True for an IPv6 address that nobody can take for ADDRESS:PORT. `::1:6464` is one of port 6464 to
 * most who write it, and another address to the standard (RFC 4291 2.2): it needs its brackets.
 */
function isPlainIpv6(text: string): boolean {
  const port = /^(.*):[0-9]{1,5}$/.exec(text);
  return isIpv6(text) && !(port !== null && isIpv6(port[1] ?? ""));
}

function isIpv6(text: string): boolean {
  return IPV6.test(text) && URL.canParse(`http://[${text.replace(/%.*$/, "")}]/`);
}

function badHost(host: string, shown: string): ClientError {
  if (host === "") return usageError(`${shown}: the host is missing, as in s6://HOST:PORT/path`);
  return usageError(`${shown}: not a host name or address`);
}

/** `text` is "" or starts with ":". */
function parsePort(text: string, shown: string): number {
  if (text === "") return PORT_DEFAULT;
  const port = text.startsWith(":") ? parseCount(text.slice(1)) : -1;
  if (port < 1 || port > PORT_MAX) {
    throw usageError(`${shown}: a port is a number from 1 to ${PORT_MAX}`);
  }
  return port;
}
