/**
 * `serv6 sign PATH`: a signed link to a path of a server that has the same key (--link-key). It
 * asks no server: whoever has the key can make one.
 */
import os from "node:os";
import type { ByteString } from "../../wire/bytes.ts";
import { hrefOf } from "../../wire/http/href.ts";
import { relativeOf } from "../../wire/path.ts";
import { PORT_DEFAULT } from "../../wire/vocabulary.ts";
import {
  type Command,
  type Environment,
  type FlagTable,
  parseFlags,
  UsageError,
} from "../flags/flags.ts";
import { answerTo } from "../flags/help.ts";
import { duration } from "../flags/values.ts";
import { addressOf } from "../../guard/networks.ts";
import { printAnswer } from "../output/text.ts";
import { ensureLinkKey, LINK_KEY_FLAG, linkKeyFile } from "./tokenflags.ts";

const DAY_MS = 86_400_000;
const LINK = "Link";

const FLAGS = {
  expires: {
    type: "string",
    group: LINK,
    valueHint: "time",
    reader: duration({ min: 1000, max: 3650 * DAY_MS }),
    description: "how long it is good for",
    default: "1d",
  },
  ip: {
    type: "string",
    group: LINK,
    valueHint: "address",
    // As the server will see it: a link is compared as text.
    reader: { takes: "an address", read: addressOf },
    description: "only for who comes from this address",
  },
  at: {
    type: "string",
    group: LINK,
    valueHint: "url",
    reader: { takes: "https://HOST[:PORT], s6s://HOST[:PORT], http:// or s6://", read: baseOf },
    description: "the server as its users reach it; default: this machine's name, by http://",
  },
  "link-key": LINK_KEY_FLAG,
} as const satisfies FlagTable;

/** The command, for the manual page too: a default that names a machine would stand in that. */
export const SIGN: Command<typeof FLAGS> = {
  name: "serv6 sign",
  summary: "Makes a link that opens one path, and what is below it, until it expires.",
  flags: FLAGS,
  operands: { name: "path", description: "as below ROOT: /models, or models/a.bin", max: 1 },
  examples: [
    ["serv6 sign /models/a.bin --expires 1h --at https://nas:6464", "for a browser and curl"],
    ["serv6 sign models --at s6s://nas", "a folder, for cli6 mirror"],
  ],
  sections: [
    { title: "Revoking", lines: ["Another key in the file of --link-key ends all links at once."] },
  ],
};

/** Runs the command; resolves to its exit status. Throws UsageError. */
export async function sign(args: readonly string[], environment: Environment): Promise<number> {
  const invocation = parseFlags(SIGN, args, environment);
  if (invocation.asks !== "run") return printAnswer(await answerTo(invocation.asks, SIGN));
  const { values, operands } = invocation;
  const [given] = operands;
  // An empty one is a variable without a value: it must not open everything.
  if (given === undefined || given.text === "") {
    throw new UsageError("sign needs a path: / is all that is served");
  }
  const path = pathOf(given.text);
  const until = Math.ceil((Date.now() + values.expires) / 1000);
  const key = ensureLinkKey(linkKeyFile(values["link-key"], environment));
  const link = key.sign({ path, until, address: values.ip ?? "" });
  if (link === null) throw new UsageError("the path is too long for a link");
  const at = values.at ?? `http://${os.hostname()}:${PORT_DEFAULT}`;
  return printAnswer(`${at}${hrefOf(path)}?link=${link}`);
}

// --- internal ---

/** A server's URL without a slash behind it; null with a path, below which no server of ours is. */
function baseOf(given: string): string | null {
  return /^((?:https?|s6s?):\/\/[^/?#@\s]+)\/?$/.exec(given)?.[1] ?? null;
}

function pathOf(given: ByteString): ByteString {
  const path = given.startsWith("/") ? given : `/${given}`;
  const relative = relativeOf(path);
  if (typeof relative === "string") return path;
  throw new UsageError(relative.message);
}
