/** What a server is forbidden: the numbers of two machines, and the verdict for each call. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { forbiddenCalls, numberOf } from "../../src/guard/forbidden.ts";
import { filterProgram } from "../../src/sys/filter.ts";
import { ALLOW, ARCH, ENOSYS, EPERM, run } from "../rig/bpf.ts";
import { needing } from "../rig/needs.ts";

/** The kernel's own numbers, by machine. */
const HEADERS = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
} as const;

/** Refused whatever is asked, in order. */
const NEVER = {
  x64: [
    29, 30, 31, 41, 42, 49, 50, 53, 57, 58, 59, 64, 65, 66, 68, 69, 70, 71, 76, 82, 83, 84, 85, 86,
    87, 88, 90, 91, 92, 93, 94, 101, 103, 105, 106, 113, 114, 116, 117, 119, 122, 123, 126, 129,
    132, 133, 134, 135, 153, 154, 155, 159, 161, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172,
    173, 175, 176, 179, 188, 189, 190, 197, 198, 199, 200, 212, 220, 227, 235, 240, 241, 246, 248,
    249, 250, 256, 258, 259, 260, 261, 263, 264, 265, 266, 268, 272, 279, 280, 297, 298, 300, 303,
    304, 305, 308, 310, 311, 312, 313, 316, 320, 321, 322, 323, 424, 425, 426, 427, 428, 429, 430,
    431, 432, 433, 434, 438, 440, 442, 443, 448, 452, 463, 466, 467, 469,
  ],
  arm64: [
    5, 6, 7, 14, 15, 16, 18, 33, 34, 35, 36, 37, 38, 39, 40, 41, 45, 51, 52, 53, 54, 55, 58, 60, 88,
    89, 91, 92, 97, 104, 105, 106, 112, 116, 117, 130, 138, 142, 143, 144, 145, 146, 147, 149, 151,
    152, 159, 161, 162, 170, 171, 180, 181, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196,
    198, 199, 200, 201, 203, 217, 218, 219, 221, 224, 225, 238, 239, 240, 241, 262, 264, 265, 266,
    268, 270, 271, 272, 273, 276, 280, 281, 282, 294, 424, 425, 426, 427, 428, 429, 430, 431, 432,
    433, 434, 438, 440, 442, 443, 448, 452, 463, 466, 467, 469,
  ],
} as const;

test.each(["x64", "arm64"] as const)("on %s these are refused, and no others", (arch) => {
  const rules = forbiddenCalls(arch, 4321);
  const program = filterProgram(arch, rules);
  const refused: number[] = [];
  for (let number = 0; number < 1000; number++) {
    const [verdict, steps] = run(program, { arch: ARCH[arch], number });
    if (verdict === EPERM) refused.push(number);
    // clone3 alone: libc goes on to clone behind it.
    expect([number, verdict === ENOSYS]).toEqual([number, number === 435]);
    expect(steps).toBeLessThan(30);
  }
  const sometimes = arch === "x64" ? [48, 56, 62, 234] : [129, 131, 210, 220];
  expect(refused.filter((number) => !sometimes.includes(number))).toEqual([...NEVER[arch]]);
  // Each once.
  expect(rules).toHaveLength(new Set(rules.map(({ number }) => number)).size);
});

test.each(["x64", "arm64"] as const)("on %s a store behind a network needs two more", (arch) => {
  const [local, remote] = [false, true].map((far) =>
    filterProgram(arch, forbiddenCalls(arch, 4321, far)),
  ) as [Uint8Array, Uint8Array];
  const [socket, connect] = arch === "x64" ? [41, 42] : [198, 203];
  for (let number = 0; number < 1000; number++) {
    if (number === socket || number === connect) continue;
    const call = { arch: ARCH[arch], number };
    expect([number, run(remote, call)[0]]).toEqual([number, run(local, call)[0]]);
  }
  const families = (program: Uint8Array): number[] =>
    Array.from({ length: 50 }, (_, family) => family).filter(
      (family) => run(program, { arch: ARCH[arch], number: socket, given: [family] })[0] === ALLOW,
    );
  // AF_INET and AF_INET6; not AF_UNIX, AF_NETLINK or AF_PACKET.
  expect([families(local), families(remote)]).toEqual([[], [2, 10]]);
  expect(run(remote, { arch: ARCH[arch], number: connect })[0]).toBe(ALLOW);
});

test("literal numbers: what a server needs passes, what it must not does not", () => {
  const x64 = filterProgram("x64", forbiddenCalls("x64", 77));
  const arm64 = filterProgram("arm64", forbiddenCalls("arm64", 77));
  const on64 = (number: number, ...given: number[]) =>
    run(x64, { arch: ARCH.x64, number, given })[0];
  const onArm = (number: number, ...given: number[]) =>
    run(arm64, { arch: ARCH.arm64, number, given })[0];
  // read, mmap, sendfile, futex, accept4, splice, openat, openat2
  for (const number of [0, 9, 40, 202, 288, 275, 257, 437]) expect(on64(number)).toBe(ALLOW);
  for (const number of [63, 222, 71, 98, 242, 76, 56, 437]) expect(onArm(number)).toBe(ALLOW);
  // execve, socket, ptrace, bpf
  for (const number of [59, 41, 101, 321]) expect(on64(number)).toBe(EPERM);
  for (const number of [221, 198, 117, 280]) expect(onArm(number)).toBe(EPERM);
  // clone3; clone of a thread, and of a process; kill of itself, of all, of another
  expect([on64(435), onArm(435)]).toEqual([ENOSYS, ENOSYS]);
  expect([on64(56, 0x3d0f00), on64(56, 0x11)]).toEqual([ALLOW, EPERM]);
  expect([on64(62, 77), on64(62, 0), on64(62, 0xffffffff), on64(62, 1)]).toEqual([
    ...[ALLOW, EPERM, EPERM, EPERM],
  ]);
  // shutdown: the end of what is sent, and what undoes a listener
  expect([on64(48, 5, 1), on64(48, 5, 0), onArm(210, 5, 2)]).toEqual([ALLOW, EPERM, EPERM]);
  // prlimit64 of itself, as 0 and by its number, and of another, whatever is to be set
  expect([on64(302, 0, 77), on64(302, 77, 7), on64(302, 1, 0), onArm(261, 1, 77)]).toEqual([
    ...[ALLOW, ALLOW, EPERM, EPERM],
  ]);
  // fcntl: F_SETSIG
  expect(on64(72, 5, 10)).toBe(EPERM);
  // fcntl: F_DUPFD_CLOEXEC, F_SETFL, and who gets a file's signals
  expect([on64(72, 5, 1030), on64(72, 5, 4), on64(72, 5, 8), onArm(25, 5, 15)]).toEqual([
    ...[ALLOW, ALLOW, EPERM, EPERM],
  ]);
  // FIOSETOWN, FS_IOC_SETFLAGS
  expect([on64(16, 5, 0x8901), on64(16, 5, 0x40086602)]).toEqual([EPERM, EPERM]);
  // ioctl: SIOCOUTQ, TIOCSTI, TIOCLINUX
  expect([on64(16, 5, 0x5411), on64(16, 5, 0x5412), onArm(29, 0, 0x541c)]).toEqual([
    ...[ALLOW, EPERM, EPERM],
  ]);
});

test("what is behind a network may be connected to, by the Internet's families alone", () => {
  for (const [arch, socket, connect] of [
    ["x64", 41, 42],
    ["arm64", 198, 203],
  ] as const) {
    const remote = filterProgram(arch, forbiddenCalls(arch, 77, true));
    const verdict = (number: number, ...given: number[]) =>
      run(remote, { arch: ARCH[arch], number, given })[0];
    expect([2, 10].map((family) => verdict(socket, family))).toEqual([ALLOW, ALLOW]);
    for (const family of [0, 1, 3, 9, 11, 16, 40]) expect(verdict(socket, family)).toBe(EPERM);
    expect(verdict(connect, 5)).toBe(ALLOW);
  }
});

test("a call's number on each machine, of those refused at times too; null where it has none", () => {
  const numbers = (name: string) => [numberOf(name, "x64"), numberOf(name, "arm64")];
  expect(["execve", "fork", "shutdown", "kill", "read"].map(numbers)).toEqual([
    [59, 221],
    [57, null],
    [48, 210],
    [62, 129],
    [null, null],
  ]);
});

needing(...Object.values(HEADERS).map((file) => ({ here: fs.existsSync(file), what: file })))(
  "the numbers are the kernel's",
  () => {
    for (const arch of ["x64", "arm64"] as const) {
      let known = 0;
      const lines = fs.readFileSync(HEADERS[arch], "utf8");
      for (const [, name = "", number] of lines.matchAll(
        /^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm,
      )) {
        const ours = numberOf(name, arch);
        if (ours === null) continue;
        expect([name, ours]).toEqual([name, Number(number)]);
        known += 1;
      }
      expect(known).toBeGreaterThan(90);
    }
  },
);
