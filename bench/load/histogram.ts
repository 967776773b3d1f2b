/**
 * Owns the latency histogram: logarithmic buckets in the manner of HdrHistogram, each power of two
 * cut into 128, so that a reported value is within 0.4 % of the recorded one, in constant memory.
 * Never knows what is measured: values are numbers from 0 up, here nanoseconds.
 * Invariant: merging two histograms equals recording both streams into one.
 */

/** Buckets for each power of two; below it the buckets are one unit wide. */
const SUB_BUCKETS = 128;
const SUB_BITS = 7;

/** The largest power of two kept, 2^40 ns = 18 minutes; what is longer counts as that. */
const TOP_BITS = 40;
const BUCKETS = (TOP_BITS - SUB_BITS + 1) * SUB_BUCKETS;
const VALUE_MAX = 2 ** TOP_BITS - 1;

/** What travels between processes: pairs of bucket and count, flat, and the exact maximum. */
export interface HistogramData {
  readonly max: number;
  readonly buckets: readonly number[];
}

export class Histogram {
  count = 0;
  max = 0;
  private readonly counts = new Float64Array(BUCKETS);

  record(value: number): void {
    const index = bucketOf(value);
    this.counts[index]!++;
    this.count++;
    if (value > this.max) this.max = value;
  }

  /** The value that `fraction` (0 to 1) of the records do not exceed; 0 when there are none. */
  quantile(fraction: number): number {
    if (this.count === 0) return 0;
    const wanted = Math.max(1, Math.ceil(fraction * this.count));
    if (wanted >= this.count) return this.max;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i]!;
      if (seen >= wanted) return Math.min(middleOf(i), this.max);
    }
    return this.max;
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
    this.max = 0;
  }

  merge(data: HistogramData): void {
    for (let i = 0; i + 1 < data.buckets.length; i += 2) {
      const index = data.buckets[i]!;
      const count = data.buckets[i + 1]!;
      if (!(index in this.counts)) throw new RangeError(`histogram bucket ${index}`);
      this.counts[index]! += count;
      this.count += count;
    }
    this.max = Math.max(this.max, data.max);
  }

  toData(): HistogramData {
    const buckets: number[] = [];
    for (let i = 0; i < BUCKETS; i++) {
      const count = this.counts[i]!;
      if (count > 0) buckets.push(i, count);
    }
    return { max: this.max, buckets };
  }
}

/** The bucket of a value; exported for its tests. */
export function bucketOf(value: number): number {
  if (!(value >= 1)) return 0;
  const v = value > VALUE_MAX ? VALUE_MAX : value;
  const bits = v < 2 ** 31 ? 31 - Math.clz32(v) : 51 - Math.clz32(v / 2 ** 20);
  if (bits < SUB_BITS) return Math.floor(v);
  const shift = bits - SUB_BITS;
  return shift * SUB_BUCKETS + Math.floor(v / 2 ** shift);
}

/** The middle of a bucket; exported for its tests. */
export function middleOf(index: number): number {
  if (index < 2 * SUB_BUCKETS) return index;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  const low = (index - shift * SUB_BUCKETS) * 2 ** shift;
  return low + 2 ** shift / 2;
}
