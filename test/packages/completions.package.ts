/** The completion files that are built, in the shells themselves, from where packages put them. */
import { expect } from "bun:test";
import path from "node:path";
import { needing, works } from "../rig/needs.ts";
import { Tree } from "../rig/tree.ts";
import { DIST } from "./built.ts";

/** A command line that ends where Tab is pressed, and what has to be offered among others. */
const ASKED: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["cli6 ", ["get", "mirror", "ls", "stat", "hash", "ping"]],
  ["cli6 mi", ["mirror"]],
  ["cli6 -s nas st", ["stat"]],
  ["cli6 ls --rec", ["--recursive"]],
  ["cli6 hash --algo ", ["sha256", "xxh3"]],
  ["serv6 --log j", ["json"]],
  ["serv6 --no-ht", ["--no-http"]],
  ["serv6 fol", ["folder/"]],
];

function has(shell: string) {
  return { here: works("sh", "-c", `command -v ${shell}`), what: shell };
}

function run(command: readonly string[], cwd: string): string {
  const { stdout, stderr } = Bun.spawnSync([...command], { cwd, stdin: "ignore" });
  return stdout.toString() + stderr.toString();
}

const script = (shell: string, file: string): string => path.join(DIST, "completions", shell, file);

needing(has("bash"))("bash offers commands, flags, values and files", () => {
  using tree = new Tree({ "folder/f": "" });
  for (const [line, offered] of ASKED) {
    const words = line.split(" ");
    const program = words[0] ?? "";
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const source = `source '${script("bash", program)}'`;
    const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _${program}_words`;
    const out = run(
      ["bash", "-c", `${source}; ${ask}; printf '%s\\n' "\${COMPREPLY[@]}"`],
      tree.root,
    );
    // The slash behind a folder is readline's (-o filenames).
    for (const word of offered)
      expect([line, out]).toEqual([line, expect.stringContaining(word.replace(/\/$/, ""))]);
  }
});

needing(has("fish"))("fish offers commands, flags, values and files", () => {
  using tree = new Tree({ "folder/f": "" });
  const source = ["serv6", "cli6"].map((name) => `source '${script("fish", `${name}.fish`)}'`);
  for (const [line, offered] of ASKED) {
    const ask = `complete -C '${line}'`;
    const out = run(["fish", "--no-config", "-c", [...source, ask].join("; ")], tree.root);
    for (const word of offered) {
      expect([line, out.split("\n").map((it) => it.split("\t")[0])]).toEqual([
        line,
        expect.arrayContaining([word]),
      ]);
    }
  }
});

/** Types at a zsh on a terminal of its own, and prints what that shows within 10 s. */
const ZSH = `
zmodload zsh/zpty
zpty -b z 'TERM=dumb zsh -f -i'
zpty -w z "PS1='P> '; $1; autoload -U compinit && compinit -u -D; LISTMAX=1000; print rea''dy"
out=
await() { local end=$((SECONDS + 10)); until [[ $out = *$1* ]] || ((SECONDS > end)); do
  if zpty -r -t z chunk; then out+=$chunk; else sleep 0.01; fi; done }
await ready
out=
zpty -w -n z "$2"$'\\t\\t'
shift 2
for word; do await $word; done
print -r -- $out
`;

needing(has("zsh"))("zsh offers them from $fpath, at the first Tab", () => {
  using tree = new Tree({ "folder/f": "" });
  const setUp = `fpath=(${script("zsh", "")} $fpath)`;
  for (const [line, offered] of ASKED) {
    const out = run(["zsh", "-f", "-c", ZSH, "zsh", setUp, line, ...offered], tree.root);
    for (const word of offered) expect([line, out]).toEqual([line, expect.stringContaining(word)]);
  }
});
