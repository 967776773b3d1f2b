/**
 * What attackers do with connections, whatever they ask for: hold them, never read, read slowly,
 * ask without end, come and go. Each makes a run() of what it is given.
 */
import type { Attacker, CrowdOptions } from "./attack.ts";
import { RawSocket } from "./socket.ts";

/** The request on connection `nth` of a crowd; `round` counts up when it asks again. */
export type Request = (nth: number, round: number) => string | Uint8Array;

/** A crowd and what it asks for. */
export interface Crowd extends CrowdOptions {
  readonly connections: number;
  readonly request: Request;
}

/** Reads at once, in bytes: what a kernel hands over without a copy. */
const DISCARD_BYTES = 4 * 1024 * 1024;

/** A wait for events: short, so that the end of the attack is noticed. */
const WAIT_MS = 50;

/** A wait for replies by who has more to send: short, so that its queue is never empty for long. */
const PAUSE_MS = 2;

/** Bytes of requests made at once for a connection that asks without end. */
const BATCH_BYTES = 8 * 1024;

/** Bytes sent on one connection before the others have their turn: who takes all must not win. */
const PUSH_BYTES_MAX = 1024 * 1024;

type Run = (attacker: Attacker) => void;

/** Each connection sends its request once; nobody reads. They stay until the end. */
export function neverRead({ connections, request, ...options }: Crowd): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    sockets.forEach((socket, nth) => socket.send(bytesOf(request(nth, 0))));
    attacker.begun();
    while (!attacker.over) attacker.sleep(WAIT_MS);
    sockets.forEach((socket) => socket.close());
  };
}

/** Each connection sends requests as fast as they are taken, without end; nobody reads. */
export function sendEndlessly({ connections, request, ...options }: Crowd): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    const asking = sockets.map((_, nth) => new Asking(nth, request));
    sockets.forEach((socket, nth) => asking[nth]!.push(socket));
    attacker.begun();
    while (!attacker.over) {
      sockets.forEach((socket, nth) => asking[nth]!.push(socket));
      attacker.sleep(PAUSE_MS);
    }
    sockets.forEach((socket) => socket.close());
  };
}

/** Each connection sends its request once, and says FIN; nobody reads. They stay until the end. */
export function halfClose({ connections, request, ...options }: Crowd): Run {
  return (attacker) => {
    for (const [nth, socket] of attacker.crowd(connections, options).entries()) {
      const bytes = bytesOf(request(nth, 0));
      if (bytes.length > 0) socket.send(bytes);
      socket.finish();
    }
    attacker.begun();
    while (!attacker.over) attacker.sleep(WAIT_MS);
  };
}

/** Each connection sends its request, then reads `bytes` every `everyMs`. */
export function readSlowly(
  { connections, request, ...options }: Crowd,
  bytes: number,
  everyMs: number,
): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    sockets.forEach((socket, nth) => socket.send(bytesOf(request(nth, 0))));
    attacker.begun();
    while (!attacker.over) {
      for (const socket of sockets) socket.discard(bytes);
      attacker.sleep(everyMs);
    }
  };
}

/** Each connection sends its request a byte at a time, one every `everyMs`. */
export function sendSlowly({ connections, request, ...options }: Crowd, everyMs: number): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    const texts = sockets.map((_, nth) => bytesOf(request(nth, 0)));
    attacker.begun();
    for (let at = 0; !attacker.over; at++) {
      sockets.forEach((socket, nth) => {
        const text = texts[nth] ?? new Uint8Array(0);
        if (at < text.length) socket.send(text.subarray(at, at + 1));
      });
      attacker.sleep(everyMs);
    }
  };
}

/**
 * Each connection asks as fast as its requests are taken and throws the replies away. One that the
 * server has ended comes again. `meanwhile` is called between.
 */
export function keepAsking(
  { connections, request, ...options }: Crowd,
  meanwhile: Run = () => {},
): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    const asking = sockets.map((_, nth) => new Asking(nth, request));
    sockets.forEach((socket, nth) => asking[nth]!.push(socket));
    attacker.begun();
    while (!attacker.over) {
      meanwhile(attacker);
      attacker.awaitReplies(sockets, PAUSE_MS);
      sockets.forEach((socket, nth) => {
        const came = socket.discard(DISCARD_BYTES);
        if (came !== RawSocket.GONE && asking[nth]!.push(socket)) return;
        socket.close();
        sockets[nth] = attacker.connect(options) ?? socket;
        asking[nth]!.again();
      });
    }
    sockets.forEach((socket) => socket.close());
  };
}

/**
 * Each connection sends its request and, as soon as bytes come back, the next. A reply that comes
 * in pieces is taken for several: more load, not less. `meanwhile` is called between.
 */
export function askInTurn(
  { connections, request, ...options }: Crowd,
  meanwhile: Run = () => {},
): Run {
  return (attacker) => {
    const sockets = attacker.crowd(connections, options);
    const rounds = sockets.map(() => 0);
    sockets.forEach((socket, nth) => socket.send(bytesOf(request(nth, 0))));
    attacker.begun();
    while (!attacker.over) {
      meanwhile(attacker);
      attacker.awaitReplies(sockets, PAUSE_MS);
      sockets.forEach((socket, nth) => {
        const came = socket.discard(DISCARD_BYTES);
        if (came === RawSocket.AGAIN) return;
        if (came === RawSocket.GONE) {
          socket.close();
          sockets[nth] = attacker.connect(options) ?? socket;
        }
        rounds[nth]! += 1;
        sockets[nth]!.send(bytesOf(request(nth, rounds[nth]!)));
      });
    }
    sockets.forEach((socket) => socket.close());
  };
}

/** How a visitor leaves. */
export type Leave = "close" | "reset";

/** `crowd.connections` come, ask and leave at once; again and again, with a pause between. */
export function comeAndGo(
  { connections, request, ...options }: Crowd,
  leave: Leave,
  pauseMs: number,
): Run {
  return (attacker) => {
    for (let round = 0; round === 0 || !attacker.over; round++) {
      const sockets = attacker.crowd(connections, options);
      sockets.forEach((socket, nth) => {
        const bytes = bytesOf(request(nth, round));
        if (bytes.length > 0) socket.send(bytes);
      });
      // Time to be read: what leaves before that was never asked.
      attacker.sleep(pauseMs);
      for (const socket of sockets) leave === "reset" ? socket.reset() : socket.close();
      attacker.begun();
    }
  };
}

/** One byte a character. */
export function bytesOf(request: string | Uint8Array): Uint8Array {
  return typeof request === "string" ? Buffer.from(request, "latin1") : request;
}

// --- internal ---

/** What one connection asks, without end. */
class Asking {
  readonly #nth: number;
  readonly #request: Request;
  #round = 0;
  #left: Uint8Array = new Uint8Array(0);

  constructor(nth: number, request: Request) {
    this.#nth = nth;
    this.#request = request;
  }

  /** Begins with a new request. */
  again(): void {
    this.#left = new Uint8Array(0);
  }

  /** Sends until there is no room, or enough; false when the connection is over. */
  push(socket: RawSocket): boolean {
    for (let sent = 0; sent < PUSH_BYTES_MAX;) {
      if (this.#left.length === 0) this.#left = this.#batch();
      const taken = socket.send(this.#left);
      if (taken === RawSocket.GONE) return false;
      if (taken === RawSocket.AGAIN) return true;
      this.#left = this.#left.subarray(taken);
      sent += taken;
    }
    return true;
  }

  #batch(): Uint8Array {
    const requests: Uint8Array[] = [];
    for (let length = 0; length < BATCH_BYTES;) {
      const bytes = bytesOf(this.#request(this.#nth, this.#round++));
      requests.push(bytes);
      length += bytes.length;
    }
    return Buffer.concat(requests);
  }
}
