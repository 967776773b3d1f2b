/** `cli6 stat`: type, size, time and version of files and folders, by one STAT for each. */
import type { Target } from "../../client/address.ts";
import { unescape } from "../../wire/escape.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import { connectionFlags, connectionSettingsOf, targetsOf } from "../flags/connection.ts";
import { JSON_FLAG, QUIET_FLAG } from "../flags/general.ts";
import { entryJson, factsText, type Place } from "../output/entries.ts";
import { type Command, type FlagTable, UsageError } from "../flags/flags.ts";
import { TextOutput } from "../output/text.ts";
import { Report } from "../output/report.ts";
import { ClientsByServer } from "../../client/clients.ts";
import type { Subcommand } from "../flags/subcommand.ts";

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
    const servers = new ClientsByServer(connectionSettingsOf(values));
    const report = new Report(quiet);
    const output = new TextOutput();
    let printed = 0;
    for (const target of targets) {
      try {
        const place = await statOf(servers, target);
        const gap = printed++ > 0 ? "\n" : "";
        output.print(json ? `${entryJson(named(place))}\n` : `${gap}${factsText(place)}`);
      } catch (error) {
        report.fail(error);
      }
      if (report.ended) break;
    }
    return report.status;
  },
};

/** What `target` is, named by its path. Rejects with ClientError. */
export async function statOf(servers: ClientsByServer, target: Target): Promise<Place> {
  const entry = await servers.ask(target, (client, path) => client.stat(path));
  // A path of HTTP is escaped as its URL has it.
  const path =
    target.server.http === undefined ? target.path : (unescape(target.path) ?? target.path);
  return { entry, name: path, path };
}

// --- internal ---

/** Named by its last component, as in a listing. */
function named(place: Place): Place {
  const name = place.path.replace(/\/+$/, "");
  return { ...place, name: name === "" ? "/" : name.slice(name.lastIndexOf("/") + 1) };
}
