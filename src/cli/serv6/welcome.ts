/**
 * The lines that serv6 writes when it is ready: what is served, where, and the commands that fetch
 * one of the files from another machine.
 */
import fs from "node:fs";
import os from "node:os";
import type { Server } from "../../server/serve.ts";
import { VERSION } from "../../server/version.ts";
import type { Store } from "../../store/store.ts";
import { escapeUrlPath } from "../../wire/escape.ts";
import { printable } from "../../wire/printable.ts";
import { shellWord } from "../../wire/shellword.ts";
import { qrCode, qrLines } from "../output/qrcode.ts";
import { bufferOf, bytesOf, type ByteString } from "../../wire/bytes.ts";

/** How much is said. */
export interface Said {
  /** The ready line alone, from which scripts read the port. */
  readonly quiet: boolean;
  /**
   * A QR code of the address for browsers; undefined: on a terminal, where another machine can use
   * that address.
   */
  readonly qr?: boolean | undefined;
  /** It is said to a terminal, which knows colours. */
  readonly terminal?: boolean;
}

/** The lines for stderr. */
export function welcome(server: Server, { quiet, qr, terminal = false }: Said): string {
  const urls = server.addresses.flatMap(({ host, port }) =>
    reachable(host).map((name) => url(server, name, port)),
  );
  const ready = `serv6 ${VERSION} serves ${printable(server.store.label)} on ${urls.join(" ")}\n`;
  if (quiet) return ready;
  const example = exampleOf(server.store);
  const { name, port } = bestOf(server.addresses);
  const base = url(server, name, port);
  const zoned = name.includes("%");
  const browser = base.replace(/^s6/, "http");
  const scanned = qr ?? (terminal && !isLoopback(name));
  return (
    ready +
    `  fetch a file:  cli6 ${shellWord(base + escapeUrlPath(example))}${pinFlag(server)}\n` +
    (zoned
      ? "  what stands behind % is an interface here: the other machine names its own\n"
      : "") +
    // No browser takes an address with a zone.
    (server.http && !zoned ? `  or a browser:  ${browser}\n` : "") +
    (server.plaintext
      ? `  or without it: printf '%s\\n' ${shellWord(printable(example))} | nc ${bare(name)} ${port}\n`
      : "") +
    `  ${audience(server)}; Ctrl-C stops\n` +
    (server.http && !zoned && scanned ? codeOf(browser, terminal) : "")
  );
}

// --- internal ---

/** How a client knows a server that no authority vouches for. */
function pinFlag({ credentials }: Server): string {
  return credentials?.files.self === true ? ` --pin sha256:${credentials.fingerprint}` : "";
}

/** Bright white on black, whatever the terminal's colours are; and back (ECMA-48 8.3.117). */
const WHITE_ON_BLACK = "\x1b[40;37;1m";
const USUAL = "\x1b[0m";

/** A QR code of `address`, indented like the lines above; "" for one that is too long. */
function codeOf(address: string, coloured: boolean): string {
  const code = qrCode(Buffer.from(address));
  if (code === null) return "";
  const [on, off] = coloured ? [WHITE_ON_BLACK, USUAL] : ["", ""];
  return qrLines(code)
    .map((line) => `  ${on}${line}${off}\n`)
    .join("");
}

/** The address of the examples: one that another machine can reach, if there is any. */
function bestOf(addresses: Server["addresses"]): { name: string; port: number } {
  const all = addresses.flatMap(({ host, port }) =>
    reachable(host).map((name) => ({ name, port })),
  );
  return all.find(({ name }) => !isLoopback(name)) ?? all[0] ?? { name: "127.0.0.1", port: 0 };
}

function isLoopback(host: string): boolean {
  return /^(127\.|::1$|\[::1\]$|localhost$)/.test(host);
}

/**
 * The addresses that another machine can use for `host`: for a wildcard all addresses of this
 * machine.
 */
function reachable(host: string): string[] {
  if (host !== "0.0.0.0" && host !== "::") return [host];
  const names: string[] = [];
  for (const { address, family, scopeid } of Object.values(os.networkInterfaces()).flatMap(
    (all) => all ?? [],
  )) {
    // A link-local address needs the interface name of the other machine, which nobody knows here.
    if (scopeid !== undefined && scopeid > 0) continue;
    if (family === "IPv4" || host === "::") names.push(address);
  }
  return names.length > 0 ? names : [host];
}

function url({ credentials }: Server, host: string, port: number): string {
  return `${credentials === null ? "s6" : "s6s"}://${bare(host).includes(":") ? `[${bare(host)}]` : host}:${port}/`;
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/**
 * An existing file, so that the example works when it is copied; names that need no quoting are
 * preferred.
 */
function exampleOf(store: Store): string {
  if (store.single !== "") return store.single.slice(1);
  const [first] = store.roots;
  if (first === undefined) return "PATH";
  const below = first.at === "" ? "" : `${first.at.slice(1)}/`;
  return below + exampleIn(bufferOf(first.folder));
}

function exampleIn(folder: Buffer): ByteString {
  try {
    const files = firstFiles(folder);
    const plain = files.filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)).sort();
    return bytesOf(plain.find((name) => /^readme/i.test(name)) ?? plain[0] ?? "PATH");
  } catch {
    return "PATH";
  }
}

/** Names read for the example: a directory may have a million. */
const NAMES_MAX = 1000;

function firstFiles(root: Buffer): string[] {
  const directory = fs.opendirSync(root);
  const files: string[] = [];
  for (let i = 0; i < NAMES_MAX; i++) {
    const entry = directory.readSync();
    if (entry === null) break;
    if (entry.isFile()) files.push(entry.name);
  }
  directory.closeSync();
  return files;
}

function audience(server: Server): string {
  const local = server.addresses.every(({ host }) => isLoopback(host));
  const all = server.addresses.some(({ host }) => host.includes(":")) ? "::" : "0.0.0.0";
  return local
    ? `only this machine can connect (-b ${all} opens it to the network)`
    : `whoever reaches this address ${mayRead(server)}`;
}

function mayRead({ credentials, closed }: Server): string {
  if (credentials !== null && credentials.files.clientCa !== null) {
    return "needs a certificate of its own to read these files";
  }
  return closed
    ? "needs a token to read these files"
    : "can read these files: there is no password";
}
