/**
 * What `make mutate` runs: a sample of mutants, as many of each room, one at a time against the
 * tests that ought to catch it. SEED= picks another sample, RUNS= sets its size. Prints each
 * that survives or times out, then the table; the exit status is 1 below 95 %.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { Random } from "../fuzz/random.ts";
import { equivalentOf } from "./equivalents.ts";
import { type Mutant, mutantsOf } from "./operators.ts";
import { filesOf, type Room, ROOMS, testsFor } from "./rooms.ts";
import { type Fate, percentOf, statusOf, tableOf } from "./table.ts";
import { boundFor, Copy, type Verdict } from "./trial.ts";

/** Some ten minutes on two cores; the sample's margin is then about 3 in 100. */
const RUNS_DEFAULT = 150;

/** A room's tests with nothing changed: no room's take a tenth of this. */
const UNCHANGED_MS_MAX = 600_000;

/**
 * Where tests failed after so long, the one that did has to pass with nothing changed: else the
 * mutant is tried once more. Tests that wait for something give up after 15 s.
 */
const DOUBTFUL_MS_MIN = 10_000;

/** What timed out is tried again where the tests take so many times longer than they did. */
const SLOWER_MIN = 1.3;

/** At most `count` of the room's mutants, in an order that `random` picks. */
async function sampleOf(room: Room, count: number, random: Random): Promise<Mutant[]> {
  const all: Mutant[] = [];
  for (const path of filesOf(room.files, ".")) {
    all.push(...mutantsOf({ path, text: await Bun.file(path).text() }));
  }
  const sample: Mutant[] = [];
  while (sample.length < count && all.length > 0) {
    sample.push(...all.splice(random.below(all.length), 1));
  }
  return sample;
}

/** Judges the mutants of one room. It learns which tests catch those of which file. */
class Judge {
  readonly #copy: Copy;
  readonly #room: Room;
  /** What caught mutants of a file, by its path, the last one first. */
  readonly #lately = new Map<string, string[]>();
  #msMax = 0;

  constructor(copy: Copy, room: Room) {
    this.#copy = copy;
    this.#room = room;
  }

  /**
   * Runs the tests with nothing changed, for the bound on time: which of them fails twice, or "". A
   * machine that is busy may fail one once.
   */
  async measure(): Promise<string> {
    for (let tries = 1; ; tries++) {
      const tests = testsFor(this.#room, "", this.#copy.folder);
      const started = performance.now();
      const unchanged = await this.#copy.run(tests, UNCHANGED_MS_MAX);
      this.#msMax = Math.max(this.#msMax, boundFor(performance.now() - started));
      if (unchanged === "survived") return "";
      if (tries === 2) return this.#copy.caughtBy || unchanged;
    }
  }

  async fateOf(mutant: Mutant): Promise<Fate> {
    if (equivalentOf(mutant) !== undefined) return "equivalent";
    const verdict = await this.#try(mutant);
    if (verdict !== "timed out") return verdict;
    // Where the machine has become slower since, it was the machine that was late.
    const msMax = this.#msMax;
    await this.measure();
    return this.#msMax > SLOWER_MIN * msMax ? await this.#try(mutant) : verdict;
  }

  async #try(mutant: Mutant): Promise<Verdict> {
    const lately = this.#lately.get(mutant.path) ?? [];
    const tests = testsFor(this.#room, mutant.path, this.#copy.folder, lately);
    const started = performance.now();
    let verdict = await this.#copy.try(mutant, tests, this.#msMax);
    const { caughtBy } = this.#copy;
    if (verdict === "caught" && caughtBy !== "" && performance.now() - started > DOUBTFUL_MS_MIN) {
      // The machine may have been too slow for a deadline in the test.
      const unchanged = await this.#copy.run([caughtBy], this.#msMax);
      if (unchanged !== "survived") verdict = await this.#copy.try(mutant, tests, this.#msMax);
    }
    if (verdict === "caught" && caughtBy !== "") {
      this.#lately.set(mutant.path, [caughtBy, ...lately.filter((it) => it !== caughtBy)]);
    }
    return verdict;
  }
}

/**
 * A run that is ended takes its copy along, and tells what it had come to; where the copy is, is
 * said for one that is killed.
 */
function leavingNothing(copy: Copy, fates: ReadonlyMap<string, readonly Fate[]>): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      copy[Symbol.dispose]();
      if (fates.size > 0) console.log(`\nended by ${signal}\n\n${tableOf(fates)}`);
      process.exit(128 + constants.signals[signal]);
    });
  }
  console.error(`mutating a copy in ${copy.folder}`);
}

async function main(words: readonly string[]): Promise<number> {
  const seed = Number(process.env["SEED"] || 1);
  const rooms = ROOMS.filter(({ name }) => words.length === 0 || words.includes(name));
  const each = Math.ceil(Number(process.env["RUNS"] || RUNS_DEFAULT) / rooms.length);
  const fates = new Map<string, Fate[]>();
  using copy = new Copy(join(import.meta.dir, "../.."));
  leavingNothing(copy, fates);
  for (const room of rooms) {
    const its: Fate[] = [];
    fates.set(room.name, its);
    const judge = new Judge(copy, room);
    const failing = await judge.measure();
    if (failing !== "") {
      console.log(`${room.name}: with nothing changed ${failing} fails; make it pass first`);
      return 1;
    }
    for (const mutant of await sampleOf(room, each, new Random(seed))) {
      const fate = await judge.fateOf(mutant);
      its.push(fate);
      if (fate !== "survived" && fate !== "timed out") continue;
      const { path, line, operator, before, after } = mutant;
      console.log(`${path}:${line}: ${operator} ${fate}\n  - ${before}\n  + ${after}`);
    }
  }
  const percent = percentOf([...fates.values()].flat());
  console.log(`\nSEED=${seed} RUNS=${each * rooms.length}\n\n${tableOf(fates)}`);
  return statusOf(percent);
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
