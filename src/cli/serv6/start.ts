/** Runs serv6 on the process's own command line, and ends the process with its exit status. */
import { argumentBytes } from "../flags/argv.ts";
import { serv6 } from "./serv6.ts";

/** Never returns to its caller's work: the process ends with it. */
export function start(): void {
  void serv6(argumentBytes(), process.env).then((status) => process.exit(status));
}
