/** What the height of a line and the shade of a cell stand for: one scale for all assets that have a metric. */

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly logarithmic: boolean;
}

/** From some milliseconds to seconds: on a linear scale one slow service would flatten the others. */
export const RESPONSE_TIME = 'response_time_ms';

/** Where the scale of percentages ends: the first that holds the highest value. */
const PERCENT_TOPS = [10, 25, 50, 75, 100];

/** The scale of a metric, of all values that will be drawn on it. It begins at 0, so that what is steady looks steady. */
export function scaleOf(metricName: string, unit: string, lowest: number, highest: number): Scale {
  if (metricName === RESPONSE_TIME) {
    const from = rounded(Math.max(0.1, lowest), 'down');
    return { from, to: Math.max(10 * from, rounded(Math.max(0.1, highest), 'up')), logarithmic: true };
  }
  const percentTop = unit === 'percentage' ? PERCENT_TOPS.find((top) => highest <= top) : undefined;
  const to = percentTop ?? (highest > 0 ? rounded(highest, 'up') : 0);
  return { from: lowest < 0 ? -rounded(-lowest, 'up') : 0, to, logarithmic: false };
}

/** Where a value stands on its scale: 0 to 1. */
export function shareOf(value: number, { from, to, logarithmic }: Scale): number {
  if (to <= from) return 0;
  const share = logarithmic
    ? Math.log(Math.max(from, value) / from) / Math.log(to / from)
    : (value - from) / (to - from);
  return Math.min(1, Math.max(0, share));
}

const DIGITS = [1, 2, 5, 10];

/** A positive value, rounded to the next of 1, 2, 5, 10, 20, … */
function rounded(value: number, direction: 'down' | 'up'): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit =
    direction === 'up'
      ? DIGITS.find((one) => one * power >= value * (1 - 1e-9))
      : DIGITS.findLast((one) => one * power <= value * (1 + 1e-9));
  return Number(((digit ?? 1) * power).toPrecision(1));
}
