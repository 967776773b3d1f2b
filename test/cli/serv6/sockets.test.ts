/** The listening sockets of workers, from one configuration to the next. */
import { expect, test } from "bun:test";
import { Sockets } from "../../../src/cli/serv6/sockets.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import { listeningAt, listenShared } from "../../../src/sys/processes.ts";

const HERE = { host: "127.0.0.1", port: 0 };
const NOWHERE = new Set<number>();

/** The descriptors of all workers together. */
function handed(sockets: Sockets, workers: number): Set<number> {
  return new Set(
    Array.from({ length: workers }, (_, nth) => sockets.for(nth, workers).handed).flat(),
  );
}

test("what is opened for more workers is not among those of before, and is closed alone", () => {
  const before = Sockets.open({ places: [HERE], admin: null }, 2, null);
  const two = handed(before, 2);
  const next = Sockets.open({ places: [HERE], admin: null }, 4, before);
  const four = handed(next, 4);
  expect(four.size).toBe(4);
  expect(handed(before, 2)).toEqual(two);
  next.closeBut(before);
  expect(new Set([...four].filter((fd) => listeningAt(fd) !== null))).toEqual(two);
  before.closeBut(Sockets.of([], null, 1, null));
  expect(new Set([...four].filter((fd) => listeningAt(fd) !== null))).toEqual(NOWHERE);
});

test("an address that can't be had leaves those of before as they are", () => {
  const before = Sockets.open({ places: [HERE], admin: null }, 2, null);
  const two = handed(before, 2);
  const taken = listenShared(HERE, true, 1);
  const port = listeningAt(taken)?.port ?? 0;
  const wanted = { places: [HERE], admin: { host: HERE.host, port } };
  expect(() => Sockets.open(wanted, 3, before)).toThrow("is taken");
  expect(handed(before, 2)).toEqual(two);
  expect([...two].every((fd) => listeningAt(fd) !== null)).toBe(true);
  before.closeBut(Sockets.of([], null, 1, null));
  kernel.close(taken);
});

test("beside sockets from outside the place of who runs the server comes, stays and goes", () => {
  const own = listenShared(HERE, true, 1);
  const outside = [{ ...HERE, sockets: [own] }];
  const none = Sockets.of(outside, null, 2, null);
  expect(none.for(0, 2).admin).toBe(null);
  const one = Sockets.of(outside, HERE, 2, none);
  const first = one.for(1, 2).handed;
  expect(first).toHaveLength(2);
  const more = Sockets.of(outside, HERE, 3, one);
  expect(more.for(1, 3).handed).toEqual(first);
  expect(more.for(2, 3).handed).toHaveLength(2);
  const gone = Sockets.of(outside, null, 2, more);
  more.closeBut(gone);
  expect(gone.for(0, 2).handed).toEqual([own]);
  expect(listeningAt(first[1] ?? -1)).toBe(null);
  kernel.close(own);
});
