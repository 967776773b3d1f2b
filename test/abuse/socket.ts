/**
 * Sockets of an attacker: raw IPv4 ones through bun:ffi, because Bun's own close politely, read
 * ahead and choose their address. They never wait, except connect(2) for at most a second. Linux
 * only.
 */
import { dlopen, FFIType, read } from "bun:ffi";
import { constants as os } from "node:os";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  posix_fadvise: { args: ["i32", "i64", "i64", "i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 0o2000001;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_LINGER = 13;
const SO_SNDTIMEO = 21;
const SOL_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const SOL_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const POSIX_FADV_DONTNEED = 4;

/** connect(2) gives up after so many seconds: a full accept queue drops SYNs in silence. */
const CONNECT_SECONDS_MAX = 1n;

/**
 * The send buffer of an attacker: what is queued there and never sent costs the attacker alone, so
 * that two megabytes of it, the default, only delay its end.
 */
const SEND_BYTES = 64 * 1024;

/** How a connection is made. */
export interface Way {
  /** The last number of the address it comes from, 127.0.0.N. */
  readonly from: number;
  readonly port: number;
  /** SO_RCVBUF in bytes, for who reads slowly; the kernel's choice when it is left out. */
  readonly receiveBytes?: number | undefined;
}

/** One connection. Every call says what the kernel said: >= 0, or one of the two below. */
export class RawSocket {
  /** Nothing to give, or no room. */
  static readonly AGAIN = -1;
  /** The connection is over. */
  static readonly GONE = -2;

  /** The descriptor, or -1 once it is closed. */
  fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** A connection, or null when the server (or this machine) takes no more. */
  static connect({ from, port, receiveBytes }: Way): RawSocket | null {
    const fd = libc.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0);
    if (fd < 0) return null;
    option(fd, SOL_SOCKET, SO_SNDTIMEO, new BigInt64Array([CONNECT_SECONDS_MAX, 0n]));
    option(fd, SOL_SOCKET, SO_SNDBUF, new Int32Array([SEND_BYTES]));
    option(fd, SOL_TCP, TCP_NODELAY, new Int32Array([1]));
    // Without it a bind takes one of 28,000 ports for itself, whoever the peer is.
    option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, new Int32Array([1]));
    if (receiveBytes !== undefined) {
      option(fd, SOL_SOCKET, SO_RCVBUF, new Int32Array([receiveBytes]));
    }
    const here = addressOf(from, 0);
    const there = addressOf(1, port);
    const failed = libc.bind(fd, here, here.length) || libc.connect(fd, there, there.length);
    if (failed === 0) return new RawSocket(fd);
    libc.close(fd);
    return null;
  }

  /** Bytes taken. */
  send(bytes: Uint8Array): number {
    return told(libc.send(this.fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /** Bytes dropped, at most `max`. At the end of the stream it is GONE. */
  discard(max: number): number {
    const n = told(libc.recv(this.fd, null, max, MSG_TRUNC | MSG_DONTWAIT));
    return n === 0 ? RawSocket.GONE : n;
  }

  /** Bytes read into `into`. At the end of the stream it is GONE. */
  receive(into: Uint8Array): number {
    const n = told(libc.recv(this.fd, into, into.length, MSG_DONTWAIT));
    return n === 0 ? RawSocket.GONE : n;
  }

  /** FIN; what comes can still be read. */
  finish(): void {
    libc.shutdown(this.fd, SHUT_WR);
  }

  /** close(2): FIN, or RST where something is unread. */
  close(): void {
    if (this.fd >= 0) libc.close(this.fd);
    this.fd = -1;
  }

  /** RST. */
  reset(): void {
    option(this.fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
    this.close();
  }
}

/** Waits until one of `sockets` has something to read, or is over: at most `ms`. */
export function awaitReplies(sockets: readonly RawSocket[], ms: number): void {
  const asked = new Int32Array(Math.max(1, sockets.length) * 2);
  sockets.forEach(({ fd }, index) => {
    asked[index * 2] = fd;
    asked[index * 2 + 1] = POLLIN;
  });
  libc.poll(asked, sockets.length, Math.max(0, Math.ceil(ms)));
}

/** Takes the clean pages of an open file out of memory. */
export function dropPages(fd: number): void {
  libc.posix_fadvise(fd, 0n, 0n, POSIX_FADV_DONTNEED);
}

// --- internal ---

function told(result: number | bigint): number {
  const n = Number(result);
  if (n >= 0) return n;
  const at = libc.__errno_location();
  const errno = at === null ? 0 : read.i32(at, 0);
  return errno === os.errno.EAGAIN ? RawSocket.AGAIN : RawSocket.GONE;
}

function option(fd: number, level: number, name: number, value: NodeJS.TypedArray): void {
  libc.setsockopt(fd, level, name, value, value.byteLength);
}

/** 127.0.0.`last`:`port` as a sockaddr_in. */
function addressOf(last: number, port: number): Uint8Array {
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  address.set([port >> 8, port & 255, 127, 0, 0, last], 2);
  return address;
}
