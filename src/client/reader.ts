/**
 * How the bytes of one connection are read: by Bun's data events, by the pump (receive/pump.ts)
 * around them, or not at all while a rate limit pauses the socket. It owns that mode and the
 * socket's pause() and resume(); it never looks at a byte, which is the session's.
 *
 * Invariant: the socket is paused in the modes "pump" and "paused", and in no other.
 */
import { type PumpedSocket, pump } from "../receive/pump.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { SOCKET } from "../sys/types.ts";
import type { Throttle } from "./throttle.ts";

/**
 * SO_RCVLOWAT while the pump reads: its poll(2) reports the socket only from so many bytes on, so
 * that 1 Gbit/s costs 500 rounds a second instead of 80,000.
 */
const LOW_WATER_BYTES = 256 * 1024;

/** Bytes still to come from which on the pump is worth its system calls. */
export const PUMP_BYTES_MIN = 512 * 1024;

/** The session, as its reader sees it. */
export interface SocketReaderOwner {
  /** A round of the pump: the socket has bytes, to be taken from its descriptor. */
  pumped(): void;
}

/** Reads one connection's socket. */
export class SocketReader implements PumpedSocket {
  readonly #socket: StreamSocket;
  readonly #owner: SocketReaderOwner;
  readonly #throttle: Throttle | null;
  /** False: the descriptor carries the records of TLS, which Bun alone can read. */
  readonly #pumps: boolean;
  #mode: "events" | "pump" | "paused" = "events";
  #lowWater = 1;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    socket: StreamSocket,
    owner: SocketReaderOwner,
    throttle: Throttle | null,
    secure = false,
  ) {
    this.#pumps = throttle === null && !secure;
    this.#socket = socket;
    this.#owner = owner;
    this.#throttle = throttle;
    const lump = throttle?.lumpBytes ?? null;
    if (lump !== null && this.fd >= 0) {
      kernel.setsockopt(this.fd, SOCKET.level, SOCKET.receiveBuffer, lump);
    }
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** Hands the socket to the pump if that is worth it for the `left` bytes of the body. */
  usePump(left: number): void {
    if (this.#mode !== "events" || left < PUMP_BYTES_MIN || !this.#pumps) return;
    if (!pump.add(this)) return;
    this.#mode = "pump";
    this.#socket.pause();
    this.#setLowWater(LOW_WATER_BYTES);
  }

  /** `left` bytes of the body are still to come: SO_RCVLOWAT must not be above that. */
  expect(left: number): void {
    if (this.#mode === "pump" && left < this.#lowWater) this.#setLowWater(Math.max(1, left));
  }

  /** Returns from the pump to events; does nothing in another mode. */
  useEvents(): void {
    if (this.#mode !== "pump") return;
    pump.remove(this);
    this.#mode = "events";
    this.#setLowWater(1);
    this.#socket.resume();
  }

  /** `count` bytes were read: above the rate limit the socket is paused until the rate is kept. */
  spent(count: number): void {
    const waitMs = this.#throttle?.spend(count) ?? 0;
    if (waitMs <= 0 || this.#mode !== "events") return;
    this.#mode = "paused";
    this.#socket.pause();
    this.#timer = setTimeout(() => this.#resume(), waitMs);
  }

  /** True while the rate limit pauses the socket: then silence is no sign of a dead peer. */
  get paused(): boolean {
    return this.#mode === "paused";
  }

  /** The connection has ended. */
  close(): void {
    pump.remove(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#mode = "events";
  }

  // --- called by the pump ---

  readable(): void {
    this.#owner.pumped();
  }

  idle(): void {
    this.useEvents();
  }

  // --- internal ---

  #resume(): void {
    this.#timer = null;
    if (this.#mode !== "paused") return;
    this.#mode = "events";
    this.#socket.resume();
  }

  #setLowWater(bytes: number): void {
    this.#lowWater = bytes;
    if (this.fd >= 0) kernel.setsockopt(this.fd, SOCKET.level, SOCKET.receiveLowWater, bytes);
  }
}
