/**
 * Opens a TCP connection: wraps Bun.connect, adds a timeout, and turns its errors into
 * ClientErrors. It knows no protocol: the socket's events go to the owner that the caller makes for
 * it.
 */
import type { Socket } from "bun";
import type { TrustOptions } from "../identity/trust.ts";
import { codeOf } from "../sys/errno.ts";
import { type StreamSocket, withDescriptor } from "../sys/socket.ts";
import { authorityOf, type ServerAddress, urlOf } from "./address.ts";
import { type ClientError, unconnectedError } from "./error.ts";
import { noHandshake, tlsOptions, unverified } from "./verified.ts";
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

/** What may stop it, and whom it believes. */
export interface DialOptions {
  readonly signal?: AbortSignal | null | undefined;
  /** For servers that are reached by TLS. */
  readonly trust?: TrustOptions | undefined;
}

/**
 * Connects to `server` within `timeoutMs` and gives what `own` makes of the socket. `own` runs
 * before any event. Rejects with ClientError: "no-connection", or "timed-out" when the time is up.
 * A connection that comes about later is cut; until then the attempt itself goes on in the system,
 * which offers no way to end it. When `signal` aborts it rejects with the signal's reason. Over TLS
 * `own` is called when the server has shown that it is who it should be, and nothing was sent
 * before ("denied", or "protocol" without a handshake).
 */
export function dial<Owner extends SocketOwner>(
  server: ServerAddress,
  timeoutMs: number,
  own: (socket: StreamSocket) => Owner,
  { signal = null, trust = {} }: DialOptions = {},
): Promise<Owner> {
  const { promise, resolve, reject } = Promise.withResolvers<Owner>();
  if (signal?.aborted === true) {
    reject(signal.reason);
    return promise;
  }
  let waiting = true;
  let begun: StreamSocket | null = null;
  const stop = (): boolean => {
    const first = waiting;
    waiting = false;
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
    return first;
  };
  const giveUp = (reason: unknown): void => {
    if (!stop()) return;
    reject(reason);
    begun?.terminate();
  };
  const aborted = (): void => giveUp(signal?.reason);
  signal?.addEventListener("abort", aborted);
  const timer = setTimeout(() => giveUp(lateError(server, timeoutMs)), timeoutMs);
  const attempt = {
    begun(socket: StreamSocket): void {
      if (waiting) begun = socket;
      else socket.terminate();
    },
    opened(socket: StreamSocket): Owner | null {
      if (!stop()) {
        socket.terminate();
        return null;
      }
      const owner = own(socket);
      resolve(owner);
      return owner;
    },
    failed(error: unknown): void {
      if (stop()) reject(error);
    },
  };
  const opening =
    server.secure === true ? openSecure(server, trust, attempt) : open(server, attempt);
  opening.catch((error: unknown) => attempt.failed(connectError(error, server)));
  return promise;
}

// --- internal ---

/** One attempt to connect. */
interface Attempt<Owner> {
  /** There is a connection, but no owner yet: it is cut when nobody waits any more. */
  begun(socket: StreamSocket): void;
  /** The owner of `socket`, from whose first event on it is told; null: it was cut. */
  opened(socket: StreamSocket): Owner | null;
  failed(error: unknown): void;
}

/** Events of a socket that has an owner, or none yet. */
function events<Owner extends SocketOwner>() {
  return {
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
  };
}

async function open<Owner extends SocketOwner>(
  { host, port }: ServerAddress,
  attempt: Attempt<Owner>,
): Promise<void> {
  await Bun.connect<Owner | null>({
    hostname: host,
    port,
    // Without it Bun answers the peer's FIN with ours, while requests may still be unsent.
    allowHalfOpen: true,
    data: null,
    socket: {
      ...events<Owner>(),
      open(socket: Socket<Owner | null>) {
        socket.data = attempt.opened(withDescriptor(socket));
      },
    },
  });
}

/** The same by TLS: the owner comes after the handshake. */
async function openSecure<Owner extends SocketOwner>(
  server: ServerAddress,
  trust: TrustOptions,
  attempt: Attempt<Owner>,
): Promise<void> {
  const shared = events<Owner>();
  await Bun.connect<Owner | null>({
    hostname: server.host,
    port: server.port,
    allowHalfOpen: true,
    data: null,
    tls: tlsOptions(server, trust),
    socket: {
      ...shared,
      open(connected: Socket<Owner | null>) {
        attempt.begun(withDescriptor(connected));
      },
      handshake(connected: Socket<Owner | null>) {
        const refused = unverified(connected, server, trust);
        if (refused === null) {
          connected.data = attempt.opened(withDescriptor(connected));
          return;
        }
        attempt.failed(refused);
        connected.terminate();
      },
      close(closed: Socket<Owner | null>, error?: Error) {
        if (closed.data === null) attempt.failed(noHandshake(server));
        shared.close(closed, error);
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
  const code = codeOf(error, "ECONNREFUSED");
  if (code === "ENOTFOUND" || code.startsWith("EAI_") || code.startsWith("DNS_")) {
    const named = `there is no host of that name (${urlOf(server)})`;
    // `cli6 notes:7` may have meant a file.
    const file =
      server.port === PORT_DEFAULT || server.http !== undefined
        ? ""
        : `; a file of that name is ./${authorityOf(server)}`;
    return unconnectedError(code, named + file);
  }
  const start = `; start one with: serv6 DIR -p ${server.port}`;
  const what = `no server answers on ${authorityOf(server)}: refused or unreachable`;
  return unconnectedError(code, `${what}${server.http === undefined ? start : ""}`);
}
