/** A lasting link to a server whose connections do not last. */
import { expect, test } from "bun:test";
import { ReconnectingClient } from "../../src/client/reconnecting.ts";
import { BytesSink } from "../../src/receive/sink.ts";
import { failureOf } from "./failure.ts";
import { FakeServer, readReply, replying, until } from "./fake.ts";

const SETTINGS = { connectTimeoutMs: 5000, stallTimeoutMs: 5000 };

async function contentOf(link: ReconnectingClient, path: string): Promise<string> {
  const sink = new BytesSink(1000);
  await link.read(path, sink);
  return Buffer.from(sink.bytes).toString("latin1");
}

test("many requests share one connection, opened with the first", async () => {
  using fake = replying((line) => (line === "PING" ? "OK 0\n" : readReply(line)));
  const link = new ReconnectingClient(fake.server, SETTINGS);
  expect(fake.connections.length).toBe(0);
  const all = await Promise.all(["/a", "/b", "/c"].map((path) => contentOf(link, path)));
  expect(all).toEqual(["READ /a", "READ /b", "READ /c"]);
  await link.greet();
  expect(fake.connections.length).toBe(1);
  link.close();
  await until(() => fake.connections[0]?.finished === true);
});

test("an idle connection that the server closed is opened anew, unseen", async () => {
  using fake = replying((line) => readReply(line));
  const link = new ReconnectingClient(fake.server, SETTINGS);
  for (const ending of ["fin", "rst"] as const) {
    await contentOf(link, "/a");
    const [last] = fake.connections.slice(-1);
    last?.say([], ending);
    await until(() => last?.closed === true);
    expect(await contentOf(link, "/b")).toBe("READ /b");
  }
  expect(fake.connections.length).toBe(3);
});

test("a request that meets the closing is asked again; what follows keeps its order", async () => {
  // The first connection answers one request of three and closes.
  using fake = new FakeServer((connection) => {
    const lines = connection.received.split("\n").slice(0, -1);
    if (fake.connections.length === 1) connection.say(readReply(lines[0] ?? ""), "fin");
    else connection.say(lines.map((line) => readReply(line)).join(""));
  });
  const link = new ReconnectingClient(fake.server, SETTINGS);
  const all = await Promise.all(["/a", "/b", "/c"].map((path) => contentOf(link, path)));
  expect(all).toEqual(["READ /a", "READ /b", "READ /c"]);
  expect(fake.connections.map(({ received }) => received)).toEqual([
    "READ /a\nREAD /b\nREAD /c\n",
    "READ /b\nREAD /c\n",
  ]);
});

test("an answer that broke off is not asked for again, nor a server that never answers", async () => {
  using broken = new FakeServer((connection) => {
    connection.say([readReply("first"), "OK 5 si"], "fin");
  });
  const link = new ReconnectingClient(broken.server, SETTINGS);
  const [first, second] = await Promise.all([
    contentOf(link, "/a"),
    failureOf(contentOf(link, "/b")),
  ]);
  expect([first, second.kind, broken.connections.length]).toEqual(["first", "incomplete", 1]);
  using mute = new FakeServer((connection) => connection.say([], "fin"));
  const error = await failureOf(contentOf(new ReconnectingClient(mute.server, SETTINGS), "/a"));
  expect([error.kind, mute.connections.length]).toEqual(["incomplete", 1]);
});

test("a server that turns everybody away is asked a bounded number of times", async () => {
  using full = new FakeServer(
    () => {},
    () => {},
    (connection) => connection.say("ERR EBUSY too many connections\n", "fin"),
  );
  const link = new ReconnectingClient(full.server, SETTINGS);
  const errors = await Promise.all(
    ["/a", "/b", "/c"].map((path) => failureOf(contentOf(link, path))),
  );
  expect(errors[0]).toMatchObject({ code: "EBUSY", kind: "no-connection" });
  expect(full.connections.length).toBeLessThanOrEqual(2);
});

test("when nobody is there any more each request says so, and a new server is found", async () => {
  const fake = replying((line) => readReply(line));
  const link = new ReconnectingClient(fake.server, SETTINGS);
  await contentOf(link, "/a");
  fake[Symbol.dispose]();
  expect((await failureOf(contentOf(link, "/b"))).kind).toBe("no-connection");
  expect((await failureOf(contentOf(link, "/c"))).kind).toBe("no-connection");
});
