/**
 * The sources of a file before it is brought: every server is asked what it has, at once, and those
 * remain whose file may be the same. Sizes are all that is compared here; digests are compared
 * while the file comes (sources.ts), or before where they are of the whole (agreement.ts).
 */
import { urlOf } from "../client/address.ts";
import { ClientError } from "../client/error.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { leaveOut, NO_DIGESTS } from "./agreement.ts";
import { LATE_MS, withoutLate } from "./late.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { Retry } from "./retry.ts";
import type { SourceFile } from "./source.ts";

/** A path on a server. */
export interface Place {
  readonly origin: Origin;
  readonly path: ByteString;
}

/**
 * The files at `places`, one file's in the order in which they were named, that may be the same:
 * first the one whose version is taken for it. Who is left out is told. Rejects with ClientError
 * when nobody has it.
 */
export async function gather(
  places: readonly [Place, ...Place[]],
): Promise<[SourceFile, ...SourceFile[]]> {
  const [{ origin, path }] = places;
  const { retries, waited } = origin.options;
  const retry = new Retry(retries, waited);
  for (;;) {
    const asked = await askAll(places);
    const found = asked.filter((one): one is SourceFile => "file" in one);
    for (const one of found.length > 0 ? asked : []) {
      if ("error" in one) leaveOut(one.place.origin, one.place.path, one.error.message);
    }
    if (found.length > 0) return alike(found);
    const [first, ...others] = asked.filter((one): one is Missed => "error" in one);
    const error = first?.error ?? noAnswer(`${urlOf(origin.server, path)} did not answer`);
    try {
      if (places.every((place, nth) => isAbsent(place, asked[nth]))) throw error;
      await retry.after(error);
    } catch (why) {
      // What the first says is the command's failure; of the others it is told beside that.
      for (const other of others) {
        leaveOut(other.place.origin, other.place.path, other.error.message);
      }
      throw why;
    }
  }
}

/** The others of `order` as they are now, as far as they still may be the same. Never rejects. */
export async function renewed({ file, others = [] }: Order): Promise<SourceFile[]> {
  const asked = await askAll(others.map(({ origin, file: { path } }) => ({ origin, path })));
  return asked.filter(
    (one): one is SourceFile => "file" in one && one.file.entry.size === file.entry.size,
  );
}

// --- internal ---

interface Missed {
  readonly place: Place;
  readonly error: ClientError;
}

/** What each of `places` has; who answers long after the others has nothing. */
async function askAll(places: readonly Place[]): Promise<readonly (SourceFile | Missed)[]> {
  const all = places.map(async (place): Promise<SourceFile | Missed> => {
    try {
      const file = { path: place.path, entry: await entryAt(place) };
      return { origin: place.origin, file };
    } catch (error) {
      if (error instanceof ClientError && error.kind !== "aborted") return { place, error };
      throw error;
    }
  });
  const answers = await withoutLate(all, (one) => "file" in one);
  const error = noAnswer(`it has not answered within ${LATE_MS / 1000} s of the others`);
  return answers.map((one, nth) => one ?? { place: places[nth] as Place, error });
}

async function entryAt({ origin, path }: Place): Promise<Entry> {
  return origin.control.ask((client) => client.stat(path));
}

/**
 * Those of `found`, at least one, that may be one file: the size that more than half of the servers
 * with digests have, else that of the first of them. Without any such server all of HTTP count,
 * whose digests of the whole are compared before the first byte comes (agreement.ts).
 */
function alike(found: readonly SourceFile[]): [SourceFile, ...SourceFile[]] {
  const telling = found.filter(({ origin }) => origin.verifies);
  const first = firstOf(telling.length > 0 ? telling : found);
  const comparable = telling.length > 0 || first.file.entry.http?.parts === true;
  const rest = found.filter((one) => one !== first);
  const { size, type } = first.file.entry;
  const same: SourceFile[] = [];
  for (const one of rest) {
    const { entry, path } = one.file;
    const leave = (why: string): void => leaveOut(one.origin, path, why);
    if (!comparable) leave(NO_DIGESTS);
    else if (entry.type !== type) leave(`it is a ${entry.type === "dir" ? "folder" : "file"}`);
    else if (entry.http?.parts === false) leave("it has no ranges, or no version");
    else if (entry.size !== size) {
      leave(`it has ${entry.size} bytes, ${urlOf(first.origin.server)} has ${size}`);
    } else same.push(one);
  }
  return [
    first,
    ...same.sort((one, other) => Number(other.origin.verifies) - Number(one.origin.verifies)),
  ];
}

/** The first of `found`, at least one, that has what most of them have. */
function firstOf(found: readonly SourceFile[]): SourceFile {
  const kindOf = ({ file: { entry } }: SourceFile): string => `${entry.type} ${entry.size}`;
  const most = found.find((one) => {
    return found.filter((other) => kindOf(other) === kindOf(one)).length * 2 > found.length;
  });
  const first = most ?? found[0];
  if (first === undefined) throw new Error("nothing was found");
  return first;
}

function isAbsent({ origin }: Place, asked: SourceFile | Missed | undefined): boolean {
  return asked !== undefined && "error" in asked && origin.isAbsent(asked.error);
}

function noAnswer(text: string): ClientError {
  return new ClientError("timed-out", "ETIMEDOUT", `ETIMEDOUT: ${text}`);
}
