/** The samples of one asset, day by day, at the intervals of its series. */
import type { Machine, Service } from '../fleet/types.js';
import { fillBetweenMinutes } from '../model/sampling.js';
import { type SeriesDefinition, sampledSeries, type TelemetryModel } from '../model/telemetry-model.js';
import { MINUTES_PER_DAY } from '../plan/plan.js';

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
