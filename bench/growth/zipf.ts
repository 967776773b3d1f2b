/** Requests as people make them: the nth most wanted object is asked for 1/n^s as often. */
import { firstAbove } from "./search.ts";

/**
 * Draws numbers from 0, the most wanted, to below `objects`. `exponent` is s: 0 wants all alike,
 * and traces of web caches have 0.6 to 1 (Breslau et al., INFOCOM 1999). `random` gives 0 to
 * below 1.
 */
export function zipf(objects: number, exponent: number, random: () => number): () => number {
  const upTo = new Float64Array(objects);
  let sum = 0;
  for (let nth = 0; nth < objects; nth++) {
    sum += (nth + 1) ** -exponent;
    upTo[nth] = sum;
  }
  return () => firstAbove(upTo, random() * sum);
}
