/** The package as npm itself packs it: the same files as in the one that test/library judges. */
import { expect, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { ROOT } from "../../.ci/package/runtime.ts";
import { Tree } from "../rig/tree.ts";
import { run } from "./serving.ts";

/** The files of a packed package, sorted. */
function packed(command: readonly string[], tree: Tree): string[] {
  expect(run([...command, tree.root], ROOT).status).toBe(0);
  const list = run(["sh", "-c", "tar -tzf *.tgz && rm *.tgz"], tree.root);
  return list.out.trimEnd().split("\n").sort();
}

test("npm pack and bun pm pack agree, and nothing but src goes along", () => {
  using tree = new Tree();
  const files = packed(["npm", "pack", "--pack-destination"], tree);
  expect(files).toEqual(packed([process.execPath, "pm", "pack", "--destination"], tree));
  const others = files.filter((file) => !file.startsWith("package/src/"));
  expect(others).toEqual(["package/LICENSE", "package/README.md", "package/package.json"]);
  for (const file of Object.values(manifest.bin)) {
    expect(files).toContain(`package/${file.replace(/^\.\//, "")}`);
  }
});
