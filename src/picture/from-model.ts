/** Readings of the model: what a load would put into a database, without one. */
import type { Dataset } from '../dataset/dataset.js';
import { SeriesMemory, ShardSource } from '../dataset/source.js';
import { BatchBuffer } from '../encode/document.js';
import { DEFAULT_FILE } from '../fleet/default.js';
import type { Fleet, Machine, PatternName, Service } from '../fleet/types.js';
import { DEGRADED, UP } from '../model/availability.js';
import { TIMEOUT_MS } from '../model/response-time.js';
import {
  MODEL_VERSION,
  type SeriesDefinition,
  sampledSeries,
  TelemetryModel,
} from '../model/telemetry-model.js';
import { loadedAssets, MINUTES_PER_DAY, type Window } from '../plan/plan.js';
import { DEFAULT_INTERVAL, intervalSeconds } from '../time.js';
import { Buckets, bucketMinutes } from './buckets.js';
import { type IncidentPicture, type PictureSource, RESPONSE_TIME } from './picture.js';

const SECONDS_PER_MINUTE = 60;
const MS_PER_MINUTE = 60_000;
const BATCH_RECORDS = 100_000;
const NONE = { metrics: 0, polling: 0, backup: 0 };

// What a picture is made from: the same of the model and of a database.

/** Machines that are drawn; of more of them nobody would see anything. */
export const MOST_MACHINES = 40;

export interface DatasetReadings {
  readonly source: PictureSource;
  /** Minutes since 1970-01-01 UTC, half open. */
  readonly window: { readonly start: number; readonly end: number };
  /** IANA name of the fleet's time zone; UTC where the fleet is not known. */
  readonly zone: string;
  /** Only of the default fleet is it known what its figures should be. */
  readonly isDefaultFleet: boolean;
  /** Of the whole dataset, drawn or not. */
  readonly counts: { readonly machines: number; readonly services: number };
  readonly machines: readonly MachineReadings[];
  readonly services: readonly ServiceReadings[];
}

export interface MachineReadings {
  readonly assetId: string;
  readonly name: string;
  readonly assetType: string;
  readonly pattern: PatternName | undefined;
  readonly metrics: readonly MetricReadings[];
  readonly availability: AvailabilityReadings | undefined;
  /** Oldest first; undefined where the dataset has none. */
  readonly backups: readonly { readonly at: number; readonly success: boolean }[] | undefined;
}

/** Whatever its time zone, and however many sites have it. */
export function isDefaultFleet({ definition }: Fleet): boolean {
  return definition.file === DEFAULT_FILE;
}

export interface ServiceReadings {
  readonly assetId: string;
  readonly name: string;
  readonly hostId: string;
  readonly availability: AvailabilityReadings | undefined;
}

export interface MetricReadings {
  readonly metricName: string;
  readonly unit: string;
  readonly buckets: Buckets;
}

export interface AvailabilityReadings {
  /** Minutes in each state. */
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  readonly incidents: readonly IncidentPicture[];
  /** Response times of the polls that were answered; undefined where there are none. */
  readonly response: MetricReadings | undefined;
  /** Polls that were not answered until the poller gave up. */
  readonly timedOut: number;
}

/** Gathers polls that are not "up", told oldest first, to incidents. */
export class IncidentLog {
  readonly incidents: { from: number; to: number; state: IncidentPicture['state'] }[] = [];

  /** @param pollMinutes from one poll to the next: so long a state lasts */
  constructor(readonly pollMinutes: number) {}

  add(minute: number, state: IncidentPicture['state']): void {
    const last = this.incidents[this.incidents.length - 1];
    const end = minute + this.pollMinutes;
    // What was cut to whole minutes may begin before the last one ends.
    if (last && last.state === state && minute <= last.to) last.to = Math.max(last.to, end);
    else this.incidents.push({ from: minute, to: end, state });
  }
}

/** From one poll of an asset to the next. */
export function pollMinutesOf(asset: Machine | Service): number {
  return intervalSeconds(asset.interval ?? DEFAULT_INTERVAL) / SECONDS_PER_MINUTE;
}

/**
 * Reads the dataset that a seed, a fleet and a window make. Of a large fleet the first machines and
 * their services.
 */
export function readModel(fleet: Fleet, seed: number, window: Window): DatasetReadings {
  const model = new TelemetryModel(fleet, seed);
  const machines = fleet.machines.slice(0, MOST_MACHINES);
  const drawn = new Set(machines.map(({ assetId }) => assetId));
  return {
    source: { kind: 'model', seed, modelVersion: MODEL_VERSION },
    window,
    zone: fleet.definition.timezone,
    isDefaultFleet: isDefaultFleet(fleet),
    counts: { machines: fleet.machines.length, services: fleet.services.length },
    machines: machines.map((machine) => readMachine(model, machine, window)),
    services: fleet.services
      .filter(({ hostId }) => drawn.has(hostId))
      .map((service) => ({
        assetId: service.assetId,
        name: service.serviceName,
        hostId: service.hostId,
        availability: readMinutes(model, service, window).availability,
      })),
  };
}

function readMachine(model: TelemetryModel, machine: Machine, window: Window): MachineReadings {
  const { assetId, hostname, assetType, pattern } = machine;
  const backups = model
    .backups(machine, window.start, window.end)
    .map(({ minute, success }) => ({ at: minute, success }));
  return {
    assetId,
    name: hostname,
    assetType,
    pattern,
    ...readMinutes(model, machine, window),
    backups,
  };
}

/** All series of an asset that have a value a minute. */
function readMinutes(
  model: TelemetryModel,
  asset: Machine | Service,
  window: Window,
): { readonly metrics: MetricReadings[]; readonly availability: AvailabilityReadings } {
  const step = bucketMinutes(window.start, window.end);
  const memory = new SeriesMemory();
  const availability = new AvailabilityTally(
    pollMinutesOf(asset),
    new Buckets(window.start, window.end, step),
  );
  const metrics: MetricReadings[] = [];
  const takers = new Map<string, (minute: number, value: number) => void>();
  for (const series of sampledSeries(asset)) {
    if (series.section !== 'metrics') {
      takers.set(series.metricName, availability.taker(series));
      continue;
    }
    const buckets = new Buckets(window.start, window.end, step);
    metrics.push({ metricName: series.metricName, unit: series.unit, buckets });
    takers.set(series.metricName, (minute, value) => buckets.add(minute, value));
  }
  const dataset: Dataset = {
    seed: model.seed,
    window,
    sections: ['metrics', 'polling'],
    layout: 'timeseries',
    availabilityScale: 'percent',
    environment: '',
    modelVersion: MODEL_VERSION,
  };
  const assetIndex = loadedAssets(model.fleet).indexOf(asset);
  const buffer = new BatchBuffer(0);
  for (const day of daysOf(window)) {
    const from = Math.max(window.start, day * MINUTES_PER_DAY);
    const to = Math.min(window.end, (day + 1) * MINUTES_PER_DAY);
    const shard = { id: '', assetIndex, assetId: asset.assetId, from, to, counts: NONE, records: 0 };
    const source = new ShardSource(model, dataset, shard, BATCH_RECORDS, memory, { mergesDoubled: true });
    for (const batch of source.batches(buffer)) {
      const take = takers.get(batch.series.metricName);
      for (const [i, value] of batch.values.entries()) take?.(batch.msAt(i) / MS_PER_MINUTE, value);
    }
  }
  return { metrics, availability: availability.readings() };
}

/** Counts states, gathers incidents, and sums up response times. */
class AvailabilityTally {
  readonly #log: IncidentLog;
  #up = 0;
  #degraded = 0;
  #down = 0;
  #timedOut = 0;
  readonly #answered: Buckets;

  /** @param answered takes the response times of polls that were answered */
  constructor(
    readonly pollMinutes: number,
    answered: Buckets,
  ) {
    this.#log = new IncidentLog(pollMinutes);
    this.#answered = answered;
  }

  /** What takes the values of a polling series, minute by minute. */
  taker({ metricName }: SeriesDefinition): (minute: number, value: number) => void {
    if (metricName === 'availability_status') return (minute, value) => this.#state(minute, value);
    return (minute, value) => {
      if (value >= TIMEOUT_MS) this.#timedOut++;
      else this.#answered.add(minute, value);
    };
  }

  readings(): AvailabilityReadings {
    return {
      up: this.#up,
      degraded: this.#degraded,
      down: this.#down,
      incidents: this.#log.incidents,
      response: { metricName: RESPONSE_TIME, unit: 'milliseconds', buckets: this.#answered },
      timedOut: this.#timedOut,
    };
  }

  #state(minute: number, value: number): void {
    if (value === UP) {
      this.#up += this.pollMinutes;
      return;
    }
    if (value === DEGRADED) this.#degraded += this.pollMinutes;
    else this.#down += this.pollMinutes;
    this.#log.add(minute, value === DEGRADED ? 'degraded' : 'down');
  }
}

function* daysOf({ start, end }: Window): Generator<number> {
  for (let day = Math.floor(start / MINUTES_PER_DAY); day * MINUTES_PER_DAY < end; day++) yield day;
}
