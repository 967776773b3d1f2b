/** The list of attacks, in the order in which they are run. */
import type { Attack } from "../attack.ts";
import { COLD } from "./cold.ts";
import { CONNECTIONS } from "./connections.ts";
import { FOUND } from "./found.ts";
import { HTTP } from "./http.ts";
import { LINES } from "./lines.ts";
import { READERS } from "./readers.ts";
import { REQUESTS } from "./requests.ts";

/** All of them; each has its own name. */
export const ATTACKS: readonly Attack[] = [
  ...COLD,
  ...FOUND,
  ...READERS,
  ...REQUESTS,
  ...CONNECTIONS,
  ...LINES,
  ...HTTP,
];

/** The attack called `name`, or an Error. */
export function attackOf(name: string): Attack {
  const found = ATTACKS.find((attack) => attack.name === name);
  if (found === undefined) throw new Error(`there is no attack called ${name}`);
  return found;
}
