/** `get -o -`: what goes into a pipe is the file, from one version, or the exit status says so. */
import { expect, test } from "bun:test";
import { content, verify } from "../../rig/oracle.ts";
import { cli6, shell } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";

const MIB = 1024 * 1024;
const large = content(4, 1, 5 * MIB + 3);
const ONCE = ["--retry", "0", "--timeout", "2"];

test("a connection lost in the middle goes on at the byte where it stopped", async () => {
  let losses = 4;
  using server = new Scripted({ "/f": large }, ({ verb }, honest) =>
    verb === "READ" && losses-- > 0
      ? { bytes: honest().subarray(0, MIB + losses), ending: losses % 2 === 0 ? "fin" : "rst" }
      : undefined,
  );
  const run = await cli6(["get", "-o", "-", server.url("/f")]);
  expect(verify(Buffer.from(run.out, "latin1"), 4, 1)).toBeNull();
  expect(run.out.length).toBe(large.length);
  expect(run.err).toContain("; trying again, up to 5 times in a row");
  expect(run.status).toBe(0);
  const offsets = server.requests("READ").map((asked) => Number(asked.key("offset") ?? 0));
  expect(offsets.toSorted((a, b) => a - b)).toEqual(offsets);
  expect(offsets.at(-1)).toBeGreaterThan(MIB);
});

test("the file changes while the connection is lost: exit 6, and nothing of the new one", async () => {
  using server = new Scripted({ "/f": large }, ({ verb }, honest) => {
    if (verb !== "READ" || server.requests("READ").length > 1) return undefined;
    const bytes = honest().subarray(0, MIB);
    server.put("/f", content(4, 2, large.length), 2);
    return { bytes, ending: "fin" };
  });
  const run = await cli6(["get", "-o", "-", server.url("/f")]);
  expect(run.out.length).toBeLessThan(large.length);
  expect(verify(Buffer.from(run.out, "latin1"), 4, 1)).toBeNull();
  expect(run.err).toContain("ESTALE");
  expect(run.status).toBe(6);
});

test.each(["READ", "HASH"])(
  "the file is cut short before a %s: exit 6, it has changed",
  async (when) => {
    using server = new Scripted({ "/f": large }, ({ verb, path }, honest) => {
      if (verb === "READ" && when === "READ" && server.requests("READ").length === 1) {
        return { bytes: honest().subarray(0, 2 * MIB), ending: "fin" };
      }
      const behind = verb === when && (verb === "HASH" || server.requests("READ").length > 1);
      return behind ? { bytes: `ERR ERANGE offset past the end: ${path}\n` } : undefined;
    });
    const run = await cli6(["get", "-o", "-", server.url("/f")]);
    expect(run.err).toContain("the file has changed: /f");
    expect(run.status).toBe(6);
  },
);

test("a server that ignores if= and has a shorter file: an end, and not exit 0", async () => {
  using server = new Scripted({ "/f": large }, ({ verb, key }) => {
    if (verb !== "READ") return undefined;
    const from = Number(key("offset") ?? 0);
    const part = large.subarray(from, MIB);
    const head = `OK ${part.length} size=${MIB} offset=${from} etag=0000000000000001 mtime=5\n`;
    return { bytes: [head, part] };
  });
  const run = await cli6(["get", "-o", "-", ...ONCE, server.url("/f")]);
  expect([6, 11]).toContain(run.status ?? 0);
  expect(server.requests("READ").length).toBeLessThan(3);
});

test("bytes that arrived wrong are out: the message says from which on, exit 8", async () => {
  using server = new Scripted({ "/f": large }, ({ verb }, honest) => {
    if (verb !== "READ") return undefined;
    const bytes = honest();
    bytes[bytes.length - 1] = 0;
    return { bytes };
  });
  const run = await cli6(["get", "-o", "-", server.url("/f")]);
  expect(run.out.length).toBe(large.length);
  expect(run.err).toContain(`bytes ${4 * MIB} on arrived wrong, and are out`);
  expect(run.status).toBe(8);
});

test("a folder is no stream of nothing: exit 2", async () => {
  using server = new Scripted({ "/d/f": "forty-two" });
  const run = await cli6(["get", "-o", "-", server.url("/d")]);
  expect(run).toEqual({
    status: 2,
    out: "",
    err: "cli6: /d is a folder: -r copies it\n",
  });
});

test("what follows a failed one is not sent behind its part; an empty file is nothing", async () => {
  using server = new Scripted({ "/a": "first", "/b": "second", "/empty": "" }, ({ verb, path }) =>
    verb === "READ" && path === "/a"
      ? { bytes: "OK 5 size=5 offset=0 etag=0000000000000001 mtime=5\nfi", ending: "fin" }
      : undefined,
  );
  const run = await cli6(["get", "-o", "-", ...ONCE, server.url("/a"), server.url("/b")]);
  expect(run.out).toBe("fi");
  expect(run.status).toBe(5);
  const both = await cli6(["get", "-o", "-", server.url("/empty"), server.url("/b")]);
  expect(both).toEqual({ status: 0, out: "second", err: "" });
});

test("a reader that leaves ends it without a word: 141; a device that is full: 9", async () => {
  using server = new Scripted({ "/f": large });
  const pipe = await shell('cli6 get -o - "$1" | head -c 3; echo " ${PIPESTATUS[0]}"', [
    server.url("/f"),
  ]);
  expect(pipe.out).toBe(`${large.toString("latin1", 0, 3)} 141\n`);
  expect(pipe.err).toBe("");
  const full = await cli6(["get", "-o", "/dev/full", server.url("/f")]);
  expect(full.err).toContain("ENOSPC: writing /dev/full");
  expect(full.status).toBe(9);
});
