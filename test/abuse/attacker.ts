/**
 * A program: attacks a server on this machine. `attacker.ts NAME PORT ROOT MS`; it prints a line
 * when the load is on and ends when the time is over, or before when the attack is done.
 */
import fs from "node:fs";
import { Attacker } from "./attack.ts";
import { attackOf } from "./attacks/all.ts";

/** What it prints once the load is on. */
export const BEGUN = "begun\n";

if (import.meta.main) {
  const [name = "", port = "", root = "", ms = ""] = process.argv.slice(2);
  const begun = (): void => void fs.writeSync(1, BEGUN);
  const attacker = new Attacker(Number(port), root, Number(ms), begun);
  attackOf(name).run(attacker);
  attacker.begun();
}
