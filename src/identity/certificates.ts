/** Certificates in PEM, as files have them: one, a chain, or the authorities of a system. */
import { X509Certificate } from "node:crypto";

/** What each begins with (RFC 7468). */
const BEGIN = /^(?=-----BEGIN (?:[A-Z0-9]+ )?CERTIFICATE-----)/m;

/**
 * The first certificate in `pem`. Throws where there is none, and where it or one behind it is
 * broken, as in a file that is being written: no handshake could be begun with those.
 */
export function firstCertificate(pem: string): X509Certificate {
  const [first, ...others] = pem.split(BEGIN).filter((part) => BEGIN.test(part));
  for (const other of others) new X509Certificate(other);
  return new X509Certificate(first ?? pem);
}
