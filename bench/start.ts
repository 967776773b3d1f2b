/**
 * `bun bench/start.ts [ROUNDS]`: from the start of a program to the first byte of a file, for the
 * compiled serv6 and cli6 (`make build`) beside the same from source. The server's time ends when a
 * client that waits for its ready line has the byte, the client's when its output has one.
 *
 * Medians of interleaved rounds, and the ratio of paired ones. Every start is a warm one: the files
 * of each program were read before.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { targetHere } from "../.ci/package/runtime.ts";
import { machineLine } from "./proc.ts";
import { SERV6_ENTRY } from "./server.ts";
import { median, pairedRatio } from "./stats.ts";
import { temporaryFolder } from "./temporary.ts";

const ROUNDS = 21;
const NAME = "f";
const CONTENT = "content";

/** A program in one of its forms, and what its starts took. */
interface Form {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ms: number[];
}

const SOURCE = [process.execPath, "--config=/dev/null", "--no-env-file"];
const BUILT = join(SERV6_ENTRY, "../../dist", targetHere().name);

const [rounds = ROUNDS] = process.argv.slice(2).map(Number);
if (!existsSync(join(BUILT, "serv6"))) {
  console.error("there is no compiled serv6 in dist: make build TARGETS=here, or make bench-start");
  process.exit(2);
}
const folder = temporaryFolder();
writeFileSync(join(folder.path, NAME), CONTENT);
console.log(`start to first byte, ${rounds} rounds; ${machineLine()}`);

const servers = formsOf("serv6", {});
await compare(servers, serverStart);
const running = started(formsOf("serv6", {})[0]!);
const port = await running.port;
// As the programs' first lines have it.
await compare(formsOf("cli6", { BUN_JSC_useFTLJIT: "0" }), (form) => clientStart(form, port));
running.child.kill();
await running.child.exited;

/** The compiled form first; `env` is what the source's first line sets. */
function formsOf(program: string, env: Record<string, string>): Form[] {
  const source = [...SOURCE, join(SERV6_ENTRY, "..", `${program}.ts`)];
  return [
    { name: `${program}, compiled`, command: [join(BUILT, program)], env: {}, ms: [] },
    { name: `bun src/${program}.ts`, command: source, env, ms: [] },
  ];
}

async function compare(forms: readonly Form[], start: (form: Form) => Promise<number>) {
  for (const form of forms) await start(form);
  for (let round = 0; round < rounds; round++) {
    for (const form of forms) form.ms.push(await start(form));
  }
  const source = forms.at(-1)!;
  for (const { name, ms } of forms) {
    const { median: ratio, min, max } = pairedRatio(ms, source.ms);
    const range = `${ratio.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)}) of source`;
    const least = Math.min(...ms).toFixed(1);
    console.log(`  ${name.padEnd(18)} ${median(ms).toFixed(1)} ms, at least ${least}  ${range}`);
  }
}

/** A server, and the port of its ready line. */
function started({ command, env }: Form) {
  const child = Bun.spawn([...command, folder.path, "-q", "-p", "0", "--log", "off"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  return { child, port: portOf(child.stderr) };
}

async function portOf(stderr: ReadableStream<Uint8Array>): Promise<number> {
  let said = "";
  for await (const chunk of stderr) {
    said += Buffer.from(chunk).toString();
    const port = /:(\d+)\/\n/.exec(said)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`serv6 did not start: ${said}`);
}

async function serverStart(form: Form): Promise<number> {
  const began = performance.now();
  const { child, port } = started(form);
  const first = Promise.withResolvers<number>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: await port,
    socket: {
      data: () => first.resolve(performance.now() - began),
      close: () => first.reject(new Error("no byte came")),
    },
  });
  socket.write(`${NAME}\n`);
  const ms = await first.promise;
  child.kill("SIGKILL");
  await child.exited;
  return ms;
}

async function clientStart({ command, env }: Form, port: number): Promise<number> {
  const began = performance.now();
  const child = Bun.spawn([...command, "-s", `127.0.0.1:${port}`, NAME], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let ms = NaN;
  let came = "";
  for await (const chunk of child.stdout) {
    if (came === "") ms = performance.now() - began;
    came += Buffer.from(chunk).toString();
  }
  await child.exited;
  if (came !== CONTENT) throw new Error(`cli6 brought ${JSON.stringify(came)}`);
  return ms;
}
