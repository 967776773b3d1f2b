/**
 * Owns one connection through the long thin link: bytes from the server leave as the model's window
 * lets them and reach the client when it says; the client's requests take the delay alone, the
 * first ones also the round trip of the handshake, which a proxy otherwise hides. Never reads a
 * clock: `step` is told the time. Invariant: bytes come out in order and complete, and an end or a
 * reset comes out behind them.
 */
import type { Socket } from "node:net";
import { Flow, type Link, SEGMENT_BYTES } from "./link.ts";

/** What a server's socket may hold before it is not read on: the kernel's default of tcp_wmem. */
const SEND_BYTES_MAX = 4 * 1024 * 1024;

/** What a client may leave unread before its window is closed: the default of tcp_rmem. */
const RECEIVE_BYTES_MAX = 6 * 1024 * 1024;

/** Requests on their way; more are not read. */
const REQUEST_BYTES_MAX = 1024 * 1024;

/** What leaves in one piece: losses and arrivals are told apart no finer. */
const PIECE_BYTES_MAX = 16 * SEGMENT_BYTES;

type Ending = "end" | "reset";

interface Due {
  readonly atMs: number;
  readonly what: Uint8Array | Ending;
}

export class Relay {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #flow: Flow;
  readonly #oneWayMs: number;
  readonly #establishedMs: number;
  readonly #nowMs: () => number;
  readonly #waiting: Uint8Array[] = [];
  readonly #toClient: Due[] = [];
  readonly #toServer: Due[] = [];
  #waitingBytes = 0;
  #requestBytes = 0;
  #ending: Ending | null = null;

  /** Sockets that allow half an end; `nowMs` is asked when something comes from one of them. */
  constructor(
    client: Socket,
    server: Socket,
    link: Link,
    random: () => number,
    nowMs: () => number,
  ) {
    this.#client = client;
    this.#server = server;
    this.#flow = new Flow(link, random);
    this.#oneWayMs = link.shape.oneWayMs;
    this.#nowMs = nowMs;
    this.#establishedMs = nowMs() + 2 * this.#oneWayMs;
    this.#listen();
  }

  /** Moves what is due at `nowMs`. */
  step(nowMs: number): void {
    this.#deliverRequests(nowMs);
    this.#send(nowMs);
    this.#deliver(nowMs);
  }

  // --- internal ---

  #listen(): void {
    this.#client.on("data", (bytes: Uint8Array) => {
      this.#requestBytes += bytes.length;
      if (this.#requestBytes > REQUEST_BYTES_MAX) this.#client.pause();
      this.#request(bytes);
    });
    this.#client.on("end", () => this.#request("end"));
    this.#client.on("error", () => this.#request("reset"));
    this.#server.on("data", (bytes: Uint8Array) => {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > SEND_BYTES_MAX) this.#server.pause();
    });
    this.#server.on("end", () => (this.#ending ??= "end"));
    this.#server.on("error", () => (this.#ending = "reset"));
  }

  #request(what: Uint8Array | Ending): void {
    const atMs = Math.max(this.#nowMs(), this.#establishedMs) + this.#oneWayMs;
    this.#toServer.push({ atMs, what });
  }

  #deliverRequests(nowMs: number): void {
    while (this.#toServer.length > 0 && this.#toServer[0]!.atMs <= nowMs) {
      const { what } = this.#toServer.shift()!;
      pass(this.#server, what);
      if (typeof what === "string") continue;
      this.#requestBytes -= what.length;
      if (this.#requestBytes <= REQUEST_BYTES_MAX) this.#client.resume();
    }
  }

  #send(nowMs: number): void {
    let room = this.#client.writableLength > RECEIVE_BYTES_MAX ? 0 : this.#flow.room(nowMs);
    while (this.#waitingBytes > 0) {
      const bytes = Math.min(this.#waitingBytes, PIECE_BYTES_MAX, room);
      // A sender waits for room for a full segment, unless it has no more to send.
      if (bytes < Math.min(SEGMENT_BYTES, this.#waitingBytes)) break;
      const atMs = this.#flow.send(nowMs, bytes);
      for (const what of this.#take(bytes)) this.#toClient.push({ atMs, what });
      room -= bytes;
    }
    if (this.#waitingBytes <= SEND_BYTES_MAX) this.#server.resume();
    if (this.#waitingBytes > 0 || this.#ending === null) return;
    const behindMs = this.#toClient.at(-1)?.atMs ?? 0;
    this.#toClient.push({ atMs: Math.max(behindMs, nowMs + this.#oneWayMs), what: this.#ending });
    this.#ending = null;
  }

  #take(bytes: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    this.#waitingBytes -= bytes;
    for (let left = bytes; left > 0;) {
      const first = this.#waiting[0]!;
      pieces.push(first.subarray(0, left));
      if (first.length > left) this.#waiting[0] = first.subarray(left);
      else this.#waiting.shift();
      left -= Math.min(left, first.length);
    }
    return pieces;
  }

  #deliver(nowMs: number): void {
    this.#client.cork();
    while (this.#toClient.length > 0 && this.#toClient[0]!.atMs <= nowMs) {
      pass(this.#client, this.#toClient.shift()!.what);
    }
    this.#client.uncork();
  }
}

function pass(socket: Socket, what: Uint8Array | Ending): void {
  if (socket.destroyed) return;
  if (what === "end") socket.end();
  else if (what === "reset") socket.resetAndDestroy();
  else socket.write(what);
}
