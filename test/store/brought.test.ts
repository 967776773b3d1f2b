/** Bytes that are brought into memory: all of them in their places, or why not, told once. */
import { expect, test } from "bun:test";
import { bringBytes } from "../../src/store/brought.ts";
import type { ByteStream, Source } from "../../src/store/store.ts";

type State = ByteStream["state"];

/** A source of one stream, which has what the test puts into it. */
class Played implements Source, ByteStream {
  ready: Uint8Array | null = null;
  state: State = "flowing";
  asked: unknown[] = [];
  wanted = 0;
  closed = 0;
  #parts: string[] = [];
  #awake = (): void => {};

  stream(at: bigint, length: number, peer: string, awake: () => void): ByteStream {
    this.asked = [at, length, peer];
    this.#awake = awake;
    return this;
  }

  /** These come at once. */
  come(...parts: string[]): void {
    this.#parts.push(...parts);
    this.#next();
    this.#awake();
  }

  fail(state: State): void {
    this.state = state;
    this.#awake();
  }

  want(): void {
    this.wanted += 1;
  }

  take(count: number): void {
    expect(count).toBe(this.ready?.length ?? -1);
    this.#parts.shift();
    this.#next();
  }

  close(): void {
    this.closed += 1;
  }

  #next(): void {
    const [part] = this.#parts;
    this.ready = part === undefined ? null : Buffer.from(part);
  }
}

function bringing(length: number) {
  const source = new Played();
  const into = Buffer.alloc(length, ".");
  const told: unknown[] = [];
  const stop = bringBytes(source, 7n, into, "peer", (failed) => told.push(failed));
  return { source, into, told, stop };
}

test("parts come one behind the other, and the end is told once", () => {
  const { source, into, told } = bringing(10);
  expect(source.asked).toEqual([7n, 10, "peer"]);
  source.come("abc", "d");
  expect([into.toString(), told, source.wanted]).toEqual(["abcd......", [], 1]);
  source.come("efghij");
  expect([into.toString(), told, source.closed]).toEqual(["abcdefghij", [null], 1]);
  source.fail("failed");
  expect([told, source.closed]).toEqual([[null], 1]);
});

test.each(["failed", "changed"] as const)("a stream that has %s is told as that", (state) => {
  const { source, told } = bringing(10);
  source.come("abc");
  source.fail(state);
  expect([told, source.closed]).toEqual([[state], 1]);
});

test("what came whole is whole, though the stream fails with its last byte", () => {
  const { source, told } = bringing(3);
  source.state = "failed";
  source.come("abc");
  expect(told).toEqual([null]);
});

test("who is stopped is told nothing more", () => {
  const { source, into, told, stop } = bringing(4);
  stop();
  stop();
  source.come("abcd");
  expect([told, source.closed, into.toString()]).toEqual([[], 1, "...."]);
});
