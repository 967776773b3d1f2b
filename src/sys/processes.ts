/**
 * The system calls of a server that consists of several processes: sockets that are handed on,
 * memory that all of them see, an end that they share. A part of the table in kernel.ts that only
 * such a server needs, so that nothing else loads it. Each answers a result >= 0 or a negative
 * errno and never throws; -ENOSYS where there is no Linux libc.
 */
import { dlopen, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { ERRNO } from "./errno.ts";
import { kernel } from "./kernel.ts";
import { ofLibc } from "./libraries.ts";

const SYMBOLS = {
  __errno_location: { args: [], returns: "ptr" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  getaddrinfo: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  freeaddrinfo: { args: ["ptr"], returns: "void" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  getppid: { args: [], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
} as const;

/** Where a socket listens. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** SOCK_NONBLOCK, SOCK_CLOEXEC. */
const SOCK_FLAGS = 0o4000 | 0o2000000;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_ACCEPTCONN = 30;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_DETACH_REUSEPORT_BPF = 68;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const SOCKADDR_BYTES = 128;
/** struct addrinfo of glibc and musl on 64 bits: flags, family, type, ..., length, address, ... */
const ADDRINFO_BYTES = 48;
const ADDRINFO_LENGTH_AT = 16;
const ADDRINFO_ADDRESS_AT = 24;
/** struct sockaddr_un: the family in front, 108 bytes of a path. */
const UNIX_PATH_BYTES_MAX = 108;

const F_GETFL = 3;
const F_SETFL = 4;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0o4000;
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const PR_SET_PDEATHSIG = 1;
const CLOCK_MONOTONIC = 1;
const SIGKILL = 9;

/**
 * A socket that listens at `host` and `port` (0: the system picks) and shares both with others of
 * this user that ask for the same. `first`: it is an error (-EADDRINUSE) when anybody has them
 * already. Its descriptor, which is not handed on by itself; -EADDRNOTAVAIL also where the name
 * leads nowhere.
 */
export function listenShared(
  { host, port }: BoundAddress,
  first: boolean,
  backlog: number,
): number {
  const c = library();
  if (c === null) return -ERRNO.ENOSYS;
  const address = resolved(c, host, port);
  if (address === null) return -ERRNO.EADDRNOTAVAIL;
  const family = new DataView(address.buffer).getUint16(0, true);
  const fd = c.socket(family, SOCK_STREAM | SOCK_FLAGS, 0);
  if (fd < 0) return fail(c);
  kernel.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (family === AF_INET6) kernel.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // The first one binds as if alone, which finds everybody who listens there, also of this user.
  if (!first) kernel.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const bound = c.bind(fd, address, address.length) < 0 ? fail(c) : 0;
  const shared = bound < 0 ? bound : kernel.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const answer = shared < 0 ? shared : kernel.listen(fd, backlog);
  if (answer === 0) return fd;
  kernel.close(fd);
  return answer;
}

/** A random number is loaded; A modulo k; jump one further unless A is k; the socket is k. */
const BPF = { random: [0x20, 0xffff_f038], modulo: 0x94, unless: 0x15, answer: 0x06 } as const;

/**
 * Of all sockets that listen at the place of `fd`, newcomers go to those in `some` alone, evenly:
 * by their numbers in the order in which they began to listen (SO_ATTACH_REUSEPORT_CBPF, socket(7),
 * Linux 4.5). Null: to all of them. 0 or -errno. Who waits at another one waits on.
 */
export function steer(fd: number, some: readonly number[] | null): number {
  const c = library();
  if (c === null) return -ERRNO.ENOSYS;
  if (some === null) return kernel.setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0);
  const program = [
    instruction(BPF.random[0], BPF.random[1]),
    instruction(BPF.modulo, some.length),
    ...some
      .slice(1)
      .flatMap((socket, nth) => [instruction(BPF.unless, nth, 1), instruction(BPF.answer, socket)]),
    instruction(BPF.answer, some[0] ?? 0),
  ];
  const code = Buffer.concat(program);
  // struct sock_fprog: how many, and where.
  const fprog = new BigUint64Array([BigInt(program.length), BigInt(ptr(code))]);
  const answer = c.setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, fprog, fprog.byteLength);
  // Behind the call, so that the program is not collected before.
  return code.length > 0 && answer < 0 ? fail(c) : 0;
}

/**
 * What `fd` listens at, when it is a TCP socket that listens; else null. It never blocks from then
 * on, and is not handed on by itself.
 */
export function listeningAt(fd: number): BoundAddress | null {
  const c = library();
  if (c === null || kernel.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN) !== 1) return null;
  const flags = c.fcntl(fd, F_GETFL, 0);
  if (flags < 0 || c.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return null;
  c.fcntl(fd, F_SETFD, FD_CLOEXEC);
  const name = new Uint8Array(SOCKADDR_BYTES);
  if (c.getsockname(fd, name, new Uint32Array([SOCKADDR_BYTES])) < 0) return null;
  const view = new DataView(name.buffer);
  const port = view.getUint16(2);
  switch (view.getUint16(0, true)) {
    case AF_INET:
      return { host: name.subarray(4, 8).join("."), port };
    case AF_INET6:
      return { host: textOf(name.subarray(8, 24)), port };
    default:
      return null;
  }
}

/** The first `bytes` of the file `fd`, seen by all who map it (mmap(2)); null: it can't be. */
export function sharedMemory(fd: number, bytes: number): ArrayBuffer | null {
  const c = library();
  if (c === null || !(fd >= 0)) return null;
  const at = Number(c.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0));
  return at < 0 ? null : toArrayBuffer(at as Pointer, 0, bytes);
}

/**
 * Ends this process, at once, when the thread that started it ends (prctl(2)): 0 or -errno.
 * Becoming another user undoes it. Who starts it may have ended before: ask parent().
 */
export function dieWithParent(): number {
  const c = library();
  if (c === null) return -ERRNO.ENOSYS;
  return c.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? fail(c) : 0;
}

/** The process that started this one; another one takes its place when it has ended. */
export function parent(): number {
  return library()?.getppid() ?? -ERRNO.ENOSYS;
}

/**
 * Microseconds of the clock that all processes of this machine have, which never jumps
 * (CLOCK_MONOTONIC, clock_gettime(2)); 0 where it can't be read. Bun's process.hrtime() is none: it
 * begins with each process.
 */
export function monotonic(): number {
  const c = library();
  const time = new BigInt64Array(2);
  if (c === null || c.clock_gettime(CLOCK_MONOTONIC, time) < 0) return 0;
  return Number(time[0]) * 1e6 + Math.floor(Number(time[1]) / 1000);
}

/**
 * A datagram socket to `path`, which begins with "/", or with "@" for an abstract one (unix(7)):
 * what is written to it is one message. Its descriptor, or -errno; it never blocks.
 */
export function datagramTo(path: string): number {
  const c = library();
  if (c === null) return -ERRNO.ENOSYS;
  const bytes = Buffer.from(path);
  if (bytes.length >= UNIX_PATH_BYTES_MAX) return -ERRNO.ENAMETOOLONG;
  const abstract = path.startsWith("@");
  // A path ends in NUL; an abstract name begins with one, and its length is its end.
  const address = new Uint8Array(2 + bytes.length + (abstract ? 0 : 1));
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, 2);
  if (abstract) address[2] = 0;
  const fd = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_FLAGS, 0);
  if (fd < 0) return fail(c);
  if (c.connect(fd, address, address.length) === 0) return fd;
  const answer = fail(c);
  kernel.close(fd);
  return answer;
}

// --- internal ---

type C = NonNullable<ReturnType<typeof load>>;

let loaded: C | null | undefined;

function library(): C | null {
  loaded ??= kernel.native ? load() : null;
  return loaded;
}

function load() {
  return ofLibc((name) => dlopen(name, SYMBOLS).symbols);
}

function fail(c: C): number {
  return -read.i32(c.__errno_location() as Pointer, 0);
}

/** struct sock_filter: code, two jumps, a number. */
function instruction(code: number, number: number, otherwise = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes[3] = otherwise;
  bytes.writeUInt32LE(number, 4);
  return bytes;
}

/** The first address that `host` means, as bind(2) takes it; null: none. */
function resolved(c: C, host: string, port: number): Uint8Array<ArrayBuffer> | null {
  const hints = new Int32Array(ADDRINFO_BYTES / 4);
  hints[0] = 1; // AI_PASSIVE
  hints[2] = SOCK_STREAM;
  const result = new BigUint64Array(1);
  const text = (word: string) => Buffer.from(`${word}\0`);
  if (c.getaddrinfo(text(host), text(String(port)), hints, result) !== 0) return null;
  const info = Number(result[0]) as Pointer;
  const length = read.u32(info, ADDRINFO_LENGTH_AT);
  const at = read.ptr(info, ADDRINFO_ADDRESS_AT) as Pointer;
  const address = new Uint8Array(toArrayBuffer(at, 0, length)).slice();
  c.freeaddrinfo(info);
  return address;
}

/** Eight groups without the short forms: for messages, and every reader takes it. */
function textOf(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return "::";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: 8 }, (_, nth) => view.getUint16(2 * nth).toString(16)).join(":");
}
