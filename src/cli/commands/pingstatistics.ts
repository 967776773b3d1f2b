/**
 * The statistics of `cli6 ping`: counts, minimum, median, 99th percentile, maximum. Its memory is
 * bounded however long a run is. No I/O.
 */

/**
 * Times that are kept for the percentiles: 1.5 days at one a second. Later ones replace the oldest.
 */
const KEPT_MAX = 131_072;

/** The round trips of one run. All times in milliseconds. */
export class PingStatistics {
  readonly #kept: number[] = [];
  #answered = 0;
  #failed = 0;
  #min = Infinity;
  #max = 0;
  #connectMs: number | null = null;

  /** A connection was made in `ms`; the first one's time is reported. */
  connected(ms: number): void {
    this.#connectMs ??= ms;
  }

  /** An answer came after `ms`. */
  add(ms: number): void {
    this.#kept[this.#answered % KEPT_MAX] = ms;
    this.#answered += 1;
    this.#min = Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
  }

  /** A ping failed. */
  fail(): void {
    this.#failed += 1;
  }

  /** Two lines for a person, the second only if a ping was answered. */
  text(): string {
    const sent = this.#answered + this.#failed;
    const loss = sent === 0 ? 0 : (this.#failed / sent) * 100;
    const counts = `${sent} sent, ${this.#answered} answered, ${loss.toFixed(1)} % failed\n`;
    if (this.#answered === 0) return counts;
    const { minMs, medianMs, p99Ms, maxMs } = this.#figures();
    const [min, median, p99, max] = [minMs, medianMs, p99Ms, maxMs].map((ms) => ms.toFixed(3));
    return `${counts}min ${min}  median ${median}  p99 ${p99}  max ${max} ms\n`;
  }

  /** One JSON object; what was not measured is null. */
  json(): string {
    const connectMs = this.#connectMs === null ? null : rounded(this.#connectMs);
    const counts = {
      sent: this.#answered + this.#failed,
      answered: this.#answered,
      failed: this.#failed,
    };
    const none = { minMs: null, medianMs: null, p99Ms: null, maxMs: null };
    return JSON.stringify({
      ...counts,
      connectMs,
      ...(this.#answered > 0 ? this.#figures() : none),
    });
  }

  // --- internal ---

  #figures(): { minMs: number; medianMs: number; p99Ms: number; maxMs: number } {
    const sorted = Float64Array.from(this.#kept).sort();
    return {
      minMs: rounded(this.#min),
      medianMs: rounded(percentile(sorted, 0.5)),
      p99Ms: rounded(percentile(sorted, 0.99)),
      maxMs: rounded(this.#max),
    };
  }
}

// --- internal ---

/** The smallest value that at least `share` of all values do not exceed (nearest rank). */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
