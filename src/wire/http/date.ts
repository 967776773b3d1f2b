/**
 * Dates of HTTP (RFC 9110 5.6.7): seconds since 1970, in UTC. Written in one form, read in three.
 * Nothing here asks a clock.
 */

/** Years 0000 to 9999, which is what the form can hold, in seconds since 1970. */
const SECONDS_MIN = -62_167_219_200n;
const SECONDS_MAX = 253_402_300_799n;

const NANOSECONDS = 1_000_000_000n;

/** Years that a two-digit year may lie ahead before it means the century before. */
const AHEAD_YEARS_MAX = 50;

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const TIME = "([0-9]{2}):([0-9]{2}):([0-9]{2})";

/** "Sun, 06 Nov 1994 08:49:37 GMT" */
const FIXDATE = new RegExp(`^${DAY}, ([0-9]{2}) ${MONTH} ([0-9]{4}) ${TIME} GMT$`);
/** "Sunday, 06-Nov-94 08:49:37 GMT" */
const RFC850 = new RegExp(`^${LONG_DAY}, ([0-9]{2})-${MONTH}-([0-9]{2}) ${TIME} GMT$`);
/** "Sun Nov  6 08:49:37 1994" */
const ASCTIME = new RegExp(`^${DAY} ${MONTH} ([0-9]{2}| [0-9]) ${TIME} ([0-9]{4})$`);

/**
 * IMF-fixdate of `seconds` since 1970: always 29 characters, or null outside the years 0 to 9999.
 */
export function httpDate(seconds: bigint): string | null {
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) return null;
  return new Date(Number(seconds) * 1000).toUTCString();
}

/** The whole second that `nanoseconds` since 1970 lie in, before 1970 too. */
export function secondOf(nanoseconds: bigint): bigint {
  const rest = nanoseconds % NANOSECONDS;
  return nanoseconds / NANOSECONDS - (rest < 0n ? 1n : 0n);
}

/**
 * Seconds since 1970 of a date in any of the three forms, or null when it is none. `now`, in the
 * same unit, gives a year of two digits its century.
 */
export function parseHttpDate(text: string, now: bigint): bigint | null {
  const fixdate = FIXDATE.exec(text);
  if (fixdate !== null) {
    const [, day, month, year, ...time] = fixdate;
    return secondsOf(Number(year), month!, day!, time);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    const [, month, day, hour, minute, second, year] = asctime;
    return secondsOf(Number(year), month!, day!, [hour!, minute!, second!]);
  }
  const rfc850 = RFC850.exec(text);
  if (rfc850 === null) return null;
  const [, day, month, year, ...time] = rfc850;
  const thisYear = new Date(Number(now) * 1000).getUTCFullYear();
  let full = thisYear - (thisYear % 100) + Number(year);
  if (full > thisYear + AHEAD_YEARS_MAX) full -= 100;
  return secondsOf(full, month!, day!, time);
}

// --- internal ---

/** Null for a day or a time that no calendar has. A second 60 is a leap second. */
function secondsOf(
  year: number,
  monthName: string,
  dayText: string,
  time: readonly string[],
): bigint | null {
  const [hour = NaN, minute = NaN, second = NaN] = time.map(Number);
  const month = MONTHS.indexOf(monthName) / 3;
  if (hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month, Number(dayText));
  if (date.getUTCMonth() !== month) return null;
  return BigInt(date.setUTCHours(hour, minute, second) / 1000);
}
