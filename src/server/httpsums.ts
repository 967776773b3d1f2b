/**
 * SHA256SUMS of a folder over HTTP, a list that no disk has: a line for each of its files, as
 * sha256sum(1) writes and checks them, sent as soon as its digest is known. It holds the names of
 * one short page of the folder and makes the next line when the last one has left, so that a wide
 * folder, a slow disk and a slow reader cost no memory.
 *
 * A list that ends well has a digest of every file that the folder had all the time. One that can't
 * be read, or is edited while it is read, ends it in RST: a line that is missing would tell that
 * there is no such file.
 */
import type { EncodedPage, OpenFile, Store } from "../store/store.ts";
import { bufferOf, byteStringOf, type ByteString } from "../wire/bytes.ts";
import { parseListLine } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { dateAt, field, responseHead, typeFields } from "../wire/http/responsehead.ts";
import { replyOf } from "../wire/reply.ts";
import { sumLine } from "../wire/sumline.ts";
import { type Answer, digestWait, fileWait } from "./answer.ts";
import { digestIn, wholeDigest } from "./httpdigest.ts";
import { httpSecond } from "./httpsecond.ts";
import { listedAnswer } from "./listed.ts";
import type { Asker } from "./service.ts";

/**
 * The folder, with its slash, whose list `path` names; null where it names none. What lies under
 * the name itself counts more.
 */
export function sumsFolder(path: ByteString): ByteString | null {
  return path.endsWith(`/${NAME}`) ? path.slice(0, -NAME.length) : null;
}

/** The list of `folder`, or why there is none: that is known before the first byte. */
export function sumsAnswer(
  store: Store,
  head: RequestHead,
  folder: ByteString,
  asker: Asker,
): Answer {
  return new Sums(store, head, folder, asker).begin();
}

// --- internal ---

/** What such lists are called wherever files are served. */
const NAME = "SHA256SUMS";

/**
 * Entries of one page: what a connection holds while one of their files is read, 15 KiB as a rule
 * and 45 at most. Each page of a folder that changes may read the folder anew.
 */
const ENTRIES_MAX = 128;

const FIELDS = typeFields("text/plain;charset=utf-8") + field("Cache-Control", "no-cache");

/** Characters of a date. */
const DATE_CHARS = 29;

/** One list on its way: what is left of a page, and what goes on when a line is out. */
class Sums {
  readonly #store: Store;
  readonly #head: RequestHead;
  readonly #folder: ByteString;
  readonly #asker: Asker;
  /** Of files, the next one last. */
  #names: ByteString[] = [];
  /** The last entry of the page, of whatever kind; null behind the last page. */
  #last: ByteString | null = "";
  readonly #next = (): Answer => this.#step();

  constructor(store: Store, head: RequestHead, folder: ByteString, asker: Asker) {
    this.#store = store;
    this.#head = head;
    this.#folder = folder;
    this.#asker = asker;
  }

  begin(): Answer {
    const { method, connection, old } = this.#head;
    const second = httpSecond();
    // Without chunks the end of the connection is the end of the list.
    const ends = old ? "close" : connection;
    const end = old || method === "HEAD" ? "none" : "chunks";
    const head = responseHead(200, second, end, ends, FIELDS);
    return this.#page(head.slice(0, dateAt(200) + DATE_CHARS), () => {
      if (old) this.#asker.last();
      return method === "HEAD" ? replyOf(head) : this.#part(head, null, 0);
    });
  }

  // --- internal ---

  /** Reads the next page, then goes on with `then`. */
  #page(promise: string, then: () => Answer): Answer {
    const wanted = { path: this.#folder, limit: ENTRIES_MAX, after: this.#last ?? "" };
    return listedAnswer(this.#store, wanted, this.#asker, promise, (page) => {
      if (page instanceof Refusal) return page;
      this.#take(page);
      return then();
    });
  }

  #take({ text, more }: EncodedPage): void {
    let last: ByteString | null = null;
    const names: ByteString[] = [];
    for (const line of byteStringOf(text).split("\n")) {
      const listed = parseListLine(line);
      if (listed === null) continue;
      last = listed.name;
      if (listed.entry.type === "file" && last !== NAME) names.push(last);
    }
    this.#names = names.toReversed();
    this.#last = more ? last : null;
  }

  /** The next line, or the end. */
  #step(): Answer {
    const name = this.#names.pop();
    if (name === undefined) return this.#last === null ? this.#end() : this.#page("", this.#next);
    const opened = (file: OpenFile | Refusal): Answer => this.#line(name, file);
    const file = this.#store.open(this.#folder + name, this.#asker);
    return file === null ? fileWait(opened) : opened(file);
  }

  #line(name: ByteString, file: OpenFile | Refusal): Answer {
    if (file instanceof Refusal) {
      // No file of the folder any more.
      return file.code === "ENOENT" || file.code === "EISDIR" ? this.#part("", null, 0) : file;
    }
    const range = wholeDigest(file.entry);
    if (range instanceof Refusal) return range;
    // How long the line is goes ahead of it: a peer that is gone is found out by that.
    const length = sumLine("0".repeat(DIGEST_CHARS), name).length;
    const size = this.#head.old ? "" : `${length.toString(16)}\r\n`;
    const digested = (lines: Uint8Array | Refusal): Answer => {
      if (lines instanceof Refusal) return lines;
      const line = sumLine(digestIn(lines), name);
      return this.#part(size, bufferOf(this.#head.old ? line : `${line}\r\n`), line.length);
    };
    const lines = this.#store.digests(file, range, this.#asker);
    return lines === null ? digestWait(size, digested) : digested(lines);
  }

  #part(head: string, bytes: Uint8Array | null, content: number): Answer {
    return { kind: "part", head, bytes, content, next: this.#next };
  }

  #end(): Answer {
    return replyOf(this.#head.old ? "" : "0\r\n\r\n");
  }
}

/** Hex digits of a SHA-256. */
const DIGEST_CHARS = 64;
