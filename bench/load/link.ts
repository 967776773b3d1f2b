/**
 * Owns how bytes of one connection travel: as they are, or by TLS. Never looks at them.
 * Invariant: each call makes one try and says what it came to; only a link made for waiting waits.
 */
import type { Door } from "./door.ts";
import * as sys from "./sys.ts";
import { TlsLink } from "./tls.ts";

export interface Link {
  readonly fd: number;
  /** A read that is shorter than it could be has emptied the socket. */
  readonly shortIsEmpty: boolean;
  /** Up to `max` bytes: > 0 bytes read, 0 end of stream, sys.AGAIN nothing. */
  receive(into: Uint8Array, max: number): number;
  /** The same for bytes that nobody wants to see; `scratch` may be overwritten. */
  discard(scratch: Uint8Array, max: number): number;
  /** Bytes taken of the first `length`, or sys.AGAIN. What was refused is offered again first. */
  transmit(bytes: Uint8Array, length: number): number;
  close(): void;
}

/** A connection to 127.0.0.1:port for `door`, whose calls wait for at most `timeoutMs`. */
export function dialWaiting(door: Door, port: number, timeoutMs: number): Link {
  const fd = sys.connectLoopback(port, timeoutMs);
  return door.tls === undefined ? new WaitingLink(fd) : new TlsLink(fd, door.tls, "waits");
}

/** The same, whose calls don't wait; a handshake is done unless each request has its own. */
export function dial(door: Door, port: number, timeoutMs: number): Link {
  const fd = sys.connectLoopback(port, timeoutMs);
  if (door.tls === undefined) return new PlainLink(fd);
  return new TlsLink(fd, door.tls, door.fresh === true ? "begins" : "shaken");
}

/** The bytes as they are. */
export class PlainLink implements Link {
  readonly fd: number;
  readonly shortIsEmpty = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  receive(into: Uint8Array, max: number): number {
    return sys.receive(this.fd, into, max);
  }

  /** Dropped in the kernel, without a copy. */
  discard(_: Uint8Array, max: number): number {
    return sys.discard(this.fd, max);
  }

  transmit(bytes: Uint8Array, length: number): number {
    return sys.transmit(this.fd, bytes, length);
  }

  close(): void {
    sys.closeSocket(this.fd);
  }
}

/** The same, whose reads wait. */
export class WaitingLink extends PlainLink {
  override receive(into: Uint8Array): number {
    return sys.receiveWaiting(this.fd, into);
  }
}
