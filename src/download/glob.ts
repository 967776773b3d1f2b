/**
 * Paths with wildcards: which files of a server a pattern stands for. Patterns are Bun.Glob's, name
 * by name, as --include has them: names are taken as UTF-8, and as in a shell a name that starts
 * with a dot needs one in the pattern. A backslash makes the next character literal.
 *
 * Nothing is believed of the server beyond its form: what is no name is told and left out, and a
 * tree without a floor ends at a bound.
 */
import { ClientError, folderError, refusedError } from "../client/error.ts";
import { about } from "../client/message.ts";
import { type ByteString, utf8Of } from "../wire/bytes.ts";
import { type Entry, isName } from "../wire/entry.ts";
import { printable } from "../wire/printable.ts";
import { DEPTH_MAX, joined } from "./listing.ts";
import type { Origin } from "./origin.ts";
import type { Run } from "./run.ts";
import { noName, pagesOf } from "./walk.ts";
import { isWild, type Wanted } from "./wanted.ts";

/** Paths that one pattern may stand for; more are a folder's, for which there is mirror(). */
export const MATCHES_MAX = 10_000;

/** Folders that are listed for one pattern: each is a request, and "**" may meet many. */
export const LISTED_MAX = 100_000;

/** What a path with wildcards stands for. */
export interface Match {
  readonly path: ByteString;
  readonly entry: Entry;
}

/**
 * What `wanted` stands for: the very file or folder of that name, or else all that match, in the
 * order of the server's lists; folders only if `folders`. Rejects with ClientError, of the kind
 * "not-found" when there is none.
 */
export async function matchesOf(
  run: Run,
  origin: Origin,
  { path, pattern }: Wanted,
  folders: boolean,
): Promise<readonly Match[]> {
  try {
    return [{ path, entry: await origin.stat(path) }];
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const search = new Search(run, origin, pattern ?? path);
  await search.begin();
  const { found } = search;
  const wanted = folders ? found : found.filter(({ entry }) => entry.type === "file");
  if (wanted.length > 0) return wanted;
  const shown = pattern ?? path;
  if (found.length > 0) throw folderError(`all that matches ${printable(shown)}`);
  throw refusedError("ENOENT", about("nothing matches", origin.server, shown));
}

// --- internal ---

function isMissing(error: unknown): boolean {
  return error instanceof ClientError && ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code);
}

/** One name of a pattern. */
type Step = { readonly name: ByteString } | { readonly glob: Bun.Glob; readonly dot: boolean };

/** The steps of `pattern`; null is "**", any folders. */
function stepsOf(pattern: ByteString): readonly (Step | null)[] {
  const words = pattern.split("/").filter((word) => word !== "" && word !== ".");
  const steps = words.map((word) => (word === "**" ? null : stepOf(word)));
  return steps.filter((step, nth) => step !== null || steps[nth - 1] !== null);
}

function stepOf(word: ByteString): Step {
  if (!isWild(word)) return { name: word.replaceAll(/\\(.)/gs, "$1") };
  // To Bun.Glob a "!" in front would mean all others.
  const glob = new Bun.Glob(utf8Of(word.replace(/^!/, "\\!")));
  return { glob, dot: /^\\?\./.test(word) };
}

/** The search for what one pattern stands for. */
class Search {
  readonly found: Match[] = [];
  readonly #run: Run;
  readonly #origin: Origin;
  readonly #pattern: ByteString;
  readonly #steps: readonly (Step | null)[];
  /** Where it has been: folders with the step that followed. */
  readonly #seen = new Set<string>();
  readonly #paths = new Set<ByteString>();

  constructor(run: Run, origin: Origin, pattern: ByteString) {
    this.#run = run;
    this.#origin = origin;
    this.#pattern = pattern;
    this.#steps = stepsOf(pattern);
  }

  async begin(): Promise<void> {
    await this.#from("/", 0, 0);
  }

  // --- internal ---

  /** Goes on in `folder` with the step `at`. */
  async #from(folder: ByteString, at: number, depth: number): Promise<void> {
    const step = this.#steps[at];
    if (step === undefined) return;
    if (step !== null && "name" in step) {
      const path = joined(folder, step.name);
      if (at + 1 < this.#steps.length) return this.#from(path, at + 1, depth + 1);
      return this.#literally(path);
    }
    // "**" may stand for no folder at all.
    if (step === null) await this.#from(folder, at + 1, depth);
    const key = `${at} ${folder}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#seen.size > LISTED_MAX) throw this.#tooMuch(LISTED_MAX, "folders would be listed");
    if (depth > DEPTH_MAX) throw this.#tooMuch(DEPTH_MAX, "levels of folders");
    await this.#list(folder, (entry, name) => this.#meet(folder, at, depth, entry, name));
  }

  async #meet(
    folder: ByteString,
    at: number,
    depth: number,
    entry: Entry,
    name: ByteString,
  ): Promise<void> {
    const step = this.#steps[at] ?? null;
    const last = at + 1 === this.#steps.length;
    const isFolder = entry.type === "dir";
    const hides = name.startsWith(".");
    const path = joined(folder, name);
    if (step === null) {
      if (hides) return;
      if (isFolder) await this.#from(path, at, depth + 1);
      else if (last) this.#add({ path, entry });
      return;
    }
    if ("name" in step || (hides && !step.dot) || !step.glob.match(utf8Of(name))) return;
    if (!last && isFolder) await this.#from(path, at + 1, depth + 1);
    else if (last && (isFolder || !this.#pattern.endsWith("/"))) this.#add({ path, entry });
  }

  /** Every entry of `folder`; none where it is missing or no folder. */
  async #list(
    folder: ByteString,
    meet: (entry: Entry, name: ByteString) => Promise<void>,
  ): Promise<void> {
    const pages = pagesOf(this.#origin, folder);
    try {
      while (!pages.done) {
        this.#run.mustGoOn();
        const { entries, broken } = await pages.next();
        for (const entry of entries) {
          if (isName(entry.name)) await meet(entry, entry.name);
          else this.#run.fail(noName(this.#origin.server, folder, entry.name));
        }
        if (broken !== null) throw broken;
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** The last name of the pattern has no wildcard: it is there or not. */
  async #literally(path: ByteString): Promise<void> {
    try {
      this.#add({ path, entry: await this.#origin.stat(path) });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  #add(match: Match): void {
    if (this.#paths.has(match.path)) return;
    this.#paths.add(match.path);
    this.found.push(match);
    if (this.found.length > MATCHES_MAX) throw this.#tooMuch(MATCHES_MAX, "paths match");
  }

  #tooMuch(most: number, what: string): ClientError {
    const text = `more than ${most.toLocaleString("en-US")} ${what}`;
    const told = about(text, this.#origin.server, this.#pattern);
    return new ClientError("unexpected", "E2BIG", `E2BIG: ${told}`);
  }
}
