/**
 * What a server whose files are behind a network needs of its own machine while it serves: to
 * connect to the store, and to find out where that is. The wall lets that through and nothing more.
 */
import fs from "node:fs";
import path from "node:path";
import type { FileRule } from "../../sys/confine.ts";
import type { ServeOptions } from "../../server/start.ts";
import { bytesOf } from "../../wire/bytes.ts";

/** Names are asked for by TCP where an answer is long (RFC 7766). */
const DNS_PORT = 53;

/** What getaddrinfo(3) reads, of glibc and of musl. */
const RESOLVER_FILES = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/nsswitch.conf",
  "/etc/host.conf",
  "/etc/gai.conf",
];

/**
 * TCP ports of others that a server of `options` connects to: the store's, or its proxy's, and that
 * of names. Null for files of this machine: it connects to nobody.
 */
export function connectPorts({ s3 }: ServeOptions): readonly number[] | null {
  if (s3 === undefined) return null;
  const { HTTP_PROXY, HTTPS_PROXY, http_proxy, https_proxy } = process.env;
  const addresses = [s3.endpoint ?? "https://", HTTP_PROXY, HTTPS_PROXY, http_proxy, https_proxy];
  const ports = addresses.flatMap((address) => (address ? [portOf(address)] : []));
  return [...new Set([...ports, DNS_PORT])];
}

/** Files that are read to find out where the store is. */
export function resolverFiles(): FileRule[] {
  return RESOLVER_FILES.flatMap((file) => {
    const folder = folderBehind(file);
    const rule: FileRule = { path: bytesOf(file), may: "read" };
    return folder === null ? [rule] : [rule, { path: bytesOf(folder), may: "read" }];
  });
}

// --- internal ---

function portOf(address: string): number {
  const [, secure, port] = /^(?:http(s)?:\/\/)?[^/]*?(?::([0-9]+))?(?:\/|$)/.exec(address) ?? [];
  if (port !== undefined) return Number(port);
  return secure === undefined ? 80 : 443;
}

/**
 * The folder in which a link leads from /etc: what renews the file puts a new one there. A file
 * that is renewed in /etc itself can't be read until the next start: no rule opens all of /etc.
 */
function folderBehind(file: string): string | null {
  try {
    const folder = path.dirname(fs.realpathSync(file));
    return folder === "/etc" ? null : folder;
  } catch {
    return null;
  }
}
