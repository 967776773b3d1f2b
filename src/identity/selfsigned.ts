/**
 * A key of the server's own and a certificate that it signs itself, for who has none: made once and
 * kept. DER is written here for this one form of certificate (RFC 5280, RFC 5480): no library that
 * makes certificates is small, and Bun has none. node:crypto makes the key and the signature, and
 * reads back what was made.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What the certificate says. */
export interface Subject {
  /** Names and addresses that the server is reached by. */
  readonly names: readonly string[];
  readonly addresses: readonly Uint8Array[];
  /** When it is made, in milliseconds since 1970. */
  readonly now: number;
}

/** Known by its digest, not by its age: longer than anybody wants to think of it. */
const YEARS = 10;
const DAY_MS = 86_400_000;
const SERIAL_BYTES = 16;
const PEM_COLUMNS = 64;

/** The certificate and its private key (P-256) in PEM, one behind the other. */
export function selfSigned(subject: Subject): string {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = certificateBody(subject, publicKey);
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, ECDSA_SHA256, bitString(signature));
  return pem("CERTIFICATE", certificate) + privateKey.export({ type: "pkcs8", format: "pem" });
}

// --- internal ---

/** Tags of X.690, and of the fields of a certificate. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  ipAddress: 0x87,
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** Object identifiers, encoded. */
const OID = {
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
  basicConstraints: [0x55, 0x1d, 0x13],
  keyUsage: [0x55, 0x1d, 0x0f],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
} as const;

const ECDSA_SHA256 = sequence(oid(OID.ecdsaWithSha256));
const NAME = sequence(
  value(TAG.set, sequence(oid(OID.commonName), value(TAG.utf8, Buffer.from("serv6")))),
);
/** digitalSignature: one bit, seven unused. */
const DIGITAL_SIGNATURE = value(TAG.bitString, Buffer.from([7, 0x80]));

function certificateBody({ names, addresses, now }: Subject, key: KeyObject): Buffer {
  const alternatives = [
    ...names.map((name) => value(TAG.dnsName, Buffer.from(name, "latin1"))),
    ...addresses.map((address) => value(TAG.ipAddress, address)),
  ];
  const extensions = [
    extension(OID.subjectAltName, false, sequence(...alternatives)),
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
  ];
  const until = new Date(now);
  until.setUTCFullYear(until.getUTCFullYear() + YEARS);
  return sequence(
    // v3.
    value(TAG.version, value(TAG.integer, Buffer.from([2]))),
    serial(),
    ECDSA_SHA256,
    NAME,
    // A day before: clocks differ.
    sequence(time(new Date(now - DAY_MS)), time(until)),
    NAME,
    key.export({ type: "spki", format: "der" }),
    value(TAG.extensions, sequence(...extensions)),
  );
}

/** Positive, and without a leading zero (RFC 5280 4.1.2.2). */
function serial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return value(TAG.integer, bytes);
}

function extension(id: readonly number[], critical: boolean, content: Uint8Array): Buffer {
  const flag = critical ? [value(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, value(TAG.octetString, content));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`;
  return date.getUTCFullYear() < 2050
    ? value(TAG.utcTime, Buffer.from(digits.slice(2)))
    : value(TAG.generalizedTime, Buffer.from(digits));
}

function oid(encoded: readonly number[]): Buffer {
  return value(TAG.oid, Buffer.from(encoded));
}

/** No bit of its last byte is unused. */
function bitString(bytes: Uint8Array): Buffer {
  return value(TAG.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return value(TAG.sequence, Buffer.concat(parts));
}

/** A value with its tag and length (X.690 8.1.3); content of up to 65,535 bytes. */
function value(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function pem(label: string, der: Buffer): string {
  const text = der.toString("base64").replaceAll(new RegExp(`.{1,${PEM_COLUMNS}}`, "g"), "$&\n");
  return `-----BEGIN ${label}-----\n${text}-----END ${label}-----\n`;
}
