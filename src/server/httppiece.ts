/**
 * Replies of HTTP in one piece: head and content of a small file in one buffer, for files that are
 * asked for again within a second. A reply of two pieces is written and copied twice on its way
 * into the outbox; one piece goes as it is.
 */
import type { Reply } from "../wire/reply.ts";
import type { Answer } from "./answer.ts";

/**
 * Pieces held, of at most a head and a held body each (8 KiB and some hundred bytes): 0.6 MiB. Who
 * asks for more files in turn has them in two pieces, as before.
 */
const PIECES_MAX = 64;

/** What is kept of a file between two requests. */
export interface Kept {
  /** The answer to GET of all of it; null until it is made, or made again. */
  whole: Answer | null;
}

/** Those whose answer is a piece, in a ring; `next` is the oldest. */
const ring: (Kept | null)[] = Array.from({ length: PIECES_MAX }, () => null);
let next = 0;

/**
 * The answer that is kept, `whole`, for its second use: in one piece where it is a head and a held
 * content, and as it is where it is not. The oldest of PIECES_MAX pieces is let go.
 */
export function inOnePiece(kept: Kept, whole: Answer): Answer {
  if (whole.kind !== "reply" || whole.head === "" || whole.bytes === null) return whole;
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
