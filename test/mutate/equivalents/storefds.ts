/**
 * Mutants of `src/store` that take the descriptor 0 for an errno, or an errno for it: no descriptor
 * of a store is 0. That one is standard input, and Bun opens /dev/null in its place where it is
 * closed at the start.
 */
import type { Equivalent } from "../equivalent.ts";

const REASON = "0 is standard input, and never a store's";

/** A line, and what in it compares a descriptor with 0. */
type Compared = readonly [file: string, compared: string, line: string];

const COMPARED: readonly Compared[] = [
  ["arena", "this.#fd < 0", "if (this.#fd < 0 && !this.#open()) return null;"],
  ["arena", "this.#fd < 0", "this.#refused = this.#fd < 0;"],
  ["arena", "this.#fd < 0", "if (!this.#closed || this.#used > 0 || this.#fd < 0) return;"],
  ["atonce", "fd < 0", "if (entry.size > BigInt(SMALL_BYTES_MAX) || fd < 0) return null;"],
  ["digester", "file.fd < 0", "if (length > SMALL_BYTES_MAX || file.fd < 0) return null;"],
  ["directory", "fd < 0", "if (fd < 0) {"],
  ["disk", "fd < 0", "if (fd < 0) throw cannotServe(root, errnoName(-fd));"],
  ["disk", "fd < 0", "if (fd < 0) return fd;"],
  ["folderpage", "this.#fd < 0", "if (this.#fd < 0) return this.#fd;"],
  [
    "folderpage",
    "this.#fd >= 0",
    "if (this.#fd !== null && this.#fd >= 0) kernel.close(this.#fd);",
  ],
  ["folders", "fd < 0", "if (fd < 0 && fd !== COLD) return refusalOf(fd, path);"],
  ["folders", "fd >= 0", "if (fd >= 0) kernel.close(fd);"],
  ["folders", "fd < 0", "const bytes = fd < 0 ? 0 : Number(this.#stat.size);"],
  ["folders", "fd < 0", "if (fd < 0 && fd !== COLD) return fd;"],
  ["folders", "fd >= 0", "const known = fd >= 0 && this.#isRead(asked.folder, long);"],
  ["folders", "found < 0", "if (found < 0) return found;"],
  ["lines", "fd < 0", "if (fd < 0) return fd;"],
  ["look", "found < 0", "if (found < 0) return found;"],
  ["look", "fd < 0", "return fd < 0 ? fd : factsOf(fd, stat);"],
  ["look", "fd >= 0", "if (fd >= 0) kernel.close(fd);"],
  [
    "namesahead",
    "own < 0",
    'return { kind: "names", folder: own, prefix, names: own < 0 ? [] : names };',
  ],
  ["namesahead", "own >= 0", "if (own >= 0) kernel.close(own);"],
  ["opener", "found < 0", "if (found < 0) {"],
  ["opener", "fd < 0", "return fd < 0 ? fd : this.#take(canonical, stat, fd, clock.now);"],
  ["root", "fd < 0", "const opened = fd < 0 ? fd : this.reopen(fd, OPEN.directory);"],
  ["root", "opened < 0", "if (opened < 0) return opened;"],
  ["root", "known >= 0", "if (known >= 0) kernel.close(known);"],
  ["root", "known >= 0", "if (known >= 0 || known === COLD) this.#cached = RESOLVE.cached;"],
  ["root", "found < 0", "return found < 0 ? found !== COLD : kernel.close(found) === 0;"],
  ["root", "fd < 0", "if (fd < 0) return fd;"],
  ["root", "fd < 0", "if (fd < 0 || this.#policy.hidden) return fd;"],
  ["root", "fd < 0", "const refused = fd < 0 ? 0 : this.#policyOn(fd, relative);"],
  [
    "snapshot",
    "this.#fd < 0",
    'const failed = this.#fd < 0 ? this.#fd : kernel.statx(this.#fd, "", this.stat);',
  ],
  ["snapshot", "this.#fd >= 0", "if (this.#fd >= 0) kernel.close(this.#fd);"],
];

export const STORE_FD_EQUIVALENTS: readonly Equivalent[] = COMPARED.flatMap(
  ([file, compared, before]) => {
    const other = compared.includes("<") ? ["<", "<="] : [">=", ">"];
    const bound = compared.replace(` ${other[0]} `, ` ${other[1]} `);
    const one = compared.replace(/0$/, "1");
    const path = `src/store/${file}.ts`;
    const made = { path, before, reason: REASON };
    return [
      { ...made, operator: "boundary", after: before.replace(compared, bound) },
      { ...made, operator: "number", after: before.replace(compared, one) },
    ];
  },
);
