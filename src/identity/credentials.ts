/**
 * The certificate and key of a server, out of PEM files: read, checked against each other, and read
 * again when they change. A file that is broken meanwhile leaves the old pair in use. No text that
 * is made here holds a key, or anything else of what the files contain.
 */
import { createHash, createPrivateKey, type X509Certificate } from "node:crypto";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { firstCertificate } from "./certificates.ts";
import { contentOf, Watched } from "./watchedfile.ts";

/** Which files, as paths. */
export interface CredentialFiles {
  /** The server's certificate, and those of the authorities between it and a root behind it. */
  readonly cert: string;
  /** Its private key, without a passphrase. */
  readonly key: string;
  /** Authorities that a client's certificate must come from; null: clients need none. */
  readonly clientCa: string | null;
  /** No authority has signed it. */
  readonly self: boolean;
}

/** What a handshake needs, as Bun takes it. */
export interface Material {
  readonly cert: string;
  readonly key: string;
  /** Null: clients need no certificate. */
  readonly clientCa: string | null;
}

/** Bytes of one file: a chain of certificates has some 10 KB. */
const FILE_BYTES_MAX = 1024 * 1024;

/** The pair in use. */
export class Credentials {
  readonly files: CredentialFiles;
  readonly #pair: Watched<Pair>;

  /** Reads `files`: throws Failure (usage) that says which of them is wrong, and why. */
  constructor(files: CredentialFiles) {
    this.files = files;
    this.#pair = new Watched(pathsOf(files), () => read(files));
  }

  get material(): Material {
    return this.#pair.value.material;
  }

  /** SHA-256 of the certificate (DER), as 64 hex digits: what `--pin` compares. */
  get fingerprint(): string {
    return this.#pair.value.fingerprint;
  }

  /** As of Watched. */
  settle(): void {
    this.#pair.settle();
  }

  /** As of Watched: null, or what is wrong with the new ones. Then the old pair stays. */
  refresh(): Failure | null {
    return this.#pair.refresh();
  }
}

/** SHA-256 of `certificate` (DER), as 64 hex digits. */
export function fingerprintOf(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("hex");
}

// --- internal ---

interface Pair {
  readonly material: Material;
  readonly fingerprint: string;
}

function read({ cert, key, clientCa }: CredentialFiles): Pair {
  const material = {
    cert: textOf("--tls-cert", cert),
    key: textOf("--tls-key", key),
    clientCa: clientCa === null ? null : textOf("--tls-client-ca", clientCa),
  };
  const certificate = certificateOf("--tls-cert", cert, material.cert);
  if (!certificate.checkPrivateKey(privateKeyOf(key, material.key))) {
    throw wrong("--tls-key", key, `is not the key of ${printableText(cert)}`);
  }
  if (material.clientCa !== null)
    certificateOf("--tls-client-ca", clientCa ?? "", material.clientCa);
  return { material, fingerprint: fingerprintOf(certificate) };
}

function textOf(flag: string, path: string): string {
  return contentOf(path, { flag, bytesMax: FILE_BYTES_MAX }).toString();
}

function certificateOf(flag: string, path: string, pem: string): X509Certificate {
  try {
    return firstCertificate(pem);
  } catch {
    throw wrong(flag, path, "holds no certificate in PEM");
  }
}

function privateKeyOf(path: string, pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    throw wrong("--tls-key", path, "holds no private key in PEM that needs no passphrase");
  }
}

function wrong(flag: string, path: string, why: string): Failure {
  return new Failure("usage", "EINVAL", `${flag}: ${printableText(path)} ${why}`);
}

function pathsOf({ cert, key, clientCa }: CredentialFiles): string[] {
  return clientCa === null ? [cert, key] : [cert, key, clientCa];
}
