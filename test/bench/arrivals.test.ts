/** The rate of a client that gets its bytes a large piece at a time. */
import { expect, test } from "bun:test";
import { Arrivals } from "../../bench/arrivals.ts";

test("a rate in pieces is what it is wherever the count begins", () => {
  for (const start of [0, 1, 327, 655, 656, 1000]) {
    const arrivals = new Arrivals();
    // 64 KiB each 655.36 ms are 100,000 bytes a second.
    for (let nth = 0; nth < 10; nth++) {
      const nowMs = nth * 655.36;
      if (nowMs >= start) arrivals.start();
      for (const later of [0, 1]) arrivals.note(32_768, nowMs + later);
    }
    expect(arrivals.rate).toBeWithin(99_900, 100_001);
  }
});

test("less than two arrivals are no rate", () => {
  const arrivals = new Arrivals();
  expect(arrivals.rate).toBe(0);
  arrivals.start();
  arrivals.note(5, 10);
  expect(arrivals.rate).toBe(0);
});
