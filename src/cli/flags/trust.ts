/** The flags that say which servers are believed over TLS, and what they are as TrustOptions. */
import { createPrivateKey } from "node:crypto";
import { firstCertificate } from "../../identity/certificates.ts";
import { pinsOf, type TrustOptions } from "../../identity/trust.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { printableText } from "../../wire/printable.ts";
import { contentOf, type NamedFile, wrongFile } from "./filecontent.ts";
import { type FlagTable, UsageError, type Values } from "./flags.ts";
import { stateFile } from "./statefile.ts";
import { filePath } from "./values.ts";

const STDERR = 2;

/** Heading of the help. */
const TRUST = "TLS (s6s://)";

/** Bytes of a file of certificates: the system's roots together have 250 KB. */
const PEM_BYTES_MAX = 4 * 1024 * 1024;

/** How each kind begins (RFC 7468); a key behind a passphrase says so in one of two ways. */
const CERTIFICATE = /^-----BEGIN (?:[A-Z0-9]+ )?CERTIFICATE-----/m;
const PRIVATE_KEY = /^-----BEGIN (?!ENCRYPTED)(?:[A-Z]+ )?PRIVATE KEY-----(?!\r?\nProc-Type)/m;

function fileFlag(description: string) {
  return {
    type: "string",
    group: TRUST,
    valueHint: "file",
    reader: filePath,
    description,
  } as const;
}

/** Part of the flags of every command that talks to a server. */
export const TRUST_FLAGS = {
  pin: {
    type: "string",
    group: TRUST,
    valueHint: "digest,...",
    reader: {
      takes: '"sha256:" and the 64 hex digits of a certificate\'s SHA-256; or several, with commas',
      read: (text) => pinsOf(text)?.join(",") ?? null,
    },
    description: "believe the server of this certificate, or of one of these, and no other",
  },
  ca: fileFlag("believe the authorities in this file, in PEM, not the system's"),
  cert: fileFlag("this client's certificate in PEM, for servers that want one"),
  key: fileFlag("its key in PEM"),
} as const satisfies FlagTable;

/**
 * What the flags say; servers that are seen first are noted in a file of the user's own. Throws
 * UsageError for a file that does not hold what it should.
 */
export function trustOf(values: Values<typeof TRUST_FLAGS>): TrustOptions {
  const { pin, ca, cert, key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--cert and --key belong together");
  }
  const shown = cert !== undefined && key !== undefined ? certificateOf(cert, key) : {};
  const knownHosts = stateFile("cli6", "known_hosts", process.env);
  return {
    ...(pin !== undefined && { pin: pin.split(",") }),
    ...(ca !== undefined && { ca: certificatesIn("--ca", ca) }),
    ...shown,
    ...(knownHosts !== null && { knownHosts }),
    onFirstSeen: sayFirstSeen,
  };
}

// --- internal ---

function certificatesIn(flag: string, path: string): string {
  const text = contentOf({ flag, path }, PEM_BYTES_MAX);
  if (!CERTIFICATE.test(text)) throw wrongFile({ flag, path }, "holds no certificate in PEM");
  readBy(() => firstCertificate(text), { flag, path }, "certificate");
  return text;
}

/** What a client shows. Throws UsageError also where the key is that of another certificate. */
function certificateOf(certPath: string, keyPath: string): { cert: string; key: string } {
  const cert = certificatesIn("--cert", certPath);
  const file = { flag: "--key", path: keyPath };
  const key = contentOf(file, PEM_BYTES_MAX);
  if (!PRIVATE_KEY.test(key)) {
    throw wrongFile(file, "holds no private key in PEM that needs no passphrase");
  }
  const secret = readBy(() => createPrivateKey(key), file, "private key");
  if (firstCertificate(cert).checkPrivateKey(secret)) return { cert, key };
  throw wrongFile(file, `is not the key of ${printableText(certPath)}`);
}

/** What `read` makes of a file whose frame is right; its error says how a parser saw it. */
function readBy<T>(read: () => T, file: NamedFile, what: string): T {
  try {
    return read();
  } catch {
    throw wrongFile(file, `holds a ${what} that is damaged`);
  }
}

function sayFirstSeen(server: string, fingerprint: string): void {
  const text = `cli6: ${printableText(server)} is seen for the first time: its certificate ${fingerprint} is noted, and another one will be refused\n`;
  writeFully(STDERR, Buffer.from(text));
}
