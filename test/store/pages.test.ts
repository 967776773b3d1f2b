/** Who gets a page of a directory when: turns between peers, equal questions, those who left. */
import { expect, test } from "bun:test";
import type { DirectoryPage } from "../../src/store/directory.ts";
import {
  PAGES_MAX,
  Pages,
  type PageWork,
  PEER_PAGES_MAX,
  SHORT_BYTES_MAX,
  SHORT_STEPS_MAX,
  SHORT_WAITS_MAX,
} from "../../src/store/pages.ts";
import type { EncodedPage, Waiter } from "../../src/store/store.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { waiterOf } from "../rig/waiter.ts";

const PAGE: EncodedPage = { text: new Uint8Array(1), count: 1, more: false, left: 0, id: "" };

const LONG_BYTES = SHORT_BYTES_MAX + 1;

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
    pages.add(`long ${nth}`, "/long", LONG_BYTES, asker("greedy", heard), directory.open(100));
  }
  for (let nth = 0; nth < 10; nth++) loop.turn();
  expect(directory.opened).toBe(PEER_PAGES_MAX);
  pages.add("short", "/short", 4096, asker("honest", heard), directory.open(3));
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
  pages.add("same", "/d", LONG_BYTES, asker("first", heard), directory.open(5));
  loop.turn();
  for (let nth = 0; nth < 300; nth++) {
    pages.add("same", "/d", LONG_BYTES, asker(`peer ${nth % 3}`, heard), directory.open(5));
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
    pages.add(`long ${nth}`, "/long", LONG_BYTES, one, directory.open(50));
    return one;
  });
  loop.turn();
  for (const one of askers) one.gone = true;
  const before = directory.steps;
  loop.settle();
  expect([heard, directory.steps - before, directory.closed]).toEqual([[], 0, directory.opened]);
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
});

test("a disk that hangs gathers none of those who asked and left", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const wakes: (() => void)[] = [];
  const heard: string[] = [];
  const hangs = (): PageWork => {
    const page: PageWork = { step: () => "waits", close() {} };
    wakes.push(() => {
      page.step = () => PAGE;
      page.wake?.();
    });
    return page;
  };
  for (let nth = 0; nth < SHORT_WAITS_MAX; nth++) {
    pages.add(`hangs ${nth}`, "/d", 4096, asker("before", heard), hangs);
  }
  loop.settle();
  const stays = asker("stays", heard);
  pages.add("same", "/d", 4096, stays, hangs);
  let listened = 0;
  for (let nth = 0; nth < 5000; nth++) {
    const leaver = {
      ...asker(`peer ${nth % 7}`, heard),
      get gone() {
        listened += Number(nth < 1000);
        return true;
      },
    };
    pages.add(nth % 2 === 0 ? "same" : `other ${nth}`, "/d", 4096, leaver, hangs);
  }
  expect(pages.waiting).toBeLessThan(300);
  // Nor does a page that somebody waits for keep those who have left.
  listened = 0;
  for (let turn = 0; heard.length <= SHORT_WAITS_MAX; turn++) {
    for (const wake of wakes.splice(0)) wake();
    loop.settle();
    expect(turn).toBeLessThan(10);
  }
  expect([heard.at(-1), listened, pages.making, pages.waiting]).toEqual(["stays", 0, 0, 0]);
});

test("no more pages are open than the bound, however many peers ask", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  for (let nth = 0; nth < 3 * PAGES_MAX; nth++) {
    pages.add(`${nth}`, "/d", LONG_BYTES, asker(`peer ${nth}`, heard), directory.open(4));
  }
  for (let turn = 0; turn < 50; turn++) {
    loop.turn();
    expect(directory.opened - directory.closed).toBeLessThanOrEqual(PAGES_MAX);
  }
  pages.close();
  loop.settle();
  expect(directory.closed).toBe(directory.opened);
});

test.each(["greedy", "honest"])(
  "a short directory waits for no long one, asked by the %s peer",
  (peer) => {
    using loop = new SimulatedLoop();
    const pages = new Pages();
    const directory = new Directory();
    const heard: string[] = [];
    for (let nth = 0; nth < 300; nth++) {
      pages.add(`long ${nth}`, "/long", LONG_BYTES, asker("long", heard), directory.open(130));
    }
    for (let nth = 0; nth < 10; nth++) loop.turn();
    pages.add("short", "/short", SHORT_BYTES_MAX, asker(peer, heard), directory.open(5));
    const before = directory.steps;
    while (heard.length === 0) loop.turn();
    expect([heard, directory.steps - before <= 11]).toEqual([[peer], true]);
    // Nor a long one for short ones, of which there are always more.
    const long: string[] = [];
    pages.add("last", "/long", LONG_BYTES, asker("another", long), directory.open(130));
    for (let turn = 0; long.length === 0; turn++) {
      pages.add(`short ${turn}`, "/short", 4096, asker(peer, heard), directory.open(5));
      loop.turn();
      expect(turn).toBeLessThan(2 * 2 * 130 + 20);
    }
    loop.settle();
    expect([directory.opened - directory.closed, pages.making, pages.waiting]).toEqual([0, 0, 0]);
  },
);

test("a directory that is longer than its size says is begun anew, and told once", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  for (let nth = 0; nth < 20; nth++) {
    pages.add(`${nth}`, "/d", 4096, asker("greedy", heard), directory.open(130));
  }
  for (let turn = 0; turn < 8 * 2 * SHORT_STEPS_MAX; turn++) loop.turn();
  // Who asks the same joins one that has not been begun again, and shares it.
  pages.add("5", "/d", 4096, asker("honest", heard), directory.open(130));
  pages.add("short", "/d", 4096, asker("other", heard), directory.open(4));
  while (heard.length === 0) loop.turn();
  expect(heard).toEqual(["other"]);
  loop.settle();
  expect([heard.length, directory.closed === directory.opened]).toEqual([22, true]);
  expect(directory.opened).toBe(2 * 20 + 1);
});

test("a peer whose pages end one by one opens no more beside those that are left", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  const add = (key: string, steps: number): void =>
    pages.add(key, "/d", LONG_BYTES, asker("one", heard), directory.open(steps));
  add("short", 2);
  add("endless", 1000);
  while (heard.length < 1) loop.turn();
  for (let nth = 0; nth < 10; nth++) add(`more ${nth}`, 100);
  for (let nth = 0; nth < 10; nth++) loop.turn();
  expect(pages.making).toBe(PEER_PAGES_MAX);
  pages.close();
  loop.settle();
});

test("a round answers for a millisecond, and until the answer under way is given", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const rounds: number[] = [];
  let answered = 0;
  for (let nth = 0; nth < 8; nth++) {
    const waiter = waiterOf(() => {
      loop.now += 0.375;
      answered += 1;
    });
    pages.add("same", "/d", 4096, waiter, directory.open(1));
  }
  while (answered < 8) {
    loop.turn();
    rounds.push(answered);
  }
  expect(rounds).toEqual([3, 6, 8]);
});

test("a short page in the making counts, and the bounds are those that the text promises", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  pages.add("short", "/d", 4096, asker("one", []), directory.open(3));
  expect([pages.making, pages.waiting]).toEqual([0, 1]);
  loop.turn();
  expect([pages.making, pages.waiting]).toEqual([1, 0]);
  pages.add("long", "/d", LONG_BYTES, asker("one", []), directory.open(3));
  loop.turn();
  expect(pages.making).toBe(2);
  pages.close();
  expect([pages.making, directory.closed]).toEqual([0, 2]);
  expect([PEER_PAGES_MAX, PAGES_MAX, SHORT_BYTES_MAX, SHORT_STEPS_MAX]).toEqual([
    4, 64, 65_536, 16,
  ]);
});

test("who throws costs itself alone: a page that can't be opened, made or taken", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  const crashed: unknown[] = [];
  const error = new Error("ours");
  const fails = (): never => {
    throw error;
  };
  const crashes = waiterOf(
    () => heard.push("told"),
    (it) => crashed.push(it),
  );
  pages.add("open", "/d", 4096, crashes, fails);
  pages.add("step", "/d", 4096, crashes, () => ({
    step: fails,
    close: () => void (directory.closed += 1),
  }));
  pages.add(
    "take",
    "/d",
    4096,
    waiterOf(fails, (it) => crashed.push(it)),
    directory.open(1),
  );
  pages.add("gone", "/d", 4096, waiterOf(fails, fails, true), fails);
  pages.add("good", "/d", 4096, asker("good", heard), directory.open(1));
  loop.settle();
  expect([crashed, heard, directory.closed]).toEqual([[error, error, error], ["good"], 3]);
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
});

test("what can't be opened or read is refused by its path, for all who asked", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const refused: string[] = [];
  const waiter = (): Waiter =>
    waiterOf((answer) => refused.push(answer instanceof Refusal ? answer.code : "page"));
  pages.add("open", "/a", 4096, waiter(), () => -13);
  pages.add("open", "/a", 4096, waiter(), () => -13);
  pages.add("step", "/b", LONG_BYTES, waiter(), () => ({ step: () => -5, close() {} }));
  loop.settle();
  expect(refused).toEqual(["EACCES", "EACCES", "EIO"]);
});

test("a page that another peer has asked for comes in the turn of each who wants it", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  const add = (key: string, peer: string): void =>
    pages.add(key, "/d", 4096, asker(peer, heard), directory.open(2));
  for (let nth = 0; nth < 50; nth++) add(`${nth}`, "greedy");
  add("49", "honest");
  add("49", "honest");
  while (!heard.includes("honest")) loop.turn();
  expect(heard.length).toBeLessThanOrEqual(5);
  // Of one peer it has one place, however often that asks.
  expect(pages.waiting).toBeLessThan(50);
  loop.settle();
  expect([heard.length, directory.opened]).toEqual([52, 50]);
});

test("a directory of just so many bytes is a short one, of one more it is long", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const kinds: boolean[] = [];
  for (const bytes of [SHORT_BYTES_MAX, LONG_BYTES]) {
    pages.add(`${bytes}`, "/d", bytes, waiterOf(), (long) => {
      kinds.push(long);
      return -2;
    });
  }
  loop.settle();
  expect(kinds.toSorted()).toEqual([false, true]);
});

test("after the close nothing is opened, and a page that is woken is not stepped", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  const heard: string[] = [];
  let steps = 0;
  const page: PageWork = {
    step: () => {
      steps += 1;
      return "waits";
    },
    close() {},
  };
  pages.add("waits", "/d", LONG_BYTES, asker("one", heard), () => page);
  loop.settle();
  expect(steps).toBe(1);
  for (let nth = 0; nth < 10; nth++) {
    pages.add(`short ${nth}`, "/d", 4096, asker("one", heard), directory.open(3));
    pages.add(`long ${nth}`, "/d", LONG_BYTES, asker("two", heard), directory.open(3));
  }
  loop.turn();
  const { opened } = directory;
  pages.close();
  expect([pages.making, pages.waiting]).toEqual([0, 0]);
  page.wake?.();
  loop.settle();
  expect([heard, steps, directory.opened, directory.closed]).toEqual([[], 1, opened, opened]);
});

test("one answer that is left over is given in the next round", () => {
  using loop = new SimulatedLoop();
  const pages = new Pages();
  const directory = new Directory();
  let answered = 0;
  const waiter = (): Waiter =>
    waiterOf(() => {
      loop.now += 2;
      answered += 1;
    });
  for (let nth = 0; nth < 3; nth++) pages.add("same", "/d", 4096, waiter(), directory.open(1));
  loop.settle();
  expect(answered).toBe(3);
});
