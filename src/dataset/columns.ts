/** The records of one series in a shard, side by side: their ticks and values. */
import type { Series, Template } from '../encode/document.js';
import type { Machine, Service } from '../fleet/types.js';
import {
  delays,
  doubledSpans,
  type Span,
  sampledSpans,
  type WrongValues,
  wrongValue,
  wrongValues,
} from '../model/disturbances.js';
import { firstTick, tickOfMinute, valueSteps } from '../model/sampling.js';
import type { SeriesDefinition } from '../model/telemetry-model.js';
import { MINUTES_PER_DAY, type Shard } from '../plan/plan.js';

const MS_PER_MINUTE = 60_000;

/** A series of the model. */
export interface Sampled {
  /** Position in `sampledSeries(asset)`. */
  readonly index: number;
  readonly definition: SeriesDefinition;
}

/** A series' records, generated up to some day, and how far they have been handed out. */
export interface Column {
  readonly series: Series;
  readonly template: Template;
  /** Rising; twice the same where a sample is there twice. */
  readonly ticks: Int32Array;
  readonly values: Float64Array;
  readonly batchRecords: number;
  /** What it is made from; undefined for backups, which are there from the start. */
  readonly sampled: Sampled | undefined;
  /** Of an asset that comes and goes, or is measured badly: what is wrong with its values. */
  readonly wrong?: readonly WrongValues[];
  /** Positions in the order in which they are handed out; undefined: as they are. */
  readonly order?: Int32Array;
  /** The column that has to be handed out before. */
  readonly after?: Column;
  /** 2 where these are second records of samples that are there twice. */
  readonly copy: 1 | 2;
  /** How many values a disturbed column has so far. */
  filled: number;
  next: number;
}

/** Whether a column's turn has not come yet. */
export function isWaiting({ after }: Column): boolean {
  return after !== undefined && after.next < after.ticks.length;
}

/**
 * Which samples a series of such an asset has in a shard, and what is wrong with them.
 * @param merges true: samples that are there twice are so in `ticks`; else they are in `doubled`
 */
export function disturbedTicks(
  asset: Machine | Service,
  series: Series,
  { from, to }: Pick<Shard, 'from' | 'to'>,
  merges: boolean,
) {
  const window = { start: from, end: to };
  const { metricName } = series;
  const once = ticksIn(series, sampledSpans(asset, metricName, window));
  const twice = ticksIn(series, doubledSpans(asset, metricName, window));
  return {
    ticks: merges ? Int32Array.from([...once, ...twice]).sort() : once,
    doubled: merges ? new Int32Array(0) : twice,
    delayed: delays(asset, metricName, window),
    wrong: wrongValues(asset, metricName, window),
  };
}

function ticksIn({ sampling }: Series, spans: readonly Span[]): Int32Array {
  const ticks: number[] = [];
  for (const { start, end } of spans) {
    const last = tickOfMinute(sampling, end);
    for (let tick = firstTick(sampling, start); tick < last; tick += sampling.step) ticks.push(tick);
  }
  return Int32Array.from(ticks);
}

/** Positions by when the samples arrive: those that are late, so much after their time. */
export function arrivalOrder(
  { sampling: { tickMs } }: Series,
  ticks: Int32Array,
  delayed: readonly (Span & { readonly minutes: number })[],
): Int32Array {
  const arrivals = Float64Array.from(ticks, (tick) => {
    const minute = (tick * tickMs) / MS_PER_MINUTE;
    const late = delayed.filter(({ start, end }) => minute >= start && minute < end);
    return minute + Math.max(0, ...late.map(({ minutes }) => minutes));
  });
  return Int32Array.from(ticks.keys()).sort((a, b) => arrivals[a] - arrivals[b] || a - b);
}

/** The records at some positions, in their order. */
export function inOrder(
  { ticks, values }: Column,
  positions: Int32Array,
): { readonly ticks: Int32Array; readonly values: Float64Array } {
  return {
    ticks: Int32Array.from(positions, (at) => ticks[at]),
    values: Float64Array.from(positions, (at) => values[at]),
  };
}

/**
 * Takes what a day's samples say of a disturbed column.
 * @param valueAt the value of the first sample from a minute on, as the model has it
 */
export function fillDisturbed(
  asset: Machine | Service,
  column: Column,
  samples: Float64Array,
  dayStart: number,
  valueAt: (minute: number) => number,
): void {
  const { series, ticks, values, wrong = [] } = column;
  const { sampling, metricName } = series;
  const first = tickOfMinute(sampling, dayStart);
  const end = tickOfMinute(sampling, dayStart + MINUTES_PER_DAY);
  const steps = valueSteps(asset, metricName);
  for (; column.filled < ticks.length && ticks[column.filled] < end; column.filled++) {
    const tick = ticks[column.filled];
    const minute = (tick * sampling.tickMs) / MS_PER_MINUTE;
    let value = samples[(tick - first) / sampling.step];
    for (const one of wrong) {
      if (minute < one.start || minute >= one.end) continue;
      value = wrongValue(one, value, minute, one.kind === 'flatline' ? valueAt(one.start) : 0, steps);
    }
    values[column.filled] = value;
  }
}
