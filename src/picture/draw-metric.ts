/** One metric, on the means and the scale that all of a picture share. */
import type { LocalTime } from '../model/index.js';
import { MINUTES_PER_DAY } from '../plan/index.js';
import { deviationOf, meanOf } from './buckets.js';
import { type HourTable, total } from './figures.js';
import type { Grid, MetricPicture } from './picture.js';
import type { DatasetReadings, MetricReadings } from './readings.js';
import { rounded, significant } from './rounding.js';
import { type Scale, scaleOf } from './scale.js';

/** Means on a page, of all metrics: enough to see a day of a few machines, and few enough for a page of 3 MB. */
const MOST_MEANS = 200_000;
const MEAN_STEPS = [15, 30, 60, 120, 180, 240, 360, 720];

/** What all parts of one picture share. */
export interface Frame {
  readonly window: DatasetReadings['window'];
  readonly local: LocalTime;
  readonly means: Grid;
  readonly timeline: Grid;
  readonly scales: ReadonlyMap<string, Scale>;
  /** Older incidents are not listed one by one. */
  readonly incidentsSince: number;
  /** Whether what is expected of the default fleet is expected here. */
  readonly expectsFigures: boolean;
}

function metricsOf({ machines, services }: DatasetReadings): MetricReadings[] {
  const responses = [...machines, ...services].flatMap(({ availability }) => availability?.response ?? []);
  return [...machines.flatMap(({ metrics }) => metrics), ...responses];
}

/** The finest means that are few enough. */
export function meansGrid(readings: DatasetReadings): Grid {
  const { start, end } = readings.window;
  const metrics = metricsOf(readings);
  const finest = metrics[0]?.buckets.stepMinutes ?? MEAN_STEPS[0];
  const fits = (step: number) => step >= finest && (metrics.length * (end - start)) / step <= MOST_MEANS;
  const stepMinutes = MEAN_STEPS.find(fits) ?? MINUTES_PER_DAY;
  return { start: Math.floor(start / stepMinutes) * stepMinutes, stepMinutes };
}

const keyOf = ({ metricName, unit }: MetricReadings) => JSON.stringify([metricName, unit]);

/** One scale for all assets that have a metric. */
export function scalesOf(readings: DatasetReadings): ReadonlyMap<string, Scale> {
  const extremes = new Map<string, { readonly metric: MetricReadings; lowest: number; highest: number }>();
  for (const metric of metricsOf(readings)) {
    const { lowest, highest } = metric.buckets.extremesOfMeans();
    const known = extremes.get(keyOf(metric));
    if (!known) extremes.set(keyOf(metric), { metric, lowest, highest });
    else {
      known.lowest = Math.min(known.lowest, lowest);
      known.highest = Math.max(known.highest, highest);
    }
  }
  const scales = [...extremes].map(
    ([key, { metric, lowest, highest }]) =>
      [key, scaleOf(metric.metricName, metric.unit, lowest, highest)] as const,
  );
  return new Map(scales);
}

/** The sums of every hour of the week. */
export function hoursOf({ buckets }: MetricReadings, { local }: Frame): HourTable {
  return buckets.byHourOfWeek(local);
}

/** @param withHeat whether its hours of the week are part of it: most of a large picture would be those of services */
export function drawMetric(metric: MetricReadings, frame: Frame, withHeat = true): MetricPicture {
  const { metricName, unit, buckets } = metric;
  const { window, means: grid } = frame;
  const table = buckets.byHourOfWeek(frame.local);
  const all = total(table);
  const means = (from: number, step: number, length: number) =>
    Array.from({ length }, (_, i) => meanOf(buckets.between(from + i * step, from + (i + 1) * step)));
  const length = Math.ceil((window.end - grid.start) / grid.stepMinutes);
  return {
    metricName,
    unit,
    scale: frame.scales.get(keyOf(metric)) ?? scaleOf(metricName, unit, 0, 0),
    records: all.count,
    mean: rounded(meanOf(all)),
    min: rounded(all.min),
    max: rounded(all.max),
    deviation: rounded(deviationOf(all)),
    day: means(window.end - MINUTES_PER_DAY, 60, 24).map((mean) => rounded(mean)),
    means: means(grid.start, grid.stepMinutes, length).map(significant),
    heat: (withHeat ? table : []).map((row) => row.map((cell) => rounded(meanOf(cell)))),
  };
}
