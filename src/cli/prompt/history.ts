/**
 * The history of the prompt: a file of the user's own that keeps the lines over the runs. Only the
 * user can read it (mode 0600, in a folder of mode 0700); `--no-history` neither reads nor writes
 * it.
 *
 * History is a convenience: whatever fails with its file is ignored, and the prompt goes on.
 */
import fs from "node:fs";
import path from "node:path";

/** Lines of history that the arrow keys reach. */
export const HISTORY_LINES_MAX = 500;

/** Bytes above which the file is rewritten with its last lines, so that it stays bounded. */
const FILE_BYTES_MAX = 262_144;

/** The lines of one prompt, in memory and, unless `file` is null, in the file. */
export class History {
  readonly #file: string | null;

  constructor(file: string | null) {
    this.#file = file;
  }

  /** The last lines of earlier runs, the newest first, as readline takes them. */
  read(): string[] {
    const file = this.#file;
    if (file === null) return [];
    const text = ignoringErrors(() => fs.readFileSync(file, "utf8")) ?? "";
    // What another program put into the file must not move the cursor when it is shown.
    const lines = text.split("\n").filter((line) => line !== "" && !/\p{Cc}/u.test(line));
    const last = lines.slice(-HISTORY_LINES_MAX);
    if (text.length > FILE_BYTES_MAX) ignoringErrors(() => rewrite(file, last));
    return last.reverse();
  }

  /** Adds `line` to the file at once, so that no end of the program loses it. */
  add(line: string): void {
    const file = this.#file;
    if (file === null || line.trim() === "") return;
    ignoringErrors(() => {
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      append(file, line);
    });
  }
}

// --- internal ---

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = fs.constants;

function append(file: string, line: string): void {
  const fd = fs.openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    fs.fchmodSync(fd, 0o600);
    fs.writeSync(fd, `${line}\n`);
  } finally {
    fs.closeSync(fd);
  }
}

/** By a rename, so that a prompt beside this one reads the old file or the new one. */
function rewrite(file: string, lines: readonly string[]): void {
  const fresh = `${file}.${process.pid}`;
  fs.writeFileSync(fresh, lines.map((line) => `${line}\n`).join(""), { mode: 0o600, flag: "wx" });
  fs.renameSync(fresh, file);
}

function ignoringErrors<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
