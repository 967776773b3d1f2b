/** Connecting: every way it can fail, in time, with a status and words of its own. */
import { expect, test } from "bun:test";
import { dial, type SocketOwner } from "../../src/client/dial.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { failureOf } from "./failure.ts";
import { FakeServer, until } from "./fake.ts";

const OWNER: SocketOwner = { data() {}, drain() {}, end() {}, closed() {}, failed() {} };
const own = (): SocketOwner => OWNER;

test("nobody there: no connection, with the address and what to do", async () => {
  const gone = new FakeServer(() => {});
  const server = gone.server;
  gone[Symbol.dispose]();
  const error = await failureOf(dial(server, 5000, own));
  expect([error.kind, error.code]).toEqual(["no-connection", "ECONNREFUSED"]);
  expect(error.message).toContain(`127.0.0.1:${server.port}`);
  expect(error.message).toContain(`serv6 DIR -p ${server.port}`);
});

test("no such host: no connection, with the name", async () => {
  const error = await failureOf(dial({ host: "nobody.invalid", port: 6464 }, 5000, own));
  expect([error.kind, error.message]).toEqual([
    "no-connection",
    expect.stringContaining("s6://nobody.invalid:6464"),
  ]);
});

test("a host that never answers: timed out in time, and what comes later is cut", async () => {
  const fixture = `${import.meta.dir}/blackhole-fixture.ts`;
  const hole = Bun.spawn([process.execPath, fixture], { stdout: "pipe" });
  let said = "";
  const reading = (async () => {
    for await (const chunk of hole.stdout) said += Buffer.from(chunk).toString();
  })();
  try {
    await until(() => said.includes("\n"));
    const server = { host: "127.0.0.1", port: Number.parseInt(said, 10) };
    const owned: StreamSocket[] = [];
    const attempt = (): Promise<unknown> =>
      dial(server, 200, (socket) => {
        owned.push(socket);
        return OWNER;
      }).catch((error: unknown) => error);
    // Its queue takes a connection or two; then nothing answers.
    let outcome = await attempt();
    while (!(outcome instanceof Error)) outcome = await attempt();
    expect(outcome).toMatchObject({ kind: "timed-out", code: "ETIMEDOUT" });
    expect(String(outcome)).toContain(`s6://127.0.0.1:${server.port} within 0.2 s`);

    // It wakes up: the system's next SYN is answered, and nobody wants the connection any more.
    const wanted = owned.length;
    hole.kill("SIGCONT");
    const count = (word: string): number => said.split(word).length - 1;
    await until(() => count("opened") > wanted && count("closed") >= 1);
    expect([owned.length, count("closed")]).toEqual([wanted, 1]);
  } finally {
    hole.kill("SIGKILL");
    await reading;
  }
});

test("events arrive at the owner, and an owner that throws hears it", async () => {
  using fake = new FakeServer((connection) => connection.say("hello", "fin"));
  const heard: string[] = [];
  const owner: SocketOwner = {
    ...OWNER,
    data(chunk) {
      heard.push(`data ${chunk}`);
      throw new Error("a bug");
    },
    end: () => heard.push("end"),
    failed: (error) => heard.push(`failed ${error.message}`),
  };
  await dial(fake.server, 5000, (socket) => {
    socket.write(Buffer.from("x"), 0, 1);
    return owner;
  });
  await until(() => heard.length === 3);
  expect(heard).toEqual(["data hello", "failed a bug", "end"]);
});
