/**
 * Whether a server is who it should be, by the certificate that it showed. A pin decides alone;
 * else authorities do; else a certificate that its server has signed itself is believed when it is
 * seen first, noted, and from then on the only one (as ssh does). Pure but for the file of known
 * hosts.
 */
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { KnownHosts } from "./knownhosts.ts";

/** How a client of TLS knows its servers. Without any of it the system's authorities decide. */
export interface TrustOptions {
  /**
   * The only certificate that is taken: "sha256:" and the 64 hex digits of its SHA-256 (DER). Of
   * several, for servers with a certificate each, every one is taken from any of them.
   */
  readonly pin?: string | readonly string[];
  /** Authorities in PEM, in place of the system's. */
  readonly ca?: string;
  /**
   * The file that keeps who was seen first; without it a certificate that no authority has signed
   * is refused.
   */
  readonly knownHosts?: string;
  /** Called when a server is noted there: `fingerprint` is "sha256:" and hex digits. */
  onFirstSeen?(server: string, fingerprint: string): void;
  /** This client's certificate in PEM and its key, for servers that want one. */
  readonly cert?: string;
  readonly key?: string;
}

/** What a server showed. */
export interface Shown {
  /** SHA-256 of its certificate (DER), as 64 hex digits. */
  readonly fingerprint: string;
  /** An authority vouches for it, its name is the one asked for, and its time is not over. */
  readonly authorized: boolean;
  /** Its own key has signed it. */
  readonly own: boolean;
  /** Why it is not authorized, as OpenSSL calls it. */
  readonly problem: string;
  /** When its time is over, in milliseconds since 1970. */
  readonly until: number;
}

/** What stands in front of a digest of a certificate. */
const ALGORITHM = "sha256:";

/** Pins of one command: as many as one file has servers at most. */
const PINS_MAX = 16;

const PIN = /^sha256:[0-9a-f]{64}$/;

/** What OpenSSL's other names mean for a person; those that are not here are told as they are. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: is the clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "no authority that is known here has signed its certificate",
  UNABLE_TO_GET_ISSUER_CERT: "no authority that is known here has signed its certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "no authority that is known here has signed its certificate",
  CERT_REVOKED: "its certificate was revoked",
};

/** The pin that `text` is, in lower case; null when it is none: "sha256:" and 64 hex digits. */
export function pinOf(text: string): string | null {
  const pin = text.toLowerCase().replaceAll(/(?<=:.*):/g, "");
  return PIN.test(pin) ? pin : null;
}

/** The pins in `text`, with commas between them; null when one is none, or for over PINS_MAX. */
export function pinsOf(text: string): readonly string[] | null {
  const texts = text.split(",");
  if (texts.length > PINS_MAX) return null;
  const pins = texts.map(pinOf).filter((pin) => pin !== null);
  return pins.length === texts.length ? pins : null;
}

/**
 * Null when `server` ("host:port") may be believed for what it has `shown` at `now` (milliseconds
 * since 1970); else why not: EKEYREJECTED, or EKEYEXPIRED. A server that is seen first is noted.
 */
export function judge(
  server: string,
  shown: Shown,
  trust: TrustOptions,
  now: number,
): Failure | null {
  const fingerprint = ALGORITHM + shown.fingerprint;
  if (trust.pin !== undefined) {
    const pins = [trust.pin].flat();
    if (pins.includes(fingerprint)) return null;
    const pinned = `the pinned ${pins.join(", ")}`;
    const which = pins.length > 1 ? `none of ${pinned}` : `not ${pinned}`;
    return rejected(server, `its certificate is ${fingerprint}, and ${which}`);
  }
  const known = trust.knownHosts === undefined ? null : new KnownHosts(trust.knownHosts);
  const before = known?.of(server) ?? null;
  if (shown.authorized) {
    // So that a certificate that nobody vouches for does not take its place later. Authorities of
    // one command's choice say nothing about the next one.
    if (before !== AUTHORITY && trust.ca === undefined) known?.note(server, AUTHORITY);
    return null;
  }
  if (!shown.own) return problemOf(server, shown.problem, fingerprint);
  if (shown.until < now) return problemOf(server, "CERT_HAS_EXPIRED", fingerprint);
  if (known === null) {
    return rejected(
      server,
      `its certificate is its own, ${fingerprint}: --pin takes just this one`,
    );
  }
  if (before === null) {
    known.note(server, fingerprint);
    trust.onFirstSeen?.(server, fingerprint);
    return null;
  }
  return before === fingerprint ? null : changed(server, before, fingerprint, known.file);
}

// --- internal ---

/** Stands in the file of known hosts for a server that authorities vouched for. */
const AUTHORITY = "authority";

function problemOf(server: string, problem: string, fingerprint: string): Failure {
  const why = PROBLEMS[problem] ?? `its certificate can't be verified (${printableText(problem)})`;
  const text = `${server}: ${why}; if you know that it is right: --pin ${fingerprint}`;
  const expired = problem === "CERT_HAS_EXPIRED";
  return failure(expired ? "EKEYEXPIRED" : "EKEYREJECTED", text);
}

function changed(server: string, before: string, now: string, file: string): Failure {
  const had = before === AUTHORITY ? "one that an authority vouched for" : before;
  return rejected(
    server,
    `ITS CERTIFICATE HAS CHANGED: it was ${had}, and is ${now}. Somebody may be between you and it. ` +
      `If its owner has made a new one, remove its line from ${printableText(file)}`,
  );
}

function rejected(server: string, why: string): Failure {
  return failure("EKEYREJECTED", `${server}: ${why}`);
}

function failure(code: string, text: string): Failure {
  return new Failure("denied", code, `${code}: ${text}`);
}
