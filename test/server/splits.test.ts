/** Where the network cuts a request must not matter: faults 24 and 28. */
import { expect, test } from "bun:test";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { sendApart, watch } from "./watch.ts";

/** Every kind of request and of line end, errors among them, the last without LF. */
const SESSION = [
  "PING\r\n",
  "READ /f\n",
  "STAT /f\r\n",
  "READ offset=2 length=3 /f\n",
  "READ /no\n",
  "BAD\n",
  "\n",
  "READ f\n",
  "READ /large\n",
  "LIST limit=1 /\n",
  "READ length=1 offset=69999 /large\n",
  "HASH /f\n",
  "PING",
].join("");

const REPLIES = new RegExp(
  "^OK 0 server=serv6 version=[^ \n]+ protocol=S6/1\n" +
    "OK 7 size=7 offset=0 etag=[0-9a-f]{16} mtime=[0-9]+\ncontent" +
    "OK 0 type=file size=7 mtime=[0-9]+ etag=[0-9a-f]{16}\n" +
    "OK 3 size=7 offset=2 etag=[0-9a-f]{16} mtime=[0-9]+\nnte" +
    "ERR ENOENT no such file: /no\n" +
    "ERR ENOSYS [^\n]*\nERR ENOSYS [^\n]*\nERR EINVAL [^\n]*\n" +
    "OK 70000 size=70000 offset=0 [^\n]*\n(?:001\\.000\\.[0-9a-f]{8}){4375}" +
    "OK [0-9]+ count=1 more=1 left=0 id=[^\n]*\nfile size=7 [^\n]* f\n" +
    "OK 1 size=70000 offset=69999 [^\n]*\n6" +
    "OK 17 size=7 etag=[0-9a-f]{16} algo=xxh3 chunk=4194304\n55f2b31a6acfaa64\n" +
    "OK 0 server=serv6 [^\n]*\n$",
);

function tree(): Tree {
  return new Tree({ f: "content", large: content(1, 0, 70_000) });
}

test("24: a session of S6/1 is answered the same, split at any byte or into single bytes", async () => {
  using files = tree();
  await using running = new Running(files.root);
  const whole = await running.ask(SESSION);
  expect(whole.text).toMatch(REPLIES);
  const seen = watch(running);
  const cuts = Array.from({ length: SESSION.length - 1 }, (_, index) => [
    SESSION.slice(0, index + 1),
    SESSION.slice(index + 1),
  ]);
  for (const pieces of [...cuts, [...SESSION]]) {
    using peer = await running.dial();
    await sendApart(peer, seen, pieces);
    peer.finish();
    const { bytes, ending } = await peer.all();
    expect([pieces[0], ending, bytes.equals(whole.bytes)]).toEqual([pieces[0], "fin", true]);
    seen.length = 0;
  }
});

const BARE = ["/f\n", "f\r\n", "./f", "/large\r\n", "large", "/no\r\n", "READ", "PINGS\n", "\n"];

test("24: a bare path is answered the same, split at any byte or into single bytes", async () => {
  using files = tree();
  files.write("READ", "a file called READ");
  files.write("PINGS", "a file called PINGS");
  await using running = new Running(files.root);
  const seen = watch(running);
  for (const request of BARE) {
    const whole = await running.ask(request);
    expect(whole.bytes.length).toBeGreaterThan(0);
    for (let at = 1; at <= request.length; at++) {
      const halves = [request.slice(0, at), request.slice(at)];
      for (const pieces of at === request.length ? [[...request]] : [halves]) {
        using peer = await running.dial();
        await sendApart(peer, seen, pieces);
        if (!request.endsWith("\n")) peer.finish();
        const { bytes, ending } = await peer.all();
        expect([pieces, ending, bytes.equals(whole.bytes)]).toEqual([pieces, "fin", true]);
        seen.length = 0;
      }
    }
  }
});

test("28: a file with a verb's name is asked for behind ./ or without the space", async () => {
  const names = ["READ x", "PING", "STAT", "GET / HTTP1.1", "AUTH me"];
  using files = new Tree(Object.fromEntries(names.map((name) => [name, `file ${name}`])));
  files.write("x", "not this");
  await using running = new Running(files.root);
  for (const name of names) {
    for (const end of ["\n", "\r\n", ""]) {
      expect((await running.ask(`./${name}${end}`)).text).toBe(`file ${name}`);
    }
  }
  expect((await running.ask("STAT\n")).text).toBe("file STAT");
  expect((await running.ask("READ x\n")).text).toStartWith("ERR EINVAL ");
  expect((await running.ask("READ /READ x\n")).text).toEndWith("\nfile READ x");
  expect((await running.ask("PING\n")).text).toStartWith("OK 0 server=");
});

test("28: PING waits for its LF or for FIN, whatever comes between CR and LF", async () => {
  using files = tree();
  await using running = new Running(files.root);
  const seen = watch(running);
  using peer = await running.dial();
  await sendApart(peer, seen, ["PING\r"]);
  using other = await running.dial();
  // A bare path on another connection is ended by quiet: as long has it been quiet here.
  other.send("f");
  expect((await other.all()).bytes.toString()).toBe("content");
  peer.send("\nPI");
  expect(await peer.line()).toStartWith("OK 0 server=");
  peer.send("NG\nPING");
  expect(await peer.line()).toStartWith("OK 0 server=");
  peer.finish();
  const { bytes, ending } = await peer.all();
  expect([bytes.toString().split("\n").length, ending]).toEqual([2, "fin"]);
});
