/** Runs cli6 on the process's own command line, and ends the process with its exit status. */
import { argumentBytes } from "../flags/argv.ts";
import { cli6 } from "./cli6.ts";
import { leaveOutLastCompiler } from "./lastcompiler.ts";

/** Never returns to its caller's work: the process ends with it. */
export function start(): void {
  const args = argumentBytes();
  leaveOutLastCompiler(args);
  void cli6(args, process.env).then((status) => process.exit(status));
}
