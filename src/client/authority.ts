/**
 * The authority of an address: which host, which port. It does no I/O and resolves no names.
 */
import { parseCount } from "../wire/number.ts";
import { PORT_DEFAULT, PORT_MAX } from "../wire/vocabulary.ts";
import type { ServerAddress } from "./address.ts";
import { type ClientError, usageError } from "./error.ts";

/** A DNS name (other scripts are written in punycode) or an IPv4 address. */
const HOST = /^[A-Za-z0-9._-]{1,255}$/;
/** An IPv6 address, perhaps with a zone. */
export const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?$/;

/**
 * `host`, `host:port`, `[IPv6]:port` or an IPv6 address; `standard` is the port when none is given,
 * `shown` what errors quote. Throws ClientError (usage).
 */
export function parseAuthority(
  text: string,
  shown: string,
  standard: number = PORT_DEFAULT,
): ServerAddress {
  if (text.includes("@")) throw usageError(`${shown}: an s6 address has no user name`);
  const bracketed = /^\[([^\]]*)\](.*)$/s.exec(text);
  if (bracketed !== null) {
    const host = bracketed[1] ?? "";
    if (!isIpv6(host)) throw usageError(`${shown}: no IPv6 address between the brackets`);
    // URLs write the % in front of a zone escaped (RFC 6874), and people do not.
    const zoned = host.replace(/%25(?=.)/, "%");
    return { host: zoned, port: parsePort(bracketed[2] ?? "", shown, standard) };
  }
  const colon = text.indexOf(":");
  if (colon !== text.lastIndexOf(":")) {
    if (isPlainIpv6(text)) return { host: text, port: standard };
    throw usageError(`${shown}: an IPv6 address is written in brackets, as [::1]:${standard}`);
  }
  const host = colon < 0 ? text : text.slice(0, colon);
  if (!HOST.test(host)) throw badHost(host, shown);
  return { host, port: parsePort(colon < 0 ? "" : text.slice(colon), shown, standard) };
}

// --- internal ---

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
function parsePort(text: string, shown: string, standard: number): number {
  if (text === "") return standard;
  const port = text.startsWith(":") ? parseCount(text.slice(1)) : -1;
  if (port < 1 || port > PORT_MAX) {
    throw usageError(`${shown}: a port is a number from 1 to ${PORT_MAX}`);
  }
  return port;
}
