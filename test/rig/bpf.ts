/** Classic BPF (linux/filter.h) as the kernel runs it for a filter of system calls. */
/** What a filter answers (linux/seccomp.h): go on, or fail with an errno. */
export const ALLOW = 0x7fff0000;
export const EPERM = 0x00050001;
export const ENOSYS = 0x00050026;
/** How the kernel calls a machine (linux/audit.h). */
export const ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** One system call, by number and arguments. */
export interface Call {
  readonly arch: number;
  readonly number: number;
  readonly given?: readonly number[];
}

/** What classic BPF (linux/filter.h) makes of a call; steps are counted. */
export function run(
  program: Uint8Array,
  { arch, number, given = [] }: Call,
): [verdict: number, steps: number] {
  const view = new DataView(program.buffer);
  const words = new Map([
    [0, number],
    [4, arch],
    ...given.map((value, nth): [number, number] => [16 + 8 * nth, value >>> 0]),
  ]);
  let accumulator = 0;
  for (let at = 0, steps = 1; ; at++, steps++) {
    const code = view.getUint16(at * 8, true);
    const constant = view.getUint32(at * 8 + 4, true);
    const jump = (taken: boolean): number => view.getUint8(at * 8 + (taken ? 2 : 3));
    if (code === 0x20) accumulator = words.get(constant) ?? 0;
    else if (code === 0x05) at += constant;
    else if (code === 0x15) at += jump(accumulator === constant);
    else if (code === 0x35) at += jump(accumulator >= constant);
    else if (code === 0x45) at += jump((accumulator & constant) !== 0);
    else if (code === 0x06) return [constant, steps];
    else throw new Error(`no such instruction: ${code}`);
  }
}
