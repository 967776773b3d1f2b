/**
 * The interface of a connection's socket: Bun's Socket has it, and so have the fakes of tests. The
 * fd must be read right before each call and never be kept: the kernel reuses the number at once.
 */

/**
 * A non-blocking stream socket. Bun's Socket is one; each line says what the call really
 * does.
 */
export interface StreamSocket {
  /** The descriptor, or -1 once closed. */
  readonly fd: number;
  /** Asked of the kernel the first time: undefined where the peer has reset it by then. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  /** One send: bytes taken (0 full, and drain will come), or < 0 when the socket is dead. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** FIN: what was accepted is delivered, reading goes on. */
  shutdown(): void;
  /**
   * close(2) at once: with unread input the kernel sends RST, so only after shutdown() and its
   * answer.
   */
  end(): void;
  /** RST: the peer learns that it failed. `close` is called before this returns. */
  terminate(): void;
  /** Stops `data` events at once. The peer's FIN is not seen until resume(). */
  pause(): void;
  resume(): void;
}

/**
 * What Bun 1.4.5 gives its sockets and listeners and its types lack: the descriptor, -1 once
 * closed. A type of ours and no ambient declaration, which a package that imports this one would
 * not load.
 */
export interface WithDescriptor {
  readonly fd: number;
}

/** `socket`, one of Bun's, as what it is: no copy, no wrapper. */
export function withDescriptor<T extends object>(socket: T): T & WithDescriptor {
  return socket as T & WithDescriptor;
}
