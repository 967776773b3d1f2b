/**
 * The edge to Bun's sockets: makes a listening socket and hands each event to its connection. No
 * logic of its own: handlers are shared by all connections and find theirs in `socket.data`.
 */
import type { Socket, SocketHandler, TCPSocketListener } from "bun";
import { peerOf } from "../guard/address.ts";
import { KEEPALIVE } from "../guard/limits.ts";
import { codeOf } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { type StreamSocket, withDescriptor } from "../sys/socket.ts";
import { SOCKET } from "../sys/types.ts";
import { Failure } from "../wire/failure.ts";
import { AcceptBound } from "./acceptbound.ts";
import type { Connection } from "./connection.ts";
import { Lobby, type Way } from "./lobby.ts";
import type { Proxies } from "./proxied.ts";
import type { Secure } from "./secure.ts";

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a server listens, and by which sockets that are there already; else it makes its own. */
export interface ListenPlace extends ListenAddress {
  readonly sockets?: readonly number[];
}

/** A listening socket. */
export interface Listener {
  readonly address: ListenAddress;
  /** Accepts no more; connections go on. */
  stop(): void;
}

/** Why it can't listen, in words for the person who started it; `code` is the system's. */
export class ListenError extends Failure {
  override name = "ListenError";

  constructor(message: string, code: string) {
    super("no-connection", code, message);
  }
}

/**
 * Connections waiting to be accepted; Bun fixes it at 512 (oven-sh/bun#33786). Who finds it full
 * tries again after a second (tcp(7)): a storm at 25 us each fills it in 25 ms. With 4,096 the
 * kernel hands out whole crowds of those who have gone again, which fill the table of connections.
 */
export const BACKLOG = 1024;

/**
 * Bytes of requests the kernel queues for a connection that is not being read (it doubles this for
 * its own use).
 */
const RECEIVE_BYTES = 32_768;

/**
 * Unsent bytes the kernel takes: a stalled download costs it 170 KiB, both ends together, instead
 * of 3,850 (tcp(7)).
 */
const NOTSENT_BYTES = 32_768;

/**
 * Seconds that the kernel keeps a connection to itself until its first byte is there, where that
 * byte decides what to do with it (tcp(7), TCP_DEFER_ACCEPT).
 */
const DEFER_SECONDS = 5;

type Accepted = Socket<Connection | null>;

/** What becomes of newcomers. */
export interface Arrivals {
  /** TLS of this server; null: it has none, and every newcomer is plaintext. */
  readonly secure: Secure | null;
  /** Who passes on connections of others; null: nobody. */
  readonly proxies: Proxies | null;
  /** Gives a new socket, of who is at `address`, its connection, or null when it was cut. */
  accept(socket: StreamSocket, way: Way, address: string): Connection | null;
  /** A proxy at `address` passed on a connection without saying whose it is. */
  unheaded(address: string): void;
  /** Whether connections wait for their turn, so that newcomers had better come slowly. */
  late(): boolean;
}

/**
 * Listens on `address`, or by `socket` that already does so there; newcomers go to `arrivals`.
 * Throws ListenError, which names `flag` where that and not -b and -p has the address.
 */
export function listen(
  address: ListenAddress,
  arrivals: Arrivals,
  { socket = null, flag = "" }: { readonly socket?: number | null; readonly flag?: string } = {},
): Listener {
  let bound: AcceptBound | null = null;
  const lobby = (arrivals.secure ?? arrivals.proxies) ? lobbyOf(arrivals) : null;
  const listener = bind(address, socket, flag, {
    ...EVENTS,
    open(socket: Accepted) {
      bound?.count();
      const newcomer = withDescriptor(socket);
      if (lobby !== null) lobby.enter(newcomer);
      else socket.data = arrivals.accept(newcomer, "plain", newcomer.remoteAddress ?? "");
    },
    close(socket: Accepted) {
      lobby?.left(withDescriptor(socket));
      socket.data?.closed();
    },
  });
  const { fd } = withDescriptor(listener);
  setOptions(fd, lobby !== null);
  const accepts = new AcceptBound(fd, () => arrivals.late());
  bound = accepts;
  return {
    // Bun knows no port of a socket that it did not make.
    address: { host: address.host, port: socket === null ? listener.port : address.port },
    stop() {
      accepts.close();
      listener.stop(false);
      lobby?.close();
    },
  };
}

// --- internal ---

/** Events of a connection's socket. */
const EVENTS = {
  data(socket: Accepted, chunk: Buffer) {
    socket.data?.data(chunk);
  },
  drain(socket: Accepted) {
    socket.data?.drain();
  },
  end(socket: Accepted) {
    socket.data?.end();
  },
  close(socket: Accepted) {
    socket.data?.closed();
  },
  error(socket: Accepted, error: Error) {
    if (socket.data === null) socket.terminate();
    else socket.data.crash(error);
  },
} as const;

/** Where newcomers wait until it is known what they speak, and whose they are. */
function lobbyOf(arrivals: Arrivals): Lobby<Accepted & StreamSocket> {
  const { secure, proxies } = arrivals;
  const secured = {
    ...EVENTS,
    open() {},
    handshake(socket: Accepted, ok: boolean) {
      secure?.done(socket, ok);
    },
    close(socket: Accepted) {
      secure?.left(socket);
      socket.data?.closed();
    },
  };
  const arrive = (raw: Accepted & StreamSocket, way: Way | null): void => {
    const address = proxies?.addressOf(raw) ?? raw.remoteAddress;
    // Nobody is there any more.
    if (address === undefined) raw.terminate();
    else if (way === null) {
      arrivals.unheaded(address);
      raw.terminate();
    } else if (secure === null || way === "plain") raw.data = arrivals.accept(raw, way, address);
    else {
      const socket = secure.upgrade<Connection | null>(raw, peerOf(address), null, secured);
      if (socket !== null) socket.data = arrivals.accept(socket, way, address);
    }
  };
  return new Lobby({ tls: secure !== null, proxies }, (raw, way) => {
    try {
      arrive(raw, way);
    } catch (error) {
      // Also out of a timer, where it would end the program: it costs this newcomer alone.
      EVENTS.error(raw, error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** Accepted sockets inherit all of them: no call per connection (tcp(7), socket(7)). */
function setOptions(fd: number, deferred: boolean): void {
  const { level, tcpLevel } = SOCKET;
  kernel.setsockopt(fd, level, SOCKET.receiveBuffer, RECEIVE_BYTES);
  kernel.setsockopt(fd, tcpLevel, SOCKET.tcpNotSentLowat, NOTSENT_BYTES);
  kernel.setsockopt(fd, level, SOCKET.keepAlive, 1);
  kernel.setsockopt(fd, tcpLevel, SOCKET.tcpKeepIdle, KEEPALIVE.idleS);
  kernel.setsockopt(fd, tcpLevel, SOCKET.tcpKeepInterval, KEEPALIVE.intervalS);
  kernel.setsockopt(fd, tcpLevel, SOCKET.tcpKeepCount, KEEPALIVE.probes);
  if (deferred) kernel.setsockopt(fd, tcpLevel, SOCKET.tcpDeferAccept, DEFER_SECONDS);
  kernel.listen(fd, BACKLOG);
}

function bind(
  { host, port }: ListenAddress,
  fd: number | null,
  flag: string,
  socket: SocketHandler<Connection | null>,
): TCPSocketListener<Connection | null> {
  const where = fd === null ? { hostname: host, port } : inherited(fd);
  try {
    return Bun.listen<Connection | null>({
      ...where,
      // Without it a client that half-closes behind its path loses all but the first 3.9 MB
      // (Bun closes both sides at FIN).
      allowHalfOpen: true,
      data: null,
      socket,
    });
  } catch (error) {
    throw listenError(error, host, port, flag);
  }
}

/** Bun listens by a descriptor as well, and its types lack that. */
function inherited(fd: number): { hostname: string; port: number } {
  const where: { readonly fd: number } = { fd };
  return where as unknown as { hostname: string; port: number };
}

/** What `error` is to the person who asked for `host` and `port`, with `flag` if there is one. */
export function listenError(error: unknown, host: string, port: number, flag = ""): ListenError {
  const other = flag === "" ? "-p (0 picks a free one)" : flag;
  const code = codeOf(error, "");
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const why: Record<string, string> = {
    EADDRINUSE: `port ${port} is taken on ${host}: stop what uses it, or take another with ${other}`,
    EACCES: `port ${port} needs rights that this user does not have: take one above 1023 with ${flag || "-p"}`,
    EADDRNOTAVAIL: `${host} is not an address of this machine: ${flag || "-b"} takes one of its own, or 0.0.0.0 for all`,
  };
  return new ListenError(why[code] ?? `cannot listen on ${where}: ${code || "no such host"}`, code);
}
