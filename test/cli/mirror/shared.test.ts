/** `mirror` and `get` into one folder at once: each brings its own files, and both end well. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { until } from "../../client/fake.ts";
import { CLI6_COMMAND, cli6, environment } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";
import { Tree } from "../../rig/tree.ts";

const STAGING = `.cli6-${process.geteuid?.() ?? 0}`;

test("get of the small files that a mirror has under way takes none from it", async () => {
  const names = Array.from({ length: 20 }, (_, nth) => `f${10 + nth}`);
  const files = names.map((name) => [`/top/${name}`, `mirrored ${name}`]);
  using here = new Tree({ "to/z": "old" });
  for (const name of names) here.write(`to/${name}`, "old");
  const held: (() => void)[] = [];
  const served = { ...Object.fromEntries(files), "/top/z": "last" };
  using server = new Scripted(served, ({ verb, path, connection }, honest) => {
    // What is asked behind it is answered behind it.
    if (held.length === 0 && (path !== "/top/z" || verb !== "READ")) return undefined;
    held.push(() => connection.say(honest()));
    return null;
  });
  const child = Bun.spawn([...CLI6_COMMAND, "mirror", server.url("/top"), here.path("to")], {
    ...{ stdin: "ignore", stderr: "pipe", env: environment() },
  });
  const staged = (): string[] => {
    const folder = here.path(`to/${STAGING}`);
    return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  };
  await until(() => held.length > 0 && staged().length === names.length);
  // Another server's files of the same paths.
  using other = new Scripted(Object.fromEntries(names.map((name) => [`/${name}`, "got"])));
  here.write("list", names.join("\n"));
  const get = ["get", "-s", other.fake.address, "-P", here.path("to"), "--force"];
  expect(await cli6([...get, "-i", here.path("list")])).toEqual({ status: 0, out: "", err: "" });
  for (const name of names) expect(fs.readFileSync(here.path(`to/${name}`), "utf8")).toBe("got");
  held.forEach((release) => release());
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
  for (const [path = "", text = ""] of files) {
    expect(fs.readFileSync(here.path(path.replace("/top", "to")), "utf8")).toBe(text);
  }
  expect(fs.readdirSync(here.path("to"))).not.toContain(STAGING);
});

test("what a mirror that was killed left is gone behind the next one", async () => {
  using here = new Tree({ to: null });
  let holds = true;
  let held = false;
  const served = { "/top/a": "a", "/top/b": "b", "/top/z": "z" };
  using server = new Scripted(served, ({ verb, path }) => {
    held ||= path === "/top/z" && verb === "READ";
    return holds && held ? null : undefined;
  });
  const mirror = ["mirror", server.url("/top"), here.path("to")];
  const child = Bun.spawn([...CLI6_COMMAND, ...mirror], { stdin: "ignore", env: environment() });
  const folder = here.path(`to/${STAGING}`);
  await until(() => fs.existsSync(folder) && fs.readdirSync(folder).length === 2);
  child.kill("SIGKILL");
  await child.exited;
  holds = false;
  expect(fs.readdirSync(folder)).toHaveLength(2);
  expect((await cli6(mirror)).status).toBe(0);
  expect(fs.readdirSync(here.path("to")).sort()).toEqual(["a", "b", "z"]);
});
