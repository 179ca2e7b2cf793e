/** Fewer digits: what is shown needs no more, and a page is smaller for it. */

/** To three decimals. */
export function rounded(value: number | null | undefined): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  return Math.round(value * 1000) / 1000;
}

/** To three significant digits, as a chart shows it. */
export function significant(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(3));
}
