/** One file from several servers: who brings it, who is left out, and what is in the file. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { download } from "../../src/download/download.ts";
import { BytesSink } from "../../src/receive/sink.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { FakeConnection } from "../client/fake.ts";
import { bring } from "../rig/bringing.ts";
import { replaceCall } from "../rig/faults.ts";
import { HttpFake, reply } from "../rig/httpfake.ts";
import { content } from "../rig/oracle.ts";
import { type Misbehave, Scripted } from "../rig/scripted.ts";
import { asked, brought, CHUNK, FILES, HONEST, large, serversOf, urls } from "../rig/sources.ts";
import { dying, TAMPERING, turned } from "../rig/tampering.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

/** No digests. */
const DUMB: Misbehave = ({ verb }) => (verb === "HASH" ? { bytes: "ERR ENOSYS no\n" } : undefined);

test("two servers share the work, whatever their etags and times are", async () => {
  using servers = serversOf(HONEST, HONEST);
  using here = new Tree();
  const outcome = await bring(urls(servers), here);
  expect(outcome).toEqual({ status: 0, err: "", kept: 0, verified: large.length });
  expect(brought(here)).toBe(true);
  for (const server of servers) expect(asked(server)).toBeGreaterThanOrEqual(CHUNK);
  // The version is that of the one named first.
  expect(fs.statSync(here.path("f"), { bigint: true }).mtimeNs).toBe(1_000_000_000n);
  const again = await bring(urls([...servers].reverse()), here);
  expect([again.status, again.verified]).toEqual([0, 0]);
});

test("what each server has brought is told, and by no source where there is one", async () => {
  using servers = serversOf(HONEST, HONEST);
  using here = new Tree();
  for (const [from, count] of [
    [urls(servers), 2],
    [urls(servers)[0] ?? "", 0],
  ] as const) {
    const told: number[][] = [];
    const running = download({
      from,
      folder: here.root,
      force: true,
      wholeFile: true,
      onEvent: (event) => {
        if (event.type === "done") told.push(event.file.sources.map(({ received }) => received));
      },
    });
    await running;
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveLength(count);
    const sums = [...running.progress.bySource.values()];
    expect(sums).toEqual(told[0] ?? []);
    if (count > 0) expect(sums.reduce((sum, one) => sum + one, 0)).toBe(running.progress.received);
  }
});

test.each([0, 1, 2])(
  "number %p of three sends wrong bytes: named, left out, all right",
  async (bad) => {
    const manners = [HONEST, HONEST, HONEST];
    manners[bad] = TAMPERING;
    using servers = serversOf(...manners);
    using here = new Tree();
    const { status, err } = await bring(urls(servers), here);
    expect(err).toMatch(/^\S+ is left out: it sent wrong bytes \d+ on$/);
    expect(err).toStartWith(`${servers[bad]?.url("/f")} `);
    expect([status, brought(here)]).toEqual([0, true]);
  },
);

test.each([0, 1, 2])("number %p of three has other content and digests: outvoted", async (bad) => {
  using servers = serversOf(HONEST, HONEST, HONEST);
  servers[bad]?.put("/f", turned(large, 5 * CHUNK + 1), 9);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect(err).toContain(`${servers[bad]?.url("/f")} is left out: `);
  expect(err.split("\n")).toHaveLength(1);
  expect([status, brought(here)]).toEqual([0, true]);
});

test("of two that differ the one named first decides, by content and by size", async () => {
  for (const other of [turned(large, 3), large.subarray(1)]) {
    using servers = serversOf(HONEST, HONEST);
    servers[1]?.put("/f", other, 9);
    using here = new Tree();
    const { status, err } = await bring(urls(servers), here);
    expect(err).toStartWith(`${servers[1]?.url("/f")} is left out: it`);
    expect(err).toContain(other.length < large.length ? "bytes, s6://" : "content differs");
    expect([status, brought(here)]).toEqual([0, true]);
  }
});

test("of three the size of two counts, also against the one named first", async () => {
  using servers = serversOf(HONEST, HONEST, HONEST);
  servers[0]?.put("/f", large.subarray(9), 9);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect(err).toStartWith(`${servers[0]?.url("/f")} is left out: it has `);
  expect([status, brought(here)]).toEqual([0, true]);
});

test("one that dies in the middle is told, and what it owed comes from the other", async () => {
  using good = new Scripted(FILES);
  using bad = dying(FILES, 3);
  const { address } = bad.fake;
  using here = new Tree();
  const { status, err } = await bring(urls([bad, good]), here, { retries: 1 });
  expect(err).toContain(address);
  expect([status, brought(here)]).toEqual([0, true]);
});

test("who refuses, has nothing, or is not there is told, and the others bring it", async () => {
  const denied: Misbehave = ({ verb }) =>
    verb === "READ" ? { bytes: "ERR EACCES not for you\n" } : undefined;
  const missing: Misbehave = () => ({ bytes: "ERR ENOENT no such file\n" });
  using servers = serversOf(denied, missing, HONEST);
  using here = new Tree();
  const { status, err } = await bring([...urls(servers), "s6://127.0.0.1:1/f"], here);
  expect([status, brought(here)]).toEqual([0, true]);
  const told = (url: string | undefined, code: string): void => {
    expect(err).toContain(`${url} is left out: ${code}`);
  };
  told(servers[0]?.url("/f"), "EACCES");
  told(servers[1]?.url("/f"), "ENOENT");
  told("s6://127.0.0.1:1/f", "ECONNREFUSED");
});

test("when all die it fails and says why, and others go on where they stopped", async () => {
  using here = new Tree();
  using one = dying(FILES, 3);
  using other = dying(FILES, 3);
  const addresses = [one.fake.address, other.fake.address];
  const died = await bring(urls([one, other]), here, { retries: 1 });
  expect([5, 7]).toContain(died.status);
  for (const address of addresses) expect(died.err).toContain(address);
  expect(fs.existsSync(here.path("f"))).toBe(false);
  using servers = serversOf(HONEST, HONEST);
  const { status, kept } = await bring(urls(servers), here);
  expect([status, brought(here)]).toEqual([0, true]);
  expect(kept).toBeGreaterThanOrEqual(CHUNK);
});

test("a disk that is full is no server's fault: status 9, and nobody is left out", async () => {
  using servers = serversOf(HONEST, HONEST);
  using here = new Tree();
  const full = (): number => -ERRNO.ENOSPC;
  using _pipe = replaceCall("spliceOut", () => full);
  using _write = replaceCall("pwrite", () => full);
  const { status, err } = await bring(urls(servers), here);
  expect([status, err.split("\n")]).toEqual([9, [expect.stringMatching(/^ENOSPC: writing /)]]);
});

test("nobody there: the first one's failure, and a word of the others", async () => {
  using here = new Tree();
  using empty = new Scripted({});
  const { status, err } = await bring([empty.url("/f"), "s6://127.0.0.1:1/f"], here, {
    retries: 0,
  });
  expect([status, err]).toEqual([3, expect.stringContaining("s6://127.0.0.1:1/f is left out")]);
});

test("a server of HTTP brings chunks too, and is left out when they are wrong", async () => {
  using good = new Scripted(FILES);
  for (const lies of [false, true]) {
    using http = new HttpFake(FILES, ({ range }, honest) => {
      const bytes = honest();
      if (lies && range !== null && range[1] > 0) bytes[bytes.length - 1] = 0;
      return { bytes };
    });
    using here = new Tree();
    const { status, err, verified } = await bring(urls([http, good]), here);
    expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
    expect(http.reads.length).toBeGreaterThan(0);
    expect(err).toBe(err === "" ? "" : `${http.url("/f")} is left out: ${err.split(": ")[1]}`);
    expect(err.includes("it sent wrong bytes")).toBe(lies);
  }
});

test("HTTP without ranges takes no part, and of HTTP alone only the first does", async () => {
  using whole = new HttpFake(FILES, () => ({ bytes: reply("200 OK", "", large) }));
  using good = new Scripted(FILES);
  using here = new Tree();
  const mixed = await bring(urls([whole, good]), here);
  expect([mixed.status, brought(here)]).toEqual([0, true]);
  expect(mixed.err).toBe(`${whole.url("/f")} is left out: it has no ranges, or no version`);
  using one = new HttpFake(FILES);
  using other = new HttpFake(FILES);
  const alone = await bring(urls([one, other]), here, { force: true });
  expect([alone.status, brought(here)]).toEqual([0, true]);
  expect(alone.err).toContain(`${other.url("/f")} is left out: no server tells digests`);
  expect(other.reads.filter(({ target }) => target === "/f")).toHaveLength(0);
});

test("a server without digests takes part beside one that has them", async () => {
  using servers = serversOf(DUMB, HONEST);
  using here = new Tree();
  const { status, err, verified } = await bring(urls(servers), here);
  expect([status, err, verified, brought(here)]).toEqual([0, "", large.length, true]);
  expect(asked(servers[0] as Scripted)).toBeGreaterThan(0);
  using dumb = serversOf(DUMB, DUMB);
  const refused = await bring(urls(dumb), here, { force: true, wholeFile: true });
  expect([refused.status, refused.err]).toEqual([11, expect.stringContaining("ENOSYS")]);
});

/** Its digests are of a file that ends behind the first chunk, in the same version. */
const BRIEF: Misbehave = ({ verb, key }, honest) => {
  if (verb !== "HASH" || (key("offset") ?? "0") !== "0") return undefined;
  const [head = "", first = ""] = honest().toString("latin1").split("\n");
  // Chunks are smaller where a busy machine makes the line a long one.
  const chunk = key("chunk") ?? `${CHUNK}`;
  const shorter = head.replace(/^OK \d+ size=\d+/, `OK ${first.length + 1} size=${chunk}`);
  return { bytes: `${shorter}\n${first}\n` };
};

test("digests of a shorter file are of another one: an end, and not one compared in part", async () => {
  using brief = new Scripted(FILES, BRIEF);
  using good = new Scripted(FILES);
  using here = new Tree();
  // What is here of an earlier run is asked about at once.
  const left = (): void => here.write(`.cli6-${process.geteuid?.() ?? 0}/f`, large);
  left();
  const alone = await bring(brief.url("/f"), here);
  expect([alone.status, alone.verified]).toEqual([6, 0]);
  left();
  const { status, err, verified } = await bring(urls([brief, good]), here);
  expect([status, verified, brought(here)]).toEqual([0, large.length, true]);
  expect(err).toBe(`${brief.url("/f")} is left out: ESTALE: the file has changed: /f`);
  const streamed = download({ from: brief.url("/f"), sink: new BytesSink(large.length) });
  expect(await rejection(streamed)).toMatchObject({ kind: "changed" });
  expect(streamed.progress.verified).toBe(0);
});

test("who was found out by another file to tell no digests is compared all the same", async () => {
  for (const others of ["s6", "http"] as const) {
    const known = Promise.withResolvers<void>();
    /** What is asked of /f is answered when the other file has come. */
    const late = <A extends { connection: FakeConnection }>(asked: A, honest: () => Buffer) => {
      void known.promise.then(() => asked.connection.say(honest()));
      return null;
    };
    using dumb = new Scripted({ "/f": large, "/other": "small" }, (asked, honest) => {
      if (asked.verb === "HASH") return { bytes: "ERR ENOSYS no\n" };
      return asked.verb === "READ" && asked.path === "/f" ? late(asked, honest) : undefined;
    });
    const wrong = { "/f": turned(large, CHUNK + 1) };
    using told = new Scripted(wrong, (asked, honest) => {
      return asked.verb === "READ" ? late(asked, honest) : undefined;
    });
    using http = new HttpFake(wrong, (asked, honest) => {
      return (asked.range?.[1] ?? 0) > 0 ? late(asked, honest) : undefined;
    });
    using here = new Tree();
    const from = [dumb.url("/other"), dumb.url("/f"), (others === "s6" ? told : http).url("/f")];
    const running = bring(from, here, {
      onEvent: (event) => {
        if (event.type === "note" && event.text.includes("no digests")) known.resolve();
      },
    });
    const { status, verified } = await running;
    // What one server alone tells digests of is compared with them, and else it is no file.
    expect([status, verified]).toEqual(others === "s6" ? [0, large.length] : [11, 0]);
    expect(fs.existsSync(here.path("f"))).toBe(others === "s6");
    if (others === "s6") expect(fs.readFileSync(here.path("f")).equals(wrong["/f"])).toBe(true);
  }
});

test("servers of HTTP do not bring together what a server of S6 without digests was to", async () => {
  using dumb = new Scripted({ "/a": large, "/b": large, "/f": large }, DUMB);
  const digest = new Bun.CryptoHasher("sha256").update(large).digest("base64");
  using lies = new HttpFake({}, ({ range }, honest) => {
    const bytes = honest();
    if (range !== null && range[1] > 0) bytes[bytes.length - 1] = 0;
    return { bytes };
  });
  using good = new HttpFake({});
  for (const http of [lies, good]) {
    http.put("/f", large, `ETag: "1"\r\nRepr-Digest: sha-256=:${digest}:\r\n`);
  }
  using here = new Tree();
  // Two come at once: by the third one it is known that the server tells no digests.
  const from = [dumb.url("/a"), dumb.url("/b"), ...urls([dumb, lies, good])];
  const { status, err } = await bring(from, here);
  expect([status, brought(here)]).toEqual([0, true]);
  for (const http of [lies, good]) {
    expect(err).toContain(`${http.url("/f")} is left out: no server tells digests`);
  }
});

test("a file that changes on one server is left out there, and never mixed", async () => {
  let reads = 0;
  using servers = serversOf(({ verb }) => {
    if (verb === "READ" && ++reads === 2) servers[0]?.put("/f", content(3, 2, large.length), 7);
    return undefined;
  }, HONEST);
  using here = new Tree();
  const { status, err } = await bring(urls(servers), here);
  expect(err).toContain(`${servers[0]?.url("/f")} is left out: ESTALE`);
  expect([status, brought(here)]).toEqual([0, true]);
});

test("one token is shown to the server named first alone, and each server its own", async () => {
  const admits: Misbehave = ({ verb }) => (verb === "AUTH" ? { bytes: "OK 0\n" } : undefined);
  const shown = (server: Scripted | undefined): string[] => [
    ...new Set(server?.requests("AUTH").map(({ line }) => line)),
  ];
  using servers = serversOf(admits, admits);
  const [first, second] = servers;
  using here = new Tree();
  expect((await bring(urls(servers), here, { token: "one" })).status).toBe(0);
  expect([shown(first), shown(second)]).toEqual([["AUTH one"], []]);
  const own = ({ port }: { port: number }) => (port === second?.fake.server.port ? "two" : null);
  const options = { token: own, force: true, wholeFile: true };
  expect((await bring(urls(servers), here, options)).status).toBe(0);
  expect([shown(first), shown(second)]).toEqual([["AUTH one"], ["AUTH two"]]);
});

test("small files and patterns come from several servers, and a checksum decides at the end", async () => {
  const small = { "/a1": "one", "/a2": "two" };
  using one = new Scripted(small);
  using other = new Scripted(small, ({ verb }) =>
    verb === "LIST" ? { bytes: "ERR EIO no list\n" } : undefined,
  );
  using here = new Tree();
  const options = { server: one.fake.address, alsoFrom: [other.fake.address], glob: true };
  const { status, err } = await bring(["/a*"], here, options);
  expect([status, err]).toEqual([0, ""]);
  expect(fs.readdirSync(here.root).sort()).toEqual(["a1", "a2"]);
  expect(other.requests("HASH")).toHaveLength(2);
  const checksum = `sha256:${"0".repeat(64)}`;
  const wrong = await bring(["/a1"], here, { ...options, checksum, force: true });
  expect([wrong.status, fs.readFileSync(here.path("a1"), "latin1")]).toEqual([8, "one"]);
});
