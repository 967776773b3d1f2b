/** Questions to several servers at once, of which one that is slow holds up nobody for long. */
import { LATE_MS } from "./sources.ts";

/**
 * What each of `asked` gives, in their order; undefined for who gives nothing within LATE_MS of the
 * answer with which those that `counts` are more than those still to come, or within `fewMs` of the
 * first that does. Before that one comes all are waited for, each as long as it takes. Rejects
 * as the first of them does.
 */
export async function withoutLate<T>(
  asked: readonly Promise<T>[],
  counts: (answer: T) => boolean,
  fewMs = LATE_MS,
): Promise<(T | undefined)[]> {
  const late = Promise.withResolvers<undefined>();
  let timer: NodeJS.Timeout | null = null;
  let pending = asked.length;
  let counted = 0;
  let enough = false;
  const answers = asked.map(async (one): Promise<T> => {
    const answer = await one;
    pending -= 1;
    if (counts(answer)) counted += 1;
    if (counted > 0 && !enough) {
      enough = counted > pending;
      if (timer !== null && enough) clearTimeout(timer);
      if (timer === null || enough) {
        timer = setTimeout(() => late.resolve(undefined), enough ? LATE_MS : fewMs);
      }
    }
    return answer;
  });
  try {
    return await Promise.all(answers.map((one) => Promise.race([one, late.promise])));
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
