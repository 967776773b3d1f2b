/** One file from several servers, some of which are slow, or never answer: who waits for whom. */
import { expect, test } from "bun:test";
import { LATE_MS } from "../../src/download/late.ts";
import type { FakeConnection } from "../client/fake.ts";
import { bring } from "../rig/bringing.ts";
import type { Misbehave, Scripted } from "../rig/scripted.ts";
import { asked, brought, CHUNK, HONEST, large, serversOf, urls } from "../rig/sources.ts";
import { turned } from "../rig/tampering.ts";
import { Tree } from "../rig/tree.ts";

/** Sends what it reads at `rate` bytes a second. */
function trickling(rate: number): Misbehave {
  const before = new WeakMap<FakeConnection, Promise<void>>();
  return ({ verb, connection }, honest) => {
    if (verb !== "READ") return undefined;
    const bytes = honest();
    const sent = (before.get(connection) ?? Promise.resolve()).then(async () => {
      const step = Math.ceil(rate / 20);
      for (let at = 0; at < bytes.length && !connection.closed; at += step) {
        connection.say(bytes.subarray(at, at + step));
        await Bun.sleep(50);
      }
    });
    before.set(connection, sent);
    return null;
  };
}

test("a slow one leaves the chunk that it has begun to one that is done with the rest", async () => {
  // The chunk alone would take it longer than a test may.
  const begun = Promise.withResolvers<void>();
  const trickle = trickling(CHUNK / 7);
  using servers = serversOf(
    ({ verb, connection }, honest) => {
      if (verb !== "READ") return undefined;
      void begun.promise.then(() => connection.say(honest()));
      return null;
    },
    (asked, honest) => {
      if (asked.verb === "READ") begun.resolve();
      return trickle(asked, honest);
    },
  );
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect([status, err, brought(here)]).toEqual([0, "", true]);
  // How much it had begun goes by the round trip, which is long on a busy machine.
  expect(asked(servers[1] as Scripted)).toBeGreaterThan(0);
});

test.each(["READ", "HASH", "STAT"])("one that never answers %s holds nobody up", async (deaf) => {
  using servers = serversOf(({ verb }) => (verb === deaf ? null : undefined), HONEST);
  using here = new Tree();
  // Longer than the test may take: nothing but the other server ends the wait.
  const { status, err } = await bring(urls(servers), here, { stallTimeoutMs: 600_000 });
  expect([status, brought(here)]).toEqual([0, true]);
  const silent = `${servers[0]?.url("/f")} is left out: ETIMEDOUT`;
  expect(err).toBe(
    deaf === "STAT" ? `${silent}: it has not answered within 3 s of the others` : "",
  );
});

test("nor does it where a file is replaced, of which the other tells what is the same", async () => {
  using servers = serversOf(({ verb }) => (verb === "HASH" ? null : undefined), HONEST);
  using here = new Tree();
  here.write("f", turned(large, 3));
  const options = { force: true, stallTimeoutMs: 600_000 };
  const { status, verified } = await bring(urls(servers), here, options);
  expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
  expect(servers.reduce((sum, server) => sum + asked(server), 0)).toBeLessThan(CHUNK);
});

test("nor does a fourth that is asked only where three differ", async () => {
  using servers = serversOf(HONEST, HONEST, HONEST, ({ verb }) =>
    verb === "HASH" ? null : undefined,
  );
  servers[0]?.put("/f", turned(large, 3), 9);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here, { stallTimeoutMs: 600_000 });
  expect(err).toStartWith(`${servers[0]?.url("/f")} is left out: its content differs`);
  expect([status, brought(here), err.split("\n")]).toEqual([0, true, [err]]);
});

test("two whose disks are slow outvote a third that answers at once", async () => {
  const slow: Misbehave = ({ verb, connection }, honest) => {
    if (verb !== "HASH") return undefined;
    setTimeout(() => connection.say(honest()), LATE_MS + 200);
    return null;
  };
  using servers = serversOf(slow, slow, HONEST);
  servers[2]?.put("/f", turned(large, 5 * CHUNK + 1), 9);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect(err).toContain(`${servers[2]?.url("/f")} is left out: `);
  expect(err.split("\n")).toHaveLength(1);
  expect([status, brought(here)]).toEqual([0, true]);
});
