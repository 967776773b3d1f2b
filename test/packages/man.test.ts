/** The manual pages: every flag, variable and command of the tables is told, none is mangled. */
import { expect, test } from "bun:test";
import { manuals } from "../../.ci/package/texts.ts";
import { manualPage } from "../../.ci/package/man.ts";
import { CLI6 } from "../../src/cli/cli6/cli6.ts";
import { COMMANDS } from "../../src/cli/cli6/commands.ts";
import { type Command, flagsOf, variableOf } from "../../src/cli/flags/flags.ts";
import { SERV6 } from "../../src/cli/serv6/serv6.ts";
import { CACHE } from "../../src/cli/serv6/cache.ts";
import { SIGN } from "../../src/cli/serv6/sign.ts";
import { needing, works } from "../rig/needs.ts";
import { Tree } from "../rig/tree.ts";

const DATE = "2000-01-02";

/** A flag's name as the source has it. */
function typed(text: string): string {
  return text.replaceAll("-", "\\-");
}

test("every command, flag and variable of the tables stands in the page", async () => {
  const pages = await manuals(DATE);
  const expectTold = (page: string, command: Command): void => {
    expect(page).toContain(`.B ${command.name}\n`);
    for (const [name, flag] of Object.entries(flagsOf(command))) {
      expect(page).toContain(`\\fB${typed(`--${name}`)}\\fR`);
      if (flag.type === "boolean" && (flag.default === true || flag.undecided === true)) {
        expect(page).toContain(`\\fB${typed(`--no-${name}`)}\\fR`);
      }
    }
    for (const [name, { momentary }] of Object.entries(command.flags)) {
      if (momentary === true) continue;
      expect(page).toContain(`.TP\n.B ${variableOf(command.name, name)}\n`);
    }
  };
  expectTold(pages.serv6, SERV6);
  expectTold(pages.serv6, SIGN);
  expectTold(pages.serv6, CACHE);
  expectTold(pages.cli6, CLI6);
  for (const { word, load } of COMMANDS) {
    expect(pages.cli6).toContain(`.SS cli6 ${word}\n`);
    expectTold(pages.cli6, (await load!()).command);
  }
  for (let status = 0; status <= 11; status++) expect(pages.cli6).toContain(`.TP\n.B ${status}\n`);
  for (const status of [0, 1, 2, 3, 4, 7]) expect(pages.serv6).toContain(`.TP\n.B ${status}\n`);
  expect(pages.serv6).toStartWith(`.TH SERV6 1 ${DATE} "serv6 `);
});

test("what would be a request, an escape or another character stays what it is", () => {
  const command: Command = {
    name: "tool",
    summary: "Does it. Then more.",
    flags: {},
    operands: { name: "root", description: "'x' or .y", max: 1 },
    examples: [[`.tool 'a\\n' -x ^ ~ "q" \`b\``, "-x is literal, well-known is not"]],
  };
  const about = {
    commands: [],
    variables: [],
    seeAlso: ["a(1)", "b(5)"],
    version: "1",
    date: DATE,
  };
  const lines = manualPage({ main: command, ...about }).split("\n");
  expect(lines).toContain("tool \\- does it");
  expect(lines).toContain("\\(aqx\\(aq or .y.");
  expect(lines).toContain(
    ".B \\&.tool \\(aqa\\en\\(aq \\-x \\(ha \\(ti \\(dqq\\(dq \\(gab\\(ga".replace(
      "\\&.tool",
      "\\&.tool",
    ),
  );
  expect(lines).toContain("\\-x is literal, well-known is not.");
  expect(lines.slice(-4)).toEqual([".SH SEE ALSO", ".BR a (1) ,", ".BR b (5)", ""]);
});

const MANDOC = { here: works("sh", "-c", "command -v mandoc"), what: "mandoc" };

needing(MANDOC)("mandoc has nothing to say about them", async () => {
  const pages = await manuals(DATE);
  using tree = new Tree({ "serv6.1": pages.serv6, "cli6.1": pages.cli6 });
  const command = ["mandoc", "-T", "lint", "serv6.1", "cli6.1"];
  const { stdout, stderr } = Bun.spawnSync(command, { cwd: tree.root });
  expect(stdout.toString() + stderr.toString()).toBe("");
});
