/**
 * Opens a connection: the edge to Bun.connect, with a timeout that holds and errors that say what
 * happened. No logic of a protocol: events go to the owner that `own` makes for the socket.
 */
import type { Socket } from "bun";
import { type StreamSocket, withDescriptor } from "../sys/socket.ts";
import { authorityOf, type ServerAddress, urlOf } from "./address.ts";
import { type ClientError, unconnectedError } from "./error.ts";

/** Milliseconds for the name and the handshake, when nothing else is said. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What a connection's owner hears. All calls are synchronous; what they throw comes back as
 * failed().
 */
export interface SocketOwner {
  /** Bytes came; `chunk` is the owner's from now on. */
  data(chunk: Buffer): void;
  /** The socket has room again. Also called without cause. */
  drain(): void;
  /** FIN from the peer while our side is open. */
  end(): void;
  /**
   * It is closed. `error` is set when the system reported one; none does not prove that all was
   * well.
   */
  closed(error: Error | null): void;
  /** An error of ours in one of the calls above: the socket is still open. */
  failed(error: Error): void;
}

/**
 * Connects to `server` within `timeoutMs` and gives what `own` makes of the socket. `own` runs
 * before any event. Rejects with ClientError: "no-connection", or "timed-out" when the time is up.
 * A connection that comes about later is cut; until then the attempt itself goes on in the system,
 * which offers no way to end it. When `signal` aborts it rejects with the signal's reason.
 */
export function dial<Owner extends SocketOwner>(
  server: ServerAddress,
  timeoutMs: number,
  own: (socket: StreamSocket) => Owner,
  signal: AbortSignal | null = null,
): Promise<Owner> {
  const { promise, resolve, reject } = Promise.withResolvers<Owner>();
  if (signal?.aborted === true) {
    reject(signal.reason);
    return promise;
  }
  let waiting = true;
  const stop = (): boolean => {
    const first = waiting;
    waiting = false;
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
    return first;
  };
  const aborted = (): void => {
    if (stop()) reject(signal?.reason);
  };
  signal?.addEventListener("abort", aborted);
  const timer = setTimeout(() => {
    if (stop()) reject(lateError(server, timeoutMs));
  }, timeoutMs);
  open<Owner>(server, (socket) => {
    if (!stop()) {
      socket.terminate();
      return null;
    }
    const owner = own(socket);
    resolve(owner);
    return owner;
  }).catch((error: unknown) => {
    if (stop()) reject(connectError(error, server));
  });
  return promise;
}

// --- internal ---

async function open<Owner extends SocketOwner>(
  server: ServerAddress,
  opened: (socket: StreamSocket) => Owner | null,
): Promise<void> {
  await Bun.connect<Owner | null>({
    hostname: server.host,
    port: server.port,
    // Otherwise the peer's FIN closes our side too, with requests unsent.
    allowHalfOpen: true,
    data: null,
    socket: {
      open(socket: Socket<Owner | null>) {
        socket.data = opened(withDescriptor(socket));
      },
      data(socket: Socket<Owner | null>, chunk: Buffer) {
        socket.data?.data(chunk);
      },
      drain(socket: Socket<Owner | null>) {
        socket.data?.drain();
      },
      end(socket: Socket<Owner | null>) {
        socket.data?.end();
      },
      close(socket: Socket<Owner | null>, error?: Error) {
        socket.data?.closed(error ?? null);
      },
      error(socket: Socket<Owner | null>, error: Error) {
        if (socket.data === null) socket.terminate();
        else socket.data.failed(error);
      },
    },
  });
}

function lateError(server: ServerAddress, timeoutMs: number): ClientError {
  const within = `within ${timeoutMs / 1000} s`;
  const advice = "is the address right, and no firewall between? (--connect-timeout waits longer)";
  return unconnectedError("ETIMEDOUT", `no connection to ${urlOf(server)} ${within}: ${advice}`);
}

/**
 * Bun reports all but a few causes as ECONNREFUSED, so the words leave room for the others.
 */
function connectError(error: unknown, server: ServerAddress): ClientError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "ECONNREFUSED";
  if (code === "ENOTFOUND" || code.startsWith("EAI_") || code.startsWith("DNS_")) {
    return unconnectedError(code, `there is no host of that name (${urlOf(server)})`);
  }
  const start = `start one with: serv6 DIR -p ${server.port}`;
  const what = `no server answers on ${authorityOf(server)}: refused or unreachable`;
  return unconnectedError(code, `${what}; ${start}`);
}
