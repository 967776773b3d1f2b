/**
 * Sizes and times of a folder's page: short for a person, and exact in the attributes beside it.
 * Times are UTC. A page has a thousand of each, so that they are made by doubles and slices where
 * those are exact.
 */
/** A cell: `<td title="1,536 bytes">1.5 KiB`. */
export function sizeCell(size: bigint): string {
  const digits = String(size);
  const unit = digits === "1" ? "byte" : "bytes";
  return `<td title="${grouped(digits)} ${unit}">${sizeText(size)}`;
}

/** "0 B", "1023 B", "1.5 KiB", "20 MiB": one digit behind the point below 10, never rounded up. */
export function sizeText(size: bigint): string {
  // From 2^53 on a double may be rounded up, without its last 11 bits it is not.
  let number = Number(size);
  if (number >= Number.MAX_SAFE_INTEGER) number = Number((size >> 11n) << 11n);
  if (number < 1024) return `${number} B`;
  let unit = -1;
  for (; number >= 1024 && unit < UNITS.length - 1; unit++) number /= 1024;
  const shown = number < 10 ? (Math.floor(number * 10) / 10).toFixed(1) : Math.floor(number);
  return `${shown} ${UNITS[unit]}`;
}

/** A count as a person reads it: "1,536". `digits` may be longer than a double is exact. */
export function grouped(digits: string | number): string {
  let rest = String(digits);
  let text = "";
  for (; rest.length > 3; rest = rest.slice(0, -3)) text = `,${rest.slice(-3)}${text}`;
  return rest + text;
}

/**
 * A cell: the minute, and the millisecond for a program, which is all that HTML has. The clock is
 * in a span of its own: a narrow screen shows the day alone. A time that no calendar of four-digit
 * years has is left out.
 */
export function timeCell(mtime: bigint): string {
  const milliseconds = Number((mtime < 0n ? mtime - 999_999n : mtime) / 1_000_000n);
  if (milliseconds < YEAR_0_MS || milliseconds >= YEAR_10000_MS) return "<td>";
  const iso = new Date(milliseconds).toISOString();
  return `<td><time datetime=${iso}>${iso.slice(0, 10)}<span> ${iso.slice(11, 16)}</span></time>`;
}

// --- internal ---

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Since 1970. Date.UTC(0) would be the year 1900. */
const YEAR_0_MS = -62_167_219_200_000;
const YEAR_10000_MS = Date.UTC(10_000);
