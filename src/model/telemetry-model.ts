/** The model as one object: every record of every asset, a day at a time. */
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { fillMachineAvailability, fillServiceAvailability } from './availability.js';
import {
  type Backup,
  type BackupSchedule,
  backupSchedule,
  backupSucceeds,
  backupsBetween,
} from './backups.js';
import { MINUTES_PER_DAY } from './calendar.js';
import { fillLoad } from './load.js';
import { LocalTime } from './local-time.js';
import { stream } from './random.js';
import { fillResponseTimes } from './response-time.js';

/**
 * Version of the values. A dataset is made by one version; changing a value means raising this number and renewing the golden
 * fingerprint of the tests.
 */
export const MODEL_VERSION = 1;

/** Availability and response time: a machine's last two. */
const POLLING_COLUMNS = 2;

/** One value a minute of a day; undefined where the series is not wanted. */
export type DayColumn = Float64Array | undefined;

/**
 * Every value is a pure function of (model version, seed, asset, series, minute). One object serves one thread: it keeps
 * working memory between calls.
 */
export class TelemetryModel {
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #schedule: BackupSchedule;
  readonly #local: LocalTime;
  readonly #hostStates = new Float64Array(MINUTES_PER_DAY);
  readonly #ownStates = new Float64Array(MINUTES_PER_DAY);

  constructor(
    readonly fleet: Fleet,
    readonly seed: number,
  ) {
    this.#machines = new Map(fleet.machines.map((machine) => [machine.assetId, machine]));
    this.#schedule = backupSchedule(fleet);
    this.#local = new LocalTime(fleet.definition.timezone);
  }

  /**
   * Fills one day of an asset.
   * @param day days since 1970-01-01, UTC
   * @param columns side by side with `minuteSeries(asset)`, 1440 values each: per cent, the unit of a metric of the asset's own, 100/50/0,
   *   or milliseconds
   */
  fillDay(asset: Machine | Service, day: number, columns: readonly DayColumn[]): void {
    if (asset.assetType === 'service') {
      this.#fillPolling(asset, this.#hostOf(asset), day, columns[0], columns[1]);
      return;
    }
    const loads = columns.length - POLLING_COLUMNS;
    if (columns.some((column, index) => column && index < loads)) {
      fillLoad(this.seed, asset, day, this.#local, columns);
    }
    this.#fillPolling(asset, asset, day, columns[loads], columns[loads + 1]);
  }

  /** The backups of a machine that start in a period of minutes since the epoch, half open, in their order. */
  backups(machine: Machine, from: number, to: number): Backup[] {
    return Array.from(
      backupsBetween(this.#schedule, this.#local, machine, from, to),
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
      fillServiceAvailability(this.seed, asset, day, this.#local, this.#hostStates, states);
    } else {
      fillMachineAvailability(this.seed, asset, day, states);
    }
    if (!responseTime) return;
    const random = stream(this.seed, asset.assetId, 'response_time_ms', day);
    fillResponseTimes(asset, host, day, this.#local, states, random, responseTime);
  }

  #hostOf(service: Service): Machine {
    const host = this.#machines.get(service.hostId);
    if (!host)
      throw new Error(`service ${service.assetId} runs on ${service.hostId}, which is not in the fleet`);
    return host;
  }
}
