/**
 * Where files live, seen from above: stat, open, list, digests. A store decides what may be
 * reached; who may ask is guard's, how bytes leave is send's. Answers come at once where they can;
 * where they can't, null is returned and the waiter is called later, exactly once, never from
 * inside the call.
 */
import type { Algo } from "../wire/digest.ts";
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Reply } from "../wire/reply.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { BlockReader } from "./blocks/reader.ts";

/**
 * One version of one file, ready to be sent. It stays what it is when the name is given to another
 * file, and its bytes stay in one place for as long as it is retained.
 */
export interface OpenFile {
  readonly entry: Entry;
  /** The whole content when it is small enough to be held in memory, else null. */
  readonly body: Uint8Array | null;
  /**
   * Free bytes in front of `body`, in the same buffer, so that a reply's head and body are one
   * write.
   */
  readonly headroom: number;
  /**
   * What a door sends in front of the whole file where it leaves from the descriptor, made once.
   * Null until then, dropped with the file.
   */
  head: Uint8Array | null;
  /**
   * What a door answers for the whole file where it is held in memory: head and body in one piece,
   * made once. Null until then, dropped with the file.
   */
  reply: Reply | null;
  /**
   * What a door answers to a HASH of the whole of `body`, made once. Null until then, dropped with
   * the file; it can't grow old, since `body` never changes.
   */
  digest: Reply | null;
  /**
   * The descriptor to send from, or -1 when `body` is held. Positional reads only; valid while
   * retained.
   */
  readonly fd: number;
  /**
   * Where the bytes come from when there is neither `body` nor `fd`: over a network. Null for a
   * file of this machine.
   */
  readonly source: Source | null;
  /** Where in `fd`, or in what `source` gives, the content begins. */
  readonly base: bigint;
  /**
   * Where in `fd` `head` and, behind it, the content lie in one piece; null where they don't.
   */
  readonly headAt: bigint | null;
  /**
   * Until then (clock.now) the content is believed to be in memory; set by whoever has found it
   * there. For files that are sent in one step, so that looking costs them nothing.
   */
  residentUntil: number;
  /** Keeps the file open beyond this event; each call is paid back by one release(). */
  retain(): void;
  release(): void;
  /**
   * What became of a file that was sent: "same", "grown" (what was promised is still what it was)
   * or "changed" (edited in place or cut: what went out may be a mix).
   */
  revalidate(): "same" | "grown" | "changed";
  /** The cache may be wrong about it: the next open() looks its name up again. */
  expire(): void;
}

/** A content that has no descriptor: each range of it is a stream of its own. */
export interface Source {
  /**
   * Begins to bring `length` > 0 bytes from `at`, for a connection of `peer`; `awake` is called
   * when a stream that was empty has bytes or has failed, never from inside a call of its reader.
   * What is under way at once and what it holds is bounded by the store.
   */
  stream(at: bigint, length: number, peer: string, awake: () => void): ByteStream;
  /**
   * The same where blocks of it are kept on a disk of this machine; null: not now. A source without
   * this has none.
   */
  blocks?(at: bigint, length: number, peer: string, awake: () => void): BlockReader | null;
}

/** Bytes on their way: a bounded ring that the store fills and one reader empties. */
export interface ByteStream {
  /** The next bytes, valid until take(); null while none are here. */
  readonly ready: Uint8Array | null;
  /**
   * What became of it: "flowing", or why nothing follows behind what is `ready`: "failed" (fewer
   * bytes came than were promised) or "changed" (this version is gone). It never says that it is
   * complete: who has counted `length` bytes knows.
   */
  readonly state: "flowing" | "failed" | "changed";
  /**
   * Its reader has found nothing `ready`, and waits: it is woken. A stream that was given up for
   * want of readers is begun again where it was.
   */
  want(): void;
  /** The first `count` bytes of `ready` are done with, and their room is free. */
  take(count: number): void;
  /** Nobody wants more; called once. */
  close(): void;
}

/** A page of a directory. */
export interface EncodedPage {
  /** Entry lines as the wire has them. */
  readonly text: Uint8Array;
  readonly count: number;
  /** True when names follow behind the last one. */
  readonly more: boolean;
  /** Names up to the page's end that are there and can't be had. */
  readonly left: number;
  /** The folder's own: the same by whatever path, and of no other folder. */
  readonly id: string;
}

/** What is to be digested: a range of a file that lies in it, cut into chunks. */
export interface DigestRange {
  readonly start: bigint;
  /** Bytes from `start` on. */
  readonly length: number;
  /** Bytes under one digest, > 0; the last may cover fewer. */
  readonly chunk: number;
  readonly algo: Algo;
}

/**
 * Who waits for a store. `gone` tells it that nobody does any more: it drops the work. Each kind of
 * question has an answer of its own; one question is open at a time.
 */
export interface Waiter {
  readonly gone: boolean;
  /** Whose share of the store it uses: one address, or one network of addresses. */
  readonly peer: string;
  /**
   * Told inside a call that takes longer than a look at what is held: it costs a turn as much as so
   * many `requests` of the usual ones.
   */
  charge(requests: number): void;
  /** The answer to open(). */
  opened(file: OpenFile | Refusal): void;
  /** The answer to stat(). */
  looked(entry: Entry | Refusal): void;
  /** The answer to list(). */
  listed(page: EncodedPage | Refusal): void;
  /** The answer to digests(). */
  digested(lines: Uint8Array | Refusal): void;
  /** An error of ours on the way: nothing else will come. */
  crash(error: unknown): void;
}

/** What a store holds and has done, for who runs the server. */
export interface StoreFacts {
  /** Descriptors of files, cached and in use. */
  readonly openFiles: number;
  /** Files that are kept under their names, and bytes of contents among them. */
  readonly keptFiles: number;
  readonly keptBytes: number;
  /** Files whose head and content lie in one piece in memory. */
  readonly arenaFiles: number;
  /** Questions for a file that was kept, and for one that was not. */
  readonly hits: number;
  readonly misses: number;
  /** Bytes in the cache on disk, blocks that were found there, and such as had to be brought. */
  readonly blockBytes: number;
  readonly blockHits: number;
  readonly blockMisses: number;
  /** Digests that wait or are computed, and pages of directories. */
  readonly digestJobs: number;
  readonly pages: number;
}

/** A folder of this machine that is served. */
export interface ServedRoot {
  /** Where its files are asked for: "" at the top, "/models" under a name. */
  readonly at: ByteString;
  /** Its path when it was opened. */
  readonly folder: ByteString;
}

/** A place where files live, read only. Paths are a request's: bytes that start with "/". */
export interface Store {
  /** What is served, in words for a person. */
  readonly label: string;
  /** The one file that is served, as a path, when the root is a file; else "". */
  readonly single: ByteString;
  /** The folders of this machine that it reads. */
  readonly roots: readonly ServedRoot[];
  /** The file, a refusal, or null: the answer comes later. */
  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null;
  /**
   * What `path` is, without opening it for reading; not cached. `waiter` is charged for it. Null:
   * the answer comes later.
   */
  stat(path: ByteString, waiter: Waiter): Entry | Refusal | null;
  /**
   * Up to `limit` entries behind `after`, sorted by bytes; null: the answer comes later. What can
   * be known at once is refused at once: that there is no such directory, or that it may not be
   * read. "cold": that can't be known at once, and nothing was begun; stat() tells it, and what is
   * asked again with `found` is begun. With `left` each name that can't be had has a line too.
   */
  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left?: boolean,
    found?: boolean,
  ): Refusal | "cold" | null;
  /**
   * The digests of `range`, a line each, as the wire has them; null: the answer comes later. They
   * are of the version that `file.entry` tells: ESTALE when it changed meanwhile, EIO when it can't
   * be read, EBUSY when too many wait. At most DIGESTS_MAX of them.
   */
  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null;
  /** The same where it was computed lately; null: it is not known, and nothing is done for it. */
  knownDigests(file: OpenFile, range: DigestRange): Uint8Array | null;
  /**
   * `file` with all of its content behind `head`, so that both leave in one piece: `headAt` of what
   * is returned. It may be let go at any later call, and has the `fd` -1 from then on; null where
   * that can't be had, or pays nothing. Costs some 10 us, so that it is for what is often asked.
   */
  packed(file: OpenFile, head: Uint8Array): OpenFile | null;
  /**
   * Readings of a bare dialect's path, best first: below the root, or under the root's own name.
   */
  readings(path: ByteString): ByteString[];
  /**
   * Where it can be told only by asking somebody: whether there is what is served. Null, or why
   * not, in printable words.
   */
  check?(): Promise<string | null>;
  /** As it is now. */
  readonly facts: StoreFacts;
  /** Called about once a second: lets go of what nobody has used for a while. */
  sweep(): void;
  /** Closes what is idle and lets go of the root; files in use close when they are released. */
  close(): void;
}

/** How long a name is believed to mean the file it meant, in milliseconds. */
export const REVALIDATE_MS = 1000;

/**
 * Bytes kept free in front of a held body: an S6/1 head has at most 130, an HTTP head about 300.
 */
export const HEADROOM_BYTES = 384;

/**
 * Largest content that is held as `body` for its own sake, in bytes: up to here one write that
 * copies beats sendfile(2), from wherever.
 */
export const BODY_BYTES_MAX = 8192;

/**
 * Largest content that may be held as `body` at all, where there is no sendfile(2) or no descriptor
 * is left; brought into memory whole, and digested on the loop.
 */
export const SMALL_BYTES_MAX = 65_536;
