/**
 * Runs one system call in every thread of this process. Landlock, capabilities and no_new_privs
 * belong to a thread, and the runtime has threads before the first line of ours runs: a wall around
 * the calling thread alone would have holes of its own making. setuid(2) in libc does the same
 * (nptl(7)), and so does libpsx; Linux 7.0 can do it for Landlock by itself.
 *
 * Each thread gets a signal whose handler is machine code that takes the call from a block of
 * memory, makes it and counts. The code touches no errno and no stack of the runtime, and what a
 * handler changed in registers is put back behind it (sigreturn(2)).
 */
import { dlopen, type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import fs from "node:fs";
import { ERRNO } from "./errno.ts";
import { ofLibc } from "./libraries.ts";

const SYMBOLS = {
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  mprotect: { args: ["ptr", "u64", "i32"], returns: "i32" },
  sigaction: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  syscall: { args: ["i64", "i64", "i64", "i64"], returns: "i64" },
} as const;

/** What a call came to. */
export interface Outcome {
  /** Threads that were asked; 0 where there is no /proc to find them in. */
  readonly threads: number;
  /** Threads that made the call; fewer when one blocks the signal. */
  readonly answered: number;
  /** Threads in which it failed. */
  readonly failed: number;
  /** The errno of one that failed, else 0. */
  readonly errno: number;
}

/** More arguments than any call here has. */
const ARGUMENTS_MAX = 5;

/**
 * A signal for programming errors, so that threads that block all others let it through: the
 * allocator's thread does. Nobody sends it meanwhile: this kernel has no call that the program
 * makes and does not know.
 */
const SIGSYS = 31;
const SA_RESTART = 0x1000_0000;
/** struct sigaction of glibc and musl: handler, mask, flags, restorer. */
const SIGACTION_BYTES = 152;
const SIGACTION_FLAGS_AT = 136;

/** Code and data lie so far apart: the largest page that Linux has on these machines. */
const DATA_AT = 65_536;
const PROT_READ_WRITE = 1 | 2;
const PROT_READ_EXEC = 1 | 4;
const MAP_PRIVATE_ANONYMOUS = 2 | 0x20;

/** Words of the data: number and arguments, 64 bits each; then answered, failed, and an errno. */
const ANSWERED_WORD = 12;
const FAILED_WORD = 13;
const RESULT_AT = 56;

/**
 * A thread runs its handler within microseconds once it gets a processor. So long may it wait for
 * one on a machine that is busy; one that blocks the signal delays each call by as much.
 */
const ANSWER_MS_MAX = 5000;
/** Threads start threads: each round finds those that the one before made. */
const ROUNDS_MAX = 20;

const TGKILL = process.arch === "x64" ? 234 : 131;

/**
 * The handler, as assemblers of both machines make it. The data is at r9 or x9; five arguments are
 * loaded, a negative result is stored and counted, and last the answer is counted.
 */
const CODE: Readonly<Record<string, readonly number[]>> = {
  // lea r9,[rip+0xfff9]; mov rax,[r9]; mov rdi,[r9+8]; mov rsi,[r9+16]; mov rdx,[r9+24];
  // mov r10,[r9+32]; mov r8,[r9+40]; syscall; test rax,rax; jns +9; mov [r9+56],rax;
  // lock inc dword [r9+52]; lock inc dword [r9+48]; ret
  x64: [
    0xf90d8d4c, 0x490000ff, 0x8b49018b, 0x8b490879, 0x8b491071, 0x8b4d1851, 0x8b4d2051, 0x050f2841,
    0x79c08548, 0x41894909, 0xff41f038, 0x41f03441, 0xc33041ff,
  ],
  // adr x9,.+0x10000; ldr x8,[x9]; ldp x0,x1,[x9,#8]; ldp x2,x3,[x9,#24]; ldr x4,[x9,#40]; svc #0;
  // tbz x0,#63,.+28; str x0,[x9,#56]; add x10,x9,#52; ldaxr w11,[x10]; add w11,w11,#1;
  // stlxr w12,w11,[x10]; cbnz w12,.-12; add x10,x9,#48; ldaxr ... as before; ret
  arm64: [
    0x10080009, 0xf9400128, 0xa9408520, 0xa9418d22, 0xf9401524, 0xd4000001, 0xb6f800e0, 0xf9001d20,
    0x9100d12a, 0x885ffd4b, 0x1100056b, 0x880cfd4b, 0x35ffffac, 0x9100c12a, 0x885ffd4b, 0x1100056b,
    0x880cfd4b, 0x35ffffac, 0xd65f03c0,
  ],
};

/** Makes calls in every thread. One a process: its memory is never given back. */
export class EveryThread {
  readonly #c: C;
  readonly #code: number;
  /** Number and arguments. */
  readonly #call: BigInt64Array;
  readonly #counts: Int32Array;
  readonly #result: BigInt64Array;

  /** Null where this machine's code is not here, or memory may not be made executable. */
  static make(): EveryThread | null {
    const code = CODE[process.arch];
    if (process.platform !== "linux" || code === undefined) return null;
    return ofLibc((name) => new EveryThread(load(name), code));
  }

  private constructor(c: C, code: readonly number[]) {
    this.#c = c;
    const bytes = 2 * DATA_AT;
    const at = Number(c.mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
    if (at < 0) throw new Error("no memory");
    new Uint32Array(toArrayBuffer(at as Pointer, 0, bytes)).set(code);
    if (c.mprotect(at as Pointer, DATA_AT, PROT_READ_EXEC) < 0) throw new Error("no code");
    this.#code = at;
    const data = toArrayBuffer((at + DATA_AT) as Pointer, 0, DATA_AT);
    this.#call = new BigInt64Array(data, 0, 1 + ARGUMENTS_MAX);
    this.#counts = new Int32Array(data);
    this.#result = new BigInt64Array(data, RESULT_AT, 1);
  }

  /**
   * Makes the system call `number` with up to five arguments, numbers or addresses, once in each
   * thread, those that start meanwhile included: what came of it. A thread made by one that has
   * answered may be asked as well.
   */
  call(number: number, ...given: readonly (number | bigint)[]): Outcome {
    this.#call.fill(0n);
    this.#call[0] = BigInt(number);
    given.forEach((argument, at) => (this.#call[1 + at] = BigInt(argument)));
    this.#counts[ANSWERED_WORD] = 0;
    this.#counts[FAILED_WORD] = 0;
    this.#result[0] = 0n;
    const before = new Uint8Array(SIGACTION_BYTES);
    if (this.#c.sigaction(SIGSYS, this.#action(), before) < 0) {
      return { threads: 1, answered: 0, failed: 0, errno: ERRNO.EINVAL };
    }
    const asked = this.#askAll();
    const answered = Atomics.load(this.#counts, ANSWERED_WORD);
    const waits = [...asked.here].some(isPending);
    // Who answers later must still find our handler: the signal's usual effect is to end us.
    if (!waits) this.#c.sigaction(SIGSYS, before, null);
    return {
      threads: waits ? asked.here.size + asked.left.size : answered,
      answered,
      failed: Atomics.load(this.#counts, FAILED_WORD),
      errno: Number(-(this.#result[0] ?? 0n)),
    };
  }

  // --- internal ---

  /** Struct sigaction: our code, every other signal waits meanwhile, calls go on behind it. */
  #action(): Uint8Array {
    const action = new Uint8Array(SIGACTION_BYTES).fill(0xff, 8, SIGACTION_FLAGS_AT);
    const view = new DataView(action.buffer);
    view.setBigUint64(0, BigInt(this.#code), true);
    view.setInt32(SIGACTION_FLAGS_AT, SA_RESTART, true);
    return action;
  }

  /** Signals every thread once. Ends when a round finds none that is new. */
  #askAll(): Asked {
    const asked = { here: new Set<number>(), left: new Set<number>() };
    const gone = new Set<number>();
    const known = (id: number) => asked.here.has(id) || asked.left.has(id) || gone.has(id);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const fresh = threadIds().filter((id) => !known(id));
      if (fresh.length === 0) break;
      for (const id of fresh) {
        const failed = this.#c.syscall(TGKILL, process.pid, id, SIGSYS) !== 0n;
        (failed ? gone : asked.here).add(id);
      }
      this.#awaitAnswers(asked);
    }
    return asked;
  }

  /**
   * Returns when all have answered, when all that are still here have, or when time is over.
   * Whether one that has left did is not known: so the others are looked at, and not counted.
   */
  #awaitAnswers({ here, left }: Asked): void {
    const until = performance.now() + ANSWER_MS_MAX;
    const all = here.size + left.size;
    for (let turn = 0; Atomics.load(this.#counts, ANSWERED_WORD) < all; turn++) {
      if (turn < 1000) continue;
      const now = new Set(threadIds());
      for (const id of [...here].filter((known) => !now.has(known))) {
        here.delete(id);
        left.add(id);
      }
      const over = performance.now() > until || (left.size > 0 && ![...here].some(isPending));
      // One that has just begun to answer is done by then.
      Bun.sleepSync(1);
      if (over) return;
    }
  }
}

// --- internal ---

type C = ReturnType<typeof load>;

/** Threads that were signalled: those that are still here, and those that have left meanwhile. */
interface Asked {
  readonly here: Set<number>;
  readonly left: Set<number>;
}

function load(library: string) {
  return dlopen(library, SYMBOLS).symbols;
}

/** The address of `bytes`, for an argument. Whoever passes it on keeps `bytes` until then. */
export function addressOf(bytes: NodeJS.TypedArray): number {
  return Number(ptr(bytes));
}

/** Whether the signal waits for thread `id` (SigPnd in proc(5)): it has not begun to answer. */
function isPending(id: number): boolean {
  try {
    const status = fs.readFileSync(`/proc/self/task/${id}/status`, "latin1");
    const [, mask = "0"] = /^SigPnd:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return (BigInt(`0x${mask}`) & (1n << BigInt(SIGSYS - 1))) !== 0n;
  } catch {
    return false;
  }
}

/** The ids of this process's threads (proc(5)), none where there is no /proc. */
function threadIds(): number[] {
  try {
    return fs.readdirSync("/proc/self/task").map(Number);
  } catch {
    return [];
  }
}
