/** Replies of HTTP/1.1 as a test reads them: its own reader, so that no mistake is shared. */
import type { Running } from "./running.ts";

/** One reply. */
export interface HttpReply {
  readonly status: number;
  readonly reason: string;
  /** By lower-case name; a name that comes twice is an error. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/**
 * The replies in `bytes`, to requests of `methods`. Throws for what is no reply, for bytes that are
 * missing and for bytes too many.
 */
export function httpReplies(bytes: Buffer, methods: readonly string[]): HttpReply[] {
  const replies: HttpReply[] = [];
  let at = 0;
  for (const method of methods) {
    const end = bytes.indexOf("\r\n\r\n", at);
    if (end < 0) throw new Error(`no head at ${at} of ${bytes.length}`);
    const [first = "", ...lines] = bytes.toString("latin1", at, end).split("\r\n");
    const [, status, reason] = /^HTTP\/1\.1 ([0-9]{3}) (.+)$/.exec(first) ?? [];
    if (status === undefined || reason === undefined) throw new Error(`no status: ${first}`);
    const fields = new Map<string, string>();
    for (const line of lines) {
      const [, name, value] = /^([A-Za-z-]+): (.+)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`no field: ${line}`);
      if (fields.has(name.toLowerCase())) throw new Error(`${name} came twice`);
      fields.set(name.toLowerCase(), value);
    }
    const empty = method === "HEAD" || status === "304";
    const chunked = !empty && fields.get("transfer-encoding") === "chunked";
    const length = empty ? 0 : Number(fields.get("content-length"));
    const read = chunked
      ? chunksAt(bytes, end + 4)
      : { body: bytes.subarray(end + 4, end + 4 + length), next: end + 4 + length };
    const { body, next } = read;
    if (!chunked && body.length !== length) throw new Error(`${body.length} of ${length} bytes`);
    replies.push({ status: Number(status), reason, fields, body });
    at = next;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return replies;
}

/** The body in chunks that begins at `at`, and where it has ended (RFC 9112 7.1). */
function chunksAt(bytes: Buffer, at: number): { body: Buffer; next: number } {
  const chunks: Buffer[] = [];
  for (;;) {
    const line = bytes.toString("latin1", at, bytes.indexOf("\r\n", at));
    if (!/^[0-9a-f]+$/.test(line)) throw new Error(`no chunk at ${at}: ${JSON.stringify(line)}`);
    const from = at + line.length + 2;
    const end = from + Number.parseInt(line, 16);
    if (bytes.toString("latin1", end, end + 2) !== "\r\n") throw new Error(`no end at ${end}`);
    at = end + 2;
    if (end === from) return { body: Buffer.concat(chunks), next: at };
    chunks.push(bytes.subarray(from, end));
  }
}

/** What comes to `text`, which is sent at once and followed by FIN. */
export async function httpExchange(
  running: Running,
  text: string,
): Promise<{ bytes: Buffer; ending: string }> {
  using peer = await running.dial();
  peer.send(text);
  peer.finish();
  const { bytes, ending } = await peer.all();
  return { bytes, ending: String(ending) };
}
