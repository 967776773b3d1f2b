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
    const length = method === "HEAD" || status === "304" ? 0 : Number(fields.get("content-length"));
    const body = bytes.subarray(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`${body.length} of ${length} bytes`);
    replies.push({ status: Number(status), reason, fields, body });
    at = end + 4 + length;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return replies;
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
