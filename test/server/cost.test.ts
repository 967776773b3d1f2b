/** What a turn costs the others: work counts, not only requests and bytes. */
import { expect, test } from "bun:test";
import { content } from "../rig/oracle.ts";
import { Simulation } from "../rig/simulation.ts";

const MIB = 1024 * 1024;

test("long replies out of the cache are answered few a turn, and others have theirs between", async () => {
  using simulation = new Simulation({ f: "x", big: content(1, 0, 4 * MIB) });
  const { store } = simulation.running;
  // As if it had been computed: the simulated loop has no thread.
  store.digester.cache.reply = () => new Uint8Array(4096 * 17).fill(10);
  const greedy = simulation.connect();
  greedy.send("HASH chunk=1024 /big\n".repeat(1000));
  const honest = simulation.connect();
  honest.send("PING\n");
  expect(honest.text).toStartWith("OK 0 server=");
  const replies = (): number => greedy.text.match(/^OK 69632 /gm)?.length ?? 0;
  expect(replies()).toBeLessThanOrEqual(1);
  simulation.flow(greedy);
  expect(replies()).toBe(1000);
});

test("long lines are answered fewer a turn than short ones, whatever becomes of them", () => {
  using simulation = new Simulation({ f: "x" });
  const greedy = simulation.connect();
  greedy.send(`READ /${"%41".repeat(2600)}\n`.repeat(100));
  const replies = (): number => greedy.text.match(/^ERR ENAMETOOLONG /gm)?.length ?? 0;
  // 64 short ones are a turn; a line of 7,806 bytes is 31 of them.
  expect([replies() > 0, replies() <= 3]).toEqual([true, true]);
  simulation.flow(greedy);
  expect(replies()).toBe(100);
});

test("STATs, which open their name each time, are answered fewer a turn than PINGs", () => {
  using simulation = new Simulation({ f: "x" });
  const greedy = simulation.connect();
  greedy.send("STAT /f\n".repeat(1000));
  const replies = (): number => greedy.text.match(/^OK 0 type=file/gm)?.length ?? 0;
  expect([replies() > 0, replies() <= 20]).toEqual([true, true]);
  simulation.flow(greedy);
  expect(replies()).toBe(1000);
});
