/** Who sends in several processes: rates hold over all of them. */
import { expect, test } from "bun:test";
import { sharesOf } from "../../src/guard/rates.ts";
import { SENDING_PLANE_WORDS, SharedSending } from "../../src/guard/sharedsending.ts";

function processes(count: number) {
  const planes = Array.from({ length: count }, () => {
    const words = new Int32Array(SENDING_PLANE_WORDS);
    return { words, rates: new Float64Array(words.buffer) };
  });
  const live = planes.map((_, nth) => nth);
  return { planes, live, all: live.map((nth) => new SharedSending(planes, nth, () => live, 9n)) };
}

const of = (peer: string, token: string | null = null, tokenRate = 0) => ({
  ...{ peer, token, tokenRate },
});

test("an address, a token and the whole are shared among the connections of all", () => {
  const [one, other] = processes(2).all;
  other!.publish([of("a"), of("a"), of("a"), of("b", "t", 100)]);
  const own = one!.publish([of("a"), of("c", "t", 100)]);
  const rates = { connection: 0, address: 1000, total: 0 };
  const shares = sharesOf([...own, ...one!.others()], rates);
  expect(shares).toEqual([250, 50, 250, 250, 250, 50]);
  const total = sharesOf([...own, ...one!.others()], { connection: 0, address: 0, total: 400 });
  expect(total.reduce((sum, share) => sum + share, 0)).toBeCloseTo(400);
});

test("what is being written is not read: what was there before counts", () => {
  const { planes, all } = processes(2);
  all[1]!.publish([of("a")]);
  expect(all[0]!.others()).toHaveLength(1);
  planes[1]!.words[0]! += 1;
  planes[1]!.words[1] = 1000;
  expect(all[0]!.others()).toHaveLength(1);
});

test("who has ended sends nothing; of very many the surplus still counts", () => {
  const { live, all } = processes(2);
  all[1]!.publish(Array.from({ length: 3000 }, (_, nth) => of(`peer ${nth}`)));
  expect(all[0]!.others()).toHaveLength(3000);
  live.pop();
  expect(all[0]!.others()).toEqual([]);
});
