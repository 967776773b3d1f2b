/** The flags that say which servers are believed over TLS, and what they are as TrustOptions. */
import fs from "node:fs";
import { type TrustOptions, pinOf } from "../../identity/trust.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { printableText } from "../../wire/printable.ts";
import type { FlagTable, Values } from "./flags.ts";
import { stateFile } from "./statefile.ts";
import type { Reader } from "./values.ts";

const STDERR = 2;

/** Heading of the help. */
const TRUST = "TLS (s6s://)";

/** Bytes of a file of certificates: the system's roots together have 250 KB. */
const PEM_BYTES_MAX = 4 * 1024 * 1024;

/** The content of a file that holds something of the kind `what` in PEM. */
function pem(what: string): Reader<string> {
  return {
    takes: `a file with ${what} in PEM`,
    read(file) {
      const facts = fs.statSync(file, { throwIfNoEntry: false });
      if (facts === undefined || facts.size > PEM_BYTES_MAX) return null;
      const text = fs.readFileSync(file, "utf8");
      return text.includes("-----BEGIN ") ? text : null;
    },
  };
}

function fileFlag(what: string, description: string) {
  return {
    type: "string",
    group: TRUST,
    valueHint: "file",
    reader: pem(what),
    description,
  } as const;
}

/** Part of the flags of every command that talks to a server. */
export const TRUST_FLAGS = {
  pin: {
    type: "string",
    group: TRUST,
    valueHint: "digest",
    reader: { takes: '"sha256:" and the 64 hex digits of a certificate\'s SHA-256', read: pinOf },
    description: "believe the server of this certificate, and no other",
  },
  ca: fileFlag("certificates of authorities", "believe these authorities, not the system's"),
  cert: fileFlag("a certificate", "this client's certificate, for servers that want one"),
  key: fileFlag("a private key", "its key"),
} as const satisfies FlagTable;

/** What the flags say; servers that are seen first are noted in a file of the user's own. */
export function trustOf(values: Values<typeof TRUST_FLAGS>): TrustOptions {
  const { pin, ca, cert, key } = values;
  const knownHosts = stateFile("cli6", "known_hosts", process.env);
  return {
    ...(pin !== undefined && { pin }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(knownHosts !== null && { knownHosts }),
    onFirstSeen: sayFirstSeen,
  };
}

// --- internal ---

function sayFirstSeen(server: string, fingerprint: string): void {
  const text = `cli6: ${printableText(server)} is seen for the first time: its certificate ${fingerprint} is noted, and another one will be refused\n`;
  writeFully(STDERR, Buffer.from(text));
}
