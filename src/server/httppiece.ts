/**
 * Replies of HTTP in one piece: head and content in one buffer, or one behind the other in the
 * store's memory, for files that are asked for again within a second. Of two pieces each is written
 * by itself, and a small one is copied on its way into the outbox.
 */
import type { Store } from "../store/store.ts";
import type { Reply } from "../wire/reply.ts";
import { type Answer, type FileReply, NO_HEAD } from "./answer.ts";

/**
 * Pieces held, of at most a head and a held body each (8 KiB and some hundred bytes): 0.6 MiB. Who
 * asks for more files in turn has them in two pieces, as before.
 */
const PIECES_MAX = 64;

/**
 * Uses within a second before a file is put behind its head: to write a slot costs as much as it
 * saves four times.
 */
const PACKED_USES_MIN = 4;

/** What is kept of a file for a second. */
export interface Kept {
  /** The answer to GET of all of it; null until it is made, or made again. */
  whole: Answer | null;
  /** The same out of the store's memory, for as long as the store keeps it; null: there is none. */
  packed: FileReply | null;
  /** How often `whole` was asked for. */
  uses: number;
}

/** Those whose answer is a piece, in a ring; `next` is the oldest. */
const ring: (Kept | null)[] = Array.from({ length: PIECES_MAX }, () => null);
let next = 0;

/** The answer that is kept, `whole`, for a use behind its first: in one piece where that pays. */
export function inOnePiece(store: Store, kept: Kept, whole: Answer): Answer {
  if (whole.kind === "file") return packed(store, kept, whole);
  if (whole.kind !== "reply" || whole.head === "" || whole.bytes === null) return whole;
  // The oldest of them is let go.
  const oldest = ring[next];
  if (oldest != null) oldest.whole = null;
  ring[next] = kept;
  next = (next + 1) % PIECES_MAX;
  return (kept.whole = joined(whole.head, whole.bytes));
}

// --- internal ---

/** A head is ASCII: one byte a character. */
function joined(head: string, content: Uint8Array): Reply {
  const bytes = Buffer.allocUnsafeSlow(head.length + content.length);
  bytes.write(head, "latin1");
  bytes.set(content, head.length);
  return { kind: "reply", head: "", bytes, content: content.length };
}

/** Once a second at most: what the store let go meanwhile is one of too many. */
function packed(store: Store, kept: Kept, whole: FileReply): FileReply {
  if (kept.packed !== null && kept.packed.file.fd >= 0) return kept.packed;
  kept.uses += 1;
  if (kept.uses !== PACKED_USES_MIN) return whole;
  const { head, length, content } = whole;
  const file = store.packed(whole.file, head);
  const at = file?.headAt ?? null;
  if (file === null || at === null) return whole;
  kept.packed = { kind: "file", head: NO_HEAD, file, at, length: head.length + length, content };
  return kept.packed;
}
