/** Where a program keeps what it has learned: the XDG base directory for state. */
import path from "node:path";
import type { Environment } from "./flags.ts";

/** The path of the user's own file `name` of `program`; null without a home. It need not exist. */
export function stateFile(
  program: "cli6" | "serv6",
  name: string,
  { XDG_STATE_HOME, HOME }: Environment,
): string | null {
  const state = XDG_STATE_HOME ?? "";
  // The specification has relative paths ignored.
  if (path.isAbsolute(state)) return path.join(state, program, name);
  return path.isAbsolute(HOME ?? "") ? path.join(HOME ?? "", ".local/state", program, name) : null;
}
