/**
 * Who may read what: each verb of each door, with no token, a wrong one, one that has ended, one
 * for another path and a right one, in plaintext and by TLS (fault 79). Every cell is asserted.
 */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { Tokens } from "../../src/identity/tokens.ts";
import { CALM, FakeKernel, FakeSocket } from "../rig/fake-socket.ts";
import { eventually } from "../rig/faults.ts";
import { Running, type RunningOptions } from "../rig/running.ts";
import { askSecurely, filesOf } from "../rig/tls.ts";
import { Tree } from "../rig/tree.ts";

const SHOWN = { none: null, wrong: "w", ended: "e", other: "o", right: "r", all: "a" } as const;
type Shown = keyof typeof SHOWN;

function tokenOf(shown: Shown): string | null {
  const letter = SHOWN[shown];
  return letter === null ? null : `token-${letter.repeat(30)}`;
}

function entry(name: Shown, more: string): string {
  const digest = createHash("sha256")
    .update(tokenOf(name) ?? "")
    .digest("hex");
  return `[[token]]\nname = "${name}"\nsha256 = "${digest}"\n${more}\n`;
}

const FILE =
  entry("ended", "until = 2020-01-01") +
  entry("other", 'paths = ["/other", "/deep/er/x"]') +
  entry("right", 'paths = ["/d"]') +
  entry("all", "");

const TREE = {
  "d/f": "content",
  "d/sub/g": "more",
  "other/o": "others",
  "deep/er/x": "x",
  "deep/er/y": "secret",
  top: "top",
};

/** A request for `path`, as its door asks it, and how its answer begins when it is allowed. */
interface Ask {
  readonly verb: string;
  readonly path: string;
  readonly allowed: RegExp;
  line(path: string): string;
}

const get = (method: string, path: string, token: string | null, basic: boolean): string => {
  const credentials = basic ? `Basic ${btoa(`any:${token}`)}` : `Bearer ${token}`;
  const shown = token === null ? "" : `Authorization: ${credentials}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${shown}\r\n`;
};

const FRAMED: readonly Ask[] = [
  { verb: "READ", path: "/d/f", allowed: /^OK 7 /, line: (path) => `READ ${path}\n` },
  { verb: "READ part", path: "/d/f", allowed: /^OK 1 /, line: (path) => `READ length=1 ${path}\n` },
  { verb: "STAT", path: "/d/f", allowed: /^OK 0 type=file/, line: (path) => `STAT ${path}\n` },
  { verb: "STAT", path: "/d", allowed: /^OK 0 type=dir/, line: (path) => `STAT ${path}\n` },
  { verb: "LIST", path: "/d", allowed: /^OK [0-9]+ count=2/, line: (path) => `LIST ${path}\n` },
  {
    verb: "LIST a bit",
    path: "/d/",
    allowed: /^OK [0-9]+ count=1/,
    line: (path) => `LIST limit=1 ${path}\n`,
  },
  {
    verb: "HASH part",
    path: "/d/f",
    allowed: /^OK 17 /,
    line: (path) => `HASH offset=1 ${path}\n`,
  },
  { verb: "HASH", path: "/d/f", allowed: /^OK 17 /, line: (path) => `HASH ${path}\n` },
];

const HTTP = ["/d/f", "/d/", "/d/?json", "/d/SHA256SUMS"];

/** What is shown, and whether it opens /d. */
const OPENS: readonly [Shown, boolean][] = [
  ["none", false],
  ["wrong", false],
  ["ended", false],
  ["other", false],
  ["right", true],
  ["all", true],
];

function running(tree: Tree, options: RunningOptions = {}): Running {
  using keys = new Tree({ tokens: FILE });
  return new Running(tree.root, {
    tls: filesOf("good"),
    tokens: Tokens.ofFile(keys.path("tokens")),
    ...options,
  });
}

const ways: [string, (it: Running, request: string) => Promise<string>][] = [
  ["plaintext of this machine", async (it, request) => (await it.ask(request)).text],
  ["TLS", async (it, request) => (await askSecurely(it.port, request)).text],
];

describe.each(ways)("by %s", (_way, ask) => {
  test.each(OPENS)("S6/1 with a token that is %j", async (shown, opens) => {
    using tree = new Tree(TREE);
    for (const { verb, path, allowed, line } of FRAMED) {
      // Each on a server of its own: wrong tokens cost time.
      await using it = running(tree);
      const token = tokenOf(shown);
      const text = await ask(it, (token === null ? "" : `AUTH ${token}\n`) + line(path));
      const known = shown === "other" || opens;
      const [first = "", ...rest] = text.split(/(?<=\n)/);
      const reply = token === null ? text : rest.join("");
      if (token !== null)
        expect([verb, first]).toEqual([
          verb,
          known ? "OK 0\n" : expect.stringMatching(/^ERR EACCES /),
        ]);
      if (opens) expect([verb, reply]).toEqual([verb, expect.stringMatching(allowed)]);
      // Who is nobody is told so; who is somebody is told that there is nothing.
      else
        expect([verb, reply]).toEqual([
          verb,
          expect.stringMatching(known ? /^ERR ENOENT / : /^ERR EACCES .*a token is needed/),
        ]);
      expect(text).not.toContain(opens ? "no content of others" : "content");
    }
  });

  test.each(OPENS)("HTTP with a token that is %j", async (shown, opens) => {
    using tree = new Tree(TREE);
    for (const path of HTTP) {
      for (const method of ["GET", "HEAD"]) {
        for (const basic of [false, true]) {
          await using it = running(tree);
          const text = await ask(it, get(method, path, tokenOf(shown), basic));
          const status = opens ? 200 : shown === "other" ? 404 : 401;
          expect([path, method, text.slice(0, 12)]).toEqual([path, method, `HTTP/1.1 ${status}`]);
          expect(text.includes("WWW-Authenticate: Bearer")).toBe(status === 401);
          if (!opens) expect(text).not.toContain("content\n");
        }
      }
    }
  });

  test("a bare path, which can show none", async () => {
    using tree = new Tree(TREE);
    await using it = running(tree);
    expect(await ask(it, "d/f\n")).toMatch(/^ERROR EACCES: .*a token is needed/);
    expect(await ask(it, `${tree.root}/d/f\n`)).toMatch(/^ERROR EACCES: /);
  });
});

describe("what a token for some paths sees", () => {
  const see = async (lines: string[]): Promise<string[]> => {
    using tree = new Tree(TREE);
    await using it = running(tree);
    const { text } = await it.ask(`AUTH ${tokenOf("other")}\n${lines.join("\n")}\n`);
    return text.split("\n").slice(1);
  };

  test("above them folders with nothing but the way there", async () => {
    const names = async (path: string): Promise<string[]> => {
      const [, ...lines] = await see([`LIST ${path}`]);
      return lines.filter((line) => line !== "").map((line) => line.replace(/ .* /, " "));
    };
    expect(await names("/")).toEqual(["dir deep", "dir other"]);
    expect(await names("/deep")).toEqual(["dir er"]);
    expect(await names("/deep/er/")).toEqual(["file x"]);
    expect(await names("/other")).toEqual(["file o"]);
    const [first] = await see(["LIST limit=1 /"]);
    expect(first).toContain(" count=1 more=1 ");
    expect((await see(["LIST after=deep /"]))[1]).toStartWith("dir ");
    expect((await see(["LIST after=other /"]))[0]).toContain(" count=0 more=0 ");
  });

  test("beside them nothing, in the very words for what is not there", async () => {
    for (const verb of ["READ", "STAT", "HASH", "LIST"]) {
      for (const path of ["/d/f", "/d", "/top", "/deep/er/y", "/other2", "/deep/x", "/none"]) {
        const [reply] = await see([`${verb} ${path}`]);
        expect([verb, path, reply]).toEqual([verb, path, `ERR ENOENT no such file: ${path}`]);
      }
    }
  });

  test("spelled otherwise they are the same paths, and .. is none", async () => {
    const replies = await see([
      "STAT //other/./o",
      "STAT /%6fther/o",
      "STAT /other/../d/f",
      "STAT /other/o/",
    ]);
    expect(replies.map((reply) => reply.split(" ").slice(0, 2).join(" "))).toEqual([
      "OK 0",
      "OK 0",
      "ERR EACCES",
      "ERR ENOTDIR",
      "",
    ]);
  });
});

test("READ in front of AUTH is refused, and what was asked behind it is not", async () => {
  using tree = new Tree(TREE);
  await using it = running(tree);
  const { text } = await it.ask(`READ /d/f\nAUTH ${tokenOf("right")}\nREAD /d/f\nPING\n`);
  expect(text).toMatch(/^ERR EACCES [^\n]*\nOK 0\nOK 7 [^\n]*\ncontentOK 0 server=/);
});

test("a token that may read may not list, and the other way round", async () => {
  using tree = new Tree(TREE);
  using keys = new Tree({
    tokens: entry("right", 'may = ["read"]') + entry("all", 'may = ["list"]'),
  });
  await using it = running(tree, { tokens: Tokens.ofFile(keys.path("tokens")) });
  const codes = async (shown: Shown): Promise<string[]> => {
    const { text } = await it.ask(`AUTH ${tokenOf(shown)}\nHASH /d/f\nLIST /d\nSTAT /d\n`);
    return text.match(/^(?:OK|ERR \w+)/gm) ?? [];
  };
  expect(await codes("right")).toEqual(["OK", "OK", "ERR EACCES", "OK"]);
  expect(await codes("all")).toEqual(["OK", "ERR EACCES", "OK", "OK"]);
});

test("a token that is taken out of the file ends on connections that are open", async () => {
  using tree = new Tree(TREE);
  using keys = new Tree({ tokens: FILE });
  const tokens = Tokens.ofFile(keys.path("tokens"));
  await using it = running(tree, { tokens });
  using peer = await it.dial();
  peer.send(`AUTH ${tokenOf("right")}\nSTAT /d/f\n`);
  await eventually("both replies", () => peer.length > 20);
  await peer.take(peer.length);
  fs.writeFileSync(keys.path("tokens"), entry("all", ""));
  await eventually("the file read again", () => tokens.find(tokenOf("right") ?? "") === null);
  peer.send("STAT /d/f\n");
  peer.finish();
  expect((await peer.all()).bytes.toString()).toStartWith("ERR EACCES ");
  // A file that is broken leaves what was.
  fs.writeFileSync(keys.path("tokens"), "[[token]]\nnam = 1\n");
  await Bun.sleep(0);
  expect(tokens.refresh()?.message ?? "already told").toMatch(/unknown key nam|already told/);
  expect(tokens.find(tokenOf("all") ?? "")).not.toBeNull();
});

test("81: who shows wrong tokens waits and loses the connection; right ones wait as well; others do not", async () => {
  using tree = new Tree(TREE);
  await using it = running(tree);
  const wrong = `AUTH ${tokenOf("wrong")}\n`;
  const { text, ending } = await it.ask(`${wrong.repeat(9)}AUTH ${tokenOf("right")}\nSTAT /d/f\n`);
  expect([...(text.match(/^ERR \w+/gm) ?? [])]).toEqual([
    ...Array.from({ length: 5 }, () => "ERR EACCES"),
    "ERR EBUSY",
  ]);
  expect(text).toMatch(/too many wrong tokens, wait [0-9]+ s\n$/);
  expect(ending).toBe("fin");
  expect((await it.ask(`AUTH ${tokenOf("right")}\n`)).text).toStartWith("ERR EBUSY ");
  const { Peer } = await import("../rig/peer.ts");
  using other = await Peer.dial(it.port, "127.0.0.2");
  other.send(`AUTH ${tokenOf("right")}\n`);
  other.finish();
  expect((await other.all()).bytes.toString()).toBe("OK 0\n");
});

test("82: no reply, and no line of the log, tells a token", async () => {
  using tree = new Tree(TREE);
  const log = fs.openSync(tree.path("log"), "w");
  await using it = running(tree, { log: "json", logFd: log });
  let all = "";
  for (const shown of ["wrong", "right", "ended"] as const) {
    const token = tokenOf(shown) ?? "";
    all += (await it.ask(`AUTH ${token}\nAUTH ${token} x\nREAD /d/f\n`)).text;
    for (const basic of [false, true]) all += (await it.ask(get("GET", "/d/f", token, basic))).text;
  }
  await it.server.stop(0);
  all += fs.readFileSync(tree.path("log"), "utf8");
  expect(all).toContain('"AUTH"');
  for (const secret of ["token-", btoa("any:token-").slice(0, 12)])
    expect(all).not.toContain(secret);
  fs.closeSync(log);
});

test("83: a token in plaintext from another machine is not even looked at, unless that is allowed", async () => {
  using tree = new Tree(TREE);
  for (const insecureAuth of [false, true]) {
    await using it = running(tree, { plaintext: true, insecureAuth });
    using fakes = new FakeKernel();
    for (const address of ["192.0.2.9", "2001:db8::9", "127.0.0.9"]) {
      let came = "";
      const sink = (bytes: Uint8Array): void => void (came += Buffer.from(bytes).toString());
      const socket = new FakeSocket(fakes, CALM, sink, address);
      const connection = it.server.accept(socket);
      socket.connection = connection;
      connection?.data(Buffer.from(`AUTH ${tokenOf("right")}\n`));
      await eventually("an answer", () => came !== "");
      const taken = insecureAuth || address.startsWith("127.");
      expect([address, came]).toEqual([
        address,
        taken ? "OK 0\n" : expect.stringMatching(/^ERR EACCES .* by TLS\n$/),
      ]);
      connection?.terminate();
    }
  }
});

test("where everybody may read everything a token opens nothing more, and harms nothing", async () => {
  using tree = new Tree(TREE);
  await using it = new Running(tree.root);
  expect((await it.ask("AUTH anything\nREAD /top\n")).text).toMatch(/^OK 0\nOK 3 [^\n]*\ntop$/);
  expect((await it.ask(get("GET", "/top", "anything", false))).text).toStartWith("HTTP/1.1 200 ");
});

test("who shows no token sees what [anonymous] names, by every door", async () => {
  using tree = new Tree(TREE);
  using keys = new Tree({ tokens: `${FILE}[anonymous]\npaths = ["/other"]\n` });
  await using it = running(tree, { tokens: Tokens.ofFile(keys.path("tokens")) });
  expect((await it.ask("other/o\n")).text).toBe("others");
  expect((await it.ask("d/f\n")).text).toMatch(/^ERROR ENOENT: /);
  expect((await it.ask("READ /other/o\n")).text).toMatch(/^OK 6 /);
  expect((await it.ask(get("GET", "/other/o", null, false))).text).toMatch(/^HTTP\/1\.1 200 /);
  expect((await it.ask(get("GET", "/d/f", null, false))).text).toMatch(/^HTTP\/1\.1 404 /);
});

test("what [anonymous] names ends at its time, as what a token does", async () => {
  using tree = new Tree(TREE);
  const until = (day: string): string => `[anonymous]\npaths = ["/other"]\nuntil = ${day}\n`;
  using keys = new Tree({ over: until("2020-01-01"), later: until("2999-01-01") });
  for (const [file, reply] of [
    ["over", /^ERROR EACCES: /],
    ["later", /^others$/],
  ] as const) {
    await using it = running(tree, { tokens: Tokens.ofFile(keys.path(file)) });
    expect((await it.ask("other/o\n")).text).toMatch(reply);
  }
});
