/**
 * TLS of a server: makes a TLS socket of one that was accepted, before a byte of it is read, and
 * bounds how many are in their handshake. Who is not through in time, or may not come in, is cut.
 * From then on the socket is like any other to a connection, but its descriptor carries records:
 * nothing may be written to it but by the socket itself.
 */
import { constants } from "node:crypto";
import type { Socket, SocketHandler, TLSOptions } from "bun";
import type { Credentials, Material } from "../identity/credentials.ts";
import { clock } from "../sys/clock.ts";
import { type StreamSocket, withDescriptor } from "../sys/socket.ts";

/**
 * Handshakes at once; who comes meanwhile is cut. One costs 0.3 ms with a key of P-256 and 1 ms
 * with RSA of 2,048 bits, and a few packets: at 256 each has a second even so.
 */
const HANDSHAKES_MAX = 256;

/** Of them for one peer: others find room. */
const PEER_HANDSHAKES_MAX = 128;

/** From the first byte to the end of the handshake, in milliseconds: two round trips and some. */
const HANDSHAKE_MS = 5000;

/** TLS 1.2, as Bun counts versions. */
const TLS_1_2 = 0x0303;

/** Forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else (RFC 9325 4.2). */
const CIPHERS = ["ECDSA", "RSA"]
  .flatMap((key) =>
    ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map(
      (cipher) => `ECDHE-${key}-${cipher}`,
    ),
  )
  .join(":");

/**
 * Where clients need a certificate. A ticket would stand for one that may have expired, or be of an
 * authority that is believed no more, so that nobody gets any: each connection is a handshake of
 * its own, 0.3 ms with a key of P-256.
 */
const CERTIFIED = {
  requestCert: true,
  rejectUnauthorized: true,
  secureOptions: constants.SSL_OP_NO_TICKET,
};

/** "s6/1" and "http/1.1", each behind its length (RFC 7301 3.1). */
const PROTOCOLS = Buffer.from("\x04s6/1\x08http/1.1", "latin1");

/** What Bun's types lack: the server's side of an upgrade (oven-sh/bun#31155). */
interface Upgradable<Data> {
  upgradeTLS(options: {
    isServer: true;
    tls: TLSOptions;
    data: Data;
    socket: SocketHandler<Data>;
  }): [raw: Socket<Data>, tls: Socket<Data>];
}

interface Handshake {
  readonly peer: string;
  readonly since: number;
}

/** The TLS of all listeners of a server. */
export class Secure {
  readonly #credentials: Credentials;
  #material: Material | null = null;
  #options: TLSOptions = {};
  readonly #underWay = new Map<object, Handshake>();
  readonly #byPeer = new Map<string, number>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Handshakes that are not done. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /**
   * The TLS side of `raw`, of which nothing has been read, whose events go to `handlers`; null when
   * it was cut because too many are in their handshake, of all or of `peer`.
   */
  upgrade<Data>(
    raw: Socket<Data>,
    peer: string,
    data: Data,
    handlers: SocketHandler<Data>,
  ): (Socket<Data> & StreamSocket) | null {
    const held = this.#byPeer.get(peer) ?? 0;
    if (this.#underWay.size >= HANDSHAKES_MAX || held >= PEER_HANDSHAKES_MAX) {
      raw.terminate();
      return null;
    }
    // From here on events of `raw` tell of records: nobody listens to them.
    const upgradable = raw as unknown as Upgradable<Data>;
    const options = { isServer: true, tls: this.#current(), data, socket: handlers } as const;
    const [, socket] = upgradable.upgradeTLS(options);
    this.#underWay.set(socket, { peer, since: clock.now });
    this.#byPeer.set(peer, held + 1);
    return withDescriptor(socket);
  }

  /** The handshake of `socket` has ended, well if `ok`; false: it was cut. */
  done<Data>(socket: Socket<Data>, ok: boolean): boolean {
    this.left(socket);
    // A client without a certificate, or with one of somebody else, is told as a handshake too.
    const admitted = ok && (this.#material?.clientCa == null || socket.authorized);
    if (!admitted) socket.terminate();
    return admitted;
  }

  /** `socket` is closed, or its handshake is done. */
  left(socket: object): void {
    const handshake = this.#underWay.get(socket);
    if (handshake === undefined) return;
    this.#underWay.delete(socket);
    const held = (this.#byPeer.get(handshake.peer) ?? 0) - 1;
    if (held > 0) this.#byPeer.set(handshake.peer, held);
    else this.#byPeer.delete(handshake.peer);
  }

  /**
   * Cuts who has not finished its handshake in time, nor in the `requestMs` of a request; how many.
   */
  sweep(now: number, requestMs: number): number {
    const most = Math.min(HANDSHAKE_MS, requestMs);
    let cut = 0;
    for (const [socket, { since }] of this.#underWay) {
      if (now - since <= most) break;
      (socket as StreamSocket).terminate();
      this.left(socket);
      cut += 1;
    }
    return cut;
  }

  // --- internal ---

  /** One object as long as the files are the same: Bun keeps its context for it. */
  #current(): TLSOptions {
    const { material } = this.#credentials;
    if (material === this.#material) return this.#options;
    this.#material = material;
    const { cert, key, clientCa } = material;
    this.#options = {
      ...{ cert, key, minVersion: TLS_1_2, ciphers: CIPHERS, ALPNProtocols: PROTOCOLS },
      ...(clientCa === null ? {} : { ...CERTIFIED, ca: clientCa }),
    };
    return this.#options;
  }
}
