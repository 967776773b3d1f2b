/**
 * `bun bench/tokens.ts`: whether the time of a comparison tells how much of a token is right. Wrong
 * tokens that share all but the last character with a right one, and some that share none, are
 * looked for in turns; Welch's t of the two times is printed. Beyond 4.5 there is a difference.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Tokens } from "../src/identity/tokens.ts";
import { refuse, run } from "./command.ts";
import { temporaryFolder } from "./temporary.ts";

const NAME = "tokens";
const USAGE = `bun bench/tokens.ts

Whether the time of a comparison tells how much of a token is right. No flags; takes half a minute.
The status is 1 where it does.`;

/** Of each kind. */
const LOOKS = 100_000;

/** Times above this share of all are other programs', not ours. */
const KEPT = 0.9;

/** Where a leak begins to be believed (Goodwill et al., 2011). */
const T_MAX = 4.5;

function main(): number {
  const [flag] = process.argv.slice(2);
  if (flag === "--help") {
    console.log(USAGE);
    return 0;
  }
  if (flag !== undefined) return refuse(`takes no ${flag}`, USAGE, NAME);
  const folder = temporaryFolder();
  try {
    const secrets = Array.from({ length: 100 }, () => randomBytes(32).toString("base64url"));
    const digest = (secret: string): string => createHash("sha256").update(secret).digest("hex");
    const entries = secrets.map(
      (it, nth) => `[[token]]\nname = "n${nth}"\nsha256 = "${digest(it)}"\n`,
    );
    const file = `${folder.path}/tokens`;
    writeFileSync(file, entries.join(""), { mode: 0o600 });
    const tokens = Tokens.ofFile(file);
    const near = secrets.map((it) => it.slice(0, -1) + (it.endsWith("A") ? "B" : "A"));
    const far = secrets.map(() => randomBytes(32).toString("base64url"));
    const times = { near: new Float64Array(LOOKS), far: new Float64Array(LOOKS) };
    for (let nth = -1000; nth < LOOKS; nth++) {
      const at = Math.abs(nth) % secrets.length;
      for (const kind of nth % 2 === 0 ? (["near", "far"] as const) : (["far", "near"] as const)) {
        const asked = (kind === "near" ? near : far)[at]!;
        const began = Bun.nanoseconds();
        if (tokens.find(asked) !== null) throw new Error("a wrong token is right");
        if (nth >= 0) times[kind][nth] = Bun.nanoseconds() - began;
      }
    }
    const [a, b] = [factsOf(times.near), factsOf(times.far)];
    const t = (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
    console.log(
      `${secrets.length} tokens, ${LOOKS} looks of each kind, the slowest tenth left out`,
    );
    console.log(`all but the last character right: ${a.mean.toFixed(0)} ns`);
    console.log(`none right:                       ${b.mean.toFixed(0)} ns`);
    console.log(
      `Welch's t: ${t.toFixed(2)}, ${Math.abs(t) < T_MAX ? "no difference" : "A DIFFERENCE"}`,
    );
    return Math.abs(t) < T_MAX ? 0 : 1;
  } finally {
    folder.remove();
  }
}

function factsOf(times: Float64Array): { mean: number; variance: number; count: number } {
  const kept = times.toSorted().subarray(0, Math.floor(times.length * KEPT));
  const mean = kept.reduce((sum, it) => sum + it, 0) / kept.length;
  const variance = kept.reduce((sum, it) => sum + (it - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

await run(main, NAME);
