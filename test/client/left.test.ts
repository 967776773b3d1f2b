/** Names that a server leaves out, as the client asks for them: of literal bytes. */
import { expect, test } from "bun:test";
import { connect } from "../../src/client/connect.ts";
import { failureOf } from "./failure.ts";
import { replying } from "./fake.ts";

const TOLD = "dir mtime=1 a\nleft type=link error=EACCES b%0A\n";

test("a page that leaves names out is asked for again with them, once; older servers never are", async () => {
  using fake = replying((line) => {
    if (line.includes("left=1")) return `OK ${TOLD.length} count=1 more=0 left=1\n${TOLD}`;
    return line.endsWith("/old")
      ? "OK 14 count=1 more=0\ndir mtime=1 a\n"
      : "OK 14 count=1 more=0 left=1\ndir mtime=1 a\n";
  });
  using client = await connect(fake.server);
  expect((await client.list("/old")).left).toEqual([]);
  const left = [{ kind: "link", code: "EACCES", name: "b\n" }] as const;
  expect((await client.list("/new")).left).toEqual([...left]);
  expect((await client.list("/new", { after: "x" })).left).toEqual([...left]);
  expect(fake.connections[0]?.received.split("\n").slice(0, -1)).toEqual([
    "LIST limit=4096 /old",
    "LIST limit=4096 /new",
    "LIST limit=4096 left=1 /new",
    "LIST limit=4096 left=1 after=x /new",
  ]);
});

test.each([
  ["fewer lines than it counts", "OK 14 count=1 more=0 left=1\ndir mtime=1 a\n"],
  ["an entry in place of one", "OK 28 count=1 more=0 left=1\ndir mtime=1 a\ndir mtime=1 b\n"],
  ["a line of another kind", "OK 21 count=1 more=0 left=1\ndir mtime=1 a\ngone b\n"],
])("%s is refused", async (_, told) => {
  using fake = replying((line) =>
    line.includes("left=1") ? told : "OK 14 count=1 more=0 left=1\ndir mtime=1 a\n",
  );
  using client = await connect(fake.server);
  expect((await failureOf(client.list("/"))).kind).toBe("protocol");
});
