/**
 * One connection over its life: pipelining, bounds, stalls, errors by errno, local failures,
 * closing.
 */
import { expect, test } from "bun:test";
import { connect } from "../../src/client/connect.ts";
import { ReadExchange } from "../../src/client/exchange.ts";
import { IN_FLIGHT_MAX, Session } from "../../src/client/session.ts";
import { LocalError } from "../../src/destination/error.ts";
import { type Sink } from "../../src/receive/sink.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { failureOf } from "./failure.ts";
import { answering, FakeServer, readReply, replying, StillSocket, until } from "./fake.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

test("every errno has its kind, and the connection stays in step", async () => {
  const kinds: Record<string, string> = {
    ENOENT: "not-found",
    EACCES: "denied",
    EISDIR: "usage",
    ENOTDIR: "not-found",
    EINVAL: "usage",
    ERANGE: "usage",
    ESTALE: "changed",
    EBUSY: "no-connection",
    ENAMETOOLONG: "not-found",
    E2BIG: "usage",
    EIO: "unexpected",
    ETIMEDOUT: "timed-out",
    ENOSYS: "protocol",
    EPROTO: "protocol",
    EWHATEVER: "unexpected",
  };
  using fake = replying((line) => {
    const name = line.split("/")[1];
    return name === "ok" ? readReply("fine") : `ERR ${name} some words\n`;
  });
  using client = await connect(fake.server);
  for (const [code, kind] of Object.entries(kinds)) {
    const error = await failureOf(client.bytes(`/${code}`));
    expect({ code: error.code, kind: String(error.kind) }).toEqual({ code, kind });
    expect(error.message).toBe(`${code}: some words: /${code} (s6://${fake.address})`);
    expect(textOf((await client.bytes("/ok")).bytes)).toBe("fine");
  }
  expect(fake.connections.length).toBe(1);
});

test("requests are pipelined in one write, and answers come in order", async () => {
  using fake = new FakeServer((connection) => {
    if (connection.received.split("\n").length <= 3) return;
    connection.say([readReply("one"), "ERR ENOENT no such", ` file: /b\n${readReply("three")}`]);
  });
  using client = await connect(fake.server);
  const order: string[] = [];
  const note = async (name: string, asked: Promise<unknown>): Promise<void> => {
    await asked.then(
      () => order.push(`${name} ok`),
      () => order.push(`${name} failed`),
    );
  };
  await Promise.all([
    note("a", client.bytes("/a", { bytesMax: 10 })),
    note("b", client.read("/b", { sink: nowhere() })),
    note("c", client.read("/c", { sink: nowhere() })),
  ]);
  expect(order).toEqual(["a ok", "b failed", "c ok"]);
  expect(fake.connections[0]?.received).toBe("READ length=10 /a\nREAD /b\nREAD /c\n");
});

test("no more than the named number of requests is in flight", async () => {
  const asked = 2 * IN_FLIGHT_MAX + 22;
  const heldBack: string[] = [];
  using fake = new FakeServer((connection) => {
    const lines = connection.received.split("\n").length - 1;
    heldBack.push(String(lines));
    if (lines === IN_FLIGHT_MAX) connection.say(readReply("x").repeat(IN_FLIGHT_MAX));
    if (lines === asked) connection.say(readReply("x").repeat(asked - 2 * IN_FLIGHT_MAX));
    else if (lines === 2 * IN_FLIGHT_MAX) connection.say(readReply("x").repeat(IN_FLIGHT_MAX));
  });
  using client = await connect(fake.server);
  const reads = Array.from({ length: asked }, () => client.read("/f", { sink: nowhere() }));
  await Promise.all(reads);
  expect(heldBack[0]).toBe(String(IN_FLIGHT_MAX));
  expect(client.answered).toBe(asked);
});

test("requests that the socket takes in parts go out whole and in order", async () => {
  const lines = Array.from({ length: 20 }, (_, nth) => `READ /file-${nth}\n`).join("");
  for (let room = 0; room < lines.length; room += 7) {
    const socket = new StillSocket();
    const session = new Session(socket, { host: "127.0.0.1", port: 1 }, 60_000);
    socket.room = room;
    for (let nth = 0; nth < 20; nth++) {
      const exchange = new ReadExchange(`/file-${nth}`, nowhere(), 0n, null, null);
      // None is answered: the end of the session is theirs.
      exchange.done.promise.catch(() => {});
      session.ask(exchange);
      // Half of them are asked for while the socket is full.
      if (nth === 9) await Promise.resolve();
    }
    await Promise.resolve();
    for (let drains = 0; drains < lines.length / 5; drains++) {
      socket.room = 5;
      session.drain();
    }
    expect(socket.written).toBe(lines);
    session.close();
  }
});

test("long request lines, more than the socket's buffers hold, arrive whole", async () => {
  const name = "n".repeat(6000);
  using fake = replying(() => readReply("y"));
  using client = await connect(fake.server);
  const asked = Array.from({ length: 500 }, () => client.read(`/${name}`, { sink: nowhere() }));
  await Promise.all(asked);
  expect(fake.connections[0]?.received).toBe(`READ /${name}\n`.repeat(500));
});

test("a line over the limit is refused here, and sends nothing", async () => {
  using fake = replying(() => readReply("y"));
  using client = await connect(fake.server);
  const error = await failureOf(client.bytes(`/${"n".repeat(8200)}`));
  expect([error.kind, error.message]).toEqual(["usage", expect.stringContaining("8192")]);
  await client.bytes("/ok");
  expect(fake.connections[0]?.received).toBe("READ length=67108864 /ok\n");
});

test("paths and names go out escaped, keys as they are", async () => {
  using fake = replying((line) =>
    line.startsWith("LIST") ? "OK 0 count=0 more=0\n" : "ERR ENOENT no\n",
  );
  using client = await connect(fake.server);
  const etag = "0123456789abcdef";
  await failureOf(client.read("/a b%\n", { offset: 5, length: 6n, ifEtag: etag, sink: nowhere() }));
  await failureOf(client.stat(Uint8Array.of(0x2f, 0xff, 0xc3, 0xa9)));
  await client.list("/é", { limit: 7, after: "a b" });
  expect(fake.connections[0]?.received).toBe(
    `READ offset=5 length=6 if=${etag} /a b%25%0A\nSTAT /%FF\xc3\xa9\n` +
      "LIST limit=7 after=a%20b /\xc3\xa9\n",
  );
});

test("STAT, LIST and PING read their replies strictly", async () => {
  const etag = "0123456789abcdef";
  const entries = `dir mtime=1 a%0A\nfile size=9 mtime=-2 etag=${etag} b c\n`;
  const replies: Record<string, string> = {
    "STAT /f": `OK 0 type=file size=9 mtime=5 etag=${etag}\n`,
    "LIST limit=4096 /d": `OK ${entries.length} count=2 more=1\n${entries}`,
    PING: "OK 0 server=x version=1\n",
  };
  using fake = replying((line) => replies[line] ?? "ERR EINVAL unexpected\n");
  using client = await connect(fake.server);
  expect(await client.stat("/f")).toEqual({ type: "file", size: 9n, mtime: 5n, etag });
  expect(await client.list("/d")).toEqual({
    entries: [
      { type: "dir", size: 0n, mtime: 1n, etag: "", name: "a\n" },
      { type: "file", size: 9n, mtime: -2n, etag, name: "b c" },
    ],
    more: true,
    left: [],
    id: "",
  });
  expect(await client.ping()).toEqual({ server: "x", version: "1", asksToken: false });
});

test("STAT, LIST and PING refuse what they did not ask for", async () => {
  const etag = "0123456789abcdef";
  const wrong: [(client: Awaited<ReturnType<typeof connect>>) => Promise<unknown>, string][] = [
    [(it) => it.stat("/f"), "OK 0 type=link size=9 mtime=5 etag=x\n"],
    [(it) => it.stat("/f"), `OK 3 type=file size=9 mtime=5 etag=${etag}\nabc`],
    [(it) => it.stat("/f"), `OK 0 type=file size=-9 mtime=5 etag=${etag}\n`],
    [(it) => it.list("/d"), "OK 0 count=1 more=0\n"],
    [(it) => it.list("/d"), "OK 0 count=0\n"],
    [(it) => it.list("/d"), "OK 0 count=0 more=0 left=x\n"],
    [(it) => it.list("/d"), "OK 30 count=1 more=0\nleft type=link error=EACCES a\n"],
    [(it) => it.list("/d"), "OK 0 count=0 more=2\n"],
    [(it) => it.list("/d", { limit: 1 }), "OK 0 count=2 more=0\n"],
    [(it) => it.list("/d"), "OK 999999999 count=1 more=0\n"],
    [(it) => it.list("/d"), "OK 10 count=1 more=0\nlink to x\n"],
    [(it) => it.list("/d"), "OK 13 count=1 more=0\ndir mtime=1 a"],
    [(it) => it.list("/d"), "OK 15 count=1 more=0\ndir mtime=1 %z\n"],
    [(it) => it.ping(), "OK 1\nx"],
  ];
  for (const [ask, reply] of wrong) {
    using fake = answering(reply);
    using client = await connect(fake.server);
    const error = await failureOf(ask(client));
    expect([reply, error.kind]).toEqual([reply, "protocol"]);
  }
});

test("a server that goes silent is given up, wherever it stops", async () => {
  for (const start of ["", "OK 5 si", "OK 5 size=5 offset=0 etag=0123456789abcdef mtime=1\nhel"]) {
    using fake = answering(start);
    using client = await connect({ ...fake.server, stallTimeoutMs: 60 });
    const error = await failureOf(client.bytes("/x"));
    expect([start, error.kind, error.code]).toEqual([start, "timed-out", "ETIMEDOUT"]);
    expect(error.message).toContain(`nothing came for 0.06 s: /x (s6://${fake.address})`);
    const [peer] = fake.connections;
    await until(() => peer?.closed === true);
  }
});

/** Intervals that the test lets come, instead of time. */
function intervals(): Disposable & { readonly running: Set<() => void> } {
  const { setInterval, clearInterval } = globalThis;
  const running = new Set<() => void>();
  Object.assign(globalThis, {
    setInterval: (tick: () => void) => (running.add(tick), tick),
    clearInterval: (tick: () => void) => void running.delete(tick),
  });
  const restore = (): void => void Object.assign(globalThis, { setInterval, clearInterval });
  return { running, [Symbol.dispose]: restore };
}

test("a server that trickles is not given up, and an idle connection has no deadline", async () => {
  const reply = readReply("trickled".repeat(5));
  const bodyAt = reply.indexOf("\n") + 1;
  using fake = new FakeServer((connection) => connection.say(reply.slice(0, bodyAt)));
  using client = await connect({ ...fake.server, stallTimeoutMs: 100 });
  using clock = intervals();
  let got = "";
  const write = (bytes: Uint8Array): void => void (got += Buffer.from(bytes).toString("latin1"));
  const read = client.read("/x", { sink: { ...nowhere(), write } });
  await until(() => fake.connections[0]?.received !== "");
  for (let at = bodyAt; at < reply.length; at += 4) {
    // A stall is four ticks long.
    for (const tick of [...clock.running, ...clock.running, ...clock.running]) tick();
    fake.connections[0]?.say(reply.slice(at, at + 4));
    await until(() => got === reply.slice(bodyAt, at + 4));
  }
  expect((await read).length).toBe(40);
  expect([client.open, clock.running.size]).toEqual([true, 0]);
});

test("a sink that fails ends the connection: the rest is not read", async () => {
  const failing: Sink = {
    ...nowhere(),
    write: () => {
      throw new LocalError("ENOSPC", "writing x: no space left on device");
    },
  };
  using fake = replying(() => readReply("hello"));
  using client = await connect(fake.server);
  const [first, second] = await Promise.all([
    failureOf(client.read("/x", { sink: failing })),
    failureOf(client.read("/y", { sink: nowhere() })),
  ]);
  expect([first.kind, first.code]).toEqual(["local", "ENOSPC"]);
  expect([second.kind, second.unanswered]).toEqual(["incomplete", true]);
  const later = await failureOf(client.ping());
  expect([later.kind, later.unanswered]).toEqual(["incomplete", true]);
});

test("an error of our own in a sink is not taken for the disk's", async () => {
  const broken: Sink = {
    ...nowhere(),
    write: () => {
      throw new TypeError("a bug");
    },
  };
  using fake = replying(() => readReply("hello"));
  using client = await connect(fake.server);
  const error = await failureOf(client.read("/x", { sink: broken }));
  expect([error.kind, error.message]).toEqual(["unexpected", expect.stringContaining("a bug")]);
});

test("an error of our own in a pulling sink ends its connection, and no other", async () => {
  const length = 8_000_000;
  const whole = readReply("x".repeat(length));
  using fake = replying(() => whole);
  using broken = await connect(fake.server);
  using good = await connect(fake.server);
  const buffer = new Uint8Array(1 << 20);
  const pulling = (pull: (count: number) => number): Sink => ({
    ...nowhere(),
    pulls: true,
    pull: (socket, most) => pull(kernel.recv(socket, buffer, Math.min(most, buffer.length))),
  });
  const failing = pulling(() => {
    throw new TypeError("a bug");
  });
  const reading = good.read("/y", { sink: pulling((count) => Math.max(0, count)) });
  const error = await failureOf(broken.read("/x", { sink: failing }));
  expect([error.kind, error.message]).toEqual(["unexpected", expect.stringContaining("a bug")]);
  expect((await reading).length).toBe(length);
});

test("bytes() holds no more than it may, and stays in step", async () => {
  using fake = replying((line) => {
    const length = Number(/length=(\d+)/.exec(line)?.[1]);
    const body = "0123456789".slice(0, length);
    return `OK ${body.length} size=10 offset=0 etag=0123456789abcdef mtime=1\n${body}`;
  });
  using client = await connect(fake.server);
  const error = await failureOf(client.bytes("/x", { bytesMax: 9 }));
  expect([error.kind, error.message]).toEqual(["usage", expect.stringContaining("10 bytes")]);
  expect(textOf((await client.bytes("/x", { bytesMax: 10 })).bytes)).toBe("0123456789");
  expect(textOf((await client.bytes("/x", { bytesMax: 9, length: 4 })).bytes)).toBe("0123");
});

test("close() ends an idle connection with FIN and fails what is under way", async () => {
  using fake = new FakeServer(() => {});
  const idle = await connect(fake.server);
  idle.close();
  await until(() => fake.connections[0]?.finished === true);
  const busy = await connect(fake.server);
  const asked = failureOf(busy.bytes("/x"));
  busy.close();
  expect((await asked).message).toContain("closed on this side");
});

test("bad options are refused before anything is sent", async () => {
  expect((await failureOf(connect({ port: 0 }))).kind).toBe("usage");
  expect((await failureOf(connect({ host: "" }))).kind).toBe("usage");
  expect((await failureOf(connect({ stallTimeoutMs: Infinity }))).kind).toBe("usage");
  expect((await failureOf(connect({ connectTimeoutMs: 0 }))).kind).toBe("usage");
  using fake = new FakeServer(() => {});
  using client = await connect(fake.server);
  const sink = nowhere();
  for (const asked of [
    client.read("x", { sink }),
    client.read("/x", { offset: -1, sink }),
    client.read("/x", { length: 0.5, sink }),
    client.read("/x", { offset: 10n ** 16n, sink }),
    client.read("/x", { ifEtag: "a b", sink }),
    client.list("/", { limit: 0 }),
    client.bytes("/x", { length: 11, bytesMax: 10 }),
  ]) {
    expect((await failureOf(asked)).kind).toBe("usage");
  }
});

function nowhere(): Sink {
  return { written: 0, begin() {}, write() {}, end() {} };
}

test("what is asked of digests may be in numbers, and is judged here", async () => {
  using fake = replying((line) => {
    const chunk = /chunk=([0-9]+)/.exec(line)?.[1] ?? "9";
    return `OK 17 size=9 etag=a algo=xxh3 chunk=${chunk}\n0123456789abcdef\n`;
  });
  using client = await connect(fake.server);
  const some = { offset: 4, length: 5, chunk: 7 };
  expect((await client.hash("/f", some)).chunk).toBe(7n);
  expect((await client.hash("/f", { offset: 4n, length: 5n, chunk: 7n })).chunk).toBe(7n);
  expect((await client.hash("/f", { length: null, chunk: null })).chunk).toBe(9n);
  const wrong: object[] = [
    ...[{ offset: 1.5 }, { offset: -1 }, { length: NaN }, { length: -1n }],
    ...[{ chunk: 0 }, { chunk: 1e17 }, { algo: "md5" }, { algo: "toString" }],
  ];
  for (const range of wrong) {
    expect((await failureOf(client.hash("/f", range))).kind).toBe("usage");
  }
  for (const range of [{ length: 1.5 }, { bytesMax: Infinity }, { bytesMax: -1 }]) {
    expect((await failureOf(client.bytes("/f", range))).kind).toBe("usage");
  }
  const asked = "HASH offset=4 length=5 chunk=7 /f\n";
  expect(fake.connections[0]?.received).toBe(`${asked}${asked}HASH /f\n`);
});
