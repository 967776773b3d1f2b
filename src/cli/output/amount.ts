/**
 * Sizes, rates, times and counts as text for a person. Sizes and rates have binary units; no result
 * holds NaN, Infinity or a sign. Pure functions, no I/O.
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Longest text of rateText(): "1023 GiB/s". */
export const RATE_CHARS_MAX = 10;

/** Three digits: "0 B", "999 B", "1.0 KiB", "98.3 MiB", "1023 GiB". Anything below 0 is 0. */
export function sizeText(bytes: number): string {
  const power = powerOf(bytes);
  return `${digits(bytes, power)} ${UNITS[power]}`;
}

/** A part and its whole in the whole's unit: "1.2/2.0 GiB"; `more`: "1.2/2.0+ GiB". */
export function shareText(part: number, whole: number, more: boolean): string {
  const power = powerOf(whole);
  const all = `${digits(whole, power)}${more ? "+" : ""}`;
  // Padded to the width of the whole, so that the columns beside it do not move.
  return `${digits(part, power).padStart(digits(whole, power).length)}/${all} ${UNITS[power]}`;
}

/** Bytes a second: "98.3 MiB/s". At most RATE_CHARS_MAX characters up to 1 PiB/s. */
export function rateText(bytesPerSecond: number): string {
  return `${sizeText(bytesPerSecond)}/s`;
}

/** Milliseconds as a clock shows them: "0:07", "1:23", "2:03:04"; from 100 h on "5d 03h". */
export function clockText(ms: number): string {
  const seconds = Math.floor(positive(ms) / 1000);
  const hours = Math.floor(seconds / 3600);
  if (hours >= 100) return `${Math.floor(hours / 24)}d ${twoDigits(hours % 24)}h`;
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = twoDigits(seconds % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** A finished duration in milliseconds: "0.4 s", "12 s", from a minute on as clockText(). */
export function durationText(ms: number): string {
  const spent = positive(ms);
  if (spent >= 59_500) return clockText(spent + 500);
  return spent < 9950 ? `${(spent / 1000).toFixed(1)} s` : `${Math.round(spent / 1000)} s`;
}

/** A count in groups of three: "10,000". */
export function countText(count: number): string {
  return String(Math.floor(positive(count))).replaceAll(/\B(?=(?:[0-9]{3})+$)/g, ",");
}

/** Whole per cent, rounded down, so that 100 means complete. Of 0 bytes, 0 are complete: 100. */
export function percentOf(part: number, whole: number): number {
  if (!(whole > 0)) return 100;
  return Math.min(100, Math.floor((positive(part) / whole) * 100));
}

/** Bytes a second over all of `ms`; 0 if no time has passed. */
export function averageOf(bytes: number, ms: number): number {
  return ms > 0 ? (positive(bytes) / ms) * 1000 : 0;
}

// --- internal ---

function positive(value: number): number {
  return value > 0 && Number.isFinite(value) ? value : 0;
}

/** The unit in which `bytes` rounds to less than 1024. */
function powerOf(bytes: number): number {
  const last = UNITS.length - 1;
  let power = 0;
  for (let rest = positive(bytes); Math.round(rest) >= 1024 && power < last; rest /= 1024) power++;
  return power;
}

function digits(bytes: number, power: number): string {
  const value = positive(bytes) / 1024 ** power;
  return power === 0 || value >= 99.95 ? String(Math.round(value)) : value.toFixed(1);
}

/** Two digits, for clocks and dates. */
export function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
