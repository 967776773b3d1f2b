/** `cli6 ls` and `cli6 stat` against servers of literal bytes, honest and not. */
import { expect, test } from "bun:test";
import { type FakeServer, replying } from "../../client/fake.ts";
import { cli6 } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const ETAG = "etag=0123456789abcdef";

/** Pages by request line. */
function paging(pages: Readonly<Record<string, string>>, more: readonly string[] = []): FakeServer {
  return replying((line) => {
    const page = pages[line.replace(/ limit=\d+/, "")];
    if (page === undefined || page.startsWith("ERR")) return page ?? "ERR ENOENT no such file\n";
    if (page.startsWith("OK")) return page;
    const count = page.split("\n").length - 1;
    const cut = more.includes(line.replace(/ limit=\d+/, "")) ? 1 : 0;
    return `OK ${page.length} count=${count} more=${cut}\n${page}`;
  });
}

test("lists a folder page by page, names escaped, sizes past 2^53 exact", async () => {
  using fake = paging(
    {
      "LIST /": `file size=9007199254740993 mtime=0 ${ETAG} a%1B[31m\n`,
      "LIST after=a%1B[31m /": "dir mtime=0 b\n",
    },
    ["LIST /"],
  );
  const run = await cli6(["ls", "-s", fake.address], { env: { TZ: "UTC" } });
  expect(run.err).toBe("");
  expect(run.out).toBe(
    "file 9007199254740993  1970-01-01 00:00  a\\x1b[31m\n" +
      "dir                 -  1970-01-01 00:00  b/\n",
  );
});

test("--json gives exact numbers and every name back", async () => {
  using fake = paging({
    "LIST /d":
      `file size=9007199254740993 mtime=-1 ${ETAG} \xc3\xa9%FF?\n` +
      `dir mtime=1795419643035191976 \xe2\x80\xaex\n`,
  });
  const run = await cli6(["ls", "--json", "-s", fake.address, "d"]);
  expect(run.out.split("\n")).toEqual([
    '{"type":"file","name":"\xc3\xa9%FF?","escaped":true,"path":"/d/\xc3\xa9%FF%3F",' +
      '"size":9007199254740993,"mtime":-1,"etag":"0123456789abcdef"}',
    '{"type":"dir","name":"\\u202ex","path":"/d/\\u202ex",' +
      '"size":null,"mtime":1795419643035191976,"etag":null}',
    "",
  ]);
});

test("--names gives raw bytes to a pipe, leaves a line break out with status 2; -0 takes all", async () => {
  using fake = paging({ "LIST /": "dir mtime=1 a%0Ab\ndir mtime=1 c%FF\n" });
  const names = await cli6(["ls", "--names", "-s", fake.address]);
  expect([names.status, names.out, names.err]).toEqual([
    2,
    "c\xff/\n",
    expect.stringContaining("--null takes it"),
  ]);
  expect((await cli6(["ls", "-0", "-s", fake.address])).out).toBe("a\nb/\0c\xff/\0");
});

test("a server that never ends, repeats itself or says nothing: status 11", async () => {
  // Behind "" there is no place to go on from: the same page would come for ever.
  using nameless = paging({ "LIST /": "dir mtime=1 \n" }, ["LIST /"]);
  using repeats = paging({ "LIST /": "dir mtime=1 a\n", "LIST after=a /": "dir mtime=1 a\n" }, [
    "LIST /",
    "LIST after=a /",
  ]);
  using unsorted = paging({ "LIST /": "dir mtime=1 b\ndir mtime=1 a\n" });
  using empty = paging({ "LIST /": "OK 0 count=0 more=1\n" });
  for (const fake of [repeats, unsorted, empty, nameless]) {
    const run = await cli6(["ls", "-s", fake.address, "-1"]);
    expect([run.status, run.err]).toEqual([11, expect.stringContaining("EPROTO: LIST ")]);
  }
});

test("a listing that fails midway has printed what came, and says so", async () => {
  using fake = paging({ "LIST /": "dir mtime=1 a\n", "LIST after=a /": "ERR EIO broken\n" }, [
    "LIST /",
  ]);
  const run = await cli6(["ls", "-1", "-s", fake.address]);
  expect([run.status, run.out, run.err]).toEqual([1, "a/\n", expect.stringContaining("EIO")]);
});

test("-R goes depth first, past folders that fail; names that are none are refused", async () => {
  using fake = paging({
    "LIST /": `dir mtime=1 \ndir mtime=1 %00\ndir mtime=1 ..\ndir mtime=1 a\ndir mtime=1 b%2Fc
dir mtime=1 d
dir mtime=1 ${"n".repeat(256)}
`,
    "LIST /a": `dir mtime=1 x\nfile size=1 mtime=1 ${ETAG} y\n`,
    "LIST /a/x": "ERR EACCES permission denied\n",
    "LIST /d": "OK 0 count=0 more=0\n",
  });
  const run = await cli6(["ls", "-R1", "-s", fake.address]);
  expect(run.out).toBe("/a/\n/a/x/\n/a/y\n/d/\n");
  expect(run.err.match(/EPROTO: \/ lists ".*", which is no name: left out/g)?.length).toBe(5);
  expect([run.status, run.err.includes("EACCES")]).toEqual([11, true]);
  expect(fake.connections[0]?.received).not.toContain("..");
});

test("a tree without end is left at a depth of 255: status 5", async () => {
  using fake = replying(() => "OK 14 count=1 more=0\ndir mtime=1 d\n");
  const run = await cli6(["ls", "-R1", "-s", fake.address]);
  expect([run.status, run.out.split("\n").length - 1]).toEqual([5, 256]);
  expect(run.err).toContain("ELOOP: deeper than 255 folders");
});

test("against the real server: folders, files, several of both, what is missing", async () => {
  using tree = new Tree({ "a.txt": "abc", "dir/b": "b", "dir/\u00e9": "x", empty: null });
  await using running = new Running(tree.root);
  const server = ["-s", `127.0.0.1:${running.port}`];
  expect((await cli6(["ls", "-1", ...server])).out).toBe("a.txt\ndir/\nempty/\n");
  expect((await cli6(["ls", "-1R", ...server])).out).toBe(
    "/a.txt\n/dir/\n/dir/b\n/dir/\xc3\xa9\n/empty/\n",
  );
  const run = await cli6(["ls", ...server, "a.txt", "nope", "empty"]);
  expect([run.status, run.out, run.err]).toEqual([
    3,
    expect.stringMatching(/a\.txt:\nfile +3 {2}.* {2}a\.txt\n\n.*nope:\n\n.*empty:\n$/s),
    expect.stringContaining("ENOENT"),
  ]);
  const stat = await cli6(["stat", "--json", ...server, "dir/b", "dir"]);
  const [file, folder] = stat.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(file).toMatchObject({ type: "file", name: "b", path: "/dir/b", size: 1 });
  expect(folder).toMatchObject({ type: "dir", name: "dir", size: null });
  expect((await cli6(["stat", ...server, "a.txt"])).out).toMatch(
    /^path: {2}\/a\.txt\ntype: {2}file\nsize: {2}3 bytes\nmtime: .{19}\.\d{9} [+-]\d{4}\netag: {2}\w+\n$/,
  );
});

test("-S, -t and -r sort a folder, all its pages together, ties by name; each folder with -R", async () => {
  const facts = (size: number, mtime: number): string => `file size=${size} mtime=${mtime} ${ETAG}`;
  using fake = paging(
    {
      "LIST /": `${facts(5, 30)} a\n${facts(70, 10)} b\n`,
      "LIST after=b /": `${facts(70, 20)} c\ndir mtime=25 d\n`,
      "LIST /d": `${facts(1, 9)} x\n${facts(2, 8)} y\n`,
    },
    ["LIST /"],
  );
  const names = async (...flags: string[]): Promise<string> =>
    (await cli6(["ls", "-1", "-s", fake.address, ...flags])).out.trimEnd().replaceAll("\n", " ");
  expect(await names("-S")).toBe("b c a d/");
  expect(await names("-Sr")).toBe("d/ a c b");
  expect(await names("-t")).toBe("a d/ c b");
  expect(await names("-r")).toBe("d/ c b a");
  expect(await names("-RS")).toBe("/b /c /a /d/ /d/y /d/x");
  expect(await names("-Rtr")).toBe("/b /c /d/ /d/y /d/x /a");
});

test("-l is what happens anyway, -h gives sizes units; --help stays help", async () => {
  const line = (size: bigint, name: string): string =>
    `file size=${size} mtime=0 ${ETAG} ${name}\n`;
  using fake = paging({ "LIST /": line(999n, "a") + line(1503238554n, "b") + "dir mtime=0 c\n" });
  const at = ["-s", fake.address];
  const plain = await cli6(["ls", ...at], { env: { TZ: "UTC" } });
  expect(await cli6(["ls", "-l", ...at], { env: { TZ: "UTC" } })).toEqual(plain);
  expect((await cli6(["ls", "-lh", ...at], { env: { TZ: "UTC" } })).out).toBe(
    "file    999 B  1970-01-01 00:00  a\n" +
      "file  1.4 GiB  1970-01-01 00:00  b\n" +
      "dir         -  1970-01-01 00:00  c/\n",
  );
  expect((await cli6(["ls", "--help"])).out).toContain("-h, --human-readable");
  for (const flags of [
    ["-S", "-t"],
    ["-l", "-1"],
    ["-l", "--json"],
  ]) {
    const run = await cli6(["ls", ...flags, ...at]);
    expect([run.status, run.err]).toEqual([2, expect.stringMatching(/exclude/)]);
  }
});

test("a folder that fails midway while it is sorted is told, the others are sorted", async () => {
  using fake = paging(
    {
      "LIST /": "dir mtime=1 a\ndir mtime=1 b\n",
      "LIST /a": `file size=1 mtime=1 ${ETAG} x\n`,
      "LIST after=x /a": "ERR EIO broken\n",
      "LIST /b": `file size=1 mtime=1 ${ETAG} x\nfile size=2 mtime=1 ${ETAG} y\n`,
    },
    ["LIST /a"],
  );
  const run = await cli6(["ls", "-1RS", "-s", fake.address]);
  expect([run.status, run.out]).toEqual([1, "/a/\n/b/\n/b/y\n/b/x\n"]);
  expect(run.err).toContain("EIO");
});

test("more than a million entries are not sorted, with status 1", async () => {
  const count = 4000;
  let next = 0;
  using fake = replying(() => {
    let page = "";
    for (let nth = 0; nth < count; nth++)
      page += `dir mtime=1 ${String(next++).padStart(8, "0")}\n`;
    return `OK ${page.length} count=${count} more=1\n${page}`;
  });
  const run = await cli6(["ls", "-1t", "-s", fake.address]);
  expect([run.status, run.out]).toEqual([1, ""]);
  expect(run.err).toContain("E2BIG: more than 1,000,000 entries are listed by name only");
  expect(next).toBeGreaterThan(1_000_000);
}, 60_000);
