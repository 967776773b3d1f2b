/** What the paths of a download() stand for: each file and folder to look at, and its name here. */
import { serverKey } from "../client/address.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import type { Place } from "./gather.ts";
import type { matchesOf } from "./glob.ts";
import type { Origin } from "./origin.ts";
import type { Run } from "./run.ts";
import { distinctNames, type DownloadSettings, nameOf, oneFile } from "./settings.ts";
import type { Wanted } from "./wanted.ts";

/** A path to look at. */
export interface Candidate {
  readonly origin: Origin;
  readonly path: ByteString;
  /** The name it gets here; "" where it goes to a stream. */
  readonly name: ByteString;
  /** What it is, where that was learned already. */
  readonly entry: Entry | null;
  /** Where else the same may be. */
  readonly others: readonly Place[];
}

/**
 * The paths that are asked for, in their order; each pattern among them as what matches it, and
 * nothing twice. A pattern without a match is told. Throws Failure (usage) when two would get one
 * name.
 */
export async function candidatesOf(run: Run, settings: DownloadSettings): Promise<Candidate[]> {
  const { targets, names, sink } = settings;
  const found = targets.map(async (wanted, nth): Promise<Candidate[]> => {
    const origin = run.origins.of(wanted.server);
    const name = names[nth] ?? null;
    const others = wanted.others.map(({ server, path }) => ({
      origin: run.origins.of(server),
      path,
    }));
    if (wanted.pattern === null)
      return [{ origin, path: wanted.path, name: name ?? "", entry: null, others }];
    const matches = await matchesOrNone(run, origin, wanted, settings);
    return matches.map(({ path, entry }) => {
      const own = sink !== null ? "" : (name ?? nameOf(path));
      return { origin, path, name: own, entry, others: others.map((each) => ({ ...each, path })) };
    });
  });
  const all = distinct((await Promise.all(found)).flat());
  if (all.length > 1) {
    if (names.length === 1 && names[0] !== null && targets.length === 1) throw oneFile("name");
    if (settings.checksum !== null && sink === null) throw oneFile("checksum");
  }
  if (sink === null) distinctNames(all.map(({ name }) => name));
  return all;
}

// --- internal ---

async function matchesOrNone(
  run: Run,
  origin: Origin,
  wanted: Wanted,
  { recursive }: DownloadSettings,
): ReturnType<typeof matchesOf> {
  try {
    const glob = await import("./glob.ts");
    return await glob.matchesOf(run, origin, wanted, recursive);
  } catch (error) {
    run.tally.files += 1;
    run.tally.failed += 1;
    run.fail(error);
    return [];
  }
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ origin, path }) => {
    const key = `${serverKey(origin.server)} ${path}`;
    return !seen.has(key) && seen.add(key);
  });
}
