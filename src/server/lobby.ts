/**
 * Where newcomers wait whose first byte has not come: it tells TLS from plaintext, and must not be
 * read before that is known. What a proxy says of them comes before it. The kernel hands out most
 * connections with their first bytes (TCP_DEFER_ACCEPT), so that this is the way of those who say
 * nothing for seconds, of all while the machine answers with SYN cookies (tcp(7)), and of those
 * whose proxy's header comes before their own first byte. Bounded: beyond it of the peer that has
 * most places the one who has waited longest is taken for plaintext, so that who opens many and
 * says nothing keeps nobody else out.
 */
import { peerOf } from "../guard/address.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { Proxies } from "./proxied.ts";

/** First byte of a TLS record that opens a handshake (RFC 8446 5.1). */
const TLS_HANDSHAKE = 0x16;

/**
 * Newcomers that wait: they count as connections only when they leave, so FDS_RESERVED has them.
 */
const LOBBY_MAX = 16;

/** Milliseconds between two looks. */
const LOOK_MS = 10;

/** Who has said nothing for so many milliseconds is taken for plaintext. */
const WAIT_MS = 5000;

/** What a newcomer turned out to speak. */
export type Way = "plain" | "tls";

/** What newcomers may begin with. */
export interface Beginnings {
  /** Whether the first byte tells TLS; else all are plaintext. */
  readonly tls: boolean;
  /** Who sends a header before it; null: nobody. */
  readonly proxies: Proxies | null;
}

/** Waits for first bytes. */
export class Lobby<S extends StreamSocket> {
  readonly #beginnings: Beginnings;
  readonly #decided: (socket: S, way: Way | null) => void;
  /** Since when, in performance.now()'s milliseconds. */
  readonly #waiting = new Map<S, number>();
  #timer: NodeJS.Timeout | null = null;

  /**
   * `decided` is called once for each that entered and stayed, within enter() or later: with null
   * for a proxy's connection that came without its header.
   */
  constructor(beginnings: Beginnings, decided: (socket: S, way: Way | null) => void) {
    this.#beginnings = beginnings;
    this.#decided = decided;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `socket` was just accepted, and nothing of it has been read. */
  enter(socket: S): void {
    const way = this.#wayOf(socket, false);
    if (way !== "waits") {
      this.#decided(socket, way);
      return;
    }
    socket.pause();
    this.#waiting.set(socket, performance.now());
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    if (this.#waiting.size > LOBBY_MAX) this.#end(this.#longest(), true);
  }

  /** `socket` is closed. */
  left(socket: S): void {
    if (this.#waiting.delete(socket)) this.#rest();
  }

  /** Cuts all who wait. */
  close(): void {
    for (const socket of [...this.#waiting.keys()]) socket.terminate();
    this.#waiting.clear();
    this.#rest();
  }

  // --- internal ---

  #look(): void {
    const over = performance.now() - WAIT_MS;
    for (const [socket, since] of [...this.#waiting]) this.#end(socket, since < over);
    this.#rest();
  }

  /** Decides about `socket`, which waits, if that can be done by now; `late`: it has to be. */
  #end(socket: S, late: boolean): void {
    const way = this.#wayOf(socket, late);
    if (way === "waits") return;
    this.#waiting.delete(socket);
    socket.resume();
    this.#decided(socket, way);
  }

  /** Of the peer that has most places the one that has waited longest. */
  #longest(): S {
    const byPeer = new Map<string, S[]>();
    for (const socket of this.#waiting.keys()) {
      const peer = peerOf(
        this.#beginnings.proxies?.addressOf(socket) ?? socket.remoteAddress ?? "",
      );
      const own = byPeer.get(peer);
      if (own === undefined) byPeer.set(peer, [socket]);
      else own.push(socket);
    }
    const most = [...byPeer.values()].reduce((one, other) =>
      other.length > one.length ? other : one,
    );
    return most[0]!;
  }

  /** `late`: it may wait no longer. */
  #wayOf(socket: S, late: boolean): Way | null | "waits" {
    const { tls, proxies } = this.#beginnings;
    const passed = proxies === null || proxies.passed(socket);
    if (passed !== true) return passed === false || late ? null : "waits";
    return tls ? firstWayOf(socket, late) : "plain";
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

// --- internal ---

const first = new Uint8Array(1);

/** An end, or an error, is for the connection to find. */
function firstWayOf(socket: StreamSocket, late: boolean): Way | "waits" {
  const count = kernel.peek(socket.fd, first, 1);
  if (count === -ERRNO.EAGAIN && !late) return "waits";
  return count === 1 && first[0] === TLS_HANDSHAKE ? "tls" : "plain";
}
