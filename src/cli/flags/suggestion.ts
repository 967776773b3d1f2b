/**
 * "Did you mean ...?": the known word that a mistyped one is nearest to. Pure functions, no I/O.
 */

/** Longest word that is compared: no flag and no command is longer. */
const WORD_CHARS_MAX = 32;

/**
 * The word of `known` nearest to `typed`, or null when none is near: one mistake in up to five
 * characters, two in longer words. A mistake is a missing, surplus, wrong or swapped character.
 */
export function nearest(typed: string, known: readonly string[]): string | null {
  if (typed.length < 2 || typed.length > WORD_CHARS_MAX) return null;
  const most = typed.length > 5 ? 2 : 1;
  let found: string | null = null;
  let least = most + 1;
  for (const word of known) {
    if (Math.abs(word.length - typed.length) > most) continue;
    const mistakes = distance(typed, word);
    if (mistakes >= least) continue;
    least = mistakes;
    found = word;
  }
  return found;
}

// --- internal ---

/** Optimal string alignment distance (Damerau-Levenshtein without repeated edits). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) least = Math.min(least, (before[column - 2] ?? 0) + 1);
      current.push(least);
    }
    before = above;
    above = current;
  }
  return above[b.length] ?? 0;
}
