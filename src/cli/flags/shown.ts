/** What servers are shown: a token, from a file, the environment, or an earlier `cli6 login`. */
import { type ServerAddress, urlOf } from "../../client/address.ts";
import type { ConnectionSettings } from "../../client/wireclient.ts";
import { savedToken } from "../../identity/savedtokens.ts";
import { isToken, TOKEN_CHARS_MAX } from "../../wire/vocabulary.ts";
import { contentOf, wrongFile } from "./filecontent.ts";
import type { FlagTable, Values } from "./flags.ts";
import { stateFile } from "./statefile.ts";
import { filePath } from "./values.ts";

const TOKEN = "Token";

/** Part of the flags of every command that talks to a server. */
export const SHOWN_FLAGS = {
  "token-file": {
    type: "string",
    group: TOKEN,
    valueHint: "file",
    reader: filePath,
    description: "has a token to show, as CLI6_TOKEN; cli6 login saves one",
  },
  "insecure-auth": {
    type: "boolean",
    group: TOKEN,
    description: "show it without TLS too, to other machines",
  },
} as const satisfies FlagTable;

/**
 * What the flags say, and the environment, and what was saved for a server. Throws UsageError for a
 * file without a token.
 */
export function shownOf(
  values: Values<typeof SHOWN_FLAGS>,
): Pick<ConnectionSettings, "token" | "insecureAuth"> {
  const { "token-file": given, "insecure-auth": insecureAuth } = values;
  const token = (given === undefined ? undefined : tokenIn(given)) ?? process.env["CLI6_TOKEN"];
  if (token !== undefined) return { token, insecureAuth };
  const file = stateFile("cli6", "tokens", process.env);
  const saved = (server: ServerAddress): string | null =>
    file === null ? null : savedToken(file, urlOf(server));
  return { token: saved, insecureAuth };
}

// --- internal ---

/** Room for the token, a line end and a word behind it. */
const READ_CHARS_MAX = 2 * TOKEN_CHARS_MAX;

function tokenIn(path: string): string {
  const file = { flag: "--token-file", path };
  const [line = ""] = contentOf(file, READ_CHARS_MAX).split(/\r?\n/);
  if (isToken(line)) return line;
  throw wrongFile(file, "has no token in its first line: visible ASCII and nothing else");
}
