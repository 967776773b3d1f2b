/** Requests of S6/1 and their replies, many on one connection. The bytes are the test's own. */
import { Peer } from "./peer.ts";

/** A reply: its line without LF, and the body that an OK promised. */
export interface Reply {
  readonly line: string;
  readonly body: Buffer;
}

/** The replies to `lines` (without their LF), sent at once on one connection. */
export async function exchange(port: number, lines: readonly string[]): Promise<Reply[]> {
  using peer = await Peer.dial(port);
  peer.send(lines.map((line) => `${line}\n`).join(""));
  const replies: Reply[] = [];
  for (let i = 0; i < lines.length; i++) replies.push(await peer.reply());
  return replies;
}

/** "OK", or the errno name of an ERR; "" for what is no reply. */
export function codeOf(reply: Reply): string {
  return /^(?:(OK) |ERR (E[A-Z0-9]+) )/.exec(`${reply.line} `)?.slice(1).join("") ?? "";
}

/** What became of each of `lines`, asked on one connection: a table to compare with. */
export async function codesOf(port: number, lines: readonly string[]): Promise<[string, string][]> {
  const replies = await exchange(port, lines);
  return lines.map((line, index) => [line, codeOf(replies[index]!)]);
}

/** The value of `key` in a reply's line, or "". */
export function factOf(reply: Reply, key: string): string {
  return new RegExp(`(?:^| )${key}=([^ ]*)`).exec(reply.line)?.[1] ?? "";
}
