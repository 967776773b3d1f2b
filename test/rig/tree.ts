/** Temporary directories of files for tests: made with what a test names, removed with the test. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** What the names of all trees begin with, in the temporary folder. */
export const TREE_PREFIX = "serv6-";

/** A directory that goes when the test ends (`using`). */
export class Tree {
  readonly root: string;

  /** `files` by path: a string or bytes is a file's content, null a directory. `folder`: where. */
  constructor(files: Record<string, string | Uint8Array | null> = {}, folder = os.tmpdir()) {
    this.root = fs.mkdtempSync(path.join(fs.realpathSync(folder), TREE_PREFIX));
    for (const [name, content] of Object.entries(files)) {
      if (content === null) fs.mkdirSync(this.path(name), { recursive: true });
      else this.write(name, content);
    }
  }

  /** The absolute path of `name`. */
  path(name: string): string {
    return path.join(this.root, name);
  }

  /** Writes a file, and the directories above it. */
  write(name: string, content: string | Uint8Array): void {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.writeFileSync(this.path(name), content);
  }

  /** A symbolic link called `name`. */
  link(name: string, target: string): void {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.symlinkSync(target, this.path(name));
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}
