/**
 * How much anybody may take. A peer is one address, or one /64 of IPv6 (address.ts). What flags set
 * is here; a bound of one mechanism stands beside it, under the name given.
 *
 *   resource       in all                one peer             who is over it
 *   -------------  --------------------  -------------------  ------------------------------------
 *   connections    connections           connectionsPerPeer,  of its own share: EBUSY and FIN; when
 *                                        3/4 of all           all are taken, one that waits for
 *                                                             its peer, of whoever holds more,
 *                                                             gives way (server/displacement.ts)
 *   refusals told  SHED_MAX              -                    cut without a word
 *   descriptors    files                 by its connections   cached files are closed, then EBUSY
 *   newcomers      ACCEPTS_MAX an event  -                    wait in the kernel's queue
 *                                                             (server/acceptbound.ts)
 *   handshakes     HANDSHAKES_MAX        PEER_HANDSHAKES_MAX  cut without a word
 *                                                             (server/secure.ts)
 *   rate           rates.total           rates.address,       waits in the kernel, which spreads
 *                                        rates.connection     its segments (server/pacing.ts)
 *   turns          a step each, 2 MiB    a step of each       waits: peers take turns, whatever
 *                  (STEP_BYTES); rounds  round                their connections (send/turns.ts)
 *                  of ROUND_MS
 *   requests       pipeline in a turn;   the same             waits for its next turn: a costly
 *                  a costly one is more                       reply counts as several (charge()),
 *                                                             so does a long line
 *   digest jobs    JOB_UNITS_MAX         PEER_JOB_UNITS_MAX   of its own share: EBUSY; when full,
 *                                                             the newest of the largest gives way
 *   digest bytes   a portion at a time   a portion, in turns  waits (store/digester.ts)
 *   replies kept   KEPT_REPLY_BYTES_MAX  -                    the one not asked for longest goes
 *   listings       PAGES_MAX long ones,  PEER_PAGES_MAX       waits: peers take turns for steps;
 *                  a short one, and                           so do short and long ones
 *                  SHORT_WAITS_MAX for
 *                  the disk
 *   disk reads     READS_MAX             turns                waits (store/diskread.ts)
 *   cold names     LOOKS_SENT_MAX at a   turns                waits (store/looks.ts)
 *                  thread
 *   replies unsent one a connection: at most 260 KiB of       is asked nothing more until the reply
 *                  digests, which equal questions share, or   is out; stallMs without an
 *                  a page of 128 KiB                          acknowledgement ends it
 *   object store:  FLOWS_MAX             turns                waits; who has stalled, or has had
 *   ranges                                                    its turn, gives way
 *                                                             (store/s3/flows.ts)
 *   questions      QUESTIONS_MAX under   PEER_ASKED_MAX       waits; over it EBUSY
 *                  way, ASKED_MAX                             (store/s3/questions.ts)
 *   time in store  storeMs               the same             ETIMEDOUT and closed; RST in the
 *                                                             middle of a file
 *   life unseen    KEEPALIVE             the same             a vanished machine is cut after 90 s
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
  /**
   * How long one request may wait for the store: a file to open, its next bytes, a page, digests.
   */
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

/**
 * While a server stops: a connection so young that has asked nothing may still do so, or a reload
 * would cost those their request who have just come. Milliseconds; many a connection takes 300.
 */
export const NEWCOMER_MS = 1000;

/** Bytes read and thrown away behind a bare path's request before the connection is cut. */
export const JUNK_BYTES_MAX = 4 * 1024 * 1024;

/** Bytes of requests kept while a connection can't be answered; then it is not read any more. */
export const BACKLOG_BYTES_MAX = 16_384;

/**
 * As Limits.pipeline, for an event that comes while a round of turns is overdue: a short request is
 * answered at once, a long pipeline waits for its turn.
 */
export const COST_LATE_MAX = 8;

/**
 * A line costs a turn one request more for each so many bytes: of 8 KiB, all of them escapes, it
 * takes 70 us to read, to look up and to refuse.
 */
export const LINE_BYTES_PER_REQUEST = 256;

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
