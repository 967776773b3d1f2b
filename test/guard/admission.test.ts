/**
 * Who may come in: what counts as one peer, how descriptors are shared, and that counts return to
 * zero.
 */
import { expect, test } from "bun:test";
import { isLoopback, peerOf, shownAddress } from "../../src/guard/address.ts";
import { Gate } from "../../src/guard/admission.ts";
import {
  FDS_RESERVED,
  JUNK_BYTES_MAX,
  KEEPALIVE,
  LIMITS_DEFAULT,
  shares,
  SHED_MAX,
  SILENCE_MS,
} from "../../src/guard/limits.ts";

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::FFFF:10.0.0.1", "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3:4:5::", "2001:db8:1:2::/64"],
  ["2001::5:6:7:8:9:a", "2001:0:5:6::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["fe80::1", "fe80:0:0:0::/64"],
  ["::2:3:4:5:6:7:8", "0:2:3:4::/64"],
  ["", ""],
])("%j is the peer %j", (address, peer) => {
  expect(peerOf(address)).toBe(peer);
});

test("IPv4 keeps its own count however it is written, IPv6 shares one in a /64", () => {
  expect(peerOf("::ffff:1.2.3.4")).toBe(peerOf("1.2.3.4"));
  expect(peerOf("2001:db8:1:2:ffff::")).toBe(peerOf("2001:db8:1:2::7"));
  expect(peerOf("2001:db8:1:3::7")).not.toBe(peerOf("2001:db8:1:2::7"));
});

test.each([
  ["127.0.0.1", true],
  ["127.9.8.7", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["128.0.0.1", false],
  ["10.127.0.1", false],
  ["127.0.0.1.example", false],
  ["127", false],
  ["::", false],
  ["::2", false],
  ["", false],
])("%j is this machine's own alone: %j", (address, own) => {
  expect(isLoopback(address)).toBe(own);
});

test("the log shows IPv6 in brackets, and IPv4 without, however it came", () => {
  const shown = ["1.2.3.4", "::ffff:1.2.3.4", "2001:db8::1"].map(shownAddress);
  expect(shown).toEqual(["1.2.3.4", "1.2.3.4", "[2001:db8::1]"]);
});

test("shares never promise more descriptors than there are, and some for each use", () => {
  for (let nofile = 64; nofile <= 1e9; nofile = Math.ceil(nofile * 1.13)) {
    const { connections, files } = shares(nofile);
    expect(connections).toBeGreaterThanOrEqual(1);
    expect(files).toBeGreaterThanOrEqual(8);
    const used = connections + files + FDS_RESERVED;
    if (nofile >= 256) expect([nofile, used <= nofile]).toEqual([nofile, true]);
    expect(connections <= 65_536 && files <= 8192).toBe(true);
    expect([connections, files].every(Number.isSafeInteger)).toBe(true);
  }
});

test("shares only ever grow with the descriptors, up to limits of their own", () => {
  let before = shares(64);
  for (let nofile = 65; nofile <= 200_000; nofile += 31) {
    const now = shares(nofile);
    const shrunk = now.connections < before.connections || now.files < before.files;
    expect([nofile, shrunk]).toEqual([nofile, false]);
    before = now;
  }
  expect(shares(1e9)).toEqual(shares(200_000));
  expect(shares(1024).connections).toBeGreaterThan(512);
});

test.each([
  [8, { connections: 1, files: 8 }],
  [1024, { connections: 704, files: 256 }],
  [4_000_000, { connections: 65_536, files: 8192 }],
])("%d descriptors: a quarter for files, 64 kept, the rest for connections", (nofile, split) => {
  expect(shares(nofile)).toEqual(split);
});

test("a vanished machine is cut after 90 s, and the figures that people rely on hold", () => {
  expect(KEEPALIVE.idleS + KEEPALIVE.intervalS * KEEPALIVE.probes).toBe(90);
  const { requestMs, idleMs, stallMs, stallBytes, storeMs, graceMs, pipeline } = LIMITS_DEFAULT;
  expect([requestMs, idleMs, stallMs, storeMs, graceMs, SILENCE_MS].map((ms) => ms / 1000)).toEqual(
    [10, 300, 180, 3600, 30, 0.2],
  );
  expect([stallBytes, pipeline, SHED_MAX]).toEqual([4096, 64, 32]);
  expect(JUNK_BYTES_MAX).toBe(4_194_304);
});

const limits = {
  ...LIMITS_DEFAULT,
  connections: 3,
  connectionsPerPeer: 2,
  files: 8,
};

test("a peer is told to wait at its own limit, everybody at the limit of all", () => {
  const gate = new Gate(limits);
  expect([gate.enter("1.1.1.1"), gate.enter("::ffff:1.1.1.1")]).toEqual(["serve", "serve"]);
  expect(gate.enter("1.1.1.1")).toBe("shed");
  expect(gate.enter("2.2.2.2")).toBe("serve");
  expect(gate.enter("3.3.3.3")).toBe("shed");
  gate.leave("1.1.1.1", "serve");
  expect(gate.enter("3.3.3.3")).toBe("serve");
  expect(gate.enter("1.1.1.1")).toBe("shed");
});

test("more than are being told so are cut without a word", () => {
  const gate = new Gate({ ...limits, connections: 0 });
  for (let i = 0; i < SHED_MAX; i++) expect(gate.enter("1.1.1.1")).toBe("shed");
  expect(gate.enter("1.1.1.1")).toBe("cut");
  gate.leave("1.1.1.1", "shed");
  expect(gate.enter("1.1.1.1")).toBe("shed");
});

test("only who is under its own limit is crowded out by others", () => {
  const gate = new Gate(limits);
  gate.enter("1.1.1.1");
  gate.enter("1.1.1.1");
  expect([gate.of("1.1.1.1"), gate.crowdedFor("2.2.2.2")]).toEqual([2, false]);
  gate.enter("2.2.2.2");
  expect([gate.crowdedFor("1.1.1.1"), gate.crowdedFor("2.2.2.2")]).toEqual([false, true]);
  gate.leave("1.1.1.1", "serve");
  expect([gate.of("1.1.1.1"), gate.served, gate.crowdedFor("2.2.2.2")]).toEqual([1, 2, false]);
});

test("who came and went leaves nothing behind", () => {
  const gate = new Gate(limits);
  for (let i = 0; i < 10_000; i++) {
    const address = `10.${i & 255}.${i >> 8}.1`;
    expect(gate.enter(address)).toBe("serve");
    gate.leave(address, "serve");
  }
  expect([gate.served, gate.shed, gate.peers]).toEqual([0, 0, 0]);
  expect([gate.enter("10.1.0.1"), gate.enter("10.1.0.1")]).toEqual(["serve", "serve"]);
});
