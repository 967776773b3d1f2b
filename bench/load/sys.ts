/**
 * Owns the system calls of the load generator: raw IPv4 loopback sockets and epoll through bun:ffi.
 * Never touches Bun's event loop and never retries: each function makes one call and says what it
 * returned. Linux only.
 * Invariant: a typed array goes to a call as itself, never as a number from ptr(), so that it
 * cannot be collected or moved while the kernel writes to it.
 */
import { dlopen, FFIType, read } from "bun:ffi";
import { constants as os } from "node:os";

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  close: { args: ["i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  sched_yield: { args: [], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 0o2000001;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SOL_TCP = 6;
const TCP_NODELAY = 1;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const F_SETFL = 4;
const O_RDWR_NONBLOCK = 0o4002;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLET = -0x80000000;
const EAGAIN = os.errno.EAGAIN;

const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;

/** What `receive`, `discard` and `transmit` return when the socket has nothing to give or take. */
export const AGAIN = -1;

/** Bytes of `struct epoll_event`, which is packed on x86-64 only. */
const EVENT_BYTES = process.arch === "x64" ? 12 : 16;
const EVENT_WORDS = EVENT_BYTES / 4;
const EVENT_DATA_WORD = process.arch === "x64" ? 1 : 2;

/** Opens a connection to 127.0.0.1:port; blocking calls on it give up after `timeoutMs`. */
export function connectLoopback(port: number, timeoutMs: number): number {
  const fd = libc.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0);
  if (fd < 0) throw failure("socket");
  const timeval = new BigInt64Array([
    BigInt(Math.floor(timeoutMs / 1000)),
    BigInt((timeoutMs % 1000) * 1000),
  ]);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.byteLength);
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval, timeval.byteLength);
  const one = new Int32Array([1]);
  libc.setsockopt(fd, SOL_TCP, TCP_NODELAY, one, one.byteLength);
  const address = new Uint8Array(16);
  new DataView(address.buffer).setUint16(0, AF_INET, true);
  address.set([port >> 8, port & 255, 127, 0, 0, 1], 2);
  if (libc.connect(fd, address, address.byteLength) < 0) {
    const error = failure(`connect to 127.0.0.1:${port}`);
    libc.close(fd);
    throw error;
  }
  return fd;
}

/** From now on no call on the socket `fd` waits, whoever makes it. */
export function neverWait(fd: number): void {
  if (libc.fcntl(fd, F_SETFL, O_RDWR_NONBLOCK) < 0) throw failure("fcntl");
}

export function closeSocket(fd: number): void {
  if (fd >= 0) libc.close(fd);
}

/** Reads up to `max` bytes without waiting: > 0 bytes read, 0 end of stream, AGAIN nothing. */
export function receive(fd: number, into: Uint8Array, max: number): number {
  const n = Number(libc.recv(fd, into, max, MSG_DONTWAIT));
  return n >= 0 ? n : orAgain("recv");
}

/** Like `receive`, but waits for the first byte, at most as long as `connectLoopback` was told. */
export function receiveWaiting(fd: number, into: Uint8Array): number {
  const n = Number(libc.recv(fd, into, into.byteLength, 0));
  return n >= 0 ? n : orAgain("recv");
}

/** Drops up to `max` received bytes in the kernel, without a copy; returns as `receive` does. */
export function discard(fd: number, max: number): number {
  const n = Number(libc.recv(fd, null, max, MSG_TRUNC | MSG_DONTWAIT));
  return n >= 0 ? n : orAgain("recv(MSG_TRUNC)");
}

/** Sends the first `length` bytes without waiting: bytes taken, or AGAIN when it is full. */
export function transmit(fd: number, bytes: Uint8Array, length: number): number {
  const n = Number(libc.send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL));
  return n >= 0 ? n : orAgain("send");
}

/** Lets whoever waits for this core run first; returns at once when nobody does. */
export function yieldCore(): void {
  libc.sched_yield();
}

export function epollCreate(): number {
  const fd = libc.epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw failure("epoll_create1");
  return fd;
}

/** Watches `fd` edge-triggered; `index` is what `EventList.index` gives back for it. */
export function epollAdd(epoll: number, fd: number, index: number): void {
  const event = new Int32Array(EVENT_WORDS);
  event[0] = EPOLLIN | EPOLLOUT | EPOLLET;
  event[EVENT_DATA_WORD] = index;
  if (libc.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event) < 0) throw failure("epoll_ctl");
}

/** The reused array that `epoll_wait` fills. */
export class EventList {
  readonly capacity: number;
  private readonly words: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.words = new Int32Array(new ArrayBuffer(capacity * EVENT_BYTES));
  }

  /** Waits for at most `timeoutMs`; returns how many events are there. A signal counts as none. */
  wait(epoll: number, timeoutMs: number): number {
    const n = libc.epoll_wait(epoll, this.words, this.capacity, timeoutMs);
    if (n >= 0) return n;
    if (errno() === os.errno.EINTR) return 0;
    throw failure("epoll_wait");
  }

  index(i: number): number {
    return this.words[i * EVENT_WORDS + EVENT_DATA_WORD]!;
  }

  flags(i: number): number {
    return this.words[i * EVENT_WORDS]!;
  }
}

// --- internal ---

function errno(): number {
  const at = libc.__errno_location();
  return at === null ? 0 : read.i32(at, 0);
}

function orAgain(call: string): number {
  if (errno() === EAGAIN) return AGAIN;
  throw failure(call);
}

function failure(call: string): Error {
  const code = errno();
  const name = Object.entries(os.errno).find(([, value]) => value === code)?.[0] ?? `errno ${code}`;
  return new Error(`${call}: ${name}`);
}
