/** Certificates in PEM, one behind the other. */
import { expect, test } from "bun:test";
import { firstCertificate } from "../../src/identity/certificates.ts";
import { CA, pemOf } from "../rig/tls.ts";

const { cert, key } = pemOf("good");

test("the first of several, whatever stands around them", () => {
  const { fingerprint256 } = firstCertificate(cert);
  for (const pem of [cert + CA, key + cert, `of good:\n${cert}\nof its authority:\n${CA}`]) {
    expect(firstCertificate(pem).fingerprint256).toBe(fingerprint256);
  }
  expect(firstCertificate(CA + cert).fingerprint256).not.toBe(fingerprint256);
});

test("none, or one that is broken, wherever it stands, is an error", () => {
  const half = CA.slice(0, CA.length / 2);
  for (const pem of ["", key, half, cert + half, cert + half + cert]) {
    expect(() => firstCertificate(pem)).toThrow();
  }
});
