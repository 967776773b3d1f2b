/**
 * cli6 with a planted fault: runs the command line behind the first two arguments by the function
 * that starts the program, and then tries to write a file to the folder of each of these two. A
 * line of JSON on standard output says what came of all.
 */
import fs from "node:fs";
import { cli6 } from "../../../src/cli/cli6/cli6.ts";

const [inside = "", outside = "", ...args] = process.argv.slice(2);

function attempt(what: () => unknown): string {
  try {
    what();
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

const status = await cli6(args, process.env);
console.log(
  JSON.stringify({
    status,
    inside: attempt(() => fs.writeFileSync(`${inside}/planted`, "x")),
    outside: attempt(() => fs.writeFileSync(`${outside}/planted`, "x")),
    remove: attempt(() => fs.unlinkSync(`${outside}/a.txt`)),
    cut: attempt(() => fs.truncateSync(`${outside}/a.txt`)),
    read: attempt(() => fs.readFileSync(`${outside}/a.txt`)),
    program: attempt(() => Bun.spawnSync(["/bin/true"])),
    later: await fs.promises.writeFile(`${outside}/later`, "x").then(
      () => "done",
      (error: NodeJS.ErrnoException) => error.code,
    ),
  }),
);
process.exit(0);
