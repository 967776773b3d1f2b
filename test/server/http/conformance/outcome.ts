/**
 * What came of a case, in a few words that are the same for every server: each reply's status and
 * what matters of it, then whether the connection went on. Its own reader of replies, which takes
 * what any server writes.
 */
import { Peer } from "../../../rig/peer.ts";
import { PROBE } from "./case.ts";

/** The words for what `sent` and the probe behind it came to at `port`. */
export async function outcomeOf(port: number, sent: string): Promise<string> {
  using peer = await Peer.dial(port);
  peer.send(sent + PROBE);
  peer.finish();
  const { bytes, ending } = await peer.all();
  const all = repliesIn(bytes, sent);
  const kept = all.at(-1)?.words === "200 probe";
  const told = kept ? all.slice(0, -1) : all;
  const words = told.map((reply) => reply.words).join(", ") || "nothing";
  if (ending === "reset") return `${words}; reset`;
  // What becomes of the connection is to be said where the version does not say it.
  const said = told.at(-1)?.connection;
  const unsaid = kept ? / HTTP\/1\.0\r/.test(sent) && said !== "keep-alive" : said === "";
  return `${words}; ${kept ? "kept" : "closed"}${unsaid ? " unsaid" : ""}`;
}

/** The tag of /f at `port`, with its quotes. */
export async function etagAt(port: number): Promise<string> {
  using peer = await Peer.dial(port);
  peer.send(`HEAD /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  const { bytes } = await peer.all();
  return /^etag: *("[^"]+")/im.exec(bytes.toString("latin1"))?.[1] ?? "";
}

// --- internal ---

/** A request line, as far as it tells whether its reply has a body. */
const REQUEST = /^([A-Z]+) [^\r\n]* HTTP\/1\.[0-9]\r?$/gm;

/** Bytes of content that are told themselves. */
const SHORT = /^[ -~]{1,10}$/;

interface Told {
  readonly words: string;
  /** The Connection field, in lower case; null where there is no head. */
  readonly connection: string | null;
}

function repliesIn(bytes: Buffer, sent: string): Told[] {
  const methods = [...(sent + PROBE).matchAll(REQUEST)].map(([, method]) => method);
  const told: Told[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\r\n\r\n", at);
    const head = bytes.toString("latin1", at, Math.max(at, end));
    const [, status] = /^HTTP\/1\.1 ([0-9]{3}) /.exec(head) ?? [];
    if (status === undefined) {
      return [...told, { words: rawWords(bytes.toString("latin1", at)), connection: null }];
    }
    const field = (name: string): string =>
      new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
    const bodyless = status === "304" || status.startsWith("1");
    const method = status.startsWith("1") ? "" : methods.shift();
    const empty = bodyless || method === "HEAD";
    const { body, next } = bodyAt(bytes, end + 4, empty ? "0" : field("content-length"));
    const words = [status, ...wordsOfReply(status, method === "HEAD", body, field)].join(" ");
    told.push({ words, connection: field("connection").toLowerCase() });
    at = next;
  }
  return told;
}

function wordsOfReply(
  status: string,
  head: boolean,
  body: string,
  field: (name: string) => string,
): string[] {
  if (status === "301") return [`to ${field("location")}`];
  if (status === "405") return field("allow") === "" ? [] : [`allows ${field("allow")}`];
  if (status === "416") return [field("content-range").replace("bytes ", "")];
  if (!status.startsWith("2")) return [];
  if (field("content-type").startsWith("multipart")) return ["several parts"];
  if (head) return status === "200" ? [`length ${field("content-length")}`] : [];
  const range = status === "206" ? [field("content-range").replace("bytes ", "")] : [];
  return [...range, bodyWords(body, field("content-type"))];
}

function bodyWords(body: string, type: string): string {
  if (body === "") return "empty";
  if (SHORT.test(body)) return body;
  // Of a folder: the links that lead into it, also as nginx draws them.
  const links = [...body.matchAll(/<a href="([^"/.?][^"]*)"/g)];
  return type.startsWith("text/html") ? `${links.length} entries` : `${body.length} bytes`;
}

/** A body by its length; without one it comes in chunks (RFC 9112 7.1). */
function bodyAt(bytes: Buffer, at: number, length: string): { body: string; next: number } {
  if (length !== "") {
    const next = at + Number(length);
    return { body: bytes.toString("latin1", at, next), next };
  }
  let body = "";
  for (;;) {
    const line = bytes.toString("latin1", at, bytes.indexOf("\r\n", at));
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) return { body, next: bytes.length };
    const from = at + line.length + 2;
    at = from + size + 2;
    if (size === 0) return { body, next: at };
    body += bytes.toString("latin1", from, from + size);
  }
}

function rawWords(text: string): string {
  if (/^ERROR [A-Z0-9]+: /.test(text)) return "a bare path";
  return `no head: ${JSON.stringify(text.slice(0, 20))}`;
}
