/** The second that heads of HTTP are dated with. */

let kept = 0;
let second = 0n;

/** Seconds since 1970, as the wall clock tells them. */
export function httpSecond(): bigint {
  const now = Math.floor(Date.now() / 1000);
  if (now !== kept) {
    kept = now;
    second = BigInt(now);
  }
  return second;
}
