/** Who gets a page of a directory when: turns between peers, equal questions, those who left. */
import { expect, test } from "bun:test";
import type { DirectoryPage } from "../../src/store/directory.ts";
import { PAGES_MAX, Pages, PEER_PAGES_MAX } from "../../src/store/pages.ts";
import type { EncodedPage, Waiter } from "../../src/store/store.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { waiterOf } from "../rig/waiter.ts";

const PAGE: EncodedPage = { text: new Uint8Array(1), count: 1, more: false };

/** Pages of so many steps, and what was opened and closed. */
class Directory {
  opened = 0;
  closed = 0;
  steps = 0;

  open(steps: number): () => DirectoryPage {
    return () => {
      this.opened += 1;
      let left = steps;
      const step = (): EncodedPage | null => {
        this.steps += 1;
        return --left > 0 ? null : PAGE;
      };
      return { step, close: () => void (this.closed += 1) } as unknown as DirectoryPage;
    };
  }
}

function asker(peer: string, heard: string[]): Waiter & { gone: boolean } {
  return { ...waiterOf(() => void heard.push(peer)), peer };
}

test("a peer's short list waits for a few steps of another's thousand long ones", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  for (let nth = 0; nth < 1000; nth++) {
    pages.add(`long ${nth}`, "/long", asker("greedy", heard), directory.open(100));
  }
  for (let nth = 0; nth < 10; nth++) loop.turn();
  expect(directory.opened).toBe(PEER_PAGES_MAX);
  pages.add("short", "/short", asker("honest", heard), directory.open(3));
  const before = directory.steps;
  while (heard.length === 0) loop.turn();
  expect([heard, directory.steps - before <= 7]).toEqual([["honest"], true]);
  loop.settle();
  expect([heard.length, directory.opened, directory.closed]).toEqual([1001, 1001, 1001]);
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
});

test("equal questions that wait are one page, read after all of them; answers come a few a round", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  pages.add("same", "/d", asker("first", heard), directory.open(5));
  loop.turn();
  for (let nth = 0; nth < 300; nth++) {
    pages.add("same", "/d", asker(`peer ${nth % 3}`, heard), directory.open(5));
  }
  loop.settle();
  // The first had begun before the others asked: what was made in between must be on their page.
  expect([directory.opened, directory.closed, heard.length]).toEqual([2, 2, 301]);
});

test("who has left costs no step, wherever the page stands", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  const askers = Array.from({ length: 100 }, (_, nth) => {
    const one = asker("greedy", heard);
    pages.add(`long ${nth}`, "/long", one, directory.open(50));
    return one;
  });
  loop.turn();
  for (const one of askers) one.gone = true;
  const before = directory.steps;
  loop.settle();
  expect([heard, directory.steps - before, directory.closed]).toEqual([[], 0, directory.opened]);
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
});

test("no more pages are open than the bound, however many peers ask", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  for (let nth = 0; nth < 3 * PAGES_MAX; nth++) {
    pages.add(`${nth}`, "/d", asker(`peer ${nth}`, heard), directory.open(4));
  }
  for (let turn = 0; turn < 50; turn++) {
    loop.turn();
    expect(directory.opened - directory.closed).toBeLessThanOrEqual(PAGES_MAX);
  }
  pages.close();
  loop.settle();
  expect(directory.closed).toBe(directory.opened);
});
