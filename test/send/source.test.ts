/** Bytes out of a source: all of them or RST, whatever pieces they come in and the socket takes. */
import { expect, test } from "bun:test";
import { SourceTransfer } from "../../src/send/source.ts";
import { STEP, STEP_BYTES } from "../../src/send/transfer.ts";
import type { ByteStream, OpenFile, Source } from "../../src/store/store.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";

/** A source whose bytes the test pushes. */
class Pushed implements Source, ByteStream {
  state: ByteStream["state"] = "flowing";
  readonly pieces: Uint8Array[] = [];
  asked: unknown[] = [];
  closed = 0;
  awake = (): void => {};

  stream(...asked: Parameters<Source["stream"]>): ByteStream {
    this.asked = asked.slice(0, 3);
    this.awake = asked[3];
    return this;
  }

  get ready(): Uint8Array | null {
    return this.pieces[0] ?? null;
  }

  take(count: number): void {
    const [first] = this.pieces;
    if (first === undefined || count > first.length) throw new Error("took what is not there");
    if (count === 0) throw new Error("took nothing");
    if (count === first.length) this.pieces.shift();
    else this.pieces[0] = first.subarray(count);
  }

  wanted = 0;

  want(): void {
    this.wanted += 1;
  }

  close(): void {
    this.closed += 1;
  }
}

/** A socket that takes `room` bytes; -1: the peer is gone. */
class Room {
  room = 0;
  text = "";

  write(bytes: Uint8Array, from: number, count: number): number {
    const taken = Math.min(this.room, count);
    if (taken <= 0) return taken;
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(from, from + taken)).toString();
    return taken;
  }
}

function begin(length: number) {
  const source = new Pushed();
  const room = new Room();
  const owner = { peer: "a peer", woken: 0, windowReady: () => void (owner.woken += 1) };
  const counts = { refs: 0 };
  const file = {
    retain: () => void (counts.refs += 1),
    release: () => void (counts.refs -= 1),
  } as Partial<OpenFile> as OpenFile;
  const transfer = new SourceTransfer(file, source, 5n, length, owner);
  const step = () => transfer.step(room as Partial<StreamSocket> as StreamSocket);
  return { source, room, owner, counts, transfer, step };
}

test("it waits for bytes, is woken once, and sends what has come as far as there is room", () => {
  const { source, room, owner, counts, transfer, step } = begin(10);
  expect(source.asked).toEqual([5n, 10, "a peer"]);
  expect(step()).toBe(STEP.wait);
  expect(source.wanted).toBe(1);
  source.pieces.push(Buffer.from("abc"), Buffer.from("def"));
  source.awake();
  source.awake();
  expect(owner.woken).toBe(1);
  room.room = 4;
  expect(step()).toBe(STEP.full);
  expect([room.text, transfer.sent, transfer.position]).toEqual(["abcd", 4, 9n]);
  expect([step(), transfer.sent]).toEqual([STEP.full, 4]);
  room.room = 100;
  expect(step()).toBe(STEP.wait);
  // What comes behind what was promised is not sent.
  source.pieces.push(Buffer.from("ghijklm"));
  expect(step()).toBe(STEP.done);
  expect(room.text).toBe("abcdefghij");
  transfer.close();
  expect([source.closed, counts.refs]).toEqual([1, 0]);
});

test("what is here goes out before it fails, and it never says that it is done", () => {
  for (const [state, came] of [
    ["failed", STEP.failed],
    ["changed", STEP.changed],
  ] as const) {
    const { source, room, owner, step } = begin(10);
    room.room = 100;
    expect(step()).toBe(STEP.wait);
    source.pieces.push(Buffer.from("abc"));
    source.state = state;
    source.awake();
    expect(owner.woken).toBe(1);
    expect(step()).toBe(came);
    expect(room.text).toBe("abc");
  }
});

test("a peer that is gone ends it, and a step moves no more than others may wait for", () => {
  const gone = begin(10);
  gone.source.pieces.push(Buffer.from("abc"));
  gone.room.room = -1;
  expect(gone.step()).toBe(STEP.dead);
  const long = begin(STEP_BYTES + 3);
  long.room.room = Number.POSITIVE_INFINITY;
  long.source.pieces.push(Buffer.alloc(STEP_BYTES + 3));
  expect([long.step(), long.transfer.sent]).toEqual([STEP.more, STEP_BYTES]);
  expect(long.step()).toBe(STEP.done);
});
