/** The model as one object: every record of every asset, a day at a time. */
import type { ExtraMetric, Fleet, Machine, Service } from '../fleet/types.js';
import { fillMachineAvailability, fillServiceAvailability } from './availability.js';
import {
  type Backup,
  type BackupSchedule,
  backupSchedule,
  backupSucceeds,
  backupsBetween,
} from './backups.js';
import { LocalTime, MINUTES_PER_DAY } from './local-time.js';
import { fillLoad } from './machine-metrics.js';
import { stream } from './random.js';
import { fillResponseTimes } from './response-time.js';

/**
 * Version of the values. A dataset is made by one version; changing a value means raising this
 * number and renewing the golden fingerprint of the tests.
 */
export const MODEL_VERSION = 1;

/** Availability and response time: a machine's last two. */
const POLLING_COLUMNS = 2;

/** One value a minute of a day; undefined where the series is not wanted. */
export type DayColumn = Float64Array | undefined;

/**
 * Every value is a pure function of (model version, seed, asset, series, minute). One object serves
 * one thread: it keeps working memory between calls.
 */
export class TelemetryModel {
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #schedule: BackupSchedule;
  /** The clocks of the fleet's time zone. */
  readonly local: LocalTime;
  readonly #hostStates = new Float64Array(MINUTES_PER_DAY);
  readonly #ownStates = new Float64Array(MINUTES_PER_DAY);

  constructor(
    readonly fleet: Fleet,
    readonly seed: number,
  ) {
    this.#machines = new Map(fleet.machines.map((machine) => [machine.assetId, machine]));
    this.#schedule = backupSchedule(fleet);
    this.local = new LocalTime(fleet.definition.timezone);
  }

  /**
   * Fills one day of an asset.
   * @param day days since 1970-01-01, UTC
   * @param columns side by side with `minuteSeries(asset)`, 1440 values each: per cent, the unit of
   *   a metric of the asset's own, 100/50/0, or milliseconds
   */
  fillDay(asset: Machine | Service, day: number, columns: readonly DayColumn[]): void {
    if (asset.assetType === 'service') {
      this.#fillPolling(asset, this.#hostOf(asset), day, columns[0], columns[1]);
      return;
    }
    const loads = columns.length - POLLING_COLUMNS;
    if (columns.some((column, index) => column && index < loads)) {
      fillLoad(this.seed, asset, day, this.local, columns);
    }
    this.#fillPolling(asset, asset, day, columns[loads], columns[loads + 1]);
  }

  /**
   * The backups of a machine that start in a period of minutes since the epoch, half open, in their
   * order.
   */
  backups(machine: Machine, from: number, to: number): Backup[] {
    return Array.from(
      backupsBetween(this.#schedule, this.local, machine, from, to),
      ({ minute, localDay, localMinute }) => ({
        minute,
        success: backupSucceeds(this.seed, machine, localDay, localMinute),
      }),
    );
  }

  #fillPolling(
    asset: Machine | Service,
    host: Machine,
    day: number,
    availability: DayColumn,
    responseTime: DayColumn,
  ): void {
    if (!availability && !responseTime) return;
    const states = availability ?? this.#ownStates;
    if (asset.assetType === 'service') {
      fillMachineAvailability(this.seed, host, day, this.#hostStates);
      fillServiceAvailability(this.seed, asset, day, this.local, this.#hostStates, states);
    } else {
      fillMachineAvailability(this.seed, asset, day, states);
    }
    if (!responseTime) return;
    const random = stream(this.seed, asset.assetId, 'response_time_ms', day);
    fillResponseTimes(asset, host, day, this.local, states, random, responseTime);
  }

  #hostOf(service: Service): Machine {
    const host = this.#machines.get(service.hostId);
    if (!host)
      throw new Error(`service ${service.assetId} runs on ${service.hostId}, which is not in the fleet`);
    return host;
  }
}

// Which series an asset has.

/** One series of an asset: what its records are called. */
export interface SeriesDefinition {
  readonly metricName: string;
  readonly unit: string;
  readonly section: 'metrics' | 'polling' | 'backup';
}

const LOAD_SERIES: readonly SeriesDefinition[] = ['cpu_usage', 'memory_usage', 'io_wait'].map(
  (metricName) => ({
    metricName,
    unit: 'percentage',
    section: 'metrics',
  }),
);

const POLLING_SERIES: readonly SeriesDefinition[] = [
  { metricName: 'availability_status', unit: 'percentage', section: 'polling' },
  { metricName: 'response_time_ms', unit: 'milliseconds', section: 'polling' },
];

const MACHINE_SERIES = [...LOAD_SERIES, ...POLLING_SERIES];
const ownSeries = new WeakMap<readonly ExtraMetric[], readonly SeriesDefinition[]>();

/** One record a day: 1.0 success, 0.0 failure. */
export const BACKUP_SERIES: SeriesDefinition = {
  metricName: 'backup_status',
  unit: 'boolean',
  section: 'backup',
};

/** The series of an asset with one record a minute, in the order of the model's columns. */
export function minuteSeries(asset: Machine | Service): readonly SeriesDefinition[] {
  if (asset.assetType === 'service') return POLLING_SERIES;
  return asset.metrics ? withOwn(asset.metrics) : MACHINE_SERIES;
}

function withOwn(metrics: readonly ExtraMetric[]): readonly SeriesDefinition[] {
  let series = ownSeries.get(metrics);
  if (!series) {
    const own = metrics.map(({ name, unit }) => ({ metricName: name, unit, section: 'metrics' as const }));
    series = [...LOAD_SERIES, ...own, ...POLLING_SERIES];
    ownSeries.set(metrics, series);
  }
  return series;
}
