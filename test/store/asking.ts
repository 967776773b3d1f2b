/** Asks a store as a test does: each question with a promise for its answer, by whatever way. */
import fs from "node:fs";
import type { EncodedPage, OpenFile, Store, Waiter } from "../../src/store/store.ts";
import { type Entry, parseListLine } from "../../src/wire/entry.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { tick } from "../../src/sys/clock.ts";
import { clockSays } from "../rig/faults.ts";
import type { Answer } from "../rig/waiter.ts";

/** Waits for a store's answer. */
export class Asker implements Waiter {
  gone = false;
  charge(): void {}
  readonly peer = "";
  readonly answer = Promise.withResolvers<Answer>();
  opened = (answer: Answer): void => this.answer.resolve(answer);
  looked = this.opened;
  listed = this.opened;
  digested = this.opened;
  crash(error: unknown): void {
    this.answer.reject(error);
  }
}

export async function open(store: Store, path: string): Promise<OpenFile | Refusal> {
  const asker = new Asker();
  return store.open(path, asker) ?? ((await asker.answer.promise) as OpenFile | Refusal);
}

/** The file at `path`; throws where it is refused. */
export async function file(store: Store, path: string): Promise<OpenFile> {
  const opened = await open(store, path);
  if (opened instanceof Refusal) throw new Error(`${path}: ${opened.message}`);
  return opened;
}

async function page(store: Store, path: string, limit: number, after: string) {
  const asker = new Asker();
  let refused = store.list(path, limit, after, asker);
  if (refused === "cold") {
    const entry = await stat(store, path);
    if (entry instanceof Refusal) return entry;
    if (entry.type !== "dir") return new Refusal("ENOTDIR", path);
    refused = store.list(path, limit, after, asker, false, true);
  }
  if (refused === "cold") throw new Error("a folder that was found is cold");
  return refused ?? ((await asker.answer.promise) as EncodedPage | Refusal);
}

/** A page in short: how many, "+" where more follow, and the names; or the refusal's code. */
export async function list(store: Store, path: string, limit: number, after = ""): Promise<string> {
  const answer = await page(store, path, limit, after);
  if (answer instanceof Refusal) return answer.code;
  const { text, count, more } = answer;
  const names = Buffer.from(text)
    .toString("latin1")
    .replace(/^.* /gm, "")
    .trim()
    .replaceAll("\n", " ");
  return `${count}${more ? "+" : ""} ${names}`;
}

/** What a listing says of each name. */
export async function entries(store: Store, path: string): Promise<Map<string, Entry>> {
  const answer = await page(store, path, 1000, "");
  if (answer instanceof Refusal) throw new Error(answer.message);
  const lines = Buffer.from(answer.text).toString("latin1").split("\n").slice(0, -1);
  return new Map(
    lines.map((line) => {
      const parsed = parseListLine(line);
      if (parsed === null) throw new Error(`no line of a list: ${line}`);
      return [parsed.name, parsed.entry];
    }),
  );
}

/** What stat() says, at once or later. */
export async function stat(store: Store, path: string): Promise<Entry | Refusal> {
  const asker = new Asker();
  return store.stat(path, asker) ?? ((await asker.answer.promise) as Entry | Refusal);
}

export async function statOf(store: Store, path: string): Promise<Entry> {
  const entry = await stat(store, path);
  if (entry instanceof Refusal) throw new Error(`${path}: ${entry.message}`);
  return entry;
}

/** Writes `bytes` over the file's own, and moves its mtime on: a clock's grain is 4 ms. */
export function editInPlace(path: string, bytes: string | Uint8Array): void {
  fs.writeFileSync(path, bytes);
  const { atime, mtimeMs } = fs.statSync(path);
  fs.utimesSync(path, atime, new Date(mtimeMs + 2000));
}

/** All bytes of a file, from wherever they come; "failed" or "changed" where they don't. */
export async function contentOf(opened: OpenFile): Promise<Buffer | string> {
  const { source, entry, base } = opened;
  if (source === null || opened.body !== null) return bytesOf(opened);
  const length = Number(entry.size);
  const bytes = Buffer.alloc(length);
  let got = 0;
  let awake = Promise.withResolvers<void>();
  const stream = source.stream(base, length, "", () => awake.resolve());
  while (got < length) {
    const { ready } = stream;
    if (ready === null && stream.state !== "flowing") break;
    if (ready === null) {
      stream.want();
      await awake.promise;
    }
    awake = Promise.withResolvers<void>();
    if (ready === null) continue;
    const count = Math.min(ready.length, 50_000);
    bytes.set(ready.subarray(0, count), got);
    got += count;
    stream.take(count);
  }
  const { state } = stream;
  stream.close();
  return got === length ? bytes : state;
}

/** All bytes of a file, from the body or the descriptor. */
export function bytesOf(opened: OpenFile): Buffer {
  if (opened.body !== null) return Buffer.from(opened.body);
  const bytes = Buffer.alloc(Number(opened.entry.size));
  fs.readSync(opened.fd, bytes, 0, bytes.length, 0);
  return bytes;
}

/** So many milliseconds pass at once, for good: a file's other tests are that much later. */
export function pass(ms: number): void {
  const { now } = performance;
  clockSays(() => now.call(performance) + ms);
  tick();
}

/** "opened", or the refusal's code. */
export async function codeOf(store: Store, path: string): Promise<string> {
  const opened = await open(store, path);
  return opened instanceof Refusal ? opened.code : "opened";
}

/** What open, stat and list say of a path that all of them refuse. */
export async function codesOf(store: Store, path: string): Promise<string[]> {
  const told = await stat(store, path);
  const kind = told instanceof Refusal ? told.code : told.type;
  return [await codeOf(store, path), kind, await list(store, path, 10)];
}

/** The store, closed with the test. */
export function closing<S extends Store>(it: S): { it: S } & Disposable {
  return { it, [Symbol.dispose]: () => it.close() };
}
