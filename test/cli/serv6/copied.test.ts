/** The lines that a folder's page offers for copying, run by a shell as they stand. */
import { expect } from "bun:test";
import fs from "node:fs";
import { needing, works } from "../../rig/needs.ts";
import { shell } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

const CURL = { here: works("curl", "--version"), what: "curl" };

needing(CURL)("each line brings what it says, whatever the names are", async () => {
  const folder = "it's $(touch bad)";
  const file = "el niño; touch worse.txt";
  using tree = new Tree({ [`root/${folder}/${file}`]: "content", "here/x": "" });
  await using running = new Running(tree.path("root"));
  const address = `http://127.0.0.1:${running.port}/${encodeURIComponent(folder)}/`;
  const page = await (await fetch(address)).text();
  const lines = [...page.matchAll(/<code>(.*?)<\/code>/g)].map(([, line]) =>
    line!.replaceAll(/&(#39|amp|lt|gt|quot);/g, (_, name: string) => ENTITIES[name]!),
  );
  expect(lines.map((line) => line.split(" ", 2).join(" "))).toEqual([
    ...["cli6 mirror", "cli6 get", "curl -C"],
  ]);
  const brought = [`${folder}/${file}`, file, file];
  for (const [nth, line] of lines.entries()) {
    const { status, err } = await shell(`cd "$1" && ${line}`, [tree.path("here")]);
    expect([line, status]).toEqual([line, 0]);
    expect([err, fs.readFileSync(tree.path(`here/${brought[nth]}`), "utf8")]).toEqual([
      err,
      "content",
    ]);
    fs.rmSync(tree.path(`here/${brought[nth]}`));
  }
  expect(fs.readdirSync(tree.path("here")).sort()).toEqual([folder, "x"].sort());
});

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ "#39": "'", amp: "&", lt: "<", gt: ">", quot: '"' },
};
