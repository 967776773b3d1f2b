/** Owns how numbers are written for a reader: three digits and a unit, never more. */

/** 1234567 -> "1.23 M"; 0.5 -> "0.5". */
export function amount(value: number): string {
  if (value >= 1e9) return `${digits(value / 1e9)} G`;
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  if (value >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

/** Bytes in powers of two. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  while (power < units.length - 1 && value >= 1024 ** (power + 1)) power += 1;
  return `${digits(value / 1024 ** power)} ${units[power]}`;
}

/** Bytes a second in powers of ten. */
export function rate(value: number): string {
  return value >= 1e9 ? `${digits(value / 1e9)} GB/s` : `${digits(value / 1e6)} MB/s`;
}

/** Microseconds. */
export function time(us: number): string {
  if (us >= 1e6) return `${digits(us / 1e6)} s`;
  return us >= 1000 ? `${digits(us / 1000)} ms` : `${digits(us)} us`;
}

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "";
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 20 });
}
