/** `cli6 stat`: what the server knows of a file or folder. */
import type { Target } from "../client/address.ts";
import { STALL_TIMEOUT_MS } from "../client/stall.ts";
import { connectionFlags, JSON_FLAG, patienceOf, QUIET_FLAG, targetsOf } from "./connection.ts";
import { entryJson, factsText, type Place } from "./entries.ts";
import { type Command, type FlagTable, UsageError } from "./flags.ts";
import { Printer } from "./printer.ts";
import { Report } from "./report.ts";
import { Servers } from "./servers.ts";
import type { Subcommand } from "./subcommand.ts";

const FLAGS = {
  ...connectionFlags(STALL_TIMEOUT_MS),
  json: JSON_FLAG,
  quiet: QUIET_FLAG,
} as const satisfies FlagTable;

const COMMAND: Command<typeof FLAGS> = {
  name: "cli6 stat",
  summary: "Tells type, size, time and version of files and folders.",
  flags: FLAGS,
  operands: { name: "path|url...", description: "what to tell of", max: Infinity },
  examples: [
    ["cli6 stat -s nas big.iso", "size, local time to the nanosecond, version (etag)"],
    ["cli6 stat --json s6://nas/big.iso | jq .size", "as `cli6 ls --json` writes it"],
  ],
};

/** The command. */
export const STAT: Subcommand<typeof FLAGS> = {
  command: COMMAND,
  async run({ values, operands }) {
    const { server, json, quiet } = values;
    if (operands.length === 0) throw new UsageError("stat needs a PATH or URL");
    const targets = targetsOf(operands, server);
    const servers = new Servers(patienceOf(values));
    const report = new Report(quiet);
    const printer = new Printer();
    let printed = 0;
    for (const target of targets) {
      try {
        const place = await look(servers, target);
        const gap = printed++ > 0 ? "\n" : "";
        printer.print(json ? `${entryJson(named(place))}\n` : `${gap}${factsText(place)}`);
      } catch (error) {
        report.fail(error);
      }
      if (report.ended) break;
    }
    return report.status;
  },
};

/** What `target` is, named by its path. Rejects with ClientError. */
export async function look(servers: Servers, target: Target): Promise<Place> {
  const entry = await servers.ask(target, (client, path) => client.stat(path));
  return { entry, name: target.path, path: target.path };
}

// --- internal ---

/** With its last component as the name, as in a listing. */
function named(place: Place): Place {
  const name = place.path.replace(/\/+$/, "");
  return { ...place, name: name === "" ? "/" : name.slice(name.lastIndexOf("/") + 1) };
}
