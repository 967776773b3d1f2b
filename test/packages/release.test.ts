/** What a release changes by hand: the version, in one place, and the heading of the changes. */
import { expect, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { readSources, readTracked } from "../tidy/read.ts";

test("the version is a semantic one, and package.json is the one place that has it", () => {
  expect(manifest.version).toMatch(/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\w.-]+)?$/);
  const quoted = [`"${manifest.version}"`, `'${manifest.version}'`, `=${manifest.version}`];
  const made = [...readSources(), ...readTracked()].filter(({ path }) =>
    /^(?:src|\.ci)\//.test(path),
  );
  const found = made.filter(({ text }) => quoted.some((it) => text.includes(it)));
  expect(found.map(({ path }) => path)).toEqual([]);
});

test("the changes begin with those of no release yet, or with this version's and its date", () => {
  const changes = readTracked().find(({ path }) => path === ".github/CHANGELOG.md")?.text ?? "";
  const first = /^## (.*)$/m.exec(changes)?.[1];
  const released = new RegExp(
    `^${manifest.version.replaceAll(".", "\\.")} - \\d{4}-\\d{2}-\\d{2}$`,
  );
  expect(first === "Unreleased" || released.test(first ?? "")).toBe(true);
});
