/**
 * A command whose transfers are a script: what it shows is looked at by screen.test.ts and
 * events.test.ts. Arguments: the scene, and the mode if not the default.
 */
import { type ProgressMode, startProgress } from "../../../src/cli/progress/progress.ts";
import { Progress } from "../../../src/download/progress.ts";
import { fileOf, MIB } from "./tallies.ts";

const [scene, mode] = process.argv.slice(2);
const tally = new Progress();
// Not looked at elsewhere: looking makes a pipe non-blocking.
const columns = scene === "resized" ? process.stderr.columns : 0;
/** How often what is shown has looked at the tally; null where nothing is. */
let looks: number | null = null;
const { setInterval } = globalThis;
Object.assign(globalThis, {
  setInterval: (tick: () => void, ms: number) => {
    looks = 0;
    return setInterval(() => {
      tick();
      looks = (looks ?? 0) + 1;
    }, ms);
  },
});
const progress = startProgress(tally, mode as ProgressMode | undefined);
Object.assign(globalThis, { setInterval });

/** Returns when there has been another look: where there is a picture, it is drawn. */
async function look(): Promise<void> {
  for (const before = looks; looks !== null && looks === before;) await Bun.sleep(5);
}

const files = [
  fileOf("one.iso", 40 * MIB, { kept: 10 * MIB, arrived: 10 * MIB }),
  fileOf("音楽/とても長い名前のファイル、最終版.flac", 40 * MIB),
  fileOf("cafe\u0301.pdf", 20 * MIB),
];

function begin(): void {
  tally.totalKnown = true;
  for (const file of files) {
    tally.running.add(file);
    tally.files += 1;
    tally.bytes += file.size;
    tally.kept += file.kept;
    tally.arrived += file.kept;
  }
}

/** Brings `part` of what is left of each file; the whole of it is its end. */
function bring(part: number): void {
  for (const file of files) {
    if (!tally.running.has(file)) continue;
    const count = Math.floor((file.size - file.arrived) * part);
    for (const counts of [file, tally]) {
      counts.received += count;
      counts.arrived += count;
      counts.verified += count + (part === 1 ? file.kept : 0);
    }
    if (part < 1) continue;
    file.state = "done";
    tally.running.delete(file);
    tally.done += 1;
  }
}

/** Messages, and files that come to their end. */
async function transfer(): Promise<void> {
  progress.say("message 1: before anything is known");
  begin();
  await look();
  bring(0.5);
  progress.say("note 1: chunk 3 arrived wrong, fetched again");
  await look();
  progress.say(`message 2: ${"long ".repeat(60)}end`);
  progress.say("message 3");
  await look();
  if (scene === "resized") await resized();
  for (const file of files) file.state = "done";
  await look();
  bring(1);
  // Without it the picture gets lower with nothing printed above it.
  if (scene !== "forgotten") progress.say("note 2: the last");
}

/** Until the terminal has another width, and a picture in it. */
async function resized(): Promise<void> {
  while (process.stderr.columns === columns) await Bun.sleep(5);
  progress.say("message 4: resized");
  await look();
}

if (scene === "flood") {
  // Some hundred times what a terminal or a pipe takes, while nobody reads.
  begin();
  for (let nth = 0; nth < 10_000; nth++) {
    progress.say(`message ${nth} ${"-".repeat(80)}`);
    if (nth % 2500 === 0) await look();
  }
  bring(1);
  progress.stop();
  console.log("finished");
} else {
  await transfer();
  if (scene === "hostile")
    progress.ended(fileOf("a\x1b[2J\x9b\u202e\n\x07é", 1, { state: "failed" }));
  if (scene !== "forgotten") progress.stop();
  if (scene === "files" || scene === "hostile") progress.say("the last word");
}
