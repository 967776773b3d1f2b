/**
 * serv6 with a planted fault: started like the command, by the function that starts it, and once it
 * serves, code that got into it tries what it can, in the main thread, in one that was there before
 * the wall, and in one that is made behind it. A line of JSON on standard output says what each
 * got. Arguments: the numbers of a port where something listens and of another process, then
 * serv6's own, its ROOT first.
 */
import { serv6 } from "../../../src/cli/serv6/serv6.ts";
import { tries } from "./tries.ts";

/** A thread that tries when it is told to. */
function thread(): Worker {
  const source = `const tries = ${tries.toString()};
    self.onmessage = async ({ data }) => self.postMessage(await tries(data));
    self.postMessage("up");`;
  return new Worker(URL.createObjectURL(new Blob([source])));
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data);
  });
}

async function got(worker: Worker, given: readonly string[]): Promise<unknown> {
  const answer = message(worker);
  worker.postMessage(given);
  return await answer;
}

const [port = "", pid = "", ...args] = process.argv.slice(2);
const given = [port, args[0] ?? "", pid];
const early = thread();
await message(early);
void serv6(args, process.env).then((status) => process.exit(status));
// The filter comes last of all.
while (!/^Seccomp:\t2$/m.test(await Bun.file("/proc/self/status").text())) await Bun.sleep(1);
const main = await tries(given);
const before = await got(early, given);
const late = thread();
await message(late);
console.log(JSON.stringify({ main, before, behind: await got(late, given) }));
