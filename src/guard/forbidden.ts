/**
 * The system calls that a server which has begun to serve never makes, and what it may answer them
 * with: the table of its filter (seccomp(2)). It is a list of what is refused. A list of what is
 * allowed would have to know what each runtime, libc and kernel will call next year, and would end
 * a server that did nothing wrong; this one leaves what is new and unknown to the other walls.
 * Numbers are those of asm/unistd.h.
 */
import type { Condition, FilterRule } from "../sys/filter.ts";

/** A call's numbers on x86-64 and arm64; null where there is no such call. */
type Numbers = readonly [x64: number | null, arm64: number | null];

/** Refused whatever the arguments are, by what somebody would want them for. */
const NEVER: Readonly<Record<string, Readonly<Record<string, Numbers>>>> = {
  "other programs": {
    execve: [59, 221],
    execveat: [322, 281],
    fork: [57, null],
    vfork: [58, null],
  },
  "other processes": {
    ptrace: [101, 117],
    process_vm_readv: [310, 270],
    process_vm_writev: [311, 271],
    process_madvise: [440, 440],
    process_mrelease: [448, 448],
    kcmp: [312, 272],
    pidfd_open: [434, 434],
    pidfd_getfd: [438, 438],
    pidfd_send_signal: [424, 424],
    tkill: [200, 130],
    rt_sigqueueinfo: [129, 138],
    rt_tgsigqueueinfo: [297, 240],
    // Memory and queues that processes share by a number or a name.
    shmget: [29, 194],
    shmat: [30, 196],
    shmctl: [31, 195],
    msgget: [68, 186],
    msgsnd: [69, 189],
    msgrcv: [70, 188],
    msgctl: [71, 187],
    semget: [64, 190],
    semop: [65, 193],
    semtimedop: [220, 192],
    semctl: [66, 191],
    mq_open: [240, 180],
    mq_unlink: [241, 181],
    migrate_pages: [256, 238],
    move_pages: [279, 239],
  },
  network: {
    socket: [41, 198],
    socketpair: [53, 199],
    connect: [42, 203],
    bind: [49, 200],
    listen: [50, 201],
  },
  // What Landlock says nothing about, and all of it again where there is no Landlock.
  "files of others": {
    open_by_handle_at: [304, 265],
    name_to_handle_at: [303, 264],
    creat: [85, null],
    rename: [82, null],
    renameat: [264, 38],
    renameat2: [316, 276],
    unlink: [87, null],
    unlinkat: [263, 35],
    mkdir: [83, null],
    mkdirat: [258, 34],
    rmdir: [84, null],
    link: [86, null],
    linkat: [265, 37],
    symlink: [88, null],
    symlinkat: [266, 36],
    mknod: [133, null],
    mknodat: [259, 33],
    truncate: [76, 45],
    chmod: [90, null],
    fchmod: [91, 52],
    fchmodat: [268, 53],
    fchmodat2: [452, 452],
    chown: [92, null],
    fchown: [93, 55],
    lchown: [94, null],
    fchownat: [260, 54],
    utime: [132, null],
    utimes: [235, null],
    futimesat: [261, null],
    utimensat: [280, 88],
    setxattr: [188, 5],
    lsetxattr: [189, 6],
    fsetxattr: [190, 7],
    setxattrat: [463, 463],
    removexattr: [197, 14],
    lremovexattr: [198, 15],
    fremovexattr: [199, 16],
    removexattrat: [466, 466],
    file_setattr: [469, 469],
    fanotify_init: [300, 262],
  },
  "another user": {
    setuid: [105, 146],
    setgid: [106, 144],
    setreuid: [113, 145],
    setregid: [114, 143],
    setgroups: [116, 159],
    setresuid: [117, 147],
    setresgid: [119, 149],
    setfsuid: [122, 151],
    setfsgid: [123, 152],
    capset: [126, 91],
    keyctl: [250, 219],
    add_key: [248, 217],
    request_key: [249, 218],
  },
  "another view of the system": {
    chroot: [161, 51],
    pivot_root: [155, 41],
    mount: [165, 40],
    umount2: [166, 39],
    open_tree: [428, 428],
    open_tree_attr: [467, 467],
    move_mount: [429, 429],
    fsopen: [430, 430],
    fsconfig: [431, 431],
    fsmount: [432, 432],
    fspick: [433, 433],
    mount_setattr: [442, 442],
    setns: [308, 268],
    unshare: [272, 97],
  },
  "the kernel itself": {
    bpf: [321, 280],
    perf_event_open: [298, 241],
    userfaultfd: [323, 282],
    io_uring_setup: [425, 425],
    io_uring_enter: [426, 426],
    io_uring_register: [427, 427],
    init_module: [175, 105],
    finit_module: [313, 273],
    delete_module: [176, 106],
    kexec_load: [246, 104],
    kexec_file_load: [320, 294],
    reboot: [169, 142],
    swapon: [167, 224],
    swapoff: [168, 225],
    acct: [163, 89],
    quotactl: [179, 60],
    quotactl_fd: [443, 443],
    syslog: [103, 116],
    sethostname: [170, 161],
    setdomainname: [171, 162],
    settimeofday: [164, 170],
    adjtimex: [159, 171],
    clock_settime: [227, 112],
    clock_adjtime: [305, 266],
    iopl: [172, null],
    ioperm: [173, null],
    modify_ldt: [154, null],
    uselib: [134, null],
    personality: [135, 92],
    lookup_dcookie: [212, 18],
    vhangup: [153, 58],
  },
};

/**
 * Requests of ioctl(2): input for a terminal, as if it were typed or pasted there (TIOCSTI,
 * TIOCLINUX), another driver for it (TIOCSETD), signals to whoever is named (FIOSETOWN, SIOCSPGRP),
 * flags of a file that need no writing descriptor (FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR).
 */
const IOCTLS = [0x5412, 0x541c, 0x5423, 0x8901, 0x8902, 0x4008_6602, 0x401c_5820] as const;
/** The same signals by fcntl(2): F_SETOWN, F_SETSIG, F_SETOWN_EX. */
const FCNTLS = [8, 10, 15] as const;
/**
 * The end of what is sent (shutdown(2)). The other two make an unbound socket of a listener, which
 * send(2) with MSG_FASTOPEN connects to anywhere: that would need no other call.
 */
const SHUT_WR = 1;
/** A new thread of this process instead of a new process (clone(2)). */
const CLONE_THREAD = 0x1_0000;

/** Of "other processes" what a program that starts some does not need for it. */
const OF_OTHERS = [
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "process_mrelease",
  "kcmp",
  "pidfd_getfd",
];

/** Refused unless an argument is what the runtime gives it. `pid` is this process. */
function sometimes(pid: number): Readonly<Record<string, [Numbers, Condition]>> {
  const own: Condition = { argument: 0, only: [pid] };
  return {
    clone: [[56, 220], { argument: 0, bits: CLONE_THREAD }],
    kill: [[62, 129], own],
    tgkill: [[234, 131], own],
    prlimit64: [[302, 261], { argument: 0, only: [0, pid] }],
    shutdown: [[48, 210], { argument: 1, only: [SHUT_WR] }],
    ioctl: [[16, 29], { argument: 1, never: IOCTLS }],
    fcntl: [[72, 25], { argument: 1, never: FCNTLS }],
  };
}

/** Its flags are in memory, where no filter can look: libc falls back to clone(2) behind ENOSYS. */
const CLONE3 = 435;

/** What connecting to somebody takes: refused too, unless what is served is behind a network. */
const CONNECTING: readonly string[] = ["socket", "connect"];
/** Families of sockets that lead there (socket(2)): not those of this machine and its kernel. */
const INTERNET = [2, 10] as const;

/**
 * The rules for the process `pid` on `arch` (process.arch), for filterProgram(). `remote`: it may
 * make sockets for the internet and connect them; where to is not for a filter to see.
 */
export function forbiddenCalls(arch: "x64" | "arm64", pid: number, remote = false): FilterRule[] {
  const rules: FilterRule[] = [{ number: CLONE3, answer: "ENOSYS" }];
  const at = arch === "x64" ? 0 : 1;
  for (const calls of Object.values(NEVER)) {
    for (const [name, numbers] of Object.entries(calls)) {
      const number = numbers[at];
      if (number === null) continue;
      if (!remote || !CONNECTING.includes(name)) rules.push({ number, answer: "EPERM" });
      else if (name === "socket") {
        rules.push({ number, answer: "EPERM", unless: { argument: 0, only: INTERNET } });
      }
    }
  }
  for (const [numbers, unless] of Object.values(sometimes(pid))) {
    const number = numbers[at];
    if (number !== null) rules.push({ number, answer: "EPERM", unless });
  }
  return rules;
}

/**
 * The rules for a process that starts others, and for those as well: what none of them needs even
 * while it starts.
 */
export function forbiddenToAll(arch: "x64" | "arm64"): FilterRule[] {
  const at = arch === "x64" ? 0 : 1;
  const calls = {
    ...NEVER["another view of the system"],
    ...NEVER["the kernel itself"],
    ...pick(NEVER["other processes"] ?? {}, OF_OTHERS),
  };
  return Object.values(calls).flatMap((numbers) => {
    const number = numbers[at];
    return number === null ? [] : [{ number, answer: "EPERM" as const }];
  });
}

/** The number of a call of this table on `arch`; null: there is none. */
export function numberOf(name: string, arch: "x64" | "arm64"): number | null {
  const at = arch === "x64" ? 0 : 1;
  for (const calls of Object.values(NEVER)) {
    const numbers = calls[name];
    if (numbers !== undefined) return numbers[at];
  }
  return sometimes(0)[name]?.[0][at] ?? null;
}

// --- internal ---

function pick<T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
