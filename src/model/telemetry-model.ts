/** The model as one object: every record of every asset, a day at a time. */
import type { ExtraMetric, Fleet, Machine, Service } from '../fleet/types.js';
import { DEFAULT_INTERVAL, type Interval, intervalSeconds } from '../time.js';
import {
  type Backup,
  type BackupSchedule,
  backupSchedule,
  backupSucceeds,
  backupsBetween,
} from './backups.js';
import { LocalTime, MINUTES_PER_DAY } from './local-time.js';
import { fillLoad } from './machine-metrics.js';
import { stream } from './patterns.js';
import { fillMachineAvailability, fillResponseTimes, fillServiceAvailability } from './polling.js';

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
   * @param columns side by side with `sampledSeries(asset)`, by the minute whatever their intervals:
   *   1440 values each: per cent, the unit of
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
  /** Seconds from one sample to the next; of backups, which come when they are due, a minute. */
  readonly interval: number;
}

const MINUTE = intervalSeconds(DEFAULT_INTERVAL);

function loadSeries(interval: number): SeriesDefinition[] {
  return ['cpu_usage', 'memory_usage', 'io_wait'].map((metricName) => ({
    metricName,
    unit: 'percentage',
    section: 'metrics',
    interval,
  }));
}

function pollingSeries(interval: number): SeriesDefinition[] {
  return [
    { metricName: 'availability_status', unit: 'percentage', section: 'polling', interval },
    { metricName: 'response_time_ms', unit: 'milliseconds', section: 'polling', interval },
  ];
}

const SERVICE_SERIES: readonly SeriesDefinition[] = pollingSeries(MINUTE);
const MACHINE_SERIES: readonly SeriesDefinition[] = [...loadSeries(MINUTE), ...SERVICE_SERIES];
const otherSeries = new WeakMap<Machine | Service, readonly SeriesDefinition[]>();

/** One record a day: 1.0 success, 0.0 failure. */
export const BACKUP_SERIES: SeriesDefinition = {
  metricName: 'backup_status',
  unit: 'boolean',
  section: 'backup',
  interval: MINUTE,
};

/** The series of an asset that are sampled at an interval, in the order of the model's columns. */
export function sampledSeries(asset: Machine | Service): readonly SeriesDefinition[] {
  if (asset.interval === undefined && asset.intervals === undefined) {
    if (asset.assetType === 'service') return SERVICE_SERIES;
    if (!asset.metrics) return MACHINE_SERIES;
  }
  let series = otherSeries.get(asset);
  if (!series) {
    series = seriesAt(asset, asset.interval ?? DEFAULT_INTERVAL);
    otherSeries.set(asset, series);
  }
  return series;
}

/** Minutes from one poll of an asset to the next: so long a state lasts. */
export function pollMinutesOf(asset: Machine | Service): number {
  const polled = sampledSeries(asset).find(({ metricName }) => metricName === 'availability_status');
  return (polled?.interval ?? MINUTE) / MINUTE;
}

function seriesAt(asset: Machine | Service, interval: Interval): readonly SeriesDefinition[] {
  const seconds = intervalSeconds(interval);
  const single: Readonly<Record<string, Interval | undefined>> = asset.intervals ?? {};
  const own = (series: readonly SeriesDefinition[]) =>
    series.map((one) => {
      const other = single[one.metricName];
      return other === undefined ? one : { ...one, interval: intervalSeconds(other) };
    });
  if (asset.assetType === 'service') return own(pollingSeries(seconds));
  return [
    ...own(loadSeries(seconds)),
    ...(asset.metrics ?? []).map((metric) => ownSeries(metric, interval)),
    ...own(pollingSeries(seconds)),
  ];
}

function ownSeries({ name, unit, interval }: ExtraMetric, ofMachine: Interval): SeriesDefinition {
  return { metricName: name, unit, section: 'metrics', interval: intervalSeconds(interval ?? ofMachine) };
}
