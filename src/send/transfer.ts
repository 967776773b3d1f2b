/**
 * One transfer: a promised range of a file on its way into a socket, in steps. Progress is numbers;
 * who calls step() when is the connection's business. Two branches serve the same bytes:
 * sendfile.ts and copy.ts; source.ts those of a file without a descriptor.
 */
import type { OpenFile } from "../store/store.ts";
import type { StreamSocket } from "../sys/socket.ts";

/** What a step came to. */
export const STEP = {
  /** Bytes went out and more can go: take the next turn. */
  more: 0,
  /** The socket is full; it will say `drain`. */
  full: 1,
  /** The promised range is out, every byte. */
  done: 2,
  /** Bytes of the file are not here yet; `ready` will be called. */
  wait: 3,
  /** The peer is gone. */
  dead: 4,
  /** The file ended before the promise did, or was edited: only RST can tell the peer. */
  changed: 5,
  /** The store failed: the disk, or what is behind a network. */
  failed: 6,
  /** This file can't be sent by this branch: the other one takes over where it stopped. */
  unfit: 7,
} as const;

/** One of STEP. */
export type Step = (typeof STEP)[keyof typeof STEP];

/** Who is told that bytes which a step waited for are here. */
export interface Awaiter {
  /** Whose turn it is when reads have to wait for each other. */
  readonly peer: string;
  windowReady(): void;
}

/** A range on its way. */
export interface Transfer {
  readonly file: OpenFile;
  /** True when its bytes go into the socket by its descriptor, so that a head may wait for them. */
  readonly zeroCopy: boolean;
  /** Where in the file the next byte comes from. */
  readonly position: bigint;
  /** Bytes promised. */
  readonly length: number;
  /** Bytes given to the kernel so far. */
  readonly sent: number;
  /** Moves one bounded portion. */
  step(socket: StreamSocket): Step;
  /** Lets go of the file; called once, whatever became of the transfer. */
  close(): void;
}

/**
 * Bytes one connection may move in one turn: below 128 KiB calls cost 15-25 % (measured), far
 * above 2 MiB others wait too long (2 MiB is 0.2 ms).
 */
export const STEP_BYTES = 2_097_152;

/**
 * A first step of more bytes takes 20 to 200 us: long enough for some of them to keep others
 * waiting. Of fewer, looking out for that would cost more than it saves.
 */
export const LONG_BYTES = 131_072;
