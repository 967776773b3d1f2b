/**
 * The Dockerfile against what is built. No daemon runs here: that its sources are there, reach the
 * builder and are all of this machine's, and that its user, port and health check hold together.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import { ROOT, TARGETS, targetHere } from "../../.ci/package/runtime.ts";
import { needing, ROOT as ROOT_USER } from "../rig/needs.ts";
import { Tree } from "../rig/tree.ts";
import { built } from "./built.ts";
import { run, Serving } from "./serving.ts";

const FILE = path.join(ROOT, ".ci/package/Dockerfile");
const lines = fs.readFileSync(FILE, "utf8").replaceAll("\\\n", " ").split("\n");

/** What stands behind an instruction, of each line that begins with it. */
function instructions(name: string): string[] {
  return lines.flatMap((line) =>
    line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : [],
  );
}

test("each stage copies both programs of its machine, and the builder gets them", () => {
  const stages = instructions("FROM").flatMap((it) => / AS programs-(\w+)$/.exec(it)?.[1] ?? []);
  const ignored = fs.readFileSync(`${FILE}.dockerignore`, "utf8").split("\n");
  const copies = instructions("COPY").map((it) => it.match(/dist\/\S+/g));
  for (const [nth, architecture] of stages.entries()) {
    const target = TARGETS.find(({ debian }) => debian === architecture);
    const folder = `dist/${target?.name}`;
    expect(copies[nth]).toEqual([`${folder}/serv6`, `${folder}/cli6`]);
    expect(ignored).toContain(`!${folder}`);
    if (target?.name !== targetHere().name) continue;
    for (const file of copies[nth] ?? []) expect(fs.existsSync(path.join(ROOT, file))).toBe(true);
  }
  expect(stages).toEqual(["amd64", "arm64"]);
});

needing(ROOT_USER)("its command serves as its user, and its health check tells", async () => {
  const [user = ""] = instructions("USER");
  const [id = ""] = user.split(":");
  const [entry = ""] = instructions("ENTRYPOINT");
  const [program = "", ...flags] = JSON.parse(entry) as string[];
  using tree = new Tree({ "srv/f": "content", bin: null });
  for (const name of ["serv6", "cli6"] as const)
    fs.copyFileSync(built(name), tree.path(`bin/${name}`));
  fs.chmodSync(tree.root, 0o755);
  const command = [tree.path(`bin/${path.basename(program)}`), ...flags, tree.path("srv")];
  const as = ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--no-new-privs"];
  const port = await (async () => {
    await using server = new Serving([...as, "--bounding-set=-all", ...command], "/");
    const address = await server.address();
    const health = instructions("HEALTHCHECK")[0]?.replace(/^.* CMD /, "") ?? "";
    const env = { PATH: `${tree.path("bin")}:/usr/bin:/bin`, SERV6_PORT: address.split(":")[1]! };
    expect(run(["sh", "-c", health], "/", env).status).toBe(0);
    expect(run([built("cli6"), "-s", address, "f"], "/").out).toBe("content");
    return { health, env };
  })();
  expect(run(["sh", "-c", port.health], "/", port.env).status).toBe(1);
});
