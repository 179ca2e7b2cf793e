/** Measures what is expected of a pattern. */
import type { PatternName } from '../fleet/types.js';
import { Accumulated, deviationOf, meanOf, type Sums } from './buckets.js';
import { EXPECTED_FIGURES, type Hours, type Measure } from './expected.js';
import type { FigurePicture } from './picture.js';
import { rounded } from './rounding.js';

/** The sums of a metric by weekday, Sunday first, and hour. */
export type HourTable = readonly (readonly Sums[])[];

/** What is expected of a pattern, beside what its machine's values are. */
export function figuresOf(
  pattern: PatternName | undefined,
  tables: ReadonlyMap<string, HourTable>,
): FigurePicture[] {
  const expected = (pattern && EXPECTED_FIGURES[pattern]) ?? [];
  return expected.flatMap(({ measure, ...figure }) => {
    const table = tables.get(figure.metricName);
    if (!table) return [];
    const measured = rounded(take(measure, table));
    const within = measured === null ? null : measured >= figure.low && measured <= figure.high;
    const unit = measure.kind === 'difference' || measure.kind === 'deviation' ? 'points' : '%';
    return [{ ...figure, unit, measured, within }];
  });
}

function take(measure: Measure, table: HourTable): number | null {
  if (measure.kind === 'mean') return meanOf(during(table, measure.hours));
  if (measure.kind === 'difference') {
    const [of, less] = [measure.hours, measure.less].map((hours) => meanOf(during(table, hours)));
    return of === null || less === null ? null : of - less;
  }
  const all = total(table);
  if (measure.kind === 'deviation') return deviationOf(all);
  return all.count === 0 ? null : all.max;
}

function during(table: HourTable, { days, from, to }: Hours): Sums {
  const sums = new Accumulated();
  for (const day of days) {
    for (const [hour, cell] of table[day].entries()) {
      if (from < to ? hour >= from && hour < to : hour >= from || hour < to) sums.add(cell);
    }
  }
  return sums;
}

/** All of a table. */
export function total(table: HourTable): Sums {
  const sums = new Accumulated();
  for (const row of table) for (const cell of row) sums.add(cell);
  return sums;
}
