/** The copy branch's windows: so many are read at once, and none is lost or mixed up. */
import { expect, test } from "bun:test";
import { READS_MAX } from "../../src/store/diskread.ts";
import { content, verify } from "../rig/oracle.ts";
import { Simulation } from "../rig/simulation.ts";

const LENGTH = 1_000_000;
const PEERS = 3 * READS_MAX.window;

test("no more windows are read at once than their share, and who leaves before costs no read", () => {
  using simulation = new Simulation({ large: content(1, 0, LENGTH) }, { zeroCopy: false });
  const { store, server } = simulation.running;
  const peers = Array.from({ length: PEERS }, () => {
    const peer = simulation.connect();
    peer.send("READ /large\n");
    return peer;
  });
  expect(simulation.loop.reads).toBe(READS_MAX.window);
  // Half of them leave: some while their windows are read, most before.
  const staying = peers.filter((_, nth) => nth % 2 === 0);
  for (const peer of peers) if (!staying.includes(peer)) peer.socket.close();
  let reads = 0;
  for (let round = 0; simulation.loop.reads + simulation.loop.immediates > 0; round++) {
    if (round > 10_000) throw new Error("it never ends");
    expect(simulation.loop.reads).toBeLessThanOrEqual(READS_MAX.window);
    if (simulation.loop.reads > 0) reads += 1;
    if (simulation.loop.reads > 0) simulation.loop.read();
    if (simulation.loop.immediates > 0) simulation.loop.turn();
    for (const peer of staying) {
      peer.take();
      peer.drain();
    }
  }
  for (const peer of staying) {
    const body = peer.bytes.subarray(peer.text.indexOf("\n") + 1);
    expect([body.length, verify(body, 1, 0)]).toEqual([LENGTH, null]);
  }
  const windows = 4 * staying.length;
  // Those that were under way when their peers left.
  expect(reads).toBeGreaterThanOrEqual(windows);
  expect(reads).toBeLessThanOrEqual(windows + READS_MAX.window / 2);
  store.cache.clear();
  expect([store.openFds, server.counters.crashes]).toEqual([0, 0]);
});
