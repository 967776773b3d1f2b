/** Connections of peers in memory that several processes share. */
import { expect, test } from "bun:test";
import { PEER_PLANE_WORDS, PeerCounts } from "../../src/guard/peercounts.ts";
import { Gate } from "../../src/guard/admission.ts";
import { LIMITS_DEFAULT, type Limits } from "../../src/guard/limits.ts";

const NO_BOUND = Number.POSITIVE_INFINITY;

/** As many processes, those of `live` alone being there. */
function processes(count: number, live = Array.from({ length: count }, (_, nth) => nth)) {
  const planes = Array.from({ length: count }, () => new Int32Array(PEER_PLANE_WORDS));
  const all = planes.map(
    (_, nth) => new PeerCounts(planes, nth, () => live, 0x1234_5678_9abc_def0n),
  );
  return { planes, all, live };
}

test("each sees what all hold, and the bound of one peer holds over them", () => {
  const [first, second] = processes(2).all;
  expect(first!.take("192.0.2.1", 3, NO_BOUND)).toBe(true);
  expect(second!.take("192.0.2.1", 3, NO_BOUND)).toBe(true);
  expect(second!.take("192.0.2.1", 3, NO_BOUND)).toBe(true);
  expect(first!.take("192.0.2.1", 3, NO_BOUND)).toBe(false);
  expect(second!.take("192.0.2.1", 3, NO_BOUND)).toBe(false);
  expect(first!.take("192.0.2.2", 3, NO_BOUND)).toBe(true);
  expect([first!.of("192.0.2.1"), second!.of("192.0.2.1"), first!.sum]).toEqual([3, 3, 4]);
  second!.give("192.0.2.1");
  expect(first!.take("192.0.2.1", 3, NO_BOUND)).toBe(true);
});

test("the bound of all holds over them", () => {
  const [first, second] = processes(2).all;
  expect(first!.take("a", NO_BOUND, 2)).toBe(true);
  expect(second!.take("b", NO_BOUND, 2)).toBe(true);
  expect(first!.take("c", NO_BOUND, 2)).toBe(false);
  expect(second!.sum).toBe(2);
});

test("who has gone holds nothing, nor when its plane is cleared", () => {
  const { planes, all, live } = processes(2);
  all[1]!.take("a", NO_BOUND, NO_BOUND);
  expect(all[0]!.of("a")).toBe(1);
  live.pop();
  expect(all[0]!.of("a")).toBe(0);
  planes[1]!.fill(0);
  live.push(1);
  expect([all[0]!.of("a"), all[0]!.sum]).toEqual([0, 0]);
});

test("with ten thousand peers few are counted too high, and none too low", () => {
  const [counts] = processes(1).all;
  for (let nth = 0; nth < 10_000; nth++) counts!.take(`peer ${nth}`, NO_BOUND, NO_BOUND);
  let high = 0;
  for (let nth = 0; nth < 10_000; nth++) {
    const held = counts!.of(`peer ${nth}`);
    expect(held).toBeGreaterThanOrEqual(1);
    if (held > 1) high += 1;
  }
  expect(high).toBeLessThan(100);
});

test("a gate counts what it lets in, and nothing of what it turns away", () => {
  const limits: Limits = {
    ...{ ...LIMITS_DEFAULT, storeMs: 1000, files: 8 },
    ...{ connections: 10, connectionsPerPeer: 2 },
  };
  const [first, second] = processes(2).all;
  const gate = new Gate(limits, first, 3);
  const other = new Gate(limits, second, 3);
  expect(gate.enter("192.0.2.1")).toBe("serve");
  expect(other.enter("192.0.2.1")).toBe("serve");
  expect(other.enter("192.0.2.1")).toBe("shed");
  expect(other.enter("192.0.2.2")).toBe("serve");
  expect(gate.enter("192.0.2.3")).toBe("shed");
  expect(gate.crowdedFor("192.0.2.3")).toBe(true);
  other.leave("192.0.2.2", "serve");
  expect(gate.crowdedFor("192.0.2.3")).toBe(false);
  expect(gate.enter("192.0.2.3")).toBe("serve");
  gate.leave("192.0.2.1", "serve");
  expect([first!.of("192.0.2.1"), first!.sum]).toEqual([1, 2]);
});

test("of a peer's connections each process knows its part, and nobody's is whole", () => {
  const limits: Limits = { ...LIMITS_DEFAULT, connections: 9, connectionsPerPeer: 9, files: 9 };
  const gates = processes(2).all.map((counts) => new Gate(limits, counts));
  const parts = (): number[] => gates.map((gate) => gate.part("192.0.2.1"));
  expect(parts()).toEqual([1, 1]);
  gates[0]!.enter("192.0.2.1");
  expect(parts()).toEqual([1, 0]);
  for (let nth = 0; nth < 3; nth++) gates[1]!.enter("192.0.2.1");
  expect(parts()).toEqual([0.25, 0.75]);
  gates[0]!.leave("192.0.2.1", "serve");
  expect(parts()).toEqual([0, 1]);
});
