/**
 * What dashboards ask, each with its right answer. A query is drawn by chance, as a command and as
 * what the reply has to be.
 */
import type { Document } from 'mongodb';
import type { Machine } from '../fleet/types.js';
import type { Random } from '../model/patterns.js';
import { instantOf, MINUTES_PER_DAY } from '../plan/plan.js';
import { ASSETS, METRICS } from '../store/collections.js';
import type { Answer, SampledSeries, Truth } from './truth.js';

export const QUERY_NAMES = [
  'latest',
  'hour',
  'week',
  'hourly',
  'fleet',
  'availability',
  'backups',
  'services',
  'worst',
] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

/** How often each is asked, as shares of their sum: a wall of dashboards, mostly fresh values. */
export const DEFAULT_MIX: Readonly<Record<QueryName, number>> = {
  latest: 30,
  hour: 25,
  week: 3,
  hourly: 10,
  fleet: 2,
  availability: 5,
  backups: 5,
  services: 15,
  worst: 5,
};

/** One question. */
export interface Question {
  readonly command: Document;
  /** The right answer: plain values, in the order that the question asks for. */
  readonly expected: () => readonly Answer[];
  /** The same of a document of the reply. */
  readonly read: (document: Document) => Answer;
}

const HOUR = 60;
const QUARTER = 15;
const HOUR_MS = 3_600_000;
const WORST = 10;
const BACKUP_DAYS = 7;
/** A week of minutes in one reply. */
const ONE_REPLY = 20_000;
const P95 = 0.95;

/** Draws questions about one dataset. */
export class Questions {
  readonly #field: (name: string) => string;
  readonly #machines: readonly Machine[];
  readonly #drawn: Readonly<Record<QueryName, (random: Random) => Question>> = {
    latest: (random) => this.#latest(random),
    hour: (random) => this.#range(HOUR, random),
    week: (random) => this.#range(7 * MINUTES_PER_DAY, random),
    hourly: (random) => this.#hourly(random),
    fleet: (random) => this.#fleet(random),
    availability: (random) => this.#availability(random),
    backups: (random) => this.#backups(random),
    services: (random) => this.#services(random),
    worst: (random) => this.#worst(random),
  };

  constructor(readonly truth: Truth) {
    this.#field = (name) => (truth.dataset.layout === 'flat' ? name : `meta.${name}`);
    this.#machines = truth.fleet.machines;
  }

  /** Those that this dataset has records for. */
  get possible(): readonly QueryName[] {
    const { dataset, series } = this.truth;
    const has = (metricName: string) => series.some((one) => one.metricName === metricName);
    return QUERY_NAMES.filter((name) => {
      if (name === 'services') return this.#machines.length > 0;
      if (name === 'backups') return dataset.sections.includes('backup') && this.#machines.length > 0;
      if (name === 'availability') return has('availability_status');
      if (name === 'worst') return has('response_time_ms');
      return series.length > 0;
    });
  }

  draw(name: QueryName, random: Random): Question {
    return this.#drawn[name](random);
  }

  /** The newest value of each metric of an asset, of the quarter of an hour before an instant. */
  #latest(random: Random): Question {
    const { asset } = pick(this.truth.series, random);
    const own = this.truth.series.filter((one) => one.asset === asset);
    const [from, to] = this.#span(QUARTER, random);
    const metric = this.#field('metric_name');
    return {
      command: aggregate([
        { $match: { ...this.#match(asset.assetId, own), ...between(from, to) } },
        { $sort: { timestamp: 1 } },
        { $group: { _id: `$${metric}`, timestamp: { $last: '$timestamp' }, value: { $last: '$value' } } },
        { $sort: { _id: 1 } },
      ]),
      expected: () =>
        own
          .flatMap((one): Answer[] => {
            const { times, values } = this.truth.samples(one, from, to);
            const last = times.length - 1;
            return last < 0 ? [] : [[one.metricName, times[last], values[last]]];
          })
          .sort(byFirst),
      read: ({ _id, timestamp, value }) => [_id, Number(timestamp), value],
    };
  }

  /** Every record of a series, in the order of time. */
  #range(minutes: number, random: Random): Question {
    const one = pick(this.truth.series, random);
    const [from, to] = this.#span(minutes, random);
    return {
      command: {
        find: METRICS,
        filter: { ...this.#match(one.asset.assetId, [one]), ...between(from, to) },
        projection: { _id: 0, timestamp: 1, value: 1 },
        sort: { timestamp: 1 },
        batchSize: ONE_REPLY,
      },
      expected: () => {
        const { times, values } = this.truth.samples(one, from, to);
        return times.map((ms, i): Answer => [ms, values[i]]);
      },
      read: ({ timestamp, value }) => [Number(timestamp), value],
    };
  }

  /** The mean by hour over a day of one series. */
  #hourly(random: Random): Question {
    const one = pick(this.truth.series, random);
    return this.#byHour([one], this.#match(one.asset.assetId, [one]), random);
  }

  /** The mean by hour over a day of one metric over all assets that have it. */
  #fleet(random: Random): Question {
    const { metricName } = pick(this.truth.series, random);
    const all = this.truth.series.filter((one) => one.metricName === metricName);
    return this.#byHour(all, this.#matchAll(all), random);
  }

  #byHour(all: readonly SampledSeries[], match: Document, random: Random): Question {
    const [from, to] = this.#span(MINUTES_PER_DAY, random);
    const ms = { $toLong: '$timestamp' };
    return {
      command: aggregate([
        { $match: { ...match, ...between(from, to) } },
        { $group: { _id: { $subtract: [ms, { $mod: [ms, HOUR_MS] }] }, mean: { $avg: '$value' } } },
        { $sort: { _id: 1 } },
      ]),
      expected: () => this.#meansByHour(all, from, to),
      read: ({ _id, mean }) => [Number(_id), mean],
    };
  }

  #meansByHour(all: readonly SampledSeries[], from: number, to: number): Answer[] {
    const sums = new Map<number, { sum: number; count: number }>();
    for (const one of all) {
      const { times, values } = this.truth.samples(one, from, to);
      for (const [i, value] of values.entries()) {
        const hour = times[i] - (times[i] % HOUR_MS);
        const known = sums.get(hour) ?? { sum: 0, count: 0 };
        known.sum += value;
        known.count++;
        sums.set(hour, known);
      }
    }
    return [...sums].map(([hour, { sum, count }]): Answer => [hour, sum / count]).sort(byFirst);
  }

  /** The mean availability of an asset over a month. */
  #availability(random: Random): Question {
    const one = pick(
      this.truth.series.filter(({ metricName }) => metricName === 'availability_status'),
      random,
    );
    const [from, to] = this.#span(30 * MINUTES_PER_DAY, random);
    return {
      command: aggregate([
        { $match: { ...this.#match(one.asset.assetId, [one]), ...between(from, to) } },
        { $group: { _id: null, mean: { $avg: '$value' }, records: { $sum: 1 } } },
      ]),
      expected: () => {
        const { values } = this.truth.samples(one, from, to);
        if (values.length === 0) return [];
        return [[values.reduce((sum, value) => sum + value, 0) / values.length, values.length]];
      },
      read: ({ mean, records }) => [mean, records],
    };
  }

  /** The last good backup of each machine in the week before an instant. */
  #backups(random: Random): Question {
    const [from, to] = this.#span(BACKUP_DAYS * MINUTES_PER_DAY, random);
    const asset = this.#field('asset_id');
    return {
      command: aggregate([
        {
          $match: {
            [asset]: { $in: this.#machines.map(({ assetId }) => assetId) },
            [this.#field('metric_name')]: 'backup_status',
            ...between(from, to),
            value: 1,
          },
        },
        { $group: { _id: `$${asset}`, last: { $max: '$timestamp' } } },
        { $sort: { _id: 1 } },
      ]),
      expected: () =>
        this.#machines
          .flatMap((machine): Answer[] => {
            const minute = this.truth.lastGoodBackup(machine, from, to);
            return minute === undefined ? [] : [[machine.assetId, msOf(minute)]];
          })
          .sort(byFirst),
      read: ({ _id, last }) => [_id, Number(last)],
    };
  }

  /** The services of a machine. */
  #services(random: Random): Question {
    const host = pick(this.#machines, random);
    return {
      command: {
        find: ASSETS,
        filter: { 'data.parent_asset_id': host.assetId, asset_type: 'service' },
        projection: { asset_id: 1 },
        sort: { asset_id: 1 },
      },
      expected: () =>
        this.truth.fleet.services
          .filter(({ hostId }) => hostId === host.assetId)
          .map(({ assetId }): Answer => [assetId])
          .sort(byFirst),
      read: ({ asset_id }) => [asset_id],
    };
  }

  /** The ten assets whose response time is worst, by p95 (nearest rank) over an hour. */
  #worst(random: Random): Question {
    const all = this.truth.series.filter(({ metricName }) => metricName === 'response_time_ms');
    const [from, to] = this.#span(HOUR, random);
    const rank = { $ceil: { $multiply: [P95, { $size: '$values' }] } };
    return {
      command: aggregate([
        { $match: { ...this.#matchAll(all), ...between(from, to) } },
        { $sort: { value: 1 } },
        { $group: { _id: `$${this.#field('asset_id')}`, values: { $push: '$value' } } },
        { $project: { p95: { $arrayElemAt: ['$values', { $toInt: { $subtract: [rank, 1] } }] } } },
        { $sort: { p95: -1, _id: 1 } },
        { $limit: WORST },
      ]),
      expected: () =>
        all
          .flatMap((one): [string, number][] => {
            const sorted = this.truth.samples(one, from, to).values.sort();
            return sorted.length === 0
              ? []
              : [[one.asset.assetId, sorted[Math.ceil(P95 * sorted.length) - 1]]];
          })
          .sort(([a, p], [b, q]) => q - p || (a < b ? -1 : 1))
          .slice(0, WORST),
      read: ({ _id, p95 }) => [_id, p95],
    };
  }

  /** A span of so many minutes, or of all that there are, somewhere in the dataset. */
  #span(minutes: number, random: Random): [from: number, to: number] {
    const { start, end } = this.truth.dataset.window;
    const length = Math.min(minutes, end - start);
    const from = start + Math.floor(random() * (end - start - length + 1));
    return [from, from + length];
  }

  #match(assetId: string, series: readonly SampledSeries[]): Document {
    const names = series.map(({ metricName }) => metricName);
    return {
      [this.#field('asset_id')]: assetId,
      [this.#field('metric_name')]: names.length === 1 ? names[0] : { $in: names },
    };
  }

  #matchAll(series: readonly SampledSeries[]): Document {
    return {
      [this.#field('asset_id')]: { $in: series.map(({ asset }) => asset.assetId) },
      [this.#field('metric_name')]: series[0].metricName,
    };
  }
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)];
}

function aggregate(pipeline: Document[]): Document {
  return { aggregate: METRICS, pipeline, cursor: { batchSize: ONE_REPLY } };
}

function between(from: number, to: number): Document {
  return { timestamp: { $gte: instantOf(from), $lt: instantOf(to) } };
}

function msOf(minute: number): number {
  return instantOf(minute).getTime();
}

function byFirst([a]: Answer, [b]: Answer): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
