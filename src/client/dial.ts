/**
 * Opens a TCP connection: wraps Bun.connect, adds a timeout, and turns its errors into
 * ClientErrors. It knows no protocol: the socket's events go to the owner that the caller makes for
 * it.
 */
import type { Socket } from "bun";
import { type StreamSocket, withDescriptor } from "../sys/socket.ts";
import { authorityOf, type ServerAddress, urlOf } from "./address.ts";
import { type ClientError, unconnectedError } from "./error.ts";
import { PORT_DEFAULT } from "../wire/vocabulary.ts";

/** Milliseconds for name resolution and TCP handshake, unless --connect-timeout says otherwise. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Takes the events of one socket. All calls are synchronous; what one of them throws comes back by
 * failed().
 */
export interface SocketOwner {
  /** Bytes came; `chunk` belongs to the owner from now on. */
  data(chunk: Buffer): void;
  /** The socket may have room again; also called when nothing changed. */
  drain(): void;
  /** The peer's FIN, while this side is still open. */
  end(): void;
  /** The socket is closed. `error` is null also for some failures: Bun does not report them all. */
  closed(error: Error | null): void;
  /** One of the calls above threw; the socket is still open. */
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
    // Without it Bun answers the peer's FIN with ours, while requests may still be unsent.
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
    const named = `there is no host of that name (${urlOf(server)})`;
    // `cli6 notes:7` may have meant a file.
    const file =
      server.port === PORT_DEFAULT ? "" : `; a file of that name is ./${authorityOf(server)}`;
    return unconnectedError(code, named + file);
  }
  const start = `start one with: serv6 DIR -p ${server.port}`;
  const what = `no server answers on ${authorityOf(server)}: refused or unreachable`;
  return unconnectedError(code, `${what}; ${start}`);
}
