/** Wrong tokens in memory that several processes share. */
import { expect, test } from "bun:test";
import { FAILURES_BYTES, SharedFailures } from "../../src/guard/sharedfailures.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { sharedMemory } from "../../src/sys/processes.ts";

test("81: what was shown to one process makes a peer wait at another", () => {
  const memory = new ArrayBuffer(FAILURES_BYTES);
  const [one, other] = [new SharedFailures(memory, 0, 7n), new SharedFailures(memory, 0, 7n)];
  const now = performance.now();
  for (let nth = 0; nth < 5; nth++) (nth % 2 === 0 ? one : other).note("192.0.2.1", now);
  for (const failures of [one, other]) {
    // Two clocks of milliseconds: one may differ by one.
    expect(failures.waitMs("192.0.2.1", now)).toBeWithin(990, 1010);
    expect(failures.waitMs("192.0.2.2", now)).toBe(0);
  }
  other.note("192.0.2.1", now + 1000);
  expect(one.waitMs("192.0.2.1", now + 1000)).toBeWithin(1990, 2010);
  one.forget("192.0.2.1");
  expect(other.waitMs("192.0.2.1", now + 1000)).toBe(0);
});

/** What a process that has just started says: its peer "a" waits so many milliseconds. */
const LATER = `
const { FAILURES_BYTES, SharedFailures } = await import("./src/guard/sharedfailures.ts");
const { sharedMemory } = await import("./src/sys/processes.ts");
const failures = new SharedFailures(sharedMemory(3, FAILURES_BYTES), 0, 7n);
console.log(failures.waitMs("a", performance.now()));
`;

test("81: at a process that has started later a peer waits as long, and not for its age", async () => {
  const fd = kernel.memfd("failures");
  kernel.ftruncate(fd, BigInt(FAILURES_BYTES));
  const failures = new SharedFailures(sharedMemory(fd, FAILURES_BYTES)!, 0, 7n);
  // Older than the other one will be when it is asked.
  while (performance.now() < 5000) await Bun.sleep(5000 - performance.now());
  const now = performance.now();
  for (let nth = 0; nth < 11; nth++) failures.note("a", now);
  const child = Bun.spawnSync([process.execPath, "--config=/dev/null", "-e", LATER], {
    stdio: ["ignore", "pipe", "inherit", fd],
  });
  kernel.close(fd);
  const passed = performance.now() - now;
  expect(Number(child.stdout.toString())).toBeWithin(60_000 - passed - 10, 60_010);
}, 20_000);

test("ten quiet minutes make a peer as new", () => {
  const failures = new SharedFailures(new ArrayBuffer(FAILURES_BYTES), 0, 7n);
  const now = performance.now();
  for (let nth = 0; nth < 9; nth++) failures.note("a", now);
  failures.note("a", now + 700_000);
  expect(failures.waitMs("a", now + 700_000)).toBe(0);
});

test("of very many peers those are forgotten that failed longest ago", () => {
  const failures = new SharedFailures(new ArrayBuffer(FAILURES_BYTES), 0, 7n);
  const now = performance.now();
  for (let nth = 0; nth < 5; nth++) failures.note("old", now);
  for (let nth = 0; nth < 100_000; nth++) failures.note(`peer ${nth}`, now + 1);
  for (let nth = 0; nth < 5; nth++) failures.note("new", now + 2);
  expect(failures.waitMs("old", now + 2)).toBe(0);
  expect(failures.waitMs("new", now + 2)).toBeGreaterThan(900);
});
