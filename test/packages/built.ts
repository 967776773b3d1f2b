/** What `make test-packages` has built for this machine. */
import fs from "node:fs";
import path from "node:path";
import { ROOT, targetHere } from "../../.ci/package/runtime.ts";

/** The folder with all that is built. */
export const DIST: string = path.join(ROOT, "dist");

/** The path of a program for this machine. Throws where it was not built. */
export function built(program: "serv6" | "cli6"): string {
  const file = path.join(DIST, targetHere().name, program);
  if (fs.existsSync(file)) return file;
  throw new Error(`there is no ${file}: make test-packages builds it before it runs this`);
}
