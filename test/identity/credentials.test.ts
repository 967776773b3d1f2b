/** The certificate and key of a server: what is wrong with files, new ones, and one of its own. */
import { expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import fs from "node:fs";
import { type CredentialFiles, Credentials } from "../../src/identity/credentials.ts";
import { ensureOwnFile } from "../../src/identity/ownfile.ts";
import { selfSigned } from "../../src/identity/selfsigned.ts";
import { CA_FILE, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const GOOD = filesOf("good");

test("says which file is wrong, and why, and nothing of what is in it", () => {
  using tree = new Tree({ text: "no PEM", "bad\x1b": "-----BEGIN CERTIFICATE-----\nAAAA\n" });
  const other = filesOf("othername");
  const whole = fs.readFileSync(GOOD.cert, "utf8");
  // A chain of which half has been written.
  tree.write("half", whole + whole.slice(0, whole.length / 2));
  const cases: [Partial<CredentialFiles>, RegExp][] = [
    [{ cert: tree.path("none") }, /--tls-cert: .*none can't be read \(ENOENT\)/],
    [{ cert: tree.root }, /--tls-cert: .* can't be read \(EISDIR\)/],
    [{ cert: tree.path("text") }, /--tls-cert: .*text holds no certificate in PEM/],
    [{ cert: tree.path("bad\x1b") }, /--tls-cert: .*bad\\x1b holds no certificate/],
    [{ cert: tree.path("half") }, /--tls-cert: .*half holds no certificate in PEM/],
    [{ clientCa: tree.path("half") }, /--tls-client-ca: .*half holds no certificate/],
    [{ key: tree.path("text") }, /--tls-key: .*text holds no private key/],
    [{ key: GOOD.cert }, /--tls-key: .* holds no private key/],
    [{ key: other.key }, /--tls-key: .* is not the key of .*good.pem/],
    [{ clientCa: tree.path("text") }, /--tls-client-ca: .* holds no certificate/],
  ];
  for (const [change, message] of cases) {
    expect(() => new Credentials({ ...GOOD, ...change })).toThrow(message);
  }
});

test("new files are taken over when both fit, and the old pair stays while they do not", () => {
  using tree = new Tree();
  const files = { ...GOOD, cert: tree.path("cert"), key: tree.path("key"), clientCa: CA_FILE };
  const copy = (from: CredentialFiles): void => {
    fs.copyFileSync(from.cert, files.cert);
    fs.copyFileSync(from.key, files.key);
  };
  copy(GOOD);
  const credentials = new Credentials(files);
  const { fingerprint, material } = credentials;
  expect(credentials.refresh()).toBeNull();
  expect(credentials.material).toBe(material);
  const other = filesOf("othername");
  // Between the two copies of somebody who renews it.
  fs.rmSync(files.cert);
  fs.copyFileSync(other.cert, files.cert);
  expect(credentials.refresh()?.message).toContain("is not the key of");
  expect(credentials.refresh()).toBeNull();
  expect([credentials.material, credentials.fingerprint]).toEqual([material, fingerprint]);
  copy(other);
  expect(credentials.refresh()).toBeNull();
  expect(credentials.material.cert).toBe(fs.readFileSync(other.cert, "utf8"));
  expect(credentials.fingerprint).not.toBe(fingerprint);
  fs.rmSync(files.key);
  expect(credentials.refresh()?.message).toContain("can't be read (ENOENT)");
});

test("files out of reach are an error for the log, or no change at all when that was to be", () => {
  using tree = new Tree({ "at/cert": fs.readFileSync(GOOD.cert) });
  const credentials = new Credentials({ ...GOOD, cert: tree.path("at/cert") });
  fs.renameSync(tree.path("at"), tree.path("before"));
  // stat(2) itself fails: ENOTDIR, as EACCES does for who may not enter the folder.
  fs.writeFileSync(tree.path("at"), "");
  expect(credentials.refresh()?.message).toContain("can't be read (ENOTDIR)");
  const settled = new Credentials({ ...GOOD, cert: tree.path("before/cert") });
  fs.renameSync(tree.path("before"), tree.path("after"));
  fs.writeFileSync(tree.path("before"), "");
  settled.settle();
  expect(settled.refresh()).toBeNull();
});

test("a certificate of its own has the names, is signed by its own key, and says until when", () => {
  const now = Date.UTC(2045, 5, 1);
  const pem = selfSigned({
    names: ["localhost", "nas"],
    addresses: [Uint8Array.of(127, 0, 0, 1), new Uint8Array(16).fill(1, 15)],
    now,
  });
  const certificate = new X509Certificate(pem);
  expect(certificate.subjectAltName).toBe(
    "DNS:localhost, DNS:nas, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
  );
  expect([certificate.subject, certificate.issuer, certificate.ca]).toEqual([
    "CN=serv6",
    "CN=serv6",
    false,
  ]);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(pem))).toBe(true);
  expect(Date.parse(certificate.validFrom)).toBe(now - 86_400_000);
  // Behind 2049 a year has four digits (RFC 5280 4.1.2.5).
  expect(Date.parse(certificate.validTo)).toBe(Date.UTC(2055, 5, 1));
  const again = new X509Certificate(selfSigned({ names: ["a"], addresses: [], now }));
  expect(again.serialNumber).not.toBe(certificate.serialNumber);
});

test("its file is made once, for its user alone, and refused where others can read it", () => {
  using tree = new Tree();
  const file = tree.path("state/serv6/tls.pem");
  ensureOwnFile(file);
  const first = fs.readFileSync(file, "utf8");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(tree.path("state/serv6"))).toEqual(["tls.pem"]);
  ensureOwnFile(file);
  expect(fs.readFileSync(file, "utf8")).toBe(first);
  expect(
    new Credentials({ cert: file, key: file, clientCa: null, self: true }).fingerprint,
  ).toHaveLength(64);
  fs.chmodSync(file, 0o640);
  expect(() => ensureOwnFile(file)).toThrow("others may read the key");
  expect(() => ensureOwnFile(tree.path("state/serv6/tls.pem/below"))).toThrow("no key can be kept");
});
