/** Small replies on their way out, to a socket that takes all, some, nothing, or is dead. */
import { expect, test } from "bun:test";
import { flushRest, GATHER_BYTES, Outbox, type Rest } from "../../src/send/outbox.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { replaceCall } from "../rig/faults.ts";

/** A socket that answers its writes by `answers`, one each, and keeps what it took. */
class Scripted implements Pick<StreamSocket, "fd" | "write"> {
  readonly fd = -1;
  took = "";
  readonly #answers: number[];

  constructor(...answers: number[]) {
    this.#answers = answers;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#answers.shift()!);
    this.took += Buffer.from(bytes.subarray(offset, offset + Math.max(0, count))).toString();
    return count;
  }
}

const socketOf = (scripted: Scripted): StreamSocket => scripted as unknown as StreamSocket;
const empty = (): Rest => ({ unsent: null, unsentAt: 0, written: 0 });

type Write = (socket: StreamSocket, rest: Rest) => "clear" | "full" | "dead";

const WAYS: [string, Write][] = [
  [
    "gathered",
    (socket, rest) => {
      const outbox = new Outbox();
      outbox.append(Buffer.from("abc"));
      outbox.appendText("def");
      expect(outbox.used).toBe(6);
      const flushed = outbox.flush(socket, rest);
      expect(outbox.used).toBe(0);
      return flushed;
    },
  ],
  ["sent", (socket, rest) => new Outbox().send(socket, Buffer.from("abcdef"), rest)],
];

for (const [name, write] of WAYS) {
  test(`${name}: a socket that takes all leaves nothing`, () => {
    const socket = new Scripted(99);
    const rest = empty();
    expect(write(socketOf(socket), rest)).toBe("clear");
    expect([socket.took, rest.unsent, rest.written]).toEqual(["abcdef", null, 6]);
  });

  test(`${name}: a full socket is not dead, and gets the rest in order, each byte once`, () => {
    const socket = new Scripted(0, 0, 1, 0, 3, 99);
    const rest = empty();
    expect(write(socketOf(socket), rest)).toBe("full");
    const seen = [1, 2, 3, 4, 5].map(() => [flushRest(socketOf(socket), rest), rest.written]);
    expect(seen).toEqual([
      ["full", 0],
      ["full", 1],
      ["full", 1],
      ["full", 4],
      ["clear", 6],
    ]);
    expect([socket.took, rest.unsent]).toEqual(["abcdef", null]);
    expect(flushRest(socketOf(socket), rest)).toBe("clear");
  });

  test(`${name}: what a socket takes in part goes on where it stopped`, () => {
    const socket = new Scripted(2, 99);
    const rest = empty();
    expect([write(socketOf(socket), rest), rest.written]).toEqual(["full", 2]);
    expect(flushRest(socketOf(socket), rest)).toBe("clear");
    expect([socket.took, rest.written]).toEqual(["abcdef", 6]);
  });

  test(`${name}: a dead socket is told as such, at once or later`, () => {
    expect(write(socketOf(new Scripted(-1)), empty())).toBe("dead");
    const later = socketOf(new Scripted(2, -1));
    const rest = empty();
    expect([write(later, rest), flushRest(later, rest), rest.written]).toEqual(["full", "dead", 2]);
  });
}

test("what is left of a gathered reply is not changed by the next one", () => {
  const outbox = new Outbox();
  const socket = new Scripted(1, 99, 99);
  const rest = empty();
  outbox.appendText("first ");
  expect(outbox.flush(socketOf(socket), rest)).toBe("full");
  outbox.appendText("second");
  expect(flushRest(socketOf(socket), rest)).toBe("clear");
  expect(outbox.flush(socketOf(socket), empty())).toBe("clear");
  expect(socket.took).toBe("first second");
});

test("exactly a buffer of bytes fits; one more is refused and changes nothing", () => {
  const outbox = new Outbox();
  expect(outbox.append(Buffer.alloc(GATHER_BYTES + 1))).toBe(false);
  expect(outbox.append(Buffer.alloc(GATHER_BYTES))).toBe(true);
  expect([outbox.append(Buffer.alloc(1)), outbox.used]).toEqual([false, GATHER_BYTES]);
  outbox.discard();
  expect(outbox.used).toBe(0);
  expect(outbox.flush(socketOf(new Scripted()), empty())).toBe("clear");
});

test("text fits while its longest UTF-8 does, and is counted in bytes", () => {
  const outbox = new Outbox();
  expect(outbox.appendText("a".repeat(GATHER_BYTES / 3 + 1))).toBe(false);
  expect(outbox.appendText("\u4e2d".repeat(GATHER_BYTES / 3))).toBe(true);
  expect([outbox.used, outbox.appendText("a")]).toEqual([GATHER_BYTES, false]);
});

test("one byte alone leaves, also in front of a transfer", () => {
  const outbox = new Outbox();
  const rest = empty();
  const socket = new Scripted(99);
  expect(outbox.append(Buffer.from("a"))).toBe(true);
  expect([outbox.flush(socketOf(socket), rest), socket.took]).toEqual(["clear", "a"]);
});

test.each([
  ["all of it", 4, "", ["clear", 4, null]],
  ["some", 1, "bcd", ["clear", 4, null]],
  ["nothing", 0, "abcd", ["clear", 4, null]],
  ["an error", -32, "abcd", ["clear", 4, null]],
] as const)("of a head in front of a transfer the kernel takes %s", (_, held, written, came) => {
  using _call = replaceCall("sendMore", () => () => held);
  const outbox = new Outbox();
  const rest = empty();
  const socket = new Scripted(99);
  outbox.append(Buffer.from("abcd"));
  const flushed = outbox.flush(socketOf(socket), rest, true);
  expect([socket.took, [flushed, rest.written, rest.unsent]]).toEqual([written, [...came]]);
});

test("what neither takes of a head is the rest, counted from its own start", () => {
  using _call = replaceCall("sendMore", () => () => 2);
  const outbox = new Outbox();
  const rest = empty();
  outbox.append(Buffer.from("abcdef"));
  expect(outbox.flush(socketOf(new Scripted(1)), rest, true)).toBe("full");
  expect([Buffer.from(rest.unsent!).toString(), rest.unsentAt, rest.written]).toEqual([
    "def",
    0,
    3,
  ]);
});
