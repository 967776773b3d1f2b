/** Which files of a tree are wanted, by patterns that include and exclude: Bun.Glob's. */
import { type ByteString, utf8Of } from "../wire/bytes.ts";

/** What is wanted of the tree: asked for folders and files, names joined by "/". */
export type Wants = (path: ByteString, type: "file" | "dir") => boolean;

/** A choice of paths. */
export class PathFilter {
  readonly #include: readonly Pattern[];
  readonly #exclude: readonly Pattern[];

  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#include = include.map((text) => new Pattern(text));
    this.#exclude = exclude.map((text) => new Pattern(text));
  }

  /** True when `path`, names joined by "/", is wanted. Folders are gone into unless excluded. */
  wants(path: ByteString, type: "file" | "dir"): boolean {
    const text = utf8Of(path);
    if (this.#exclude.some((pattern) => pattern.matches(text, type))) return false;
    if (type === "dir" || this.#include.length === 0) return true;
    return this.#include.some((pattern) => pattern.matches(text, type));
  }
}

// --- internal ---

class Pattern {
  readonly #glob: Bun.Glob;
  readonly #whole: boolean;
  readonly #folders: boolean;

  constructor(text: string) {
    this.#folders = text.endsWith("/");
    const bare = this.#folders ? text.slice(0, -1) : text;
    this.#whole = bare.includes("/");
    this.#glob = new Bun.Glob(bare.replace(/^\//, ""));
  }

  matches(path: string, type: "file" | "dir"): boolean {
    if (this.#folders && type === "file") return false;
    return this.#glob.match(this.#whole ? path : path.slice(path.lastIndexOf("/") + 1));
  }
}
