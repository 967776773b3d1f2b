/** Requests that are no requests: faults 29 to 32, 34, 37, 38 and the verbs that are not built. */
import { expect, test } from "bun:test";
import { codesOf, exchange } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { watch } from "./watch.ts";

const TOO_LONG = "request line too long: more than 8192 bytes without LF\n";

/** A server over two files. */
function start(): { tree: Tree; running: Running; [Symbol.asyncDispose](): Promise<void> } {
  const tree = new Tree({ f: "content", secret: "SECRET" });
  const running = new Running(tree.root);
  return {
    tree,
    running,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      tree[Symbol.dispose]();
    },
  };
}

test("29: a line that is too long is E2BIG and a close, in its own dialect", async () => {
  await using it = await start();
  const { running } = it;
  for (const count of [8193, 65_536, 1_048_576]) {
    const line = "x".repeat(count);
    const bare = await running.ask(line);
    expect([count, bare.text, bare.ending]).toEqual([count, `ERROR E2BIG: ${TOO_LONG}`, "fin"]);
    const framed = await running.ask(`READ /${line}\nPING\n`);
    expect([framed.text, framed.ending]).toEqual([`ERR E2BIG ${TOO_LONG}`, "fin"]);
    const later = await running.ask(`PING\n${line}\nPING\n`);
    expect(later.text).toMatch(/^OK 0 [^\n]+\nERR E2BIG [^\n]+\n$/);
  }
});

test("29: a line of exactly 8192 bytes is a request in both dialects", async () => {
  await using it = await start();
  const path = `/${"/".repeat(8191 - "READ ".length - 1)}f`;
  const [reply] = await exchange(it.running.port, [`READ ${path}`]);
  expect(reply?.body.toString()).toBe("content");
  expect((await it.running.ask(`${"/".repeat(8191)}f\n`)).text).toBe("content");
  expect((await it.running.ask(`${"/".repeat(8191)}f`)).text).toBe("content");
  expect((await it.running.ask(`${"/".repeat(8191)}f\r\n`)).text).toBe(`ERROR E2BIG: ${TOO_LONG}`);
});

test("29: a line without end is cut, and the server never holds more than its limit", async () => {
  await using it = await start();
  const seen = watch(it.running);
  for (const head of ["", "READ /", "PING\n"]) {
    using peer = await it.running.dial();
    peer.send(`${head}x`);
    const junk = Buffer.alloc(1000, "x");
    const write = (): void => {
      while (!peer.socket.destroyed && peer.socket.write(junk));
    };
    peer.socket.on("drain", write);
    write();
    await eventually("the cut", () => peer.ending !== null);
    const received = (await peer.all()).bytes.toString();
    expect(received).toMatch(/(?:^|\n)ERR(?:OR)? E2BIG:? [^\n]+\n$/);
    peer.socket.destroy();
    await eventually("the end", () => it.running.server.counters.connections === 0);
  }
  expect(Math.max(...seen.map(({ backlogMax }) => backlogMax))).toBeLessThanOrEqual(8192);
  for (const { received } of seen) expect(received).toBeLessThan(5_000_000);
});

/** What other software says first, and a request that must never be read behind it. */
const FOREIGN: [name: string, text: string][] = [
  ["a TLS hello", "\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03"],
  ["an HTTP form", "POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n"],
  ["an HTTP method that is not built", "OPTIONS * HTTP/1.1\r\n\r\n"],
  ["SSH", "SSH-2.0-OpenSSH_9.9\r\n"],
  ["SMTP", "EHLO example.org\r\nMAIL FROM:<a@example.org>\r\n"],
  ["Redis", "*1\r\n$4\r\nPING\r\n"],
  ["a proxy header", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"],
];

test.each(FOREIGN)(
  "30, 31: %s gets one short answer, and no request behind it is read",
  async (_, text) => {
    await using it = await start();
    const { text: got, ending } = await it.running.ask(`${text}READ /secret\nREAD /secret\n`);
    expect(ending).toBe("fin");
    expect(got.length).toBeLessThan(400);
    expect(got).not.toContain("SECRET");
    expect(got).not.toContain("example.org>");
    expect(it.running.server.counters.requests).toBe(1);
  },
);

test("30: a TLS hello is told apart at once, without a LF and without its bytes", async () => {
  await using it = await start();
  using peer = await it.running.dial();
  peer.send("\x16\x03\x01\x00\xf4\x01/secret-name");
  const { bytes, ending } = await peer.all();
  expect([bytes.toString("hex"), ending]).toEqual(["15030100020246", "fin"]);
});

/** Requests that break the grammar, and how each is refused. */
const BROKEN: [line: string, code: string][] = [
  ["READ range=1 /f", "EINVAL"],
  ["READ offset=1 offset=1 /f", "EINVAL"],
  [`READ if=${"e".repeat(8100)} /f`, "EINVAL"],
  ["READ", "EINVAL"],
  ["READ ", "EINVAL"],
  ["READ f", "EINVAL"],
  ["READ  /f", "EINVAL"],
  ["STAT offset=1 /f", "EINVAL"],
  ["PING now", "EINVAL"],
  ["READ /%", "EINVAL"],
  ["READ offset=1e3 /f", "EINVAL"],
  ["READ offset=0x1 /f", "EINVAL"],
  ["READ offset=+1 /f", "EINVAL"],
  ["READ offset=01 /f", "EINVAL"],
  ["READ offset=-5 /f", "EINVAL"],
  ["READ length=18446744073709551615 /f", "EINVAL"],
  [`READ length=${"9".repeat(400)} /f`, "EINVAL"],
  ["READ offset=\xef\xbc\x91 /f", "EINVAL"],
  ["READ offset=9007199254740993 /f", "ERANGE"],
  ["READ if=0000000000000000 /f", "ESTALE"],
  ["GET /f", "ENOSYS"],
  ["ping", "ENOSYS"],
  ["", "ENOSYS"],
  ["GET / HTTP/1.1", "ENOSYS"],
  ["HASH chunk=0 /f", "EINVAL"],
  ["HASH chunk=1 /no", "ENOENT"],
  ["AUTH my secret", "EINVAL"],
];

test("32, 34, 37: each refusal is in its place, and the request behind it is answered", async () => {
  await using it = await start();
  const lines = ["PING", ...BROKEN.flatMap(([line]) => [line, "READ length=3 offset=1 /f"])];
  const replies = await exchange(it.running.port, lines);
  for (const [index, [line, code]] of BROKEN.entries()) {
    expect([line, replies[1 + 2 * index]?.line]).toEqual([
      line,
      expect.stringMatching(new RegExp(`^ERR ${code} `)),
    ]);
    expect(replies[2 + 2 * index]?.body.toString()).toBe("ont");
  }
  const { counters } = it.running.server;
  expect([counters.requests, counters.refused]).toEqual([lines.length, BROKEN.length]);
});

test("38: whatever a request holds, its reply is one line that can be parsed", async () => {
  await using it = await start();
  const nasty = [
    "%0aOK 5",
    "%0d%0a",
    "%1b[2J",
    "\x1b]0;x\x07",
    "\r",
    "\x9b",
    "\xe2\x80\xae",
    "\xff",
  ];
  const lines = nasty.flatMap((text) => [
    `READ /${text}`,
    `STAT /${text}/${text}`,
    `LIST after=${text.replaceAll(" ", "%20")} /${text}`,
    `READ if=${text.replaceAll(" ", "")} /f`,
    `READ ${text}`,
    `X${text}`,
    `READ offset=${text} /f`,
  ]);
  for (const { line } of await exchange(it.running.port, ["PING", ...lines])) {
    expect(line).toMatch(/^(?:OK [0-9]+(?: [a-z]+=[^ ]+)*|ERR E[A-Z0-9]+ [^\0-\x1f\x7f]+)$/);
    expect(Buffer.from(line, "latin1").toString()).not.toMatch(/[\p{Cc}\u202e\ufffd]/u);
  }
  const codes = await codesOf(it.running.port, ["PING", ...lines]);
  expect(codes.filter(([, code]) => code === "")).toEqual([]);
});
