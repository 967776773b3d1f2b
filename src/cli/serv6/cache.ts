/** `serv6 cache`: what the cache of an object store has, forgetting it, and filling it. */
import fs from "node:fs";
import path from "node:path";
import { parseTarget } from "../../client/address.ts";
import { kernel } from "../../sys/kernel.ts";
import { ERRNO, errnoName } from "../../sys/errno.ts";
import { roomOf } from "../../store/blocks/layout.ts";
import {
  closeFolder,
  forgetBlocks,
  lookIntoFolder,
  readRecords,
} from "../../store/blocks/folder.ts";
import { StoreError } from "../../store/servedroot.ts";
import { printableText } from "../../wire/printable.ts";
import { connectionFlags, connectionSettingsOf, meant } from "../flags/connection.ts";
import {
  type Command,
  type Environment,
  type FlagTable,
  parseFlags,
  UsageError,
} from "../flags/flags.ts";
import { answerTo } from "../flags/help.ts";
import { countText, sizeText } from "../output/amount.ts";
import { printAnswer } from "../output/text.ts";
import { CACHE_FLAGS } from "./cacheflags.ts";
import { Warming } from "./warm.ts";

/** Milliseconds without a byte: a cold block comes from behind a network. */
const TIMEOUT_MS = 60_000;

const FLAGS = {
  cache: CACHE_FLAGS.cache,
  ...connectionFlags(TIMEOUT_MS),
} as const satisfies FlagTable;

/** The command, for the manual page too. */
export const CACHE: Command<typeof FLAGS> = {
  name: "serv6 cache",
  summary: "Tells what a cache of an object store has, empties it, or fills it.",
  flags: FLAGS,
  operands: { name: "stat|clear|warm", description: "what to do; warm takes a PREFIX", max: 2 },
  examples: [
    ["serv6 cache stat --cache /var/cache/serv6", "blocks and bytes, also while it is used"],
    ["serv6 cache clear --cache /var/cache/serv6", "a server that uses it forgets them too"],
    ["serv6 cache warm models", "ask the server on this machine for all below /models"],
    ["serv6 cache warm s6://nas/models/a.bin", "another server, and one file"],
  ],
};

/** Runs the command; resolves to its exit status. Throws UsageError, StoreError, ClientError. */
export async function cache(args: readonly string[], environment: Environment): Promise<number> {
  const invocation = parseFlags(CACHE, args, environment);
  if (invocation.asks !== "run") return printAnswer(await answerTo(invocation.asks, CACHE));
  const { values, operands } = invocation;
  const [what, prefix] = operands;
  if (what?.text === "warm") {
    if (prefix === undefined) throw new UsageError("warm needs a PREFIX: / is all that is served");
    const target = meant(() => parseTarget(prefix.text, values.server));
    const { files, bytes } = await new Warming(target, connectionSettingsOf(values)).run();
    return printAnswer(`${countText(files)} files read, ${sizeText(bytes)}`);
  }
  const doing = { stat, clear }[what?.text ?? ""];
  if (doing === undefined || prefix !== undefined) {
    throw new UsageError("cache takes stat, clear, or warm PREFIX");
  }
  if (values.cache === undefined) throw new UsageError(`${what?.text} needs --cache FOLDER`);
  return printAnswer(doing(path.resolve(values.cache)));
}

// --- internal ---

/** What is in `folder`, in lines. */
function stat(folder: string): string {
  const found = lookIntoFolder(folder);
  if (found === null) throw none(folder);
  const ids = new Set<string>();
  let blocks = 0;
  let bytes = 0;
  readRecords(found, (_slot, { id, length }) => {
    ids.add(Buffer.from(id).toString("latin1"));
    blocks += 1;
    bytes += roomOf(length);
  });
  const taken = fs.fstatSync(found.data).blocks * 512;
  const used = kernel.lock(found.index) === -ERRNO.EAGAIN;
  closeFolder(found);
  return [
    `folder   ${printableText(folder)}`,
    `objects  ${countText(ids.size)}`,
    `blocks   ${countText(blocks)}`,
    `bytes    ${sizeText(bytes)}, ${sizeText(taken)} of the disk`,
    `used     ${used ? "yes" : "no"}`,
  ].join("\n");
}

function clear(folder: string): string {
  const answer = forgetBlocks(folder);
  if (answer === -ERRNO.ENOENT || answer === -ERRNO.EINVAL) throw none(folder);
  if (answer < 0) throw new StoreError(`${printableText(folder)}: ${errnoName(-answer)}`, "EIO");
  return "forgotten";
}

function none(folder: string): StoreError {
  return new StoreError(`${printableText(folder)} has no cache`, "ENOENT");
}
