/**
 * How much anybody may take: every bound of the server with its name, unit, default and reason.
 * Flags set them; nothing else in the program invents a number.
 */

/** The bounds of one server process. Times in milliseconds. */
export interface Limits {
  /** Connections at once. Over it a new one is told EBUSY and closed. */
  readonly connections: number;
  /**
   * Connections at once from one address (of IPv6, one /64): three quarters of all, so that others
   * find room.
   */
  readonly connectionsPerPeer: number;
  /** Files open at once, cached and in use. */
  readonly files: number;
  /**
   * Requests of one connection answered before its replies are written and others have their turn.
   */
  readonly pipeline: number;
  /**
   * From the first byte of a request (of a new connection: from its start) to the end of its line.
   */
  readonly requestMs: number;
  /** Quiet between two requests. */
  readonly idleMs: number;
  /** How long a peer may acknowledge nothing of what it asked for. */
  readonly stallMs: number;
  /** Bytes that a peer must acknowledge within stallMs to count as alive. */
  readonly stallBytes: number;
  /** How long one request may wait for the store: a file to open, a page, digests. */
  readonly storeMs: number;
  /** How long transfers under way may go on after a SIGTERM. */
  readonly graceMs: number;
}

/**
 * Descriptors for everything that is neither a connection nor a served file: listeners, logs, Bun's
 * own, the shed.
 */
export const FDS_RESERVED = 64;

/**
 * Connections over the limit that are told so, by ERR EBUSY and a FIN. More are cut without a word,
 * so that telling can't use up descriptors: FDS_RESERVED counts these in.
 */
export const SHED_MAX = 32;

/** Quiet after which a bare path without LF is complete, in milliseconds: the contract's. */
export const SILENCE_MS = 200;

/**
 * A peer whose machine has vanished says nothing, ever: the kernel asks each quiet connection after
 * a minute and gives it up after three questions without an answer (tcp(7)), 90 s in all.
 */
export const KEEPALIVE = { idleS: 60, intervalS: 10, probes: 3 } as const;

/** How long a peer may take to close after it got everything, in milliseconds. */
export const LINGER_MS = 5000;

/** Bytes read and thrown away behind a bare path's request before the connection is cut. */
export const JUNK_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of requests kept while a connection can't be answered; then it is not read any more. */
export const BACKLOG_BYTES_MAX = 16_384;

const CONNECTIONS_MAX = 65_536;
const FILES_MAX = 8192;
const FILES_MIN = 8;

/** Times and counts when no flag says otherwise. */
export const LIMITS_DEFAULT = {
  pipeline: 64,
  requestMs: 10_000,
  idleMs: 300_000,
  /**
   * A steady reader of 1 KB/s must never be cut. It acknowledges in lumps of its whole receive
   * buffer: with the default of 128 KiB nothing moves for 125 s (measured), and no server can tell
   * it from one that has stopped.
   */
  stallMs: 180_000,
  /** 23 bytes a second: slower than any link, faster than a reader that only wants to stay. */
  stallBytes: 4096,
  /**
   * An hour, as `cli6 hash` waits: sha256 of 4 TiB. A shorter one would cut honest questions; what
   * a question costs others is bounded by its turns, not by its length.
   */
  storeMs: 3_600_000,
  graceMs: 30_000,
} as const;

/**
 * Splits `nofile` descriptors so that they can't run out: a quarter for files, a reserve, the rest
 * for connections. At the limit Bun's accept loop would spin at 100 % CPU (oven-sh/bun#32705).
 */
export function shares(nofile: number): { connections: number; files: number } {
  const files = Math.max(FILES_MIN, Math.min(FILES_MAX, Math.floor(nofile / 4)));
  const free = Math.max(1, nofile - FDS_RESERVED - files);
  const connections = Math.min(CONNECTIONS_MAX, free);
  return { connections, files };
}
