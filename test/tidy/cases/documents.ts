/** Snippets that break and that keep the rules about documents. */
import { RANKS } from "../rooms.ts";
import { broken, type Case, kept } from "./case.ts";

const ARCHITECTURE = ".github/ARCHITECTURE.md";
const CONTRIBUTING = ".github/CONTRIBUTING.md";
const RECORD = ".github/decisions/0001-first.md";

/** A line a room, as the documents draw them, and what `changed` makes of one. */
const drawing = (changed: (line: string, room: string) => string = (line) => line): string =>
  [
    "## Rooms",
    "```",
    ...Object.entries(RANKS).flatMap(([room, rank]) => {
      const name = room === "entry" ? "src/serv6.ts  src/api.ts" : `${room}/`;
      return changed(`${String(rank).padStart(2)}  ${name}    what it owns`, room) || [];
    }),
    "```",
    "",
  ].join("\n");

/** A row a room, from line 5 of the text behind the drawing. */
const table = (rooms: readonly string[] = Object.keys(RANKS)): string =>
  rooms.map((room) => (room === "entry" ? "" : `| \`${room}/\` | this | that |\n`)).join("");

const both = (architecture: string, contributing: string): Record<string, string> => ({
  [ARCHITECTURE]: architecture,
  [CONTRIBUTING]: contributing,
});

const lastLine = (text: string): number => text.split("\n").length - 1;

const record = (
  changed: readonly [string | RegExp, string] = ["", ""],
): Record<string, string> => ({
  [ARCHITECTURE]: "| [0001](decisions/0001-first.md) | first |\n",
  [RECORD]: [
    "# 0001: First",
    "",
    "- Date: 2026-11-23",
    "- Status: in force",
    "",
    ...["Context", "Decision", "Cost", "Measured", "What would change it"].map(
      (head) => `**${head}.** Words.\n`,
    ),
  ]
    .join("\n")
    .replace(...changed),
});

const whole = drawing() + table();

export const DOCUMENT_CASES: readonly Case[] = [
  ...kept("drawnRooms", {
    "all rooms, each on its row": both(whole, drawing()),
    "other fences and headings": both(
      `# House\n\n${whole}## Flow\n\`\`\`\n 1  shed/    no room\n\`\`\`\n`,
      drawing(),
    ),
  }),
  broken(
    "drawnRooms",
    "a room that is not drawn, and one that is not in the table",
    both(
      drawing((line, room) => (room === "guard" ? "" : line)) +
        table(Object.keys(RANKS).filter((room) => room !== "store")),
      drawing((line, room) => (room === "entry" ? "" : line)),
    ),
    [`${ARCHITECTURE}:3`, `${ARCHITECTURE}:1`, `${CONTRIBUTING}:3`],
  ),
  broken(
    "drawnRooms",
    "rooms that are gone, in drawing and table",
    both(
      `${drawing((line, room) => (room === "wire" ? `${line}\n 0  shed/  old` : line))}${table()}${table(["shed"])}`,
      drawing(),
    ),
    [`${ARCHITECTURE}:4`, `${ARCHITECTURE}:${lastLine(whole) + 2}`],
  ),
  broken(
    "drawnRooms",
    "a room on another row",
    both(
      whole,
      drawing((line, room) => (room === "wire" ? line.replace("0", "1") : line)),
    ),
    [`${CONTRIBUTING}:3`],
  ),
  broken("drawnRooms", "a document that is gone", { [ARCHITECTURE]: whole }, [`${CONTRIBUTING}:1`]),

  ...kept("namedFiles", {
    "files and folders from the top, from src, by their name, and in a command": {
      [ARCHITECTURE]:
        "`src/wire/a.ts` `wire/a.ts` `wire/` `a.ts` `make test` `bun bench/b.ts --only x`\n" +
        "```\n src/wire/a.ts  wire/  shed/\n```\n",
      "src/wire/a.ts": "",
      "bench/b.ts": "",
    },
    "globs, addresses, code and what a user types": {
      [CONTRIBUTING]:
        "`src/*/*.ts` `s6://nas/x.ts` `/proc/self/fd` `READ /x.ts` `a.then()` `utils` `GET/x?y`\n" +
        "`openat2(RESOLVE_BENEATH)` `test.skip` wire/gone.ts without backticks\n",
    },
  }),
  broken(
    "namedFiles",
    "a file, a folder and a command's file that are gone, also in a fence",
    {
      [ARCHITECTURE]: "`wire/gone.ts` and `gone.ts`\n`flow/`\n`bun bench/gone.ts`\n",
      [CONTRIBUTING]: "\n```\n src/gone.ts    what it owns\n```\n",
      "src/wire/a.ts": "",
    },
    [1, 1, 2, 3].map((line) => `${ARCHITECTURE}:${line}`).concat(`${CONTRIBUTING}:3`),
  ),
  broken(
    "namedFiles",
    "a name that two files have",
    { [ARCHITECTURE]: "`a.ts`\n", "src/wire/a.ts": "", "src/sys/a.ts": "" },
    [`${ARCHITECTURE}:1`],
  ),

  ...kept("linkedFiles", {
    "files, folders, headings and addresses": {
      [CONTRIBUTING]:
        "[a](ARCHITECTURE.md#rooms) [b](decisions) [c](#d) [e](https://example.com/)\n",
      "README.md": "[a](.github/ARCHITECTURE.md) `[b](gone.md)`\n```\n[c](gone.md)\n```\n",
      [ARCHITECTURE]: "",
      [RECORD]: "[a](../CONTRIBUTING.md)\n",
    },
  }),
  broken(
    "linkedFiles",
    "links that lead nowhere",
    { [RECORD]: "\n[a](ARCHITECTURE.md)\n", "README.md": "[a](docs/) and [b](gone.md#c)\n" },
    [`${RECORD}:2`, "README.md:1", "README.md:1"],
  ),

  ...kept("decisionRecords", {
    "a record that is dated, linked and whole": record(),
    "one that another replaces": {
      ...record(["in force", "replaced by 0002"]),
      [ARCHITECTURE]: "[1](decisions/0001-first.md) [2](decisions/0002-second.md)\n",
      ".github/decisions/0002-second.md": record(["0001: First", "0002: Second"])[RECORD]!,
    },
  }),
  ...(
    [
      ["no date", ["- Date: 2026-11-23\n", ""]],
      ["a date that is none", ["2026-11-23", "2026-13-23"]],
      ["no status", ["in force", "fine"]],
      ["a replacement that is missing", ["in force", "replaced by 0002"]],
      ["another number", ["0001", "0002"]],
      ["a paragraph that is missing", [/\*\*Cost.*\n/, ""]],
      ["paragraphs without words", ["**Measured.** Words.", "**Measured.**"]],
      ["a record that is long", ["Words.", "Words.\n".repeat(20)]],
    ] as const
  ).map(([name, changed]) => broken("decisionRecords", name, record(changed), [`${RECORD}:1`])),
  ...kept("citedDecisions", {
    "one that is written down": { ...record(), "src/sys/a.ts": "// Read (decision 0001).\n" },
    "words beside a number": { "src/sys/a.ts": "// A decision of 0001 things; decision 12.\n" },
  }),
  broken(
    "citedDecisions",
    "one that is not",
    { ...record(), "src/sys/a.ts": "\n// Read (decision 0001, decision 0002).\n" },
    ["src/sys/a.ts:2"],
  ),

  broken("decisionRecords", "no link", { ...record(), [ARCHITECTURE]: "" }, [`${RECORD}:1`]),
  broken(
    "decisionRecords",
    "a name without a number, and a number twice",
    {
      ...record(),
      [ARCHITECTURE]: ["0001-first", "0001-second", "third"]
        .map((name) => `[a](decisions/${name}.md)`)
        .join(" "),
      ".github/decisions/0001-second.md": record()[RECORD]!,
      ".github/decisions/third.md": record()[RECORD]!,
    },
    [".github/decisions/0001-second.md:1", ".github/decisions/third.md:1"],
  ),
];
