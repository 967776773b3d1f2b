/** The program of a filter: run by an interpreter, it answers what its table of rules says. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { filterProgram, type FilterRule } from "../../src/sys/filter.ts";
import { ALLOW, ARCH, type Call, ENOSYS, EPERM, run } from "../rig/bpf.ts";

/** The same from the rules, one after the other. */
function expected(rules: readonly FilterRule[], { number, given = [] }: Call): number {
  const rule = rules.find((it) => it.number === number);
  if (rule === undefined) return ALLOW;
  const { unless } = rule;
  const value = (given[unless?.argument ?? 0] ?? 0) >>> 0;
  const allowed =
    unless !== undefined &&
    (unless.bits === undefined || (value & unless.bits) !== 0) &&
    (unless.only === undefined || unless.only.includes(value)) &&
    (unless.never === undefined || !unless.never.includes(value));
  if (allowed) return ALLOW;
  return rule.answer === "EPERM" ? EPERM : ENOSYS;
}

test("calls by another machine's table, or by x32, are refused", () => {
  const program = filterProgram("x64", [{ number: 7, answer: "EPERM" }]);
  expect(run(program, { arch: 0x40000003, number: 3 })[0]).toBe(EPERM);
  expect(run(program, { arch: ARCH.x64, number: 0x40000000 })[0]).toBe(EPERM);
  expect(run(program, { arch: ARCH.x64, number: 0x40000000 + 3 })[0]).toBe(EPERM);
  expect(run(program, { arch: ARCH.x64, number: 3 })[0]).toBe(ALLOW);
});

test("any table: the program answers as its rules do", () => {
  const value = fc.constantFrom(0, 1, 2, 4, 0x80000000, 0xffffffff);
  const condition = fc.oneof(
    fc.record({ argument: fc.nat(5), bits: value }),
    fc.record({ argument: fc.nat(5), only: fc.array(value, { maxLength: 3 }) }),
    fc.record({ argument: fc.nat(5), never: fc.array(value, { maxLength: 3 }) }),
  );
  const rule = fc.record(
    { number: fc.nat(300), answer: fc.constantFrom("EPERM", "ENOSYS"), unless: condition },
    { requiredKeys: ["number", "answer"] },
  );
  const rules = fc.uniqueArray(rule, { selector: ({ number }) => number, maxLength: 200 });
  const calls = fc.array(
    fc.record({
      number: fc.nat(310),
      given: fc.array(value, { minLength: 6, maxLength: 6 }),
    }),
    { maxLength: 50 },
  );
  fc.assert(
    fc.property(rules, calls, (given, made) => {
      const program = filterProgram("arm64", given);
      for (const call of made) {
        const real = { ...call, arch: ARCH.arm64 };
        expect(run(program, real)[0]).toBe(expected(given, real));
      }
    }),
    { numRuns: 200 },
  );
});
