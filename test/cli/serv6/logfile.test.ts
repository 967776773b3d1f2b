/** serv6 --log-file: what is done to a log while the server runs, and what analysers make of it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../../rig/faults.ts";
import { needing, works } from "../../rig/needs.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

const tree = (): Tree => new Tree({ "served/f": "content", logs: null });

async function get(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, method });
  await response.bytes();
  return response;
}

/** The lines of a file, once there are `count`. */
async function linesOf(file: string, count: number): Promise<string[]> {
  const read = (): string[] => fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  await eventually(`${count} lines`, () => read().length >= count);
  return read();
}

/** A request of each kind, and what it is told as. */
async function requests(port: number): Promise<string[]> {
  const agent = { "User-Agent": 'a "b"', Referer: "http://from/" };
  const { headers } = await get(port, "/f", agent);
  await get(port, "/f", { ...agent, Range: "bytes=2-3" });
  await get(port, "/f", { ...agent, "If-None-Match": headers.get("etag") ?? "" });
  await get(port, "/f", agent, "HEAD");
  await get(port, "/none", agent);
  await get(port, "/f", agent, "DELETE");
  await get(port, "/?json", agent);
  const end = '"http://from/" "a \\"b\\""';
  return [
    `"GET /f HTTP/1.1" 200 7 ${end}`,
    `"GET /f HTTP/1.1" 206 2 ${end}`,
    `"GET /f HTTP/1.1" 304 - ${end}`,
    `"HEAD /f HTTP/1.1" 200 - ${end}`,
    `"GET /none HTTP/1.1" 404 - ${end}`,
    `"DELETE /f HTTP/1.1" 405 - ${end}`,
    expect.stringMatching(/^"GET \/\?json HTTP\/1\.1" 200 \d+ "http/) as string,
  ];
}

test("--log combined tells each request of HTTP as Apache does", async () => {
  using files = tree();
  const file = files.path("logs/log");
  const flags = ["-p", "0", "--log", "combined", "--log-file", file];
  await using started = new Started([files.path("served"), ...flags]);
  const wanted = await requests(await started.port());
  const lines = await linesOf(file, wanted.length);
  const start = /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] /;
  for (const line of lines) expect(line).toMatch(start);
  expect(lines.map((line) => line.replace(start, ""))).toEqual(wanted);
});

const GOACCESS = { here: works("goaccess", "--version"), what: "goaccess" };

needing(GOACCESS)("goaccess reads all of it, and takes notes for comments", async () => {
  using files = tree();
  const file = files.path("logs/log");
  const flags = ["-p", "0", "--log", "combined", "--log-file", file];
  await using started = new Started([files.path("served"), ...flags]);
  const { length } = await requests(await started.port());
  await linesOf(file, length);
  fs.appendFileSync(file, "# 2026-01-01T00:00:00.000Z a note\n");
  const command = ["goaccess", "--no-global-config", "--log-format=COMBINED", "-o", "json"];
  const { stdout } = Bun.spawnSync([...command, file], { stdin: "ignore" });
  const { general } = JSON.parse(stdout.toString()) as { general: Record<string, number> };
  expect(general).toMatchObject({
    valid_requests: length,
    failed_requests: 0,
    unique_not_found: 1,
  });
});

test("SIGUSR1 opens the file anew, and a server without one goes on", async () => {
  using files = tree();
  const file = files.path("logs/log");
  const served = files.path("served");
  await using started = new Started([served, "-p", "0", "--log", "json", "--log-file", file]);
  await using other = new Started([served, "-p", "0"]);
  const port = await started.port();
  const otherPort = await other.port();
  await get(port, "/f");
  await linesOf(file, 1);
  fs.renameSync(file, files.path("logs/log.1"));
  started.child.kill("SIGUSR1");
  other.child.kill("SIGUSR1");
  await eventually("the new file", () => fs.existsSync(file));
  await get(port, "/f?2");
  expect(await linesOf(file, 1)).toEqual([expect.stringContaining('"door":"http"')]);
  expect((await linesOf(files.path("logs/log.1"), 1)).length).toBe(1);
  expect((await get(otherPort, "/f")).status).toBe(200);
  // What is said at start stays on stderr.
  expect(started.said).not.toContain('"door"');
});

test("67: a full disk below the log holds up nobody", async () => {
  using files = tree();
  const flags = ["-p", "0", "--log-file", "/dev/full"];
  await using started = new Started([files.path("served"), ...flags]);
  const port = await started.port();
  for (let i = 0; i < 20; i++) expect((await get(port, "/f")).status).toBe(200);
  started.child.kill("SIGTERM");
  expect(await started.status()).toBe(0);
});

test("a log that can't be written ends the start with status 9 and one line", async () => {
  using files = tree();
  await using started = new Started([files.path("served"), "--log-file", files.path("no/log")]);
  expect(await started.status()).toBe(9);
  expect(started.said).toBe(`serv6: cannot write the log ${files.path("no/log")}: ENOENT\n`);
});
