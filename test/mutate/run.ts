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

  /** Runs the tests with nothing changed, for the bound on time: false where they fail. */
  async measure(): Promise<boolean> {
    const tests = testsFor(this.#room, "", this.#copy.folder);
    const started = performance.now();
    const unchanged = await this.#copy.run(tests, UNCHANGED_MS_MAX);
    this.#msMax = Math.max(this.#msMax, boundFor(performance.now() - started));
    return unchanged === "survived";
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
    const verdict = await this.#copy.try(mutant, tests, this.#msMax);
    const { caughtBy } = this.#copy;
    if (verdict === "caught" && caughtBy !== "") {
      this.#lately.set(mutant.path, [caughtBy, ...lately.filter((it) => it !== caughtBy)]);
    }
    return verdict;
  }
}

/** A run that is ended takes its copy along; where it is, is said for one that is killed. */
function leavingNothing(copy: Copy): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      copy[Symbol.dispose]();
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
  leavingNothing(copy);
  for (const room of rooms) {
    const its: Fate[] = [];
    fates.set(room.name, its);
    const judge = new Judge(copy, room);
    if (!(await judge.measure())) {
      console.log(`${room.name}: its tests fail with nothing changed; make them pass first`);
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
