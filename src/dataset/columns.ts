/**
 * The samples of one asset, day by day, and the records of each of its series in a shard, side by
 * side: their ticks and values.
 */
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
import { fillBetweenMinutes, firstTick, tickOfMinute, valueSteps } from '../model/sampling.js';
import { type SeriesDefinition, sampledSeries, type TelemetryModel } from '../model/telemetry-model.js';
import { MINUTES_PER_DAY, type Shard } from '../plan/plan.js';

// The samples of one asset, day by day.

const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_DAY = 86_400;

/** A series, and where its values go. */
interface DayColumn {
  readonly definition: SeriesDefinition;
  /** Values by the minute; of a series between minutes one more, the next day's first. */
  readonly minutes: Float64Array;
  /** A sample an interval; the same as the minutes where that is a minute. */
  readonly samples: Float64Array;
}

export class SampledDays {
  readonly #columns: readonly (DayColumn | undefined)[];
  readonly #minutes: readonly (Float64Array | undefined)[];
  /** A day ahead; undefined where no series needs it. */
  readonly #ahead: readonly (Float64Array | undefined)[] | undefined;
  /** The day that lies in `#ahead`. */
  #dayAhead = Number.NaN;

  /** @param isWanted whether a series is asked for; the others do not change by that */
  constructor(
    readonly model: TelemetryModel,
    readonly asset: Machine | Service,
    isWanted: (definition: SeriesDefinition) => boolean,
  ) {
    this.#columns = sampledSeries(asset).map((definition) =>
      isWanted(definition) ? sampledColumn(definition) : undefined,
    );
    this.#minutes = this.#columns.map((column) => column?.minutes.subarray(0, MINUTES_PER_DAY));
    const isBetween = this.#columns.some((column) => column && column.minutes.length > MINUTES_PER_DAY);
    this.#ahead = isBetween ? this.#minutes.map((minutes) => minutes?.slice()) : undefined;
  }

  /**
   * The samples of a day, side by side with `sampledSeries(asset)`. Good until the next day is asked
   * for.
   */
  of(day: number): readonly (Float64Array | undefined)[] {
    this.#fill(day);
    return this.#columns.map((column) => column && this.#sample(column, day));
  }

  #fill(day: number): void {
    if (!this.#ahead) {
      this.model.fillDay(this.asset, day, this.#minutes);
      return;
    }
    if (this.#dayAhead !== day) this.model.fillDay(this.asset, day, this.#ahead);
    for (const [i, minutes] of this.#minutes.entries()) {
      const filled = this.#ahead[i];
      if (minutes && filled) minutes.set(filled);
    }
    this.model.fillDay(this.asset, day + 1, this.#ahead);
    this.#dayAhead = day + 1;
    for (const [i, column] of this.#columns.entries()) {
      const next = this.#ahead[i];
      if (next && column && column.minutes.length > MINUTES_PER_DAY)
        column.minutes[MINUTES_PER_DAY] = next[0];
    }
  }

  #sample({ definition, minutes, samples }: DayColumn, day: number): Float64Array {
    const { interval, metricName } = definition;
    if (interval < SECONDS_PER_MINUTE) {
      const { seed } = this.model;
      fillBetweenMinutes({ seed, asset: this.asset, metricName, day }, interval, minutes, samples);
    } else if (samples !== minutes) {
      const step = interval / SECONDS_PER_MINUTE;
      for (let i = 0; i < samples.length; i++) samples[i] = minutes[i * step];
    }
    return samples;
  }
}

function sampledColumn(definition: SeriesDefinition): DayColumn {
  const { interval } = definition;
  const isBetween = interval < SECONDS_PER_MINUTE;
  const minutes = new Float64Array(MINUTES_PER_DAY + (isBetween ? 1 : 0));
  const samples = interval === SECONDS_PER_MINUTE ? minutes : new Float64Array(SECONDS_PER_DAY / interval);
  return { definition, minutes, samples };
}

// The records of one series in a shard.

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
