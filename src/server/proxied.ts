/**
 * Connections that proxies pass on: each begins with a header that tells whose it is, which is read
 * off the socket before anything else is. Only who comes from a proxy's own network is believed,
 * and is cut where it sends none.
 */
import { shownAddress } from "../guard/address.ts";
import type { Networks } from "../guard/networks.ts";
import { clock } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { PROXY_HEADER_BYTES_MAX, readProxyHeader } from "../wire/proxyheader.ts";

/** Milliseconds between two complaints: a proxy checks its servers each second or so. */
const COMPLAINT_MS = 60_000;

/** Looked at by one newcomer after the other. */
const peeked = new Uint8Array(PROXY_HEADER_BYTES_MAX);

/** Whom to believe, and what they said. */
export class Proxies {
  readonly #networks: Networks;
  /** Whose connection it is, of those whose header has been read. */
  readonly #addresses = new WeakMap<StreamSocket, string>();
  #complainedAt = -COMPLAINT_MS;

  constructor(networks: Networks) {
    this.#networks = networks;
  }

  /**
   * Whether nothing of a header is left in `socket`, of which nothing else has been read: true also
   * where none is to come; null while it is not whole; false when none will come.
   */
  passed(socket: StreamSocket): boolean | null {
    if (this.#addresses.has(socket)) return true;
    const own = socket.remoteAddress;
    // It was reset, and the connection finds that out.
    if (own === undefined) return true;
    if (!this.#networks.admits(own)) return true;
    const count = kernel.peek(socket.fd, peeked, peeked.length);
    if (count <= 0) return count === -ERRNO.EAGAIN ? null : false;
    const header = readProxyHeader(peeked, count);
    if (header === "more") return null;
    if (header === "wrong") return false;
    // Bytes that were just seen there.
    if (kernel.recv(socket.fd, peeked, header.bytes) !== header.bytes) return false;
    this.#addresses.set(socket, header.address ?? own);
    return true;
  }

  /** Whose connection `socket` is, once it has passed; undefined: it was reset before. */
  addressOf(socket: StreamSocket): string | undefined {
    return this.#addresses.get(socket) ?? socket.remoteAddress;
  }

  /** What to tell who runs the server of a header that `proxy` did not send; null: it was told. */
  complaint(proxy: string): string | null {
    if (clock.now - this.#complainedAt < COMPLAINT_MS) return null;
    this.#complainedAt = clock.now;
    const where = `--proxy-protocol-from has ${shownAddress(proxy)}`;
    return `${where}, which sent no PROXY header of version 2: cut (haproxy: send-proxy-v2)`;
  }
}
