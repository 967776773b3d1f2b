/**
 * The SHA-256 of a whole file, for what HTTP tells of it: computed by the store's digester, of
 * exactly one version, never by the door itself. A digest that can't be had is left out, because
 * nobody has a right to one.
 */
import type { DigestRange, OpenFile, Store } from "../store/store.ts";
import { byteStringOf } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { selectionOf } from "../wire/http/conditions.ts";
import type { RequestHead } from "../wire/http/head.ts";
import { reprDigestField, wantsSha256 } from "../wire/http/reprdigest.ts";
import { TO_THE_END } from "../wire/request.ts";
import { digestWait, type StoreWait, type Answer } from "./answer.ts";
import { httpSecond } from "./httpsecond.ts";
import { rangeOf } from "./range.ts";
import type { Asker } from "./service.ts";

/** What was found out of one version of a file, while its name may have come to mean another. */
export interface ToldDigest {
  readonly etag: string;
  /** A field's line; "" where there is no digest. */
  readonly field: string;
}

/**
 * The Repr-Digest that `head` wants of `file`, as a field's line; "" where it wants none, where
 * nothing of the file is sent, and where `told` is of another version. Or the wait for it, behind
 * which `again` answers: it looks the name up again, since nobody keeps a file open that waits.
 */
export function wantedDigest(
  store: Store,
  { method, fields }: RequestHead,
  file: OpenFile,
  asker: Asker,
  told: ToldDigest | null,
  again: (told: ToldDigest) => Answer,
): string | StoreWait {
  const want = fields.get("want-repr-digest");
  if (want === undefined || !wantsSha256(want)) return "";
  const { etag } = file.entry;
  if (told !== null) return told.etag === etag ? told.field : "";
  const selection = selectionOf({ method, fields }, file.entry, httpSecond());
  if (typeof selection === "string" && selection !== "whole") return "";
  const range = wholeDigest(file.entry);
  if (range instanceof Refusal) return "";
  const lines = store.digests(file, range, asker);
  // Every reply begins with it, whatever becomes of the file meanwhile.
  if (lines === null) {
    return digestWait("HTTP/1.1 ", (found) => again({ etag, field: fieldOf(found) }));
  }
  return fieldOf(lines);
}

/** The Repr-Digest of `file` where it is known, so that telling it costs nothing; else "". */
export function knownDigest(store: Store, file: OpenFile): string {
  const range = wholeDigest(file.entry);
  const lines = range instanceof Refusal ? null : store.knownDigests(file, range);
  return lines === null ? "" : fieldOf(lines);
}

/** One SHA-256 of all of `entry`; EOVERFLOW where no number holds its size. */
export function wholeDigest(entry: Entry): DigestRange | Refusal {
  const range = rangeOf(entry, 0n, TO_THE_END);
  if (range instanceof Refusal) return range;
  const { start, length } = range;
  return { start, length, chunk: Math.max(1, length), algo: "sha256" };
}

/** The digest in what the store answers to wholeDigest(): 64 hex digits. */
export function digestIn(lines: Uint8Array): string {
  return byteStringOf(lines).trimEnd();
}

// --- internal ---

function fieldOf(lines: Uint8Array | Refusal): string {
  return lines instanceof Refusal ? "" : reprDigestField(digestIn(lines));
}
