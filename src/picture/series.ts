/** Rows of means, and which an asset has. Shared with the page's script: nothing of Node's is imported here. */
import type { DatasetPicture, MachinePicture, MetricPicture } from './picture.js';

const WEEK = 7 * 1440;

/** A machine's load, and how fast it answers. */
export function metricsOf({ metrics, availability }: MachinePicture): readonly MetricPicture[] {
  return availability?.response ? [...metrics, availability.response] : metrics;
}

/** The means of a picture's last seven days, or of all of it where it is shorter. */
export function lastWeek(
  means: readonly (number | null)[],
  { window, means: { start, stepMinutes } }: Pick<DatasetPicture, 'window' | 'means'>,
): readonly (number | null)[] {
  return means.slice(Math.max(0, Math.ceil((window.end - WEEK - start) / stepMinutes)));
}

/** The values as so many means of neighbours, as equal in number as can be. */
export function condense(values: readonly (number | null)[], cells: number): (number | null)[] {
  return Array.from({ length: cells }, (_, i) => {
    const from = Math.floor((i * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / cells));
    const there = values.slice(from, to).filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
  });
}
