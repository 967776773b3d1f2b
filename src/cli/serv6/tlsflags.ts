/** The flags of TLS: which certificate and key, who needs one too, who may do without. */
import fs from "node:fs";
import path from "node:path";
import { ensureOwnFile } from "../../identity/ownfile.ts";
import type { ServeOptions } from "../../server/start.ts";
import { isS3Root } from "../../store/s3/address.ts";
import { type Environment, UsageError, type Values } from "../flags/flags.ts";
import { stateFile } from "../flags/statefile.ts";
import { filePath } from "../flags/values.ts";

const TLS = "TLS";

function fileFlag(description: string) {
  return {
    type: "string",
    group: TLS,
    valueHint: "file",
    reader: filePath,
    description,
  } as const;
}

/** Part of the table of serv6. */
export const TLS_FLAGS = {
  "tls-cert": fileFlag("certificate in PEM, and those between it and a root behind it"),
  "tls-key": fileFlag("its private key in PEM, without a passphrase"),
  "tls-self": {
    type: "boolean",
    group: TLS,
    description: "a key of its own, made at the first start; it tells how clients know it",
  },
  "tls-client-ca": fileFlag("authorities in PEM that a client needs a certificate of"),
  plaintext: {
    type: "boolean",
    group: TLS,
    description: "other machines may also come without TLS; this one always may",
  },
} as const;

/**
 * What they mean for a server of `roots`; nothing where no certificate is asked for. With
 * --tls-self the key is made when it is missing, unless `makes` is false. Throws UsageError for
 * flags that do not go together.
 */
export function tlsOf(
  values: Values<typeof TLS_FLAGS> & { readonly hidden: boolean },
  roots: readonly string[],
  environment: Environment,
  makes = true,
): Pick<ServeOptions, "tls"> {
  const { "tls-cert": cert, "tls-key": key, "tls-client-ca": clientCa, plaintext } = values;
  const shared = { plaintext, ...(clientCa === undefined ? {} : { clientCa }) };
  if (values["tls-self"]) {
    if (cert !== undefined || key !== undefined) {
      throw new UsageError("--tls-self makes a certificate, --tls-cert and --tls-key have one");
    }
    const file = ownFile(roots, values.hidden, environment, makes);
    return { tls: { cert: file, key: file, self: true, ...shared } };
  }
  if (cert !== undefined && key !== undefined) return { tls: { cert, key, ...shared } };
  if (cert !== undefined || key !== undefined) {
    throw new UsageError("--tls-cert and --tls-key belong together");
  }
  const needs = "needs --tls-self, or --tls-cert and --tls-key";
  if (clientCa !== undefined) throw new UsageError(`--tls-client-ca ${needs}`);
  if (plaintext) throw new UsageError(`--plaintext ${needs}: without them all is plaintext`);
  return {};
}

// --- internal ---

/** The file of the key, which is there when this returns and it `makes` one. */
function ownFile(
  roots: readonly string[],
  hidden: boolean,
  environment: Environment,
  makes: boolean,
): string {
  const file = stateFile("serv6", "tls.pem", environment);
  if (file === null) throw new UsageError("--tls-self keeps its key below HOME, and there is none");
  if (makes) ensureOwnFile(file);
  const real = realPathOf(file);
  for (const root of roots) {
    if (isS3Root(root)) continue;
    // Names that start with a dot are not served, and ".local" is one of them.
    const below = path.relative(realPathOf(root), real);
    if (!below.startsWith("../") && (hidden || !/(?:^|\/)\./.test(below))) {
      throw new UsageError(`the key of --tls-self would be served: ${file} is below ROOT`);
    }
  }
  return file;
}

/** Where `file` really is, or would be: what is missing of it counts as it is written. */
function realPathOf(file: string): string {
  if (fs.existsSync(file)) return fs.realpathSync(file);
  const folder = path.dirname(path.resolve(file));
  return folder === file ? file : path.join(realPathOf(folder), path.basename(file));
}
