/**
 * `bun bench/download.ts`: our client against the clients that people use. `--help` names the
 * flags.
 *
 * Each contender is run once without being timed, and every byte compared; after each sample names
 * and sizes are. Then come rounds of one download each, in random order, so that what the machine
 * does besides hits all alike. Before each, the place is empty and the disk has caught up (sync).
 * Source and destination are folders of one file system, the source in the page cache. A download's
 * time is that of the whole process, its start included. A rival that took ten times as long as the
 * fastest in two rounds is not measured again, but on the long link, where that is the question.
 *
 * Owns the order of things. Never measures and never formats. Exit status: 0 done, 1 a contender
 * failed, 2 usage.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, refuse, run, settle } from "./command.ts";
import { type Backend, startBackend } from "./download/backend.ts";
import { type Contender, listPath, type ServerName } from "./download/contender.ts";
import { HELP, type Options, parseFlags } from "./download/flags.ts";
import { beforeOf, block, isRival, type Sample } from "./download/report.ts";
import { type Course, takeSample } from "./download/sample.ts";
import { type Scenario, SCENARIOS } from "./download/scenario.ts";
import { seeded } from "./download/link.ts";
import { machineLine } from "./proc.ts";
import { median, shuffled } from "./stats.ts";
import { type Folder, temporaryFolder } from "./temporary.ts";

/** A rival that needs so many times the fastest one's time after so many rounds gets no more. */
const SLOW = 10;
const SLOW_ROUNDS = 2;

interface Named extends Sample {
  readonly scenario: string;
  readonly contender: string;
}

async function main(): Promise<number> {
  const parsed = parseFlags(process.argv.slice(2));
  if ("error" in parsed) return refuse(parsed.error, HELP);
  const { options } = parsed;
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const { machine, network } = await settle(options.network);
  const all: Named[] = [];
  let failures = 0;
  for (const scenario of SCENARIOS.filter(({ letter }) => options.only.includes(letter))) {
    failures += await measure(scenario, options, all);
  }
  const written = {
    machine: machineLine(machine),
    network,
    flags: process.argv.slice(2),
    samples: all,
  };
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(written, null, 1)}\n`);
  return failures > 0 ? 1 : 0;
}

/** Measures one scenario in a folder of its own; returns how many contenders failed. */
async function measure(scenario: Scenario, options: Options, all: Named[]): Promise<number> {
  const folder = temporaryFolder();
  const backends = new Map<ServerName, Backend>();
  try {
    const courses = await prepare(scenario, options, folder, backends);
    const results = new Map<string, Sample[]>();
    const failed = await firstPass(courses, options, results);
    const samples = options.samples ?? scenario.samples;
    const random = seeded(options.seed);
    for (let round = 1; round <= samples; round++) {
      const tooSlow = round > SLOW_ROUNDS && !scenario.longLink ? slowOnes(results) : new Set();
      const due = courses.filter(
        ({ contender: { name } }) => results.has(name) && !tooSlow.has(name),
      );
      for (const course of shuffled(due, random)) {
        const { name } = course.contender;
        try {
          const sample = await takeSample(course, round, options.seed + round, scenario.longLink);
          results.get(name)!.push(sample);
          all.push({ scenario: scenario.letter, contender: name, ...sample });
        } catch (error) {
          failed.add(name);
          console.error(`  ${name}, round ${round}: FAILED: ${reasonOf(error)}`);
        }
      }
    }
    for (const [name, taken] of results) if (taken.length === 0) results.delete(name);
    console.log(`\n${block(scenario.title, results, scenario.baseline)}`);
    return failed.size;
  } finally {
    await Promise.allSettled([...backends.values()].map((backend) => backend.stop()));
    folder.remove();
  }
}

/** Makes the files, starts the servers, and says who can't take part. */
async function prepare(
  scenario: Scenario,
  options: Options,
  folder: Folder,
  backends: Map<ServerName, Backend>,
): Promise<Course[]> {
  const [root, lists] = [join(folder.path, "root"), join(folder.path, "lists")];
  mkdirSync(root);
  mkdirSync(lists);
  const corpus = scenario.make(root, options.scale);
  const to = join(folder.path, "to", corpus.name);
  const courses: Course[] = [];
  for (const { contender, entry } of entrants(scenario, options)) {
    const missing = contender.needs.find((program) => Bun.which(program) === null);
    if (missing !== undefined) {
      console.log(`${contender.name}: skipped: ${missing} is not installed`);
      continue;
    }
    const { server } = contender;
    const backend = backends.get(server) ?? (await startBackend(server, root, folder.path));
    backends.set(server, backend);
    const job = { corpus, to, lists, entry };
    const course = { contender, backend, job, root, longLink: scenario.longLink };
    if (contender.entry !== undefined) await writeList(course);
    courses.push(course);
  }
  return courses;
}

/** Who takes part, with which entry file: ours twice where another commit is compared. */
function entrants(
  { contenders }: Scenario,
  options: Options,
): { readonly contender: Contender; readonly entry: string }[] {
  const { entry, before } = options;
  const wanted = contenders.filter((one) => isWanted(one, options));
  return wanted.flatMap((contender) => {
    const now = { contender, entry };
    if (before === null || isRival(contender.name)) return [now];
    const then = { ...contender, name: beforeOf(contender.name) };
    return [now, { contender: then, entry: before }];
  });
}

function isWanted({ name }: Contender, { contenders, rivalsOnly }: Options): boolean {
  if (rivalsOnly && !isRival(name)) return false;
  return contenders.length === 0 || contenders.some((part) => name.includes(part));
}

async function writeList({ contender, backend, job }: Course): Promise<void> {
  const session = await backend.begin(job.corpus.name);
  await session.finish();
  const url = `http://127.0.0.1:${session.port}/${job.corpus.name}`;
  const entries = [...job.corpus.sizes.keys()].map((path) =>
    contender.entry!(`${url}/${path}`, join(job.to, path)),
  );
  writeFileSync(listPath({ ...job, port: session.port }, contender), entries.join(""));
}

/** Untimed: every byte is compared. Who passes gets a place in `results`; returns who failed. */
async function firstPass(
  courses: readonly Course[],
  options: Options,
  results: Map<string, Sample[]>,
): Promise<Set<string>> {
  const failed = new Set<string>();
  for (const course of courses) {
    const { name } = course.contender;
    try {
      // On the long link each sample is compared, so that nothing has to come twice.
      if (!course.longLink) await takeSample(course, 0, options.seed, true);
      results.set(name, []);
    } catch (error) {
      failed.add(name);
      console.error(`  ${name}: FAILED: ${reasonOf(error)}`);
    }
  }
  return failed;
}

function slowOnes(results: ReadonlyMap<string, readonly Sample[]>): Set<string> {
  const times = [...results].map(
    ([name, samples]) => [name, median(samples.map(({ seconds }) => seconds))] as const,
  );
  const fastest = Math.min(...times.map(([, seconds]) => seconds).filter((one) => one > 0));
  const slow = times.filter(([name, seconds]) => isRival(name) && seconds > fastest * SLOW);
  return new Set(slow.map(([name]) => name));
}

await run(main);
