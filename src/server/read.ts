/** READ of the framed door: a file, a range of it, or why not. */
import type { OpenFile, Store, Waiter } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { readFacts } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { okLine, type Reply } from "../wire/reply.ts";
import { type Request, wholeFile } from "../wire/request.ts";
import { type Answer, fileWait, NO_HEAD } from "./answer.ts";
import { rangeOf } from "./range.ts";

/** Whole files over this go the long way, which refuses them. */
const SIZE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Answers READ of the whole of `path`, without keys. What is held in memory is answered from the
 * reply that is kept beside it, without an allocation: the path of a million requests a second.
 */
export function readWhole(store: Store, path: ByteString, waiter: Waiter): Answer {
  const file = store.open(path, waiter);
  if (file === null || file instanceof Refusal || file.entry.size > SIZE_MAX) {
    return readOpened(wholeFile("READ", path), file);
  }
  if (file.reply !== null) return file.reply;
  const length = Number(file.entry.size);
  if (file.body !== null || length === 0) return (file.reply = wholeReply(file));
  const head = (file.head ??= Buffer.from(okLine(length, readFacts(file.entry, 0n)), "latin1"));
  const at = file.headAt;
  return at === null
    ? { kind: "file", head, file, at: file.base, length, content: length }
    : { kind: "file", head: NO_HEAD, file, at, length: head.length + length, content: length };
}

/** Answers READ. */
export function read(store: Store, request: Request, waiter: Waiter): Answer {
  return readOpened(request, lookUp(store, request, waiter));
}

/** The file that `request` names, a refusal, or null: the waiter will be called. */
export function lookUp(store: Store, request: Request, waiter: Waiter): OpenFile | Refusal | null {
  const file = store.open(request.path, waiter);
  if (file === null || file instanceof Refusal || !namesAnother(request, file)) return file;
  // STAT asks the disk each time: the version that it has told must not be refused for an older
  // one in the cache.
  file.expire();
  return store.open(request.path, waiter);
}

// --- internal ---

/** Writes the head right in front of the held body, so that the whole reply is one piece. */
function wholeReply({ entry, body }: OpenFile): Reply {
  const head = okLine(entry.size, readFacts(entry, 0n));
  if (body === null) return { kind: "reply", head, bytes: null, content: 0 };
  const bytes = Buffer.from(body.buffer, body.byteOffset - head.length, head.length + body.length);
  bytes.write(head, "latin1");
  return { kind: "reply", head: "", bytes, content: body.length };
}

/** True when `request` was made for another version of the file than the cached one. */
function namesAnother({ etag, offset }: Request, { entry }: OpenFile): boolean {
  return (etag !== "" && etag !== entry.etag) || offset > entry.size;
}

function readOpened(request: Request, file: OpenFile | Refusal | null): Answer {
  if (file === null) return fileWait((opened) => readOpened(request, opened));
  if (file instanceof Refusal) return file;
  const { entry, body } = file;
  if (request.etag !== "" && request.etag !== entry.etag) {
    return new Refusal("ESTALE", `its etag is ${entry.etag}`);
  }
  const range = rangeOf(entry, request.offset, request.length);
  if (range instanceof Refusal) return range;
  const { start, length } = range;
  const head = okLine(length, readFacts(entry, start));
  if (body === null && length > 0) {
    const at = file.base + start;
    return { kind: "file", head: Buffer.from(head), file, at, length, content: length };
  }
  const from = Number(start);
  const bytes = body === null ? null : body.subarray(from, from + length);
  return { kind: "reply", head, bytes, content: length };
}
