/** Bytes from real sockets into real files, past Bun's own reading. */
import { expect, test } from "bun:test";
import type { Staged } from "../../src/destination/staged.ts";
import {
  type SocketToFile,
  CopyToFile,
  MOVED,
  socketToFile,
  SpliceToFile,
} from "../../src/receive/splice.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { failed } from "../rig/destination.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { landing, pair, readable } from "./pair.ts";

const WAYS: Record<string, () => SocketToFile> = {
  splice: () => new SpliceToFile(),
  copy: () => new CopyToFile(),
};

/** Bytes of which none is like its neighbours. */
function pattern(count: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: count }, (_, at) => (at * 7 + (at >> 8)) & 255));
}

/** Moves until `count` bytes have come; gives how many moves that took. */
async function moveAll(
  way: SocketToFile,
  socket: Bun.Socket,
  file: Staged,
  offset: number,
  count: number,
  most: number,
): Promise<number> {
  let moves = 0;
  for (let done = 0; done < count; moves++) {
    const moved = way.move(socket.fd, file, offset + done, Math.min(most, count - done));
    if (moved > 0) done += moved;
    else {
      expect(moved).toBe(MOVED.nothing);
      await eventually("more bytes", () => readable(socket.fd));
    }
  }
  return moves;
}

for (const [name, open] of Object.entries(WAYS)) {
  test(`${name}: every byte is in the file, in order, at odd offsets`, async () => {
    const content = pattern(3_000_017);
    for (const [offset, most] of [
      [0, 1 << 20],
      [1, 4096],
      [4095, 65_537],
      [5_000_001, 1 << 30],
    ] as const) {
      using both = await pair();
      using here = landing();
      const count = most < 10_000 ? 100_003 : content.length;
      both.peer.send(content.subarray(0, count));
      await moveAll(open(), both.socket, here.file, offset, count, most);
      const got = here.content();
      expect([got.length, got.subarray(0, offset).every((byte) => byte === 0)]).toEqual([
        offset + count,
        true,
      ]);
      expect(got.subarray(offset).equals(content.subarray(0, count))).toBe(true);
    }
  });

  test(`${name}: no more than asked is taken from the socket`, async () => {
    using both = await pair();
    using here = landing();
    const way = open();
    both.peer.send("abcdefgh");
    await eventually("the bytes", () => readable(both.socket.fd));
    const moves = [3, 1, 100].map((most, nth) =>
      way.move(both.socket.fd, here.file, [0, 3, 4][nth]!, most),
    );
    expect([moves, here.content().toString()]).toEqual([[3, 1, 4], "abcdefgh"]);
  });

  test(`${name}: nothing there, FIN, RST and a closed socket are told apart from bytes`, async () => {
    using here = landing();
    const way = open();
    {
      using both = await pair();
      const { fd } = both.socket;
      expect(way.move(fd, here.file, 0, 10)).toBe(MOVED.nothing);
      both.peer.send("last");
      both.peer.finish();
      await eventually("FIN", () => readable(fd));
      expect(way.move(fd, here.file, 0, 10)).toBe(4);
      await eventually("FIN", () => way.move(fd, here.file, 4, 10) === MOVED.ended);
    }
    using both = await pair();
    both.peer.reset();
    await eventually("RST", () => readable(both.socket.fd));
    expect(way.move(both.socket.fd, here.file, 4, 10)).toBe(MOVED.ended);
    expect(way.move(-1, here.file, 4, 10)).toBe(MOVED.ended);
    expect(here.content().toString()).toBe("last");
  });

  test(`${name}: a full disk is thrown at the call, and the next socket's bytes are its own`, async () => {
    using here = landing();
    const way = open();
    for (const answer of [-ERRNO.ENOSPC, 0]) {
      using both = await pair();
      both.peer.send("lost");
      await eventually("the bytes", () => readable(both.socket.fd));
      using _ = replaceCall("spliceOut", () => () => answer);
      using __ = replaceCall("pwrite", () => () => answer);
      const error = failed(() => void way.move(both.socket.fd, here.file, 0, 10));
      expect(error.code).toBe(answer === 0 ? "EIO" : "ENOSPC");
    }
    using both = await pair();
    both.peer.send("next");
    await eventually("the bytes", () => readable(both.socket.fd));
    expect(way.move(both.socket.fd, here.file, 0, 10)).toBe(4);
    expect(here.content().toString()).toBe("next");
  });
}

test("splice goes on after a short move and an interruption", async () => {
  using both = await pair();
  using here = landing();
  const content = pattern(50_000);
  both.peer.send(content);
  let calls = 0;
  using _ = replaceCall("spliceOut", (real) => (pipe, file, offset, count) => {
    return ++calls % 2 === 0 ? -ERRNO.EINTR : real(pipe, file, offset, Math.min(count, 1000));
  });
  await moveAll(new SpliceToFile(), both.socket, here.file, 0, content.length, 1 << 20);
  expect([calls >= 50, here.content().equals(content)]).toEqual([true, true]);
});

test("a socket or a kernel without splice, and no pipe, mean copying for good", async () => {
  for (const fault of ["EINVAL", "ENOSYS", "EMFILE"] as const) {
    using both = await pair();
    using here = landing();
    both.peer.send("abcdef");
    await eventually("the bytes", () => readable(both.socket.fd));
    let asked = 0;
    using _ = replaceCall(fault === "EMFILE" ? "pipe" : "spliceIn", () => () => {
      asked += 1;
      return -ERRNO[fault];
    });
    const way = new SpliceToFile();
    expect(way.move(both.socket.fd, here.file, 0, 3)).toBe(3);
    expect(way.move(both.socket.fd, here.file, 3, 3)).toBe(3);
    expect([fault, asked, here.content().toString()]).toEqual([fault, 1, "abcdef"]);
  }
});

test("a file system that takes nothing from a pipe gets what lies in it by copying", async () => {
  using both = await pair();
  using here = landing();
  both.peer.send("abcdef");
  await eventually("the bytes", () => readable(both.socket.fd));
  let calls = 0;
  using _ = replaceCall("spliceOut", (real) => (pipe, file, offset) => {
    // The first two bytes still go, so that the rest has an offset of its own.
    return calls++ === 0 ? real(pipe, file, offset, 2) : -ERRNO.EINVAL;
  });
  const way = new SpliceToFile();
  expect(way.move(both.socket.fd, here.file, 5, 6)).toBe(6);
  expect(here.content().toString()).toBe("\0\0\0\0\0abcdef");
  both.peer.send("gh");
  await eventually("the bytes", () => readable(both.socket.fd));
  expect(way.move(both.socket.fd, here.file, 11, 6)).toBe(2);
  expect([here.content().toString(), calls]).toEqual(["\0\0\0\0\0abcdefgh", 2]);
});

test("an interrupted receive is nothing, not an end", async () => {
  using here = landing();
  for (const [name, open] of Object.entries(WAYS)) {
    using _ = replaceCall("spliceIn", () => () => -ERRNO.EINTR);
    using __ = replaceCall("recv", () => () => -ERRNO.EINTR);
    expect([name, open().move(1, here.file, 0, 10)]).toEqual([name, MOVED.nothing]);
  }
});

test("the way of this system is splice where there is a kernel for it", () => {
  expect(socketToFile()).toBeInstanceOf(SpliceToFile);
  expect(socketToFile()).toBe(socketToFile());
  const table: { native: boolean } = kernel;
  table.native = false;
  try {
    expect(socketToFile()).toBeNull();
  } finally {
    table.native = true;
  }
});
