/** TLS in tests: certificates, and a client of literal bytes. */
import fs from "node:fs";
import path from "node:path";
import type { CredentialFiles } from "../../src/identity/credentials.ts";

/**
 * Certificates made once with openssl(1), by one authority (ca.pem, whose key is not kept): good is
 * for localhost and 127.0.0.1, othername for other.example, expired ended in 2021, client is a
 * client's.
 */
export type Certificate = "good" | "othername" | "expired" | "client";

const FOLDER = path.join(import.meta.dir, "certificates");

/** The authority in PEM, and its file. */
export const CA = fs.readFileSync(path.join(FOLDER, "ca.pem"), "utf8");
export const CA_FILE = path.join(FOLDER, "ca.pem");

/** The files of a certificate and its key. */
export function filesOf(name: Certificate): CredentialFiles {
  const file = (suffix: string): string => path.join(FOLDER, `${name}${suffix}`);
  return { cert: file(".pem"), key: file(".key.pem"), clientCa: null, self: false };
}

/** The same in PEM. */
export function pemOf(name: Certificate): { cert: string; key: string } {
  const { cert, key } = filesOf(name);
  return { cert: fs.readFileSync(cert, "utf8"), key: fs.readFileSync(key, "utf8") };
}

/** What a TLS connection came to. */
export interface Secured {
  readonly text: string;
  /** "closed" in order, or the error's code. */
  readonly ending: string;
  /** SHA-256 of the server's certificate, in hex; "" without a handshake. */
  readonly fingerprint: string;
}

/** Sends `request` by TLS, then its end, and reads to the server's. */
export function askSecurely(
  port: number,
  request: string,
  tls: Bun.TLSOptions = {},
): Promise<Secured> {
  const { promise, resolve, reject } = Promise.withResolvers<Secured>();
  const chunks: Buffer[] = [];
  let fingerprint = "";
  let failed = "";
  const options = { ca: CA, serverName: "localhost", ...tls };
  Bun.connect({
    ...{ hostname: "127.0.0.1", port, tls: options, allowHalfOpen: true },
    socket: {
      open() {},
      handshake(socket, ok, error) {
        if (!ok) {
          failed = error !== null && "code" in error ? String(error.code) : "failed";
          return;
        }
        const certificate = socket.getPeerCertificate() as { fingerprint256: string };
        fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
        socket.write(request);
        socket.shutdown();
      },
      data: (_socket, chunk) => void chunks.push(chunk),
      end: (socket) => void socket.end(),
      error: (_socket, error) => void (failed ||= String(error)),
      close: () =>
        resolve({
          text: Buffer.concat(chunks).toString("latin1"),
          ending: failed === "" ? "closed" : failed,
          fingerprint,
        }),
    },
  }).catch(reject);
  return promise;
}
