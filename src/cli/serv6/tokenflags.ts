/** The flags of tokens: who may read what, and a new token. */
import { createHash, randomBytes } from "node:crypto";
import { LinkKey } from "../../identity/links.ts";
import type { ServeOptions } from "../../server/start.ts";
import { codeOf } from "../../sys/errno.ts";
import { Failure } from "../../wire/failure.ts";
import { printableText } from "../../wire/printable.ts";
import { type Environment, UsageError, type Values } from "../flags/flags.ts";
import { stateFile } from "../flags/statefile.ts";
import { filePath } from "../flags/values.ts";

const TOKENS = "Tokens";

/** As many as a SHA-256 has: nobody guesses one. */
const TOKEN_BYTES = 32;

/** `--link-key`, of the server and of `serv6 sign`. */
export const LINK_KEY_FLAG = {
  type: "string",
  group: TOKENS,
  valueHint: "file",
  reader: filePath,
  description: "key of the links that serv6 sign makes; made when it is missing",
} as const;

/** Part of the table of serv6. */
export const TOKEN_FLAGS = {
  tokens: {
    type: "string",
    group: TOKENS,
    valueHint: "file",
    reader: filePath,
    description: "who may read what; SERV6_TOKEN is one that may read everything",
  },
  "new-token": {
    type: "string",
    group: TOKENS,
    valueHint: "name",
    reader: { takes: "a name of letters, digits, dots, - and _", read: nameOf },
    momentary: true,
    description: "make a token: it goes to stdout, its entry for the file of tokens to stderr",
  },
  "link-key": LINK_KEY_FLAG,
  links: {
    type: "boolean",
    group: TOKENS,
    description: "take signed links, with the key in the user's own state folder",
  },
  "insecure-auth": {
    type: "boolean",
    group: TOKENS,
    description: "take tokens in plaintext from other machines too",
  },
} as const;

/**
 * What they mean; nothing where everybody may read everything. The key of links is made when it is
 * missing, unless `makes` is false. Throws UsageError for flags that do not go together.
 */
export function tokensOf(
  values: Values<typeof TOKEN_FLAGS>,
  environment: Environment,
  makes = true,
): Pick<ServeOptions, "tokens"> {
  const { tokens: file, "insecure-auth": insecure } = values;
  // A word of a command line is in `ps` and in the shell's history: a token is never one.
  const secret = environment["SERV6_TOKEN"];
  if (file !== undefined && secret !== undefined) {
    throw new UsageError("--tokens names a file, and SERV6_TOKEN is one token: give one of them");
  }
  const linkKey = linkKeyOf(values, environment, makes);
  const shared = { insecure, ...(linkKey !== null && { linkKey }) };
  if (file !== undefined) return { tokens: { file, ...shared } };
  if (secret !== undefined) return { tokens: { secret, ...shared } };
  if (linkKey !== null) return { tokens: shared };
  if (insecure) throw new UsageError("--insecure-auth needs --tokens or SERV6_TOKEN");
  return {};
}

/** A new token called `name`, and its entry for the file of tokens. */
export function newToken(name: string): { token: string; entry: string } {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const digest = createHash("sha256").update(token).digest("hex");
  return { token, entry: `[[token]]\nname = "${name}"\nsha256 = "${digest}"\n` };
}

/** The file of the key: `given`, or one of the user's own. Throws UsageError without a home. */
export function linkKeyFile(given: string | undefined, environment: Environment): string {
  const file = given ?? stateFile("serv6", "links.key", environment);
  if (file === null) throw new UsageError("the key of links is kept below HOME: name a --link-key");
  return file;
}

/**
 * The key in `file`, which is made when it is missing. Throws Failure (usage) where it can't be
 * kept or used.
 */
export function ensureLinkKey(file: string): LinkKey {
  try {
    return LinkKey.ensure(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = codeOf(error);
    const text = `--link-key: no key can be kept in ${printableText(file)} (${code})`;
    throw new Failure("usage", code, text);
  }
}

// --- internal ---

/**
 * The file of the key, which is there when this returns and it `makes` one; null where no links are
 * taken.
 */
function linkKeyOf(
  { "link-key": given, links }: Values<typeof TOKEN_FLAGS>,
  environment: Environment,
  makes: boolean,
): string | null {
  if (given === undefined && !links) return null;
  const file = linkKeyFile(given, environment);
  if (makes) ensureLinkKey(file);
  return file;
}

function nameOf(given: string): string | null {
  return /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : null;
}
