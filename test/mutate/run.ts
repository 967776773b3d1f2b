/**
 * What `make mutate` runs: a sample of mutants, as many of each room, one at a time against the
 * tests that ought to catch it. SEED= picks another sample, RUNS= sets its size. Prints each
 * survivor, then the table; the exit status is 1 below 95 %.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { Random } from "../fuzz/random.ts";
import { equivalentOf } from "./equivalents.ts";
import { type Mutant, mutantsOf } from "./operators.ts";
import { filesOf, type Room, ROOMS, testsFor } from "./rooms.ts";
import { type Fate, percentOf, statusOf, tableOf } from "./table.ts";
import { boundFor, Copy } from "./trial.ts";

/** Some ten minutes on two cores; the sample's margin is then about 3 in 100. */
const RUNS_DEFAULT = 150;

/** A room's tests with nothing changed: no room's take a tenth of this. */
const UNCHANGED_MS_MAX = 600_000;

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

async function fateOf(copy: Copy, room: Room, mutant: Mutant, msMax: number): Promise<Fate> {
  if (equivalentOf(mutant) !== undefined) return "equivalent";
  const tests = testsFor(room, mutant.path, copy.folder);
  return await copy.try(mutant, tests, msMax);
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
    const started = performance.now();
    const unchanged = await copy.run(testsFor(room, "", copy.folder), UNCHANGED_MS_MAX);
    const msMax = boundFor(performance.now() - started);
    if (unchanged !== "survived") {
      console.log(`${room.name}: its tests fail with nothing changed; make them pass first`);
      return 1;
    }
    for (const mutant of await sampleOf(room, each, new Random(seed))) {
      const fate = await fateOf(copy, room, mutant, msMax);
      its.push(fate);
      if (fate !== "survived") continue;
      const { path, line, operator, before, after } = mutant;
      console.log(`${path}:${line}: ${operator} survived\n  - ${before}\n  + ${after}`);
    }
  }
  const percent = percentOf([...fates.values()].flat());
  console.log(`\nSEED=${seed} RUNS=${each * rooms.length}\n\n${tableOf(fates)}`);
  return statusOf(percent);
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
