/**
 * What a server leaves out of its lists, in words for a person: a line for each reason, with the
 * first few names. It holds those few, however many there are.
 */
import { type ServerAddress, urlOf } from "../client/address.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { LeftName } from "../wire/entry.ts";
import { printable } from "../wire/printable.ts";

/** Names that a line shows; the rest is counted. */
export const LEFT_SHOWN_MAX = 3;

/** All names that are left out for one reason. */
interface Reason {
  readonly kind: LeftName["kind"];
  readonly code: string;
  /** The first names, printable. */
  readonly shown: string[];
  count: number;
}

/** Names left out of one folder, or of all below it. */
export class LeftOut {
  readonly #reasons = new Map<string, Reason>();

  /** Counts `left`, which is shown as `path`: its name, or how to get to it. */
  add({ kind, code, name }: LeftName, path: ByteString = name): void {
    const words = wordsOf(kind, code);
    const reason = this.#reasons.get(words) ?? { kind, code, shown: [], count: 0 };
    this.#reasons.set(words, reason);
    reason.count += 1;
    if (reason.shown.length < LEFT_SHOWN_MAX) reason.shown.push(printable(path));
  }

  /**
   * A line for each reason of what is left out of the folder `path`, without an end of line: "2
   * names left out of s6://h:6464/d: a, b: links that lead nowhere". `content` is false where no
   * bytes are missed: what is left out is a device, a pipe or a socket.
   */
  lines(
    server: ServerAddress,
    path: ByteString,
  ): { readonly text: string; readonly code: string; readonly content: boolean }[] {
    const where = `${urlOf(server)}${printable(path)}`;
    return [...this.#reasons].map(([words, { kind, code, shown, count }]) => {
      const many = count === 1 ? "1 name" : `${count.toLocaleString("en-US")} names`;
      const rest = count - shown.length;
      const more = rest > 0 ? ` and ${rest.toLocaleString("en-US")} more` : "";
      const text = `${many} left out of ${where}: ${shown.join(", ")}${more}: ${words}`;
      return { text, code, content: kind !== "special" };
    });
  }
}

// --- internal ---

/** Why it can't be had, as far as the server says. */
function wordsOf(kind: LeftName["kind"], code: string): string {
  if (kind === "special") return "devices, pipes or sockets";
  if (kind === "unknown") return `the server can't tell what they are (${code})`;
  if (code === "EACCES") return "links that lead out of what is served, or are not followed";
  return code === "ENOENT" ? "links that lead nowhere" : `links that can't be followed (${code})`;
}
