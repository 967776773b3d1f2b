/** Questions to several servers at once, of which one that is slow holds up nobody for long. */

/** Milliseconds that the others' answers are waited for when enough have come to decide. */
export const LATE_MS = 3000;

/**
 * The same where fewer than half have come: a slow disk takes seconds for what is asked at once,
 * and who answers without looking must not decide alone. One that takes longer is taken for deaf.
 */
export const FEW_LATE_MS = 30_000;

/**
 * How long those who have not answered are waited for: for ever until an answer comes that counts,
 * then for `fewMs`, and no longer than LATE_MS once enough have come.
 */
export class Patience {
  readonly #fewMs: number;
  readonly #over = Promise.withResolvers<undefined>();
  #timer: NodeJS.Timeout | null = null;
  #enough = false;
  #ended = false;

  constructor(fewMs: number) {
    this.#fewMs = fewMs;
  }

  /** Resolves when nobody is waited for any more. */
  get over(): Promise<undefined> {
    return this.#over.promise;
  }

  /** There is an answer that counts, or there are `enough` of them. */
  answered(enough: boolean): void {
    // Who answers later still does not begin it again.
    if (this.#ended || this.#enough || (this.#timer !== null && !enough)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#enough = enough;
    this.#timer = setTimeout(() => this.end(), enough ? LATE_MS : this.#fewMs);
  }

  /** Nobody is waited for any more. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#over.resolve(undefined);
  }
}

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
  const patience = new Patience(fewMs);
  let pending = asked.length;
  let counted = 0;
  const answers = asked.map(async (one): Promise<T> => {
    const answer = await one;
    pending -= 1;
    if (counts(answer)) counted += 1;
    if (counted > 0) patience.answered(counted > pending);
    return answer;
  });
  try {
    return await Promise.all(answers.map((one) => Promise.race([one, patience.over])));
  } finally {
    patience.end();
  }
}
