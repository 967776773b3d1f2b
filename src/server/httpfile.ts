/**
 * A file over HTTP: whole, in part, or why there is nothing to send (RFC 9110 13, 14). The fields
 * that tell of a file are made once for each second of its life, because Date and Last-Modified go
 * by it; they are kept beside the file and never inside its buffers, which other doors use.
 */
import type { OpenFile, Store } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { Refusal } from "../wire/errors.ts";
import { selectionOf } from "../wire/http/conditions.ts";
import { attachment } from "../wire/http/disposition.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { type ByteRange, contentRange } from "../wire/http/range.ts";
import { field, fileFields, responseHead, validatorFields } from "../wire/http/responsehead.ts";
import { parameterOf } from "../wire/http/target.ts";
import { replyOf } from "../wire/reply.ts";
import { TO_THE_END } from "../wire/request.ts";
import type { Answer } from "./answer.ts";
import { knownDigest } from "./httpdigest.ts";
import { inOnePiece, type Kept } from "./httppiece.ts";
import { httpSecond } from "./httpsecond.ts";
import { rangeOf } from "./range.ts";

/** A range that the file does not have: 416, and how many bytes there are. */
export class UnsatisfiedRange extends Refusal {
  readonly size: bigint;

  constructor(size: bigint) {
    super("ERANGE", `of ${size} bytes`);
    this.size = size;
  }
}

/**
 * What `head` gets of `file`, which is called `path`. `digest` is the Repr-Digest that it wants, or
 * "": one that is known is told all the same.
 */
export function fileAnswer(
  store: Store,
  head: RequestHead,
  path: ByteString,
  file: OpenFile,
  digest: string,
): Answer {
  const { entry } = file;
  const second = httpSecond();
  const selection = selectionOf(head, entry, second);
  switch (selection) {
    case "failed":
      return new Refusal("ESTALE", `its etag is ${entry.etag}`);
    case "unsatisfiable":
      return new UnsatisfiedRange(entry.size);
    case "not-modified": {
      const fields = validatorFields(entry, second);
      return replyOf(responseHead(304, second, "none", head.connection, fields));
    }
    default: {
      const kept = preparedOf(store, path, file, second);
      const part = selection === "whole" ? null : selection;
      const told = digest || kept.digest;
      const usual = head.query === "" && head.connection === "" && head.method === "GET";
      const plain = usual && head.amended !== true;
      // Who waited for a digest may have had the begin of a reply.
      const fresh = digest === "" && !head.fields.has("want-repr-digest");
      if (!plain || part !== null || !fresh) {
        return contentAnswer(head, path, file, second, kept.fields + told, part);
      }
      // The commonest: made once a second, so that it costs no more than looking it up.
      if (kept.whole !== null) return inOnePiece(store, kept, kept.whole);
      return (kept.whole = contentAnswer(head, path, file, second, kept.fields + told, part));
    }
  }
}

// --- internal ---

/** What is kept of a file for a second. */
interface Prepared extends Kept {
  readonly second: bigint;
  readonly fields: string;
  /** Its Repr-Digest where it was known; else "". */
  readonly digest: string;
}

/** As long as the store keeps the file. */
const prepared = new WeakMap<OpenFile, Prepared>();

function preparedOf(store: Store, path: ByteString, file: OpenFile, second: bigint): Prepared {
  const known = prepared.get(file);
  if (known?.second === second) return known;
  const fields = fileFields(file.entry, contentTypeOf(path), second);
  const digest = knownDigest(store, file);
  const made: Prepared = { second, fields, digest, whole: null, packed: null, uses: 0 };
  prepared.set(file, made);
  return made;
}

function contentAnswer(
  head: RequestHead,
  path: ByteString,
  file: OpenFile,
  second: bigint,
  told: string,
  part: ByteRange | null,
): Answer {
  const { entry, body } = file;
  const range = rangeOf(entry, part?.start ?? 0n, part?.length ?? TO_THE_END);
  if (range instanceof Refusal) return range;
  const { start, length } = range;
  let fields = told;
  if (part !== null) fields += field("Content-Range", contentRange(part, entry.size));
  if (parameterOf(head.query, "download") !== null) {
    fields += field("Content-Disposition", attachment(nameOf(path)));
  }
  const status = part === null ? 200 : 206;
  const text = responseHead(status, second, length, head.connection, fields);
  if (head.method === "HEAD" || length === 0) return replyOf(text);
  const from = Number(start);
  return body === null
    ? {
        kind: "file",
        head: Buffer.from(text),
        file,
        at: file.base + start,
        length,
        content: length,
      }
    : { kind: "reply", head: text, bytes: body.subarray(from, from + length), content: length };
}

/** By the name's end, as Bun knows it; what it does not know is bytes. */
function contentTypeOf(path: ByteString): string {
  return Bun.file(nameOf(path)).type || "application/octet-stream";
}

function nameOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}
