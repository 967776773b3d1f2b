/** TLS of a client: what Bun is told before the handshake, and whether to go on after it. */
import { X509Certificate } from "node:crypto";
import type { Socket, TLSOptions } from "bun";
import { fingerprintOf } from "../identity/credentials.ts";
import { judge, type TrustOptions } from "../identity/trust.ts";
import { codeOf } from "../sys/errno.ts";
import { authorityOf, type ServerAddress } from "./address.ts";
import { Failure } from "../wire/failure.ts";
import { asClientError, ClientError } from "./error.ts";

/** TLS 1.2, as Bun counts versions. */
const TLS_1_2 = 0x0303;

/** "s6/1" and "http/1.1" behind their lengths (RFC 7301 3.1). */
const S6 = Buffer.from("\x04s6/1", "latin1");
const HTTP = Buffer.from("\x08http/1.1", "latin1");

/**
 * Bun is to go on whatever it thinks of the certificate, since a pin or a known host may say
 * otherwise: nothing may be sent before unverified() has answered null.
 */
export function tlsOptions(
  { host, http }: ServerAddress,
  { ca, cert, key }: TrustOptions,
): TLSOptions {
  const protocol = http === undefined ? S6 : HTTP;
  return {
    ...{ minVersion: TLS_1_2, ALPNProtocols: protocol, rejectUnauthorized: false },
    // An address is checked against the certificate too, but never sent as a name, and a name never
    // with the dot that ends it for the resolver (RFC 6066 3).
    serverName: host.replace(/%.*$|\.$/, ""),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/**
 * Null when the handshake of `socket` is done, and its peer is who it should be; else why not. Bun
 * tells that one is over also where it failed behind the certificate, which anybody can show: only
 * what it ends with says that the peer has the key.
 */
export function unverified<Data>(
  socket: Socket<Data>,
  server: ServerAddress,
  trust: TrustOptions,
): ClientError | null {
  const certificate = socket.getPeerCertificate() as Partial<CertificateFacts> | null;
  if (certificate?.raw === undefined || !isDone(socket)) return noHandshake(server);
  const x509 = new X509Certificate(certificate.raw);
  const shown = {
    fingerprint: fingerprintOf(x509),
    authorized: socket.authorized,
    own: x509.verify(x509.publicKey),
    problem: problemOf(socket.getAuthorizationError()),
    until: Date.parse(x509.validTo),
  };
  try {
    const refused = judge(authorityOf(server), shown, trust, Date.now());
    return refused === null ? null : asClientError(refused);
  } catch (error) {
    // The file of known hosts can't be read or written.
    if (error instanceof Failure) return asClientError(error);
    throw error;
  }
}

/** The handshake failed: no TLS on the other side, or none that both know. */
export function noHandshake(server: ServerAddress): ClientError {
  const where = authorityOf(server);
  const plain = server.http === undefined ? "s6://" : "http://";
  const text = `no TLS handshake with ${where}: it may speak plaintext only (${plain}), or want a certificate of yours (--cert)`;
  return new ClientError("protocol", "EPROTO", `EPROTO: ${text}`);
}

// --- internal ---

/** Made and thrown away; labels for experiments begin so (RFC 5705 4). */
const SECRET_BYTES = 16;
const LABEL = "EXPERIMENTAL s6";

/** The part of node:tls's PeerCertificate that is looked at. */
interface CertificateFacts {
  /** DER. */
  readonly raw: Buffer;
}

/**
 * Whether both sides have come to the same secrets, of which others can be made (RFC 5705). Bun's
 * own word is false as well for a certificate that it does not believe.
 */
function isDone<Data>(socket: Socket<Data>): boolean {
  try {
    socket.exportKeyingMaterial(SECRET_BYTES, LABEL);
    return true;
  } catch {
    return false;
  }
}

function problemOf(error: unknown): string {
  return error === null ? "" : codeOf(error, String(error));
}
