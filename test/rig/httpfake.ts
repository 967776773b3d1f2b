/**
 * A server of HTTP/1.1 that serves named bytes and misbehaves where its test says so. Heads are
 * written out here, not taken from src: both sides never share a mistake.
 */
import type { FakeConnection } from "../client/fake.ts";
import { type Misbehave, Misbehaving } from "./misbehaving.ts";

/** One file as the server has it. */
export interface HttpFile {
  readonly bytes: Buffer;
  /** Lines of the head about the version, each with CRLF. */
  readonly version: string;
}

/** A request as it came. */
export interface HttpAsked {
  readonly method: string;
  /** As in the request line, with its query. */
  readonly target: string;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  /** Which one of all, from 0. */
  readonly nth: number;
  readonly connection: FakeConnection;
  /** First and last byte of its Range, or null. */
  readonly range: readonly [first: number, last: number] | null;
}

/** Answers a request its own way. */
export type HttpMisbehave = Misbehave<HttpAsked>;

/** A fake server (`using` closes it). */
export class HttpFake extends Misbehaving<HttpAsked> {
  /** By target, without a query. */
  readonly files = new Map<string, HttpFile>();

  constructor(
    files: Record<string, string | Uint8Array>,
    misbehave: HttpMisbehave = () => undefined,
  ) {
    super("\r\n\r\n", misbehave);
    for (const [path, bytes] of Object.entries(files)) this.put(path, bytes);
  }

  /** The file `path` is this from now on; `version` as it stands in the head. */
  put(path: string, bytes: string | Uint8Array, version = 'ETag: "1"\r\n'): void {
    this.files.set(path, { bytes: Buffer.from(bytes), version });
  }

  /** The URL of `path`. */
  url(path: string): string {
    return `http://${this.fake.address}${path}`;
  }

  /** Requests that asked for more than what tells of a file. */
  get reads(): HttpAsked[] {
    return this.asked.filter(({ method, range }) => {
      return method === "GET" && !(range?.[0] === 0 && range[1] === 0);
    });
  }

  // --- internal ---

  protected parse(text: string, nth: number, connection: FakeConnection): HttpAsked {
    return parse(text, nth, connection);
  }

  protected honest({ method, target, fields, range }: HttpAsked): Buffer {
    const file = this.files.get(target.split("?")[0] ?? "");
    if (file === undefined) return reply("404 Not Found", "", "no such file\n");
    const { bytes, version } = file;
    const validator = fields.get("if-range");
    const same = validator === undefined || version.includes(`: ${validator}\r\n`);
    if (method === "HEAD")
      return reply("200 OK", version, bytes).subarray(0, -bytes.length || undefined);
    if (range === null || !same) return reply("200 OK", version, bytes);
    const [first, last] = range;
    const { length } = bytes;
    if (first >= length) return reply("416 No", `Content-Range: bytes */${length}\r\n`, "");
    const end = Math.min(last + 1, length);
    const named = `Content-Range: bytes ${first}-${end - 1}/${length}\r\n`;
    return reply("206 Partial Content", version + named, bytes.subarray(first, end));
  }
}

/** A reply with its Content-Length. */
export function reply(status: string, fields: string, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string, "latin1");
  const head = `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

/** The same in chunks of `most` bytes. */
export function chunkedReply(
  status: string,
  fields: string,
  body: Uint8Array,
  most: number,
): Buffer {
  const parts = [`HTTP/1.1 ${status}\r\n${fields}Transfer-Encoding: chunked\r\n\r\n`];
  for (let at = 0; at < body.length; at += most) {
    const part = Buffer.from(body.subarray(at, at + most));
    parts.push(`${part.length.toString(16)}\r\n${part.toString("latin1")}\r\n`);
  }
  return Buffer.from(`${parts.join("")}0\r\n\r\n`, "latin1");
}

// --- internal ---

function parse(head: string, nth: number, connection: FakeConnection): HttpAsked {
  const [first = "", ...lines] = head.split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:]+): (.*)$/.exec(line) ?? [];
    fields.set(name.toLowerCase(), value);
  }
  const [, from, to] = /^bytes=([0-9]+)-([0-9]*)$/.exec(fields.get("range") ?? "") ?? [];
  const range = from === undefined ? null : ([Number(from), to ? Number(to) : Infinity] as const);
  return { method, target, fields, nth, connection, range };
}
