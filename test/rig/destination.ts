/** A temporary destination: its folder, its staging folder, and what system calls it makes. */
import { expect } from "bun:test";
import fs from "node:fs";
import { LocalError } from "../../src/destination/error.ts";
import { Folder } from "../../src/destination/folder.ts";
import { Staging } from "../../src/destination/staging.ts";
import type { Publication } from "../../src/destination/staged.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { Tree } from "./tree.ts";

/** A destination that goes when the test ends (`using`). */
export class TemporaryDestination {
  readonly tree: Tree;
  readonly folder: Folder;
  readonly staging: Staging;

  /** `files` as Tree takes them. */
  constructor(files: Record<string, string | null> = {}) {
    this.tree = new Tree(files);
    this.folder = Folder.open(this.tree.root, false);
    this.staging = Staging.open(this.folder);
  }

  /** The staging folder's name. */
  get stagingName(): string {
    return `.cli6-${process.geteuid?.() ?? 0}`;
  }

  /** What "f", or `name`, becomes: a new file of an ordinary time. */
  publication(name = "f", more: Partial<Publication> = {}): Publication {
    const mtime = 1_700_000_000_123_456_789n;
    return { folder: this.folder, name, mtime, etag: "", replace: false, ...more };
  }

  /** The content of `name`, one byte a character. */
  content(name: string): string {
    return fs.readFileSync(this.tree.path(name), "latin1");
  }

  /** The names in `folder`, sorted; of the destination when none is said. */
  names(folder = "."): string[] {
    return fs.readdirSync(this.tree.path(folder)).sort();
  }

  /** What lies in the staging folder. */
  staged(): string[] {
    return this.names(this.stagingName);
  }

  [Symbol.dispose](): void {
    this.staging.close();
    this.folder.close();
    this.tree[Symbol.dispose]();
  }
}

/** Notes the name of each of `rows` when it is called, until it is disposed of. */
export function recording(...rows: (keyof Kernel)[]): Disposable & { readonly calls: string[] } {
  const calls: string[] = [];
  const real = { ...kernel };
  const table = kernel as unknown as Record<string, unknown>;
  for (const row of rows) {
    const call = real[row] as (...args: unknown[]) => unknown;
    table[row] = (...args: unknown[]) => {
      calls.push(row);
      return call(...args);
    };
  }
  return {
    calls,
    [Symbol.dispose]() {
      for (const row of rows) table[row] = real[row];
    },
  };
}

/** The LocalError that `action` throws; its exit status is that of this machine's failures. */
export function failed(action: () => void): LocalError {
  try {
    action();
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    expect(error.kind).toBe("local");
    return error;
  }
  throw new Error("no LocalError was thrown");
}
