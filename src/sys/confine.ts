/**
 * The system calls by which a process gives up what it may do, for good and in every thread: a part
 * of the table in kernel.ts that only a server needs, so that nothing else loads it. Each answers 0
 * or a negative errno and never throws; -ENOSYS where this kernel or machine does not have it.
 */
import { dlopen, FFIType, type Pointer, read } from "bun:ffi";
import fs from "node:fs";
import { ERRNO } from "./errno.ts";
import { addressOf, EveryThread, type Outcome } from "./everythread.ts";
import { kernel } from "./kernel.ts";
import { ofLibc } from "./libraries.ts";
import { AT_FDCWD, type ByteString, OPEN } from "./types.ts";

const SYMBOLS = {
  __errno_location: { args: [], returns: "ptr" },
  syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: FFIType.i64_fast },
  setgroups: { args: ["u64", "ptr"], returns: "i32" },
  setresgid: { args: ["u32", "u32", "u32"], returns: "i32" },
  setresuid: { args: ["u32", "u32", "u32"], returns: "i32" },
} as const;

/** A number, or memory whose address is meant. */
export type Argument = number | NodeJS.TypedArray;

/** Files that may be opened, by the directory or file they are below. */
export interface FileRule {
  readonly path: ByteString;
  /** To read; to read and list, for directories alone; or to make and write, and not to read. */
  readonly may: "read" | "list" | "write";
  /**
   * True for what is no file of a disk: a rule is about an inode, which /proc would make anew. One
   * descriptor stays open for it.
   */
  readonly hold?: boolean;
}

const X64 = process.arch === "x64";
const PRCTL = X64 ? 157 : 167;
const CAPSET = X64 ? 126 : 91;
const SECCOMP = X64 ? 317 : 277;
const LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_ADD_RULE = 445;
const LANDLOCK_RESTRICT_SELF = 446;

const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_DROP = 24;
/** _LINUX_CAPABILITY_VERSION_3 (capget(2)): three words, twice. */
const CAPABILITY_VERSION = 0x2008_0522;
const CAPABILITY_BYTES = 24;

const SECCOMP_SET_MODE_FILTER = 1;
/** All threads at once; and no slower code for the processor's sake where older kernels add it. */
const SECCOMP_FLAGS = 1 | 4;
const INSTRUCTION_BYTES = 8;

const LANDLOCK_VERSION = 1;
const PATH_BENEATH = 1;
const EXECUTE = 1;
const READ_FILE = 4;
const READ_DIR = 8;
/** Rights over files that the first versions know (landlock(7)): the lowest bits, so many. */
const FILE_RIGHTS = [13, 14, 15, 15];
const FILE_RIGHTS_MAX = 16;
const WRITE_FILE = 2;
const MAKE_REGULAR = 0x100;
const RIGHTS = {
  read: READ_FILE,
  list: READ_FILE | READ_DIR,
  write: WRITE_FILE | MAKE_REGULAR,
} as const;
const IOCTL_DEVICE = 0x8000;
const TRUNCATE = 0x4000;
const OVER_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE;
/** From then on files can be moved between folders (LANDLOCK_ACCESS_FS_REFER). */
const REFER_VERSION = 2;
/** TCP bind and connect, from version 4 on. */
const NET_RIGHTS = 3;
const CONNECT_TCP = 2n;
const NET_PORT = 2;
const NET_VERSION = 4;

/** Rights of root by their numbers (capabilities(7)): those that are named here. */
export const CAPABILITY = {
  dacOverride: 1,
  dacReadSearch: 2,
  kill: 5,
  setGid: 6,
  setUid: 7,
  netBindService: 10,
} as const;

/** The last one that this kernel may have: more than there are. */
const CAPABILITY_MAX = 63;

/** How a process gives up rights. */
export class Confinement {
  readonly #c: C;
  readonly #threads: EveryThread;
  readonly #errnoAt: Pointer;
  /** What an argument points to: a number does not keep it from being collected. */
  readonly #held: NodeJS.TypedArray[] = [];

  /** Null where there is no Linux libc, or no memory for code: nothing can be given up. */
  static make(): Confinement | null {
    const threads = kernel.native ? EveryThread.make() : null;
    return threads && ofLibc((name) => new Confinement(load(name), threads));
  }

  private constructor(c: C, threads: EveryThread) {
    this.#c = c;
    this.#threads = threads;
    this.#errnoAt = c.__errno_location() as Pointer;
  }

  /** Makes a call in each thread: everythread.ts. Buffers in it are kept for good. */
  call(number: number, ...given: readonly Argument[]): Outcome {
    return this.#threads.call(number, ...given.map((argument) => this.#word(argument)));
  }

  /** No program that is run has more rights than this one (prctl(2), Linux 3.5). */
  noNewPrivileges(): number {
    return answerOf(this.call(PRCTL, PR_SET_NO_NEW_PRIVS, 1));
  }

  /**
   * Gives up all capabilities (capset(2)). Where the process has none it does not ask: a filter of
   * the service manager may forbid the call.
   */
  noCapabilities(): number {
    if (!hasCapabilities()) return 0;
    const header = new Uint32Array([CAPABILITY_VERSION, 0]);
    return answerOf(this.call(CAPSET, header, new Uint8Array(CAPABILITY_BYTES)));
  }

  /**
   * Gives up all capabilities but `kept`, for this process and for every program that it runs
   * (capset(2), and the bounding set of prctl(2)). -EPERM where it may not change what others get.
   */
  onlyCapabilities(kept: readonly number[]): number {
    for (let number = 0; number <= CAPABILITY_MAX; number++) {
      if (kept.includes(number)) continue;
      const { errno } = this.call(PRCTL, PR_CAPBSET_DROP, number);
      // No such one: the kernel has none behind it.
      if (errno === ERRNO.EINVAL) break;
      if (errno > 0) return -errno;
    }
    const bits = kept.reduce((all, number) => all | (1 << number), 0);
    const header = new Uint32Array([CAPABILITY_VERSION, 0]);
    return answerOf(this.call(CAPSET, header, new Uint32Array([bits, bits, 0, 0, 0, 0])));
  }

  /**
   * Becomes another user, with no group but `gid`, for good (setresuid(2); libc does it in every
   * thread). -EPERM where this user may not; groups may be gone then.
   */
  becomeUser(uid: number, gid: number): number {
    if (this.#c.setgroups(0n, null) < 0) return this.#fail();
    if (this.#c.setresgid(gid, gid, gid) < 0) return this.#fail();
    return this.#c.setresuid(uid, uid, uid) < 0 ? this.#fail() : 0;
  }

  /** The version of Landlock that this kernel has, from 1 on; -ENOSYS or -EOPNOTSUPP: none. */
  landlockVersion(): number {
    return this.#call(LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_VERSION);
  }

  /**
   * Opens nothing from now on but what `rules` allow, makes and changes no other file, and begins
   * no TCP connection but to `ports` of others (landlock(7), Linux 5.13; TCP from 6.7 on). What is
   * open stays open. Needs noNewPrivileges(). A path that is not there gives no right.
   */
  openOnly(rules: readonly FileRule[], ports: readonly number[] = []): number {
    const version = this.landlockVersion();
    if (version <= 0) return version;
    const net = version >= NET_VERSION ? NET_RIGHTS : 0;
    return this.#restrict(rightsOf(version), net, (ruleset) =>
      [
        ...rules.map(({ path, may, hold }) => this.#allow(ruleset, path, RIGHTS[may], hold)),
        ...(net === 0 ? [] : ports.map((port) => this.#allowPort(ruleset, port))),
      ].find((answer) => answer < 0),
    );
  }

  /**
   * Makes, changes and removes no file from now on but below `folders`, and runs no program but
   * those below `programs`; reads and connects as before (landlock(7), Linux 5.19: before, files
   * could not be moved from folder to folder). What is open stays open. Needs noNewPrivileges().
   */
  writeBelow(folders: readonly ByteString[], programs: readonly ByteString[] = []): number {
    const version = this.landlockVersion();
    if (version < REFER_VERSION) return version < 0 ? version : -ERRNO.ENOSYS;
    const writing = rightsOf(version) & ~(READ_FILE | READ_DIR | IOCTL_DEVICE);
    return this.#restrict(writing, 0, (ruleset) =>
      [
        ...folders.map((folder) => this.#allow(ruleset, folder, writing & ~EXECUTE)),
        ...programs.map((program) => this.#allow(ruleset, program, EXECUTE)),
      ].find((answer) => answer < 0),
    );
  }

  /** Installs a filter of filter.ts in all threads (seccomp(2)). Needs noNewPrivileges(). */
  filter(program: Uint8Array): number {
    const fprog = new BigUint64Array(2);
    fprog[0] = BigInt(program.length / INSTRUCTION_BYTES);
    fprog[1] = BigInt(this.#word(program));
    const answer = this.#call(SECCOMP, SECCOMP_SET_MODE_FILTER, SECCOMP_FLAGS, fprog);
    // The id of a thread that has another filter: none has got this one.
    return answer > 0 ? -ERRNO.EBUSY : answer;
  }

  // --- internal ---

  /** Takes these rights from every thread, but where `allow` gives them back. */
  #restrict(files: number, net: number, allow: (ruleset: number) => number | undefined): number {
    const handled = new BigUint64Array([BigInt(files), BigInt(net)]);
    const bytes = net === 0 ? 8 : handled.byteLength;
    const ruleset = this.#call(LANDLOCK_CREATE_RULESET, handled, bytes, 0);
    if (ruleset < 0) return ruleset;
    const answer = allow(ruleset) ?? answerOf(this.call(LANDLOCK_RESTRICT_SELF, ruleset, 0));
    kernel.close(ruleset);
    return answer;
  }

  /** Gives rights over what is below `path`. */
  #allow(ruleset: number, path: ByteString, rights: number, hold = false): number {
    const fd = kernel.openat(AT_FDCWD, path, OPEN.path);
    if (fd < 0) return 0;
    // Struct landlock_path_beneath_attr, packed: rights in 64 bits, the descriptor in 32.
    const beneath = new Uint32Array([rights, 0, fd]);
    let answer = this.#call(LANDLOCK_ADD_RULE, ruleset, PATH_BENEATH, beneath);
    if (answer === -ERRNO.EINVAL) {
      // It is no folder: there are fewer rights over a file.
      beneath[0] = rights & OVER_A_FILE;
      answer = this.#call(LANDLOCK_ADD_RULE, ruleset, PATH_BENEATH, beneath);
    }
    if (!hold) kernel.close(fd);
    return answer;
  }

  /** Lets TCP connections to `port` begin. */
  #allowPort(ruleset: number, port: number): number {
    // Struct landlock_net_port_attr: rights and the port, in 64 bits each.
    const attributes = new BigUint64Array([CONNECT_TCP, BigInt(port)]);
    return this.#call(LANDLOCK_ADD_RULE, ruleset, NET_PORT, attributes);
  }

  /** syscall(2) in this thread: its result, or -errno. */
  #call(number: number, ...given: readonly Argument[]): number {
    const [first = 0, second = 0, third = 0] = given.map((argument) => this.#word(argument));
    const result = Number(this.#c.syscall(number, first, second, third, 0));
    return result < 0 ? this.#fail() : result;
  }

  #word(argument: Argument): number {
    if (typeof argument === "number") return argument;
    this.#held.push(argument);
    return addressOf(argument);
  }

  #fail(): number {
    return -read.i32(this.#errnoAt, 0);
  }
}

// --- internal ---

type C = ReturnType<typeof load>;

function load(library: string) {
  return dlopen(library, SYMBOLS).symbols;
}

/** What proc(5) says of this process: permitted, effective and inheritable ones. */
function hasCapabilities(): boolean {
  try {
    return /^Cap(?:Prm|Eff|Inh):\s*0*[1-9a-f]/m.test(
      fs.readFileSync("/proc/self/status", "latin1"),
    );
  } catch {
    return true;
  }
}

/** All rights over files that this version of Landlock knows. */
function rightsOf(version: number): number {
  return 2 ** (FILE_RIGHTS[version - 1] ?? FILE_RIGHTS_MAX) - 1;
}

/** 0 where each thread has done it: a wall that one is not behind is none. */
function answerOf({ threads, answered, failed, errno }: Outcome): number {
  if (threads === 0) return -ERRNO.ENOSYS;
  if (failed > 0) return -errno;
  return answered < threads ? -ERRNO.EBUSY : 0;
}
