/**
 * The numbers of one command's transfers: written where bytes move, read by whoever shows them. No
 * callbacks and no clock: a display looks whenever it likes, and what moves bytes never waits for a
 * display.
 */

/** What becomes of a file. */
export type FileState = "waiting" | "running" | "done" | "failed";

/** One file on its way. All counts in bytes. */
export interface FileTally {
  /** Printable, for a person: the target's name. */
  readonly name: string;
  state: FileState;
  /** Bytes of the whole file; known before the first one comes. */
  size: number;
  /** Bytes that this run received, those that were bad and fetched again included. */
  received: number;
  /** Bytes in place that an earlier run had brought. */
  kept: number;
  /** Bytes in place whose digests were compared: kept and received ones. */
  verified: number;
  /** Bytes in place: what is left is `size - arrived`. May fall when a chunk turns out bad. */
  arrived: number;
  /** Connections that bring it just now. */
  connections: number;
}

/** All files of one command. */
export class Tally {
  /** Files to bring, as far as known; `totalKnown` tells whether more may turn up. */
  files = 0;
  /** Their bytes. */
  bytes = 0;
  /** False while a listing still goes on. */
  totalKnown = false;
  /** Files that need nothing: they were complete before. */
  unchanged = 0;
  done = 0;
  failed = 0;
  /** Sums over all files, finished ones included; as in FileTally. */
  received = 0;
  kept = 0;
  verified = 0;
  arrived = 0;
  /** Files under way that deserve a line of their own, in the order they began. */
  readonly running = new Set<FileTally>();
}
