/** Owns the way from numbers to places on an axis, and which numbers are written there. */

/** An axis from `from` to `to`, in the units of a drawing. */
export interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** Evenly spaced values from 0 on, some five of them round. */
export function linear(most: number, from: number, to: number): Scale {
  const rough = (most > 0 ? most : 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const end = Math.ceil((most > 0 ? most : 1) / step - 1e-9) * step;
  const count = Math.round(end / step);
  const ticks = Array.from({ length: count + 1 }, (_, nth) => nth * step);
  return { ticks, at: (value) => from + (value / end) * (to - from) };
}

/** Factors evenly spaced, `least` > 0; ticks at 1, 2 and 5 of each power of ten, or fewer. */
export function logarithmic(least: number, most: number, from: number, to: number): Scale {
  const decades = Math.log10(most / least);
  const factors = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) {
    for (const factor of factors) all.push(factor * 10 ** power);
  }
  // The axis ends at the ticks around what is shown.
  const low = all.findLast((tick) => tick <= least * 1.000001) ?? least;
  const high = all.find((tick) => tick >= most * 0.999999 && tick > low) ?? most;
  const ticks = all.filter((tick) => tick >= low && tick <= high);
  const span = Math.log10(high / low);
  return { ticks, at: (value) => from + (Math.log10(value / low) / span) * (to - from) };
}
