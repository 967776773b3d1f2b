/**
 * `make build`: serv6 and cli6 as single files that need no Bun, for each kind of machine, with
 * manual pages, completions, Debian packages and checksums, in dist/. `make build TARGETS=linux-x64` makes
 * one kind, `TARGETS=here` the one for this machine.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { commit, epoch } from "./checkout.ts";
import { compile } from "./compile.ts";
import { debian } from "./deb.ts";
import { ROOT, TARGETS, targetHere } from "./runtime.ts";
import { writeTexts } from "./texts.ts";

/** SERV6_DIST= in the environment is where else to build: tests leave what is in dist alone. */
const DIST = resolve(ROOT, process.env.SERV6_DIST ?? "dist");

/** Checksums of all that is in dist, as `sha256sum -c` reads them. */
function checksums(): string {
  const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(DIST.length + 1))
    .sort();
  return files
    .map((file) => {
      const digest = createHash("sha256")
        .update(readFileSync(join(DIST, file)))
        .digest("hex");
      return `${digest}  ${file}\n`;
    })
    .join("");
}

/** "here" is the kind of machine this is. */
const wanted = process.argv.slice(2).map((name) => (name === "here" ? targetHere().name : name));
const unknown = wanted.find((name) => !TARGETS.some((target) => target.name === name));
if (unknown !== undefined) {
  const names = TARGETS.map(({ name }) => name).join(", ");
  console.error(`there is no target ${unknown}: ${names}`);
  process.exit(2);
}
rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
const made = commit();
const madeAt = epoch();
await writeTexts(DIST, new Date(madeAt * 1000).toISOString().slice(0, 10));
for (const target of TARGETS) {
  if (wanted.length > 0 && !wanted.includes(target.name)) continue;
  const folder = join(DIST, target.name);
  mkdirSync(folder);
  for (const program of ["serv6", "cli6"] as const) compile(program, target, folder, made);
  if (target.debian !== null) debian(target, DIST, madeAt);
}
writeFileSync(join(DIST, "SHA256SUMS"), checksums());
