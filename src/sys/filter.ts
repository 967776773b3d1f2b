/**
 * Makes the program of a filter for system calls (seccomp(2)): classic BPF, from a table of calls
 * and what they are answered. Pure: it knows no call by itself and installs nothing.
 */
import { ERRNO } from "./errno.ts";

/** When a call is allowed after all, by the low 32 bits of one argument. */
export interface Condition {
  /** Which argument, from 0. */
  readonly argument: number;
  /** It has one of these bits. */
  readonly bits?: number;
  /** It is one of these. */
  readonly only?: readonly number[];
  /** It is none of these. */
  readonly never?: readonly number[];
}

/** One call that is refused. */
export interface FilterRule {
  readonly number: number;
  readonly answer: "EPERM" | "ENOSYS";
  readonly unless?: Condition;
}

/** What the kernel calls the two machines (linux/audit.h). */
const AUDIT_ARCH = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
/** From here on numbers are those of x32, a second table of the same machine. */
const X32_FROM = 0x4000_0000;

/** Offsets in struct seccomp_data; the low half of an argument comes first on both machines. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const ARGUMENTS_AT = 16;

/** Instructions of linux/bpf_common.h, by what they do. */
const LOAD = 0x20;
const JUMP = 0x05;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff_0000;
const ERRNO_ANSWER = 0x0005_0000;

/** Rules that are compared one after the other behind the last branching. */
const LEAF_RULES_MAX = 4;

/** Bytes of struct sock_filter. */
const INSTRUCTION_BYTES = 8;
/** The longest program that the kernel takes (BPF_MAXINSNS). */
const INSTRUCTIONS_MAX = 4096;

/** Code, jumps where true and where false, constant. */
type Instruction = readonly [code: number, yes: number, no: number, constant: number];

/**
 * The program as an array of struct sock_filter. Calls of another machine's table (32-bit, x32) are
 * EPERM, what no rule names is allowed. It branches like a binary search, so that a call costs some
 * ten instructions; where the kernel remembers what is always allowed (Linux 5.11) it costs none.
 */
export function filterProgram(arch: "x64" | "arm64", rules: readonly FilterRule[]): Uint8Array {
  const sorted = [...rules].sort((one, other) => one.number - other.number);
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCH_AT],
    [EQUAL, 1, 0, AUDIT_ARCH[arch]],
    refuse("EPERM"),
    [LOAD, 0, 0, NUMBER_AT],
  ];
  if (arch === "x64") program.push([AT_LEAST, 0, 1, X32_FROM], refuse("EPERM"));
  search(program, sorted, 0, sorted.length);
  if (program.length > INSTRUCTIONS_MAX) throw new RangeError("the filter is too long");
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, yes, no, constant], nth) => {
    const at = nth * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, yes);
    view.setUint8(at + 3, no);
    view.setUint32(at + 4, constant, true);
  });
  return bytes;
}

// --- internal ---

function refuse(answer: FilterRule["answer"]): Instruction {
  return [RETURN, 0, 0, ERRNO_ANSWER | ERRNO[answer]];
}

/** Adds what tells `rules` from `from` to `to` apart; it ends in a verdict for any number. */
function search(
  program: Instruction[],
  rules: readonly FilterRule[],
  from: number,
  to: number,
): void {
  if (to - from <= LEAF_RULES_MAX) {
    for (const rule of rules.slice(from, to)) program.push(...oneRule(rule));
    program.push([RETURN, 0, 0, ALLOW]);
    return;
  }
  const middle = (from + to) >> 1;
  program.push([AT_LEAST, 0, 1, rules[middle]?.number ?? 0]);
  // A conditional jump reaches 255 instructions, an unconditional one any: it is put in behind.
  const over = program.length;
  program.push([JUMP, 0, 0, 0]);
  search(program, rules, from, middle);
  program[over] = [JUMP, 0, 0, program.length - over - 1];
  search(program, rules, middle, to);
}

/** Passes by when the number is another one. */
function oneRule(rule: FilterRule): Instruction[] {
  const verdict = rule.unless === undefined ? [] : allowedWhere(rule.unless);
  const body = [...verdict, refuse(rule.answer)];
  return [[EQUAL, 0, body.length, rule.number], ...body];
}

/** Allows where the condition holds, and goes on behind it where it does not. */
function allowedWhere({ argument, bits, only, never }: Condition): Instruction[] {
  const allow: Instruction = [RETURN, 0, 0, ALLOW];
  const load: Instruction = [LOAD, 0, 0, ARGUMENTS_AT + 8 * argument];
  if (bits !== undefined) return [load, [ANY_BIT, 0, 1, bits], allow];
  if (only !== undefined) {
    return [load, ...only.flatMap((value): Instruction[] => [[EQUAL, 0, 1, value], allow])];
  }
  const refused = never ?? [];
  // Each one jumps over those behind it and over the verdict in between.
  const compared = refused.map((value, nth): Instruction => [
    EQUAL,
    refused.length - nth,
    0,
    value,
  ]);
  return [load, ...compared, allow];
}
