/** Readings of the model: what a load would put into a database, without one. */
import type { Dataset } from '../dataset/dataset.js';
import { batchesAsRead } from '../dataset/generate.js';
import { SeriesMemory } from '../dataset/series.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { DEGRADED, TIMEOUT_MS, UP } from '../model/polling.js';
import {
  MODEL_VERSION,
  pollMinutesOf,
  type SeriesDefinition,
  sampledSeries,
  TelemetryModel,
} from '../model/telemetry-model.js';
import { loadedAssets, MINUTES_PER_DAY, type Window } from '../plan/plan.js';
import { RESPONSE_TIME } from './picture.js';
import {
  type AvailabilityReadings,
  Buckets,
  bucketMinutes,
  type DatasetReadings,
  IncidentLog,
  isDefaultFleet,
  type MachineReadings,
  type MetricReadings,
  MOST_MACHINES,
} from './readings.js';

const MS_PER_MINUTE = 60_000;

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
  for (const day of daysOf(window)) {
    const from = Math.max(window.start, day * MINUTES_PER_DAY);
    const to = Math.min(window.end, (day + 1) * MINUTES_PER_DAY);
    for (const batch of batchesAsRead(model, dataset, assetIndex, { from, to }, memory)) {
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
