/**
 * A command whose transfers are a script: what it shows is looked at by screen.test.ts and
 * events.test.ts. Arguments: the scene, and the mode if not the default.
 */
import { type ProgressMode, startProgress } from "../../../src/cli/progress/progress.ts";
import { Progress } from "../../../src/download/progress.ts";
import { fileOf, MIB } from "./numbers.ts";

const [scene, mode] = process.argv.slice(2);
const progress = new Progress();
// Not looked at elsewhere: looking makes a pipe non-blocking.
const columns = scene === "resized" ? process.stderr.columns : 0;
/** How often what is shown has looked at the progress; null where nothing is. */
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
const display = startProgress(progress, mode as ProgressMode | undefined);
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
  progress.totalKnown = true;
  for (const file of files) {
    progress.running.add(file);
    progress.files += 1;
    progress.bytes += file.size;
    progress.kept += file.kept;
    progress.arrived += file.kept;
  }
}

/** Brings `part` of what is left of each file; the whole of it is its end. */
function bring(part: number): void {
  for (const file of files) {
    if (!progress.running.has(file)) continue;
    const count = Math.floor((file.size - file.arrived) * part);
    for (const counts of [file, progress]) {
      counts.received += count;
      counts.arrived += count;
      counts.verified += count + (part === 1 ? file.kept : 0);
    }
    if (part < 1) continue;
    file.state = "done";
    progress.running.delete(file);
    progress.done += 1;
  }
}

/** Messages, and files that come to their end. */
async function transfer(): Promise<void> {
  display.say("message 1: before anything is known");
  begin();
  await look();
  bring(0.5);
  display.say("note 1: chunk 3 arrived wrong, fetched again");
  await look();
  display.say(`message 2: ${"long ".repeat(60)}end`);
  display.say("message 3");
  await look();
  if (scene === "resized") await resized();
  for (const file of files) file.state = "done";
  await look();
  bring(1);
  // Without it the picture gets lower with nothing printed above it.
  if (scene !== "forgotten") display.say("note 2: the last");
}

/** Until the terminal has another width, and a picture in it. */
async function resized(): Promise<void> {
  while (process.stderr.columns === columns) await Bun.sleep(5);
  display.say("message 4: resized");
  await look();
}

if (scene === "flood") {
  // Some hundred times what a terminal or a pipe takes, while nobody reads.
  begin();
  for (let nth = 0; nth < 10_000; nth++) {
    display.say(`message ${nth} ${"-".repeat(80)}`);
    if (nth % 2500 === 0) await look();
  }
  bring(1);
  display.stop();
  console.log("finished");
} else {
  await transfer();
  if (scene === "hostile")
    display.ended(fileOf("a\x1b[2J\x9b\u202e\n\x07é", 1, { state: "failed" }));
  if (scene !== "forgotten") display.stop();
  if (scene === "files" || scene === "hostile") display.say("the last word");
}
