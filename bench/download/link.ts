/**
 * Owns the model of a long thin link, for kernels without netem. Pure: no socket, no clock; times
 * come in as milliseconds and every draw from a seeded generator.
 *
 * A proxy that speaks TCP to both ends can't lose their packets, so what loss does to a sender is
 * modelled instead, for each connection on its own, as Reno does it with selective acknowledgments:
 *
 * - The window starts at 10 segments of 1448 bytes, doubles each round trip until the first loss,
 *   then grows by one segment a round trip, and only while it is what holds the sender back.
 * - Each segment is lost with the same probability. The sender learns of it one round trip later
 *   and halves its window, at most once a window. The segment comes again one round trip late, and
 *   what was sent behind it waits for it at the receiver, as it does in a real socket.
 * - All connections share one line of a fixed rate. What waits in front of it waits longer, and
 *   beyond `queueBytes` it is a loss for whoever sent it.
 * - After a quarter of a second without sending, the window starts anew.
 *
 * Left out: timeouts, the reverse direction's rate and losses, and the bytes of retransmissions and
 * headers. A real kernel would run cubic or bbr: this is what any sender may count on at least.
 */

/** Payload of a full segment on Ethernet with timestamps. */
export const SEGMENT_BYTES = 1448;

const INITIAL_SEGMENTS = 10;
const MINIMUM_SEGMENTS = 2;

/** The least retransmission timeout of Linux and a margin: idle for longer, the window is old. */
const IDLE_MS = 250;

export interface LinkShape {
  readonly bytesPerSecond: number;
  /** Delay each way, without the queue. */
  readonly oneWayMs: number;
  /** Probability that a segment is lost. */
  readonly lossRate: number;
  /** What may wait in front of the line. */
  readonly queueBytes: number;
}

/** 1 Gbit/s, 50 ms there and back, one segment in 50,000 lost, a queue of one round trip. */
export const LONG_THIN: LinkShape = {
  bytesPerSecond: 125_000_000,
  oneWayMs: 25,
  lossRate: 2e-5,
  queueBytes: 6_250_000,
};

/** The line that all connections share. */
export class Link {
  readonly shape: LinkShape;
  #freeAtMs = 0;

  constructor(shape: LinkShape) {
    this.shape = shape;
  }

  /** Bytes that wait in front of the line. */
  queued(nowMs: number): number {
    return (Math.max(0, this.#freeAtMs - nowMs) / 1000) * this.shape.bytesPerSecond;
  }

  /** Puts `bytes` behind what waits; returns when the last of them reaches the other end. */
  carry(nowMs: number, bytes: number): number {
    const startMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = startMs + (bytes / this.shape.bytesPerSecond) * 1000;
    return this.#freeAtMs + this.shape.oneWayMs;
  }
}

interface Flight {
  readonly bytes: number;
  readonly sentMs: number;
  readonly ackMs: number;
  readonly lost: boolean;
}

/** The sender of one connection: how much may leave now, and when it gets there. */
export class Flow {
  readonly #link: Link;
  readonly #random: () => number;
  readonly #flights: Flight[] = [];
  #windowBytes = INITIAL_SEGMENTS * SEGMENT_BYTES;
  #thresholdBytes = Infinity;
  #inFlightBytes = 0;
  #limited = false;
  #reducedMs = -Infinity;
  #lastSentMs = 0;
  #heldUntilMs = 0;
  #bytesToLoss: number;

  /** `random` gives numbers from 0 to below 1. */
  constructor(link: Link, random: () => number) {
    this.#link = link;
    this.#random = random;
    this.#bytesToLoss = this.#drawLoss();
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Whole bytes that may leave at `nowMs`, which never goes back. */
  room(nowMs: number): number {
    while (this.#flights.length > 0 && this.#flights[0]!.ackMs <= nowMs) {
      this.#acknowledge(this.#flights.shift()!);
    }
    if (this.#inFlightBytes === 0 && nowMs - this.#lastSentMs > IDLE_MS) {
      this.#windowBytes = Math.min(this.#windowBytes, INITIAL_SEGMENTS * SEGMENT_BYTES);
    }
    return Math.max(0, Math.floor(this.#windowBytes - this.#inFlightBytes));
  }

  /** Sends `bytes`, no more than `room`; returns when the receiver can read the last of them. */
  send(nowMs: number, bytes: number): number {
    const full = this.#link.queued(nowMs) > this.#link.shape.queueBytes;
    this.#bytesToLoss -= bytes;
    const lost = full || this.#bytesToLoss <= 0;
    if (this.#bytesToLoss <= 0) this.#bytesToLoss = this.#drawLoss();
    const arrivalMs = this.#link.carry(nowMs, bytes);
    const ackMs = arrivalMs + this.#link.shape.oneWayMs;
    const readableMs = lost ? ackMs + this.#link.shape.oneWayMs : arrivalMs;
    this.#heldUntilMs = Math.max(this.#heldUntilMs, readableMs);
    this.#flights.push({ bytes, sentMs: nowMs, ackMs, lost });
    this.#inFlightBytes += bytes;
    this.#limited = this.#inFlightBytes + SEGMENT_BYTES > this.#windowBytes;
    this.#lastSentMs = nowMs;
    return this.#heldUntilMs;
  }

  // --- internal ---

  #acknowledge({ bytes, sentMs, ackMs, lost }: Flight): void {
    this.#inFlightBytes -= bytes;
    if (lost && sentMs > this.#reducedMs) {
      const half = Math.max(this.#windowBytes / 2, MINIMUM_SEGMENTS * SEGMENT_BYTES);
      this.#thresholdBytes = half;
      this.#windowBytes = half;
      this.#reducedMs = ackMs;
    } else if (this.#limited && !lost) {
      const share =
        this.#windowBytes < this.#thresholdBytes ? 1 : SEGMENT_BYTES / this.#windowBytes;
      this.#windowBytes += bytes * share;
    }
  }

  /** Geometric: bytes until the next loss. */
  #drawLoss(): number {
    const { lossRate } = this.#link.shape;
    if (lossRate <= 0) return Infinity;
    const segments = Math.ceil(Math.log(1 - this.#random()) / Math.log(1 - lossRate));
    return Math.max(1, segments) * SEGMENT_BYTES;
  }
}

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
