/**
 * A tree of a server, listed folder by folder, several at once. Nothing it says is believed beyond
 * its form: names that could lead out of the destination, an order that is none, a page that never
 * ends and a tree without a floor are told as what they are.
 *
 * Invariant: a folder's names come strictly ascending, each once; `ended` comes for a folder only
 * when every page of it was had.
 */
import { isName, type LeftName } from "../wire/entry.ts";
import { printable } from "../wire/printable.ts";
import { type ServerAddress, urlOf } from "../client/address.ts";
import { ClientError, protocolError } from "../client/error.ts";
import type { NamedEntry } from "../client/exchange.ts";
import type { Origin } from "./origin.ts";
import { Pages } from "./pages.ts";
import { Retry } from "./retry.ts";
import { type ByteString } from "../wire/bytes.ts";

/** Folders that are listed at once: over a long line their round trips overlap. */
const LISTED_AT_ONCE = 16;

/** Folders that wait to be listed: they are memory. */
const WAITING_MAX = 1_000_000;

/** Levels of a tree: a folder that lists itself ends here. */
const DEPTH_MAX = 200;

/** A folder of the tree. */
export interface Level {
  /** Its path below the tree's top: names joined by "/"; "" is the top. */
  readonly path: ByteString;
  readonly depth: number;
  /** The folders over it, the nearest first; null at the top. */
  readonly above: Above | null;
}

/** A folder that was listed, and those over it. */
interface Above {
  readonly id: string;
  readonly path: ByteString;
  readonly above: Above | null;
}

/** Who walks. Each call is awaited: it may slow the walk down. */
export interface Walker {
  /**
   * An entry of `level`, whose name is safe as one name. For a folder: whether to go into it.
   */
  entry(level: Level, entry: NamedEntry): Promise<boolean>;
  /** What the server leaves out of a page of `level`, whose names are safe as names. */
  left(level: Level, names: readonly LeftName[]): void;
  /** Every entry of `level` has come. */
  ended(level: Level): Promise<void>;
  /** A folder or an entry that can't be had; the walk goes on. */
  failed(error: ClientError): void;
}

/**
 * Walks the tree at `path` of `origin`. Rejects when the top can't be listed to its end, but not
 * before every call of `walker` has ended.
 */
export async function walk(origin: Origin, path: ByteString, walker: Walker): Promise<void> {
  const top = path.endsWith("/") ? path.slice(0, -1) : path;
  const waiting: Level[] = [{ path: "", depth: 0, above: null }];
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const start = (level: Level): void => {
    const work = list(origin, top, level, walker, waiting)
      .catch((error: unknown) => failures.push(error))
      .then(() => void running.delete(work));
    running.add(work);
  };
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < LISTED_AT_ONCE && failures.length === 0) {
      const level = waiting.pop();
      if (level === undefined) break;
      start(level);
    }
    await Promise.race(running);
    if (failures.length > 0) waiting.length = 0;
  }
  if (failures.length > 0) throw failures[0];
}

/** The path of `name` in `level`. */
export function below(level: Level, name: ByteString): ByteString {
  return level.path === "" ? name : `${level.path}/${name}`;
}

/** The pages of the folder `path`, each asked for as often as allowed. */
export function pagesOf(origin: Origin, path: ByteString): Pages {
  const retry = new Retry(origin.options.retries, origin.options.waited);
  return new Pages({
    ahead: true,
    ask: (after) => retry.run(() => origin.control.ask((client) => client.list(path, after))),
    disorder: (name) => {
      const shown = `("${printable(name ?? "")}")`;
      return protocolError(`${printable(path)}: its list has no order ${shown}`);
    },
  });
}

/** What is told of the folder `path` from which links lead back to `above`, a folder over it. */
export function leadsBack(server: ServerAddress, path: ByteString, above: ByteString): ClientError {
  const text = `${printable(path)}: links lead back to ${printable(above)}: not listed again`;
  return new ClientError("incomplete", "ELOOP", `ELOOP: ${text} (${urlOf(server)})`);
}

/** What is told of an entry of the folder `path` that is left out for what it is called. */
export function noName(server: ServerAddress, path: ByteString, name: ByteString): ClientError {
  const text = `${printable(path)} lists "${printable(name)}", which is no name: left out`;
  return protocolError(`${text} (${urlOf(server)})`);
}

// --- internal ---

async function list(
  origin: Origin,
  top: ByteString,
  level: Level,
  walker: Walker,
  waiting: Level[],
): Promise<void> {
  const path = level.path === "" ? `${top}/` : `${top}/${level.path}`;
  try {
    const pages = pagesOf(origin, path);
    while (!pages.done) {
      const { entries, left, broken } = await pages.next();
      const circle = sameAbove(level, pages.id);
      if (circle !== null) throw leadsBack(origin.control.server, path, circle.path);
      const above = { id: pages.id, path, above: level.above };
      const refused = (name: ByteString): void =>
        walker.failed(noName(origin.control.server, path, name));
      for (const { name } of left) if (!isName(name)) refused(name);
      if (left.length > 0) {
        const names = left.filter(({ name }) => isName(name));
        walker.left(level, names);
      }
      for (const entry of entries) {
        if (!isName(entry.name)) {
          refused(entry.name);
          continue;
        }
        if (!(await walker.entry(level, entry)) || entry.type !== "dir") continue;
        if (level.depth >= DEPTH_MAX) throw tooMuch(path, `more than ${DEPTH_MAX} levels`);
        if (waiting.length >= WAITING_MAX) throw tooMuch(path, `more than ${WAITING_MAX} folders`);
        waiting.push({ path: below(level, entry.name), depth: level.depth + 1, above });
      }
      if (broken !== null) throw broken;
    }
    await walker.ended(level);
  } catch (error) {
    // The top's failure is the walk's, and so is the caller's wish to end it.
    if (level.depth === 0 || !(error instanceof ClientError) || ended(error)) throw error;
    walker.failed(error);
  }
}

/** The folder over `level` that is the same one; null where there is none, or no server tells. */
function sameAbove(level: Level, id: string): Above | null {
  let { above } = level;
  while (above !== null && (id === "" || above.id !== id)) above = above.above;
  return above;
}

/** The signal that ends a call is its caller's: no other folder would fare better. */
function ended({ kind }: ClientError): boolean {
  return kind === "aborted";
}

function tooMuch(path: ByteString, what: string): ClientError {
  const text = `E2BIG: ${printable(path)}: ${what}, what lies below is left out`;
  return new ClientError("unexpected", "E2BIG", text);
}
