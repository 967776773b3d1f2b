/** Bytes that are brought into memory: all of them in their places, or why not, told once. */
import { expect, test } from "bun:test";
import { bringBytes } from "../../src/store/brought.ts";
import { PlayedSource } from "../rig/playedsource.ts";

function bringing(length: number) {
  const source = new PlayedSource();
  const into = Buffer.alloc(length, ".");
  const told: unknown[] = [];
  const stop = bringBytes(source, 7n, into, "peer", (failed) => told.push(failed));
  return { stream: source.streams[0]!, into, told, stop };
}

test("parts come one behind the other, and the end is told once", () => {
  const { stream, into, told } = bringing(10);
  expect([stream.at, stream.length, stream.peer]).toEqual([7n, 10, "peer"]);
  stream.come("abc", "d");
  expect([into.toString(), told, stream.wanted]).toEqual(["abcd......", [], 1]);
  stream.come("efghij");
  expect([into.toString(), told, stream.closed]).toEqual(["abcdefghij", [null], 1]);
  stream.fail("failed");
  expect([told, stream.closed]).toEqual([[null], 1]);
});

test.each(["failed", "changed"] as const)("a stream that has %s is told as that", (state) => {
  const { stream, told } = bringing(10);
  stream.come("abc");
  stream.fail(state);
  expect([told, stream.closed]).toEqual([[state], 1]);
});

test("what came whole is whole, though the stream fails with its last byte", () => {
  const { stream, told } = bringing(3);
  stream.state = "failed";
  stream.come("abc");
  expect(told).toEqual([null]);
});

test("who is stopped is told nothing more", () => {
  const { stream, into, told, stop } = bringing(4);
  stop();
  stop();
  stream.come("abcd");
  expect([told, stream.closed, into.toString()]).toEqual([[], 1, "...."]);
});
