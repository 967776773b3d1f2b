/**
 * How a connection's bytes are let in: by Bun's events, by the pump past them, or not at all for a
 * while, when a rate is to be kept. It owns that choice and the socket's pausing; what bytes mean
 * is the session's.
 */
import { type PumpedSocket, pump } from "../receive/pump.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { SOCKET } from "../sys/types.ts";
import type { Throttle } from "./throttle.ts";

/**
 * Below so many bytes the poll of the pump does not wake: at any speed a step moves a fair lump,
 * and 1 Gbit/s costs 500 rounds a second instead of 80,000.
 */
const LOW_WATER_BYTES = 256 * 1024;

/** An answer's rest for which the pump is worth its system calls, in bytes. */
export const PUMP_BYTES_MIN = 512 * 1024;

/** What the session does with what is let in. */
export interface SocketReaderOwner {
  /** The pump's turn: there is something in the socket. */
  pumped(): void;
}

/** One connection's intake. */
export class SocketReader implements PumpedSocket {
  readonly #socket: StreamSocket;
  readonly #owner: SocketReaderOwner;
  readonly #throttle: Throttle | null;
  #mode: "events" | "pump" | "rest" = "events";
  #lowWater = 1;
  #timer: NodeJS.Timeout | null = null;

  constructor(socket: StreamSocket, owner: SocketReaderOwner, throttle: Throttle | null) {
    this.#socket = socket;
    this.#owner = owner;
    this.#throttle = throttle;
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** Lets the pump empty the socket, of which `left` bytes are expected, if that is worth it. */
  usePump(left: number): void {
    if (this.#mode !== "events" || left < PUMP_BYTES_MIN || this.#throttle !== null) return;
    if (!pump.add(this)) return;
    this.#mode = "pump";
    this.#socket.pause();
    this.#setLowWater(LOW_WATER_BYTES);
  }

  /** The pump expects `left` more bytes: it must not wait for more than that. */
  expect(left: number): void {
    if (this.#mode === "pump" && left < this.#lowWater) this.#setLowWater(Math.max(1, left));
  }

  /** Back to events. Harmless when they are in use. */
  useEvents(): void {
    if (this.#mode !== "pump") return;
    pump.remove(this);
    this.#mode = "events";
    this.#setLowWater(1);
    this.#socket.resume();
  }

  /** `count` bytes came: over the rate, nothing is read for as long as that takes to even out. */
  spent(count: number): void {
    const waitMs = this.#throttle?.spend(count) ?? 0;
    if (waitMs <= 0 || this.#mode !== "events") return;
    this.#mode = "rest";
    this.#socket.pause();
    this.#timer = setTimeout(() => this.#rested(), waitMs);
  }

  /** True while we ourselves don't read: silence is then not the peer's. */
  get resting(): boolean {
    return this.#mode === "rest";
  }

  /** The connection has ended. */
  close(): void {
    pump.remove(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#mode = "events";
  }

  // --- the pump's ---

  readable(): void {
    this.#owner.pumped();
  }

  idle(): void {
    this.useEvents();
  }

  // --- internal ---

  #rested(): void {
    this.#timer = null;
    if (this.#mode !== "rest") return;
    this.#mode = "events";
    this.#socket.resume();
  }

  #setLowWater(bytes: number): void {
    this.#lowWater = bytes;
    if (this.fd >= 0) kernel.setsockopt(this.fd, SOCKET.level, SOCKET.receiveLowWater, bytes);
  }
}
