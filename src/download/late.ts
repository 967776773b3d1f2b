/** Questions to several servers at once, of which one that is slow holds up nobody for long. */
import { LATE_MS } from "./sources.ts";

/**
 * What each of `asked` gives, in their order; undefined for who gives nothing within LATE_MS of the
 * first answer that `counts`. Before that one comes all are waited for, each as long as it takes.
 * Rejects as the first of them does.
 */
export async function withoutLate<T>(
  asked: readonly Promise<T>[],
  counts: (answer: T) => boolean,
): Promise<(T | undefined)[]> {
  const late = Promise.withResolvers<undefined>();
  let timer: NodeJS.Timeout | null = null;
  const answers = asked.map(async (one): Promise<T> => {
    const answer = await one;
    if (counts(answer)) timer ??= setTimeout(() => late.resolve(undefined), LATE_MS);
    return answer;
  });
  try {
    return await Promise.all(answers.map((one) => Promise.race([one, late.promise])));
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
