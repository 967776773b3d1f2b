/**
 * A server of S6/1 that serves named bytes and misbehaves where its test says so. Lines, escapes
 * and digests are written out here, not taken from src: both sides never share a mistake.
 */
import type { FakeConnection } from "../client/fake.ts";
import { Misbehaving, type Misbehave as Misbehaves } from "./misbehaving.ts";

/** One file as the server has it. */
export interface Served {
  readonly bytes: Buffer;
  readonly etag: string;
  /** As it stands on the wire. */
  readonly mtime: string;
}

/** A request as it came. */
export interface Asked {
  readonly line: string;
  readonly verb: string;
  /** Unescaped, one byte a character. */
  readonly path: string;
  /** Which one of all, from 0. */
  readonly nth: number;
  readonly connection: FakeConnection;
  /** The value of a key, or undefined. */
  key(name: string): string | undefined;
}

/** Answers a request its own way. */
export type Misbehave = Misbehaves<Asked>;

/** A scripted server (`using` closes it). */
export class Scripted extends Misbehaving<Asked> {
  /** By absolute path. Replaced by a test when the file changes. */
  readonly files = new Map<string, Served>();

  constructor(files: Record<string, string | Uint8Array>, misbehave: Misbehave = () => undefined) {
    super("\n", misbehave);
    for (const [path, bytes] of Object.entries(files)) this.put(path, bytes);
  }

  /** The file `path` is this from now on. */
  put(path: string, bytes: string | Uint8Array, version = 1, mtime = "1000000000"): void {
    const etag = version.toString(16).padStart(16, "0");
    this.files.set(path, { bytes: bytesOf(bytes), etag, mtime });
  }

  /** The URL of `path`. */
  url(path: string): string {
    return `s6://${this.fake.address}${path}`;
  }

  /** Requests of `verb` so far. */
  requests(verb: string): Asked[] {
    return this.asked.filter((asked) => asked.verb === verb);
  }

  // --- internal ---

  protected parse(text: string, nth: number, connection: FakeConnection): Asked {
    return parse(text, nth, connection);
  }

  protected honest(asked: Asked): Buffer {
    const { verb, path } = asked;
    if (verb === "PING") return bytesOf("OK 0 server=scripted version=1\n");
    if (verb === "LIST") return this.#list(asked);
    const file = this.files.get(path);
    if (file === undefined) return verb === "STAT" ? this.#folder(path) : NO_FILE;
    if (verb === "STAT") return bytesOf(`OK 0 type=file size=${file.bytes.length}${facts(file)}\n`);
    if (verb === "READ") return read(asked, file);
    return verb === "HASH" ? hash(asked, file) : bytesOf("ERR ENOSYS not supported\n");
  }

  #folder(path: string): Buffer {
    const top = path.endsWith("/") ? path : `${path}/`;
    const known = [...this.files.keys()].some((name) => name.startsWith(top));
    return known ? bytesOf("OK 0 type=dir size=0 mtime=7 etag=dddddddddddddddd\n") : NO_FILE;
  }

  #list(asked: Asked): Buffer {
    const top = asked.path.endsWith("/") ? asked.path : `${asked.path}/`;
    const lines = new Map<string, string>();
    for (const [path, file] of this.files) {
      if (!path.startsWith(top)) continue;
      const [name = "", below] = path.slice(top.length).split("/");
      const size = file.bytes.length;
      const line = below === undefined ? `file size=${size}${facts(file)}` : "dir mtime=1000000000";
      lines.set(name, `${line} ${escape(name)}\n`);
    }
    const after = asked.key("after");
    const names = [...lines.keys()].sort().filter((name) => name > unescape(after ?? ""));
    return listing(names.map((name) => lines.get(name) ?? ""));
  }
}

/** The reply to a LIST that has `lines`, each with its LF. */
export function listing(lines: readonly string[], more = 0): Buffer {
  const body = lines.join("");
  return bytesOf(`OK ${body.length} count=${lines.length} more=${more}\n${body}`);
}

/** A LIST's line of a file, the name as it is given. */
export function fileLine(name: string, size: number, mtime = "1000000000"): string {
  return `file size=${size} mtime=${mtime} etag=${"0".repeat(15)}1 ${name}\n`;
}

/** `name` as it stands in a request or a LIST. */
export function escape(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._/-]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
  });
}

// --- internal ---

const NO_FILE = bytesOf("ERR ENOENT no such file\n");
const CHUNK = 4_194_304;

function bytesOf(given: string | Uint8Array): Buffer {
  return typeof given === "string" ? Buffer.from(given, "latin1") : Buffer.from(given);
}

function unescape(text: string): string {
  return text.replaceAll(/%(..)/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function parse(line: string, nth: number, connection: FakeConnection): Asked {
  const slash = line.indexOf(" /");
  const words = (slash < 0 ? line : line.slice(0, slash)).split(" ");
  const key = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const path = slash < 0 ? "" : unescape(line.slice(slash + 1));
  return { line, verb: words[0] ?? "", path, nth, connection, key };
}

function facts({ etag, mtime }: Served): string {
  return ` mtime=${mtime} etag=${etag}`;
}

function read(asked: Asked, { bytes, etag, mtime }: Served): Buffer {
  const wanted = asked.key("if");
  if (wanted !== undefined && wanted !== etag) return bytesOf("ERR ESTALE it has changed\n");
  const offset = Number(asked.key("offset") ?? 0);
  if (offset > bytes.length) return bytesOf("ERR ERANGE past the end\n");
  const part = bytes.subarray(offset, offset + Number(asked.key("length") ?? bytes.length));
  const head = `size=${bytes.length} offset=${offset} etag=${etag} mtime=${mtime}`;
  return Buffer.concat([bytesOf(`OK ${part.length} ${head}\n`), part]);
}

function hash(asked: Asked, { bytes, etag }: Served): Buffer {
  const offset = Number(asked.key("offset") ?? 0);
  const chunk = Number(asked.key("chunk") ?? CHUNK);
  const part = bytes.subarray(offset, offset + Number(asked.key("length") ?? bytes.length));
  const digests: string[] = [];
  for (let at = 0; at === 0 || at < part.length; at += chunk) {
    const digest = Bun.hash.xxHash3(part.subarray(at, at + chunk));
    digests.push(`${digest.toString(16).padStart(16, "0")}\n`);
  }
  const head = `size=${bytes.length} etag=${etag} algo=xxh3 chunk=${chunk}`;
  return bytesOf(`OK ${digests.length * 17} ${head}\n${digests.join("")}`);
}
