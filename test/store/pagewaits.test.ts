/** Pages that wait for the disk: how many at once, and whose turn it is when it has come. */
import { expect, test } from "bun:test";
import {
  PAGES_MAX,
  Pages,
  type PageWork,
  PEER_PAGES_MAX,
  SHORT_BYTES_MAX,
} from "../../src/store/pages.ts";
import type { EncodedPage, Waiter } from "../../src/store/store.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { waiterOf } from "../rig/waiter.ts";

const PAGE: EncodedPage = { text: new Uint8Array(1), count: 1, more: false, left: 0, id: "" };

const LONG_BYTES = SHORT_BYTES_MAX + 1;

function asker(peer: string, heard: string[]): Waiter & { gone: boolean } {
  return { ...waiterOf(() => void heard.push(peer)), peer };
}

test("long pages that wait for the disk count among those that are open", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const heard: string[] = [];
  const made: (PageWork & { ready: boolean; closed: boolean })[] = [];
  const open = (): PageWork => {
    const page: (typeof made)[number] = {
      ready: false,
      closed: false,
      step: () => (page.ready ? PAGE : "waits"),
      close: () => void (page.closed = true),
    };
    made.push(page);
    return page;
  };
  const count = 2 * PAGES_MAX;
  for (let nth = 0; nth < count; nth++) {
    pages.add(`${nth}`, "/d", LONG_BYTES, asker(`peer ${nth}`, heard), open);
  }
  loop.settle();
  expect([made.length, pages.making, pages.waiting]).toEqual([PAGES_MAX, PAGES_MAX, PAGES_MAX]);
  // Nothing moves until the disk has come.
  expect(loop.immediates).toBe(0);
  for (let nth = 0; nth < count; nth++) {
    const page = made[nth]!;
    page.ready = true;
    page.wake?.();
    page.wake?.();
    loop.settle();
  }
  expect([heard.length, made.every(({ closed }) => closed)]).toEqual([count, true]);
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
});

test("short pages for which the disk has come at once are all told", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const heard: string[] = [];
  const wakes: (() => void)[] = [];
  let ready = false;
  for (let nth = 0; nth < 5; nth++) {
    pages.add(`${nth}`, "/d", 4096, asker(`${nth}`, heard), () => {
      const page: PageWork = { step: () => (ready ? PAGE : "waits"), close() {} };
      wakes.push(() => page.wake?.());
      return page;
    });
  }
  loop.settle();
  expect([wakes.length, heard.length, pages.making]).toEqual([5, 0, 5]);
  ready = true;
  for (const wake of wakes) wake();
  expect(pages.making).toBe(5);
  loop.settle();
  expect([heard, pages.making]).toEqual([["0", "1", "2", "3", "4"], 0]);
});

test("long pages of one peer that had to wait give their places back", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const heard: string[] = [];
  let opened = 0;
  for (let nth = 0; nth < 3 * PEER_PAGES_MAX; nth++) {
    pages.add(`${nth}`, "/d", LONG_BYTES, asker("one", heard), () => {
      opened += 1;
      let steps = 0;
      const page: PageWork = {
        step: () => {
          if (++steps > 1) return PAGE;
          setImmediate(() => page.wake?.());
          return "waits";
        },
        close() {},
      };
      return page;
    });
  }
  loop.turn();
  expect(opened).toBe(PEER_PAGES_MAX);
  loop.settle();
  expect([heard.length, opened]).toEqual([3 * PEER_PAGES_MAX, 3 * PEER_PAGES_MAX]);
});
