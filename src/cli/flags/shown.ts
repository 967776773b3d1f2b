/** What servers are shown: a token, from a file, the environment, or an earlier `cli6 login`. */
import fs from "node:fs";
import { type ServerAddress, urlOf } from "../../client/address.ts";
import type { ConnectionSettings } from "../../client/wireclient.ts";
import { savedToken } from "../../identity/savedtokens.ts";
import { isToken, TOKEN_CHARS_MAX } from "../../wire/vocabulary.ts";
import type { FlagTable, Values } from "./flags.ts";
import { stateFile } from "./statefile.ts";

const TOKEN = "Token";

/** Part of the flags of every command that talks to a server. */
export const SHOWN_FLAGS = {
  "token-file": {
    type: "string",
    group: TOKEN,
    valueHint: "file",
    reader: { takes: "a file with a token in its first line", read: tokenIn },
    description: "show its token; CLI6_TOKEN is one too, and cli6 login saves one",
  },
  "insecure-auth": {
    type: "boolean",
    group: TOKEN,
    description: "show it without TLS too, to other machines",
  },
} as const satisfies FlagTable;

/** What the flags say, and the environment, and what was saved for a server. */
export function shownOf(
  values: Values<typeof SHOWN_FLAGS>,
): Pick<ConnectionSettings, "token" | "insecureAuth"> {
  const { "token-file": given, "insecure-auth": insecureAuth } = values;
  const token = given ?? process.env["CLI6_TOKEN"];
  if (token !== undefined) return { token, insecureAuth };
  const file = stateFile("cli6", "tokens", process.env);
  const saved = (server: ServerAddress): string | null =>
    file === null ? null : savedToken(file, urlOf(server));
  return { token: saved, insecureAuth };
}

// --- internal ---

/** Room for the token, a line end and a word behind it. */
const READ_CHARS_MAX = 2 * TOKEN_CHARS_MAX;

function tokenIn(file: string): string | null {
  const facts = fs.statSync(file, { throwIfNoEntry: false });
  if (facts?.isFile() !== true || facts.size > READ_CHARS_MAX) return null;
  const [line = ""] = fs.readFileSync(file, "latin1").split(/\r?\n/);
  return isToken(line) ? line : null;
}
