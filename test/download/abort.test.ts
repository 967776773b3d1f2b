/**
 * A caller who ends a download or a mirror: soon, with a coded error, nothing left open, and what
 * came kept for the next run.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { refusedError } from "../../src/client/error.ts";
import { download } from "../../src/download/download.ts";
import { mirror } from "../../src/download/mirror.ts";
import type { Operation } from "../../src/download/operation.ts";
import { eventually } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content, verify } from "../rig/oracle.ts";
import { escape, fileLine, listing, type Misbehave, Scripted } from "../rig/scripted.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

const MIB = 1024 * 1024;
const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

/** Far less than any timeout of these calls, and enough for a busy machine. */
const SOON_MS = 2000;

const large = content(5, 1, 9 * MIB);

/** Sends 5 MiB of what starts in a file's first chunk, and then nothing. */
const begins: Misbehave = ({ verb, key }, honest) => {
  if (verb !== "READ") return undefined;
  const early = Number(key("offset") ?? 0) < 4 * MIB;
  return early ? { bytes: honest().subarray(0, 5 * MIB) } : null;
};

/** Ends `operation` now, and looks that it does so as promised. */
async function aborted(
  operation: Operation<unknown>,
  controller: AbortController,
  server: Scripted,
  root: string,
): Promise<void> {
  const began = performance.now();
  controller.abort();
  const error = await rejection(operation);
  expect([error.kind, error.code]).toEqual(["aborted", "ECANCELED"]);
  expect(performance.now() - began).toBeLessThan(SOON_MS);
  expect(openIn(root)).toBe(0);
  await eventually("every connection closed", () =>
    server.fake.connections.every(({ closed, finished }) => closed || finished),
  );
}

test("large and small files under way: what came is kept, and the next run goes on", async () => {
  using tree = new Tree();
  const files = { "/large": large, "/small": "small", "/other": large };
  let stalls = true;
  using server = new Scripted(files, (asked, honest) =>
    stalls ? begins(asked, honest) : undefined,
  );
  const from = Object.keys(files).map((path) => server.url(path));
  const controller = new AbortController();
  const failures: unknown[] = [];
  const operation = download({
    ...{ from, folder: tree.root, signal: controller.signal, verify: false },
    onEvent: (event) => event.type === "failed" && failures.push(event),
  });
  const { running } = operation.progress;
  await eventually("a chunk of both", () => {
    return running.size === 2 && [...running].every(({ arrived }) => arrived >= 4 * MIB);
  });
  await aborted(operation, controller, server, tree.root);
  expect(failures).toEqual([]);
  // What was complete has its name.
  expect(fs.readdirSync(tree.root).toSorted()).toEqual([STAGING, "small"]);
  stalls = false;
  const again = await download({ from, folder: tree.root });
  expect(again).toMatchObject({ done: 2, unchanged: 1, failed: 0 });
  expect(again.kept).toBeGreaterThanOrEqual(8 * MIB);
  expect(verify(fs.readFileSync(tree.path("large")), 5, 1)).toBeNull();
});

test("wherever it waits: for an answer, a list, a digest, a retry, room for an order", async () => {
  const names = Array.from({ length: 20_000 }, (_, nth) => `f${100_000 + nth}`);
  const waits: [string, Misbehave][] = [
    ["STAT", ({ verb }) => (verb === "STAT" ? null : undefined)],
    ["READ", ({ verb }) => (verb === "READ" ? null : undefined)],
    ["HASH", ({ verb }) => (verb === "HASH" ? null : undefined)],
    ["LIST", ({ verb }) => (verb === "LIST" ? null : undefined)],
    ["cut", ({ verb }) => (verb === "READ" ? { bytes: "", ending: "rst" } : undefined)],
    [
      "room",
      ({ verb, key }) => {
        if (verb === "READ") return null;
        if (verb !== "LIST") return undefined;
        const page = names.filter((name) => name > (key("after") ?? "")).slice(0, 4096);
        return {
          bytes: listing(
            page.map((name) => fileLine(escape(name), 5)),
            page.at(-1) === names.at(-1) ? 0 : 1,
          ),
        };
      },
    ],
  ];
  for (const [what, misbehave] of waits) {
    for (const path of ["/top/small", "/top/large"]) {
      using tree = new Tree();
      using server = new Scripted({ "/top/small": "small", "/top/large": large }, misbehave);
      const controller = new AbortController();
      let retries = 0;
      const shared = {
        signal: controller.signal,
        // A digest would come before the bytes that are held back.
        verify: what === "HASH",
        onEvent: ({ type }: { type: string }) => void (retries += type === "retry" ? 1 : 0),
      };
      const mirrors = what === "LIST" || what === "room";
      const operation = mirrors
        ? mirror({ from: server.url("/top"), folder: tree.root, ...shared })
        : download({ from: server.url(path), folder: tree.root, ...shared });
      const verb = what === "cut" || what === "room" ? "READ" : what;
      await eventually(`${what} asked`, () => server.requests(verb).length > 0);
      if (what === "cut") await eventually("a wait before a retry", () => retries > 1);
      if (what === "room")
        await eventually("the list held up", () => operation.progress.files > 16_000);
      await aborted(operation, controller, server, tree.root);
    }
  }
}, 60_000);

test("before it began, from its own event, by a timeout, by an error of the caller's", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": large, "/g": "g" }, begins);
  const to = { from: server.url("/f"), folder: tree.root, verify: false };
  const gone = await rejection(download({ ...to, signal: AbortSignal.abort("enough") }));
  expect([gone.kind, gone.cause]).toEqual(["aborted", "enough"]);
  expect([server.asked, fs.readdirSync(tree.root)]).toEqual([[], []]);

  const late = await rejection(download({ ...to, signal: AbortSignal.timeout(50) }));
  expect([late.kind, late.code]).toEqual(["timed-out", "ETIMEDOUT"]);

  const own = refusedError("EACCES", "not today");
  const controller = new AbortController();
  const refused = await rejection(
    download({
      ...{ ...to, from: [server.url("/nope"), server.url("/f")], signal: controller.signal },
      onEvent: () => controller.abort(own),
    }),
  );
  expect(refused).toBe(own);
  expect(openIn(tree.root)).toBe(0);
});

test("a listener or a predicate that throws ends it, and it rejects with what was thrown", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/top/f": "f", "/top/large": large });
  const bug = new TypeError("the caller's own mistake");
  const broken = (): never => {
    throw bug;
  };
  const from = server.url("/top");
  const folder = tree.root;
  await expect(mirror({ from, folder, onEvent: broken })).rejects.toBe(bug);
  await expect(mirror({ from, folder, wants: broken })).rejects.toBe(bug);
  expect(openIn(tree.root)).toBe(0);
  await eventually("every connection closed", () =>
    server.fake.connections.every(({ closed, finished }) => closed || finished),
  );
});

test("a pause before another try is cut short", async () => {
  using tree = new Tree();
  using server = new Scripted({ "/f": "f" });
  const from = server.url("/f");
  server[Symbol.dispose]();
  const controller = new AbortController();
  let began = 0;
  let pauseMs = 0;
  const operation = download({
    ...{ from, folder: tree.root, signal: controller.signal, retryRefused: true },
    onEvent: (event) => {
      // The fourth lasts a second at least.
      if (event.type !== "retry" || event.nth < 4) return;
      pauseMs = event.waitMs;
      began = performance.now();
      controller.abort();
    },
  });
  expect((await rejection(operation)).kind).toBe("aborted");
  expect(pauseMs).toBeGreaterThanOrEqual(1000);
  expect(performance.now() - began).toBeLessThan(pauseMs / 2);
});

test("a host that does not answer is not waited for", async () => {
  using tree = new Tree();
  const fixture = `${import.meta.dir}/../client/blackhole-fixture.ts`;
  const hole = Bun.spawn([process.execPath, fixture], { stdout: "pipe" });
  const said = hole.stdout.getReader();
  try {
    const port = Number.parseInt(Buffer.from((await said.read()).value ?? "").toString(), 10);
    const controller = new AbortController();
    // Its queue takes a connection or two, which are not answered; then not even that.
    const from = Array.from({ length: 4 }, () => `s6://127.0.0.1:${port}/f`);
    const operations = from.map((one, nth) => {
      const folder = tree.path(String(nth));
      return rejection(download({ from: one, folder, signal: controller.signal }));
    });
    await Bun.sleep(50); // Nothing tells when the kernel has sent what nobody answers.
    const began = performance.now();
    controller.abort();
    const errors = await Promise.all(operations);
    expect(errors.map(({ kind }) => kind)).toEqual(Array(4).fill("aborted"));
    expect(performance.now() - began).toBeLessThan(SOON_MS);
  } finally {
    hole.kill("SIGKILL");
    await hole.exited;
  }
});

test("orders that wait are given up with the first: nothing is staged for them", async () => {
  using tree = new Tree();
  const names = Array.from({ length: 40 }, (_, nth) => `/f${nth}`);
  using server = new Scripted(Object.fromEntries(names.map((name) => [name, large])), begins);
  const controller = new AbortController();
  const from = names.map((name) => server.url(name));
  const options = { from, folder: tree.root, signal: controller.signal, verify: false };
  const operation = download(options);
  await eventually("bytes", () => operation.progress.arrived > 0);
  await aborted(operation, controller, server, tree.root);
  expect(fs.readdirSync(tree.path(STAGING)).length).toBeLessThanOrEqual(2);
});
