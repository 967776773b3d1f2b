/** A request under way, as the log will tell of it. */
import type { LogLine } from "../observe/log.ts";
import { clock } from "../sys/clock.ts";
import type { ByteString } from "../wire/bytes.ts";

/** One request. */
export interface Job {
  readonly verb: string;
  readonly path: ByteString;
  /** clock.now when it was read. */
  readonly began: number;
  /** Bytes promised. */
  readonly length: number;
}

/** The request that was just read. */
export function jobOf(verb: string, path: ByteString, length: number): Job {
  return { verb, path, began: clock.now, length };
}

/** What the log tells of `job`, which `peer` asked at `door`; it took until now. */
export function logLineOf(
  { verb, path, began }: Job,
  peer: string,
  door: string,
  status: string,
  bytes: number,
): LogLine {
  return { peer, door, verb, path, status, bytes, ms: performance.now() - began };
}

/** For a reply that has no head, or has it in one piece with the content. */
export const NO_HEAD = new Uint8Array(0);
