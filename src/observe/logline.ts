/**
 * How lines of the log look, in each of its formats. Every text of a peer's is escaped: a line is
 * one line whatever was asked for. Pure: text from values.
 */
import type { ByteString } from "../wire/bytes.ts";
import { isWireCode } from "../wire/errors.ts";
import { statusOf } from "../wire/http/status.ts";
import { printable } from "../wire/printable.ts";

/**
 * For people; for programs, one JSON object a line; for what analyses the logs of web servers
 * (Apache's combined format); or not at all.
 */
export type LogFormat = "human" | "json" | "combined" | "off";

/** What only a request of HTTP has. */
export interface HttpFacts {
  /** The request's head as it came, without the empty line; "" where none was read. */
  readonly request: ByteString;
  /** Three digits, of the reply that was begun. */
  readonly code: string;
}

/** One request as the log tells it. */
export interface LogLine {
  readonly peer: string;
  readonly door: string;
  /** As the peer wrote it: one of ours, or anything. */
  readonly verb: ByteString;
  readonly path: ByteString;
  /** "OK", an errno name, or "RESET" when what was promised could not be delivered. */
  readonly status: string;
  /** Of a file's content, or of what is told instead of one. */
  readonly bytes: number;
  readonly ms: number;
  /** Null for the other dialects. */
  readonly http: HttpFacts | null;
}

/** A request's line, its line break included. */
export function requestLine(format: LogFormat, line: LogLine): string {
  const now = new Date();
  if (format === "json") return jsonLine(line, now);
  return format === "combined" ? combinedLine(line, now) : humanLine(line, now);
}

/** The line of a note that is no request: `said` is printable. */
export function noteLine(format: LogFormat, said: string): string {
  const time = new Date().toISOString();
  if (format === "json") return `${JSON.stringify({ time, note: said })}\n`;
  // What reads Apache's format takes such a line for a comment.
  return `${format === "combined" ? "# " : ""}${time} ${said}\n`;
}

/** The line that stands for `lost` others. */
export function lostLine(format: LogFormat, lost: number): string {
  const said = `${lost} log lines were lost: nobody took them in time`;
  if (format === "json") {
    return `${JSON.stringify({ time: new Date().toISOString(), note: said, lost })}\n`;
  }
  return format === "combined" ? `# (${said})\n` : `(${said})\n`;
}

// --- internal ---

function humanLine(line: LogLine, now: Date): string {
  const what = `${line.door} ${printable(line.verb)} ${printable(line.path)}`.trimEnd();
  const { peer, status, bytes } = line;
  return `${now.toISOString()} ${peer} ${what} ${status} ${bytes} B ${line.ms.toFixed(1)} ms\n`;
}

function jsonLine(line: LogLine, now: Date): string {
  const { peer, door, status, bytes } = line;
  const time = now.toISOString();
  const verb = printable(line.verb);
  const path = printable(line.path);
  const ms = Number(line.ms.toFixed(3));
  return `${JSON.stringify({ time, peer, door, verb, path, status, bytes, ms })}\n`;
}

/**
 * `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"` of Apache's mod_log_config. A request of
 * another dialect has its own words between the first quotes, and the status that HTTP has for it.
 */
function combinedLine(line: LogLine, now: Date): string {
  const { peer, http, bytes } = line;
  const head = http?.request ?? "";
  const asked = http === null ? `${line.verb} ${line.path} ${line.door}` : firstLine(head) || "-";
  const code = http === null ? codeOf(line.status) : http.code;
  const size = bytes === 0 ? "-" : String(bytes);
  const referer = quoted(fieldOf(head, "referer"));
  const agent = quoted(fieldOf(head, "user-agent"));
  return `${peer} - - [${apacheTime(now)}] ${quoted(asked)} ${code} ${size} ${referer} ${agent}\n`;
}

/** The status that HTTP has for `status`; what broke off after its beginning had begun well. */
function codeOf(status: string): number {
  return isWireCode(status) ? statusOf(status) : 200;
}

function firstLine(head: ByteString): ByteString {
  const end = head.indexOf("\r\n");
  return end < 0 ? head : head.slice(0, end);
}

/** The value of the first field of that name, which is in lower case; "-" where there is none. */
function fieldOf(head: ByteString, name: string): ByteString {
  const pattern = new RegExp(`\\r\\n${name}:[ \\t]*([^\\r\\n]*)`, "i");
  return pattern.exec(head)?.[1]?.trim() || "-";
}

/**
 * Between quotes as Apache has it: `\"` and `\\`, and `\xHH` for what is no printable ASCII. A name
 * and a password in front of a URL's host are left out: they are nobody's business here.
 */
function quoted(bytes: ByteString): string {
  const escaped = bytes
    .replace(/\/\/[^\s/?#]*@/g, "//")
    .replace(/["\\]|[^ -~]/g, (byte) =>
      byte === '"' || byte === "\\" ? `\\${byte}` : `\\x${hex(byte.charCodeAt(0))}`,
    );
  return `"${escaped}"`;
}

function hex(code: number): string {
  return code.toString(16).padStart(2, "0");
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `26/Nov/2026:16:52:00 +0000`. */
function apacheTime(now: Date): string {
  const [date = "", time = ""] = now.toISOString().split("T");
  const [year, month, day] = date.split("-");
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
