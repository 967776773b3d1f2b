/** Both ends of one connection on loopback: a socket of Bun's, and a peer of literal bytes. */
import { Peer } from "./peer.ts";

/** Told of the socket's events. Without `error`, what another one throws fails the test. */
export interface Events {
  open?(socket: Bun.Socket): void;
  data?(socket: Bun.Socket, chunk: Buffer): void;
  drain?(socket: Bun.Socket): void;
  end?(socket: Bun.Socket): void;
  close?(socket: Bun.Socket): void;
  error?(socket: Bun.Socket, error: Error): void;
}

/** A connection (`using` ends both). */
export interface Connected extends Disposable {
  readonly socket: Bun.Socket;
  readonly peer: Peer;
}

/** Connects a peer to a listener of its own; the socket stays open when the peer has said FIN. */
export async function connected(events: Events = {}): Promise<Connected> {
  const accepted = Promise.withResolvers<Bun.Socket>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        events.open?.(socket);
        accepted.resolve(socket);
      },
      data: (socket, chunk) => events.data?.(socket, chunk),
      drain: (socket) => events.drain?.(socket),
      end: (socket) => events.end?.(socket),
      close: (socket) => events.close?.(socket),
      error(socket, error) {
        if (events.error === undefined) throw error;
        events.error(socket, error);
      },
    },
  });
  const peer = await Peer.dial(listener.port);
  return {
    peer,
    socket: await accepted.promise,
    [Symbol.dispose]() {
      peer[Symbol.dispose]();
      listener.stop(true);
    },
  };
}
