/**
 * What is expected of the default fleet: the figures of the manual's chapter "Pattern di
 * Performance" and of its chapters on availability and backups, as data, in the one place where
 * they stand. Those of `email_server_pattern`, which the manual does not have, are of this
 * program's design.
 */
import type { PatternName } from '../fleet/types.js';
import type { FigurePicture } from './picture.js';
import { Accumulated, deviationOf, meanOf, rounded, type Sums } from './readings.js';

/**
 * Hours of some days: `from` to `to`, round midnight where `from` is the later one. 0 is Sunday.
 */
export interface Hours {
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
}

export type Measure =
  | { readonly kind: 'mean'; readonly hours: Hours }
  /** The mean of some hours less that of others. */
  | { readonly kind: 'difference'; readonly hours: Hours; readonly less: Hours }
  | { readonly kind: 'deviation' }
  | { readonly kind: 'highest' };

export interface ExpectedFigure {
  readonly metricName: string;
  readonly what: string;
  /** In words. */
  readonly expected: string;
  readonly measure: Measure;
  /** What these words are taken to mean. */
  readonly low: number;
  readonly high: number;
}

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const WEEKDAYS = [1, 2, 3, 4, 5];

const hours = (days: readonly number[], from = 0, to = 24): Hours => ({ days, from, to });
const ALWAYS = hours(EVERY_DAY);
const OFFICE = hours(WEEKDAYS, 9, 17);
const OUT_OF_OFFICE = hours(WEEKDAYS, 19, 7);
const AROUND_THREE = hours(EVERY_DAY, 2, 4);
const FROM_SIX = hours(EVERY_DAY, 6, 24);
const NIGHT = hours(EVERY_DAY, 22, 6);
const DAYTIME = hours(EVERY_DAY, 8, 20);

const mean = (of: Hours): Measure => ({ kind: 'mean', hours: of });
const difference = (of: Hours, less: Hours): Measure => ({ kind: 'difference', hours: of, less });
const deviation: Measure = { kind: 'deviation' };
const highest: Measure = { kind: 'highest' };

type Row = readonly [what: string, expected: string, measure: Measure, low: number, high?: number];

/** Figures in per cent, or in points where they are differences. */
function figures(metricName: string, rows: readonly Row[]) {
  return rows.map(([what, expected, measure, low, high = 100]): ExpectedFigure => {
    return { metricName, what, expected, measure, low, high };
  });
}

const cpu = (...rows: readonly Row[]) => figures('cpu_usage', rows);
const memory = (...rows: readonly Row[]) => figures('memory_usage', rows);
const io = (...rows: readonly Row[]) => figures('io_wait', rows);

/** By pattern; one of which nothing is expected is not in it. */
export const EXPECTED_FIGURES: Readonly<Partial<Record<PatternName, readonly ExpectedFigure[]>>> = {
  stable_with_io_spikes: [
    ...cpu(['CPU', 'stable, about 15 %', mean(ALWAYS), 13, 17]),
    ...memory(
      ['Memory', 'constant, about 35 %', mean(ALWAYS), 32, 38],
      ['Memory around 3:00, over 6–24 h', 'rises with I/O', difference(AROUND_THREE, FROM_SIX), 2],
    ),
    ...io(['I/O around 3:00, over 6–24 h', 'marked peak at 3:00', difference(AROUND_THREE, FROM_SIX), 12]),
  ],
  cpu_spikes_business_hours: [
    ...cpu(
      ['CPU, weekdays 9–17 h', 'high, 65 % or more', mean(OFFICE), 65],
      ['CPU, weekdays 19–7 h', 'low out of hours', mean(OUT_OF_OFFICE), 0, 25],
    ),
    ...memory(['Memory in office hours, over nights', 'follows CPU', difference(OFFICE, OUT_OF_OFFICE), 10]),
    ...io(['I/O, weekdays 9–17 h', 'moderate', mean(OFFICE), 10, 35]),
  ],
  high_load_business_hours: [
    ...cpu(['CPU, weekdays 9–17 h', 'always high, 75 % or more', mean(OFFICE), 75]),
    ...memory(['Memory, weekdays 9–17 h', 'high', mean(OFFICE), 60]),
    ...io(['I/O, weekdays 9–17 h', 'sustained', mean(OFFICE), 18, 50]),
  ],
  memory_leak_pattern: [
    ...memory(
      ['Memory, Saturday over Monday', 'grows steadily', difference(hours([6]), hours([1])), 15],
      [
        'Memory, Sunday 1–3 h over 4–6 h',
        'reset every week',
        difference(hours([0], 1, 3), hours([0], 4, 6)),
        30,
      ],
    ),
    ...cpu(['CPU, Saturday over Monday', 'rises with memory', difference(hours([6]), hours([1])), 3]),
    ...io(['I/O, Saturday over Monday', 'rises with swapping', difference(hours([6]), hours([1])), 3]),
  ],
  volatile_load: [
    ...cpu(
      ['CPU, deviation', 'very variable', deviation, 12, 50],
      ['CPU, highest', 'random peaks', highest, 85],
    ),
    ...memory(['Memory, deviation', 'marked swings', deviation, 5, 50]),
    ...io(['I/O, highest', 'unforeseen peaks', highest, 40]),
  ],
  stable_low_load: [
    ...cpu(['CPU', 'always low, about 8 %', mean(ALWAYS), 7, 9]),
    ...memory(['Memory', 'low', mean(ALWAYS), 0, 30], ['Memory, deviation', 'stable', deviation, 0, 4]),
    ...io(['I/O', 'minimal', mean(ALWAYS), 0, 4]),
  ],
  io_wait_nights: [
    ...cpu(['CPU, 22–6 h', 'high at night', mean(NIGHT), 45]),
    ...memory(['Memory at night, over 8–20 h', 'rises at night', difference(NIGHT, DAYTIME), 8]),
    ...io(['I/O, 22–6 h', 'very high', mean(NIGHT), 55]),
  ],
  development_pattern: [
    ...cpu([
      'CPU, weekdays 9–18 h over nights',
      'sporadic in working hours',
      difference(hours(WEEKDAYS, 9, 18), hours(WEEKDAYS, 20, 8)),
      10,
    ]),
    ...memory(['Memory, deviation', 'varies with activity', deviation, 2, 50]),
    ...io(['I/O, highest', 'peaks at builds', highest, 35]),
  ],
  email_server_pattern: cpu(
    ['CPU, weekdays 20–7 h', 'about 12 %', mean(hours(WEEKDAYS, 20, 7)), 10, 14],
    ['CPU, weekdays 8–10 h', 'peak, 35 to 50 %', mean(hours(WEEKDAYS, 8, 10)), 35, 50],
    ['CPU, weekdays 13–14 h', 'peak, 35 to 50 %', mean(hours(WEEKDAYS, 13, 14)), 35, 50],
    ['CPU, weekdays 17–19 h', 'peak, 35 to 50 %', mean(hours(WEEKDAYS, 17, 19)), 35, 50],
  ),
};

/** Uptime in per cent, an asset's own faults alone. */
export const EXPECTED_UPTIME = { machine: 99.9, service: 99.5 } as const;

/** Backup success in per cent, by type of machine. */
export const EXPECTED_BACKUP_SUCCESS: Readonly<Record<string, number>> = {
  proxmox_node: 98,
  physical_host: 97,
  vm: 95,
  container: 92,
};

// Measures what is expected of a pattern.

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
