/**
 * What sources that were asked for the digests of the same chunks agree on. Pure: it is given the
 * answers, and knows no server.
 */

/** What counts of the answers. */
export interface Verdict {
  /** One digest for each chunk. */
  readonly digests: readonly string[];
  /** By answer: the first chunk in which it differs from what counts, or -1. */
  readonly dissents: readonly number[];
}

/**
 * Counts `ballots`, at least one, in the order in which the sources were named, each with one
 * digest for the same chunks. Of each chunk counts what more than half say; where that is nothing,
 * what the first says that has not been outvoted before.
 */
export function verdictOf(ballots: readonly (readonly string[])[]): Verdict {
  const dissents = ballots.map(() => -1);
  const digests: string[] = [];
  const chunks = ballots[0]?.length ?? 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const said = ballots.map((ballot) => ballot[chunk] ?? "");
    const counts = majorityOf(said) ?? said[dissents.indexOf(-1)] ?? said[0] ?? "";
    digests.push(counts);
    for (const [nth, digest] of said.entries()) {
      if (digest !== counts && dissents[nth] === -1) dissents[nth] = chunk;
    }
  }
  return { digests, dissents };
}

// --- internal ---

function majorityOf(said: readonly string[]): string | null {
  const [first = ""] = said;
  if (said.every((one) => one === first)) return first;
  const times = new Map<string, number>();
  for (const one of said) times.set(one, (times.get(one) ?? 0) + 1);
  for (const [one, count] of times) if (count * 2 > said.length) return one;
  return null;
}
