/**
 * Who brings a file that only servers of HTTP have: they tell no digests of chunks, so that those
 * bring it together who tell one digest of the whole, or of whom the caller's checksum is believed.
 * It asks for digests, once before each attempt, and brings no byte.
 *
 * What they send is not compared before the whole is in place: who has sent wrong bytes is found by
 * bringing it again (onebyone.ts).
 */
import { urlOf } from "../client/address.ts";
import type { ByteString } from "../wire/bytes.ts";
import { FEW_LATE_MS, withoutLate } from "./late.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import type { Checksum } from "./settings.ts";
import type { SourceFile } from "./source.ts";
import { wholeDigestsOf } from "./wholedigest.ts";

/** Why a server is left out when there is nothing to compare it by. */
export const NO_DIGESTS = "no server tells digests by which it could be compared";

/** Who brings a file, and what the whole must have. */
export interface Agreement {
  readonly files: readonly [SourceFile, ...SourceFile[]];
  /** Null: nobody tells, and the one source is as good as any. */
  readonly whole: Checksum | null;
}

/**
 * Those of `first` and `others`, of one size, whose digest of the whole is that of more than half
 * of them that tell one, else of the first that does; with the caller's checksum nobody is asked.
 * Others are told and left out; all but the first where nobody tells one, or where that is a server
 * of S6 which turned out to tell no digests. Rejects when the run ends.
 */
export async function agreementOf(
  first: SourceFile,
  others: readonly SourceFile[],
  order: Pick<Order, "checksum" | "restarts">,
): Promise<Agreement> {
  const all = [first, ...others];
  const able = all.filter(({ file }) => file.entry.http?.parts === true);
  // The whole of what a server of S6 has is compared with the caller's checksum alone.
  const compared = first.file.entry.http !== undefined || (order.checksum ?? null) !== null;
  const told = able.length < 2 || !compared ? [] : await askAll(able, order);
  const [deciding] = agreeing(told);
  if (deciding === undefined) {
    for (const { origin, file } of others) leaveOut(origin, file.path, NO_DIGESTS);
    return { files: [first], whole: null };
  }
  const same: SourceFile[] = [];
  for (const one of all) {
    const why = differenceOf(one, told, deciding);
    if (why === null) same.push(one);
    else leaveOut(one.origin, one.file.path, why);
  }
  const [leading = deciding.source, ...rest] = same;
  return { files: [leading, ...rest], whole: deciding.whole };
}

/** Tells that the file `path` at `origin` takes no part, and `why`, which is printable. */
export function leaveOut(origin: Origin, path: ByteString, why: string): void {
  origin.options.note(`${urlOf(origin.server, path)} is left out: ${why}`);
}

// --- internal ---

/** A source and its digest: null when it tells none, undefined when it is late. */
interface Told {
  readonly source: SourceFile;
  readonly whole: Checksum | null | undefined;
}

/** The same with a digest. */
interface Telling extends Told {
  readonly whole: Checksum;
}

async function askAll(
  files: readonly SourceFile[],
  { checksum = null, restarts }: Pick<Order, "checksum" | "restarts">,
): Promise<readonly Told[]> {
  if (checksum !== null) return files.map((source) => ({ source, whole: checksum }));
  const asked = files.map(({ origin, file }) => {
    const digests = wholeDigestsOf(origin);
    // The file has changed, and so may what tells of it.
    if (restarts > 0) digests.forget();
    return digests.find(file);
  });
  const found = await withoutLate(asked, (one) => one !== null, FEW_LATE_MS);
  return files.map((source, nth) => ({ source, whole: found[nth] }));
}

/** Those of `told` whose digest counts; none where nobody tells one. */
function agreeing(told: readonly Told[]): Telling[] {
  const telling = told.filter(
    (one): one is Telling => one.whole !== null && one.whole !== undefined,
  );
  const alike = ({ whole }: Telling): Telling[] =>
    telling.filter((other) => other.whole.hex === whole.hex);
  const most = telling.find((one) => alike(one).length * 2 > telling.length) ?? telling[0];
  return most === undefined ? [] : alike(most);
}

/** Why `source` takes no part where `deciding` counts; null: it does. */
function differenceOf(source: SourceFile, told: readonly Told[], deciding: Telling): string | null {
  const own = told.find((one) => one.source === source);
  if (own === undefined) {
    return source.file.entry.http === undefined ? NO_DIGESTS : "it has no ranges, or no version";
  }
  const { whole } = own;
  if (whole === undefined) return "it has not told a digest in time";
  if (whole === null) return "it tells no digest by which it could be compared";
  const { algo, hex } = deciding.whole;
  if (whole.hex === hex) return null;
  const { origin, file } = deciding.source;
  return `its ${algo} is ${whole.hex}, that of ${urlOf(origin.server, file.path)} is ${hex}`;
}
