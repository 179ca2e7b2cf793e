/**
 * "Complete" is counted: what the server has taken is there at the end, whoever else deletes or lets expire in the meantime. Cheap where
 * nothing is amiss: a collection knows how many documents it has, and buckets how many records. That number may be off, after a crash
 * for one; only where it is too small are the dataset's own records counted, series by series.
 */
import { type Db, ReadConcern } from 'mongodb';
import { recordId, seriesIdPrefix } from '../encode/index.js';
import { ExitStatus, SeedError } from '../errors.js';
import { instantOf, loadedAssets, type Plan } from '../plan/index.js';
import { ASSETS, METRICS } from '../store/names.js';
import { countMeasurements } from '../store/statistics.js';
import { seriesOf } from './beside.js';
import { type Life, unexpired } from './expiry.js';
import type { Job } from './job.js';
import { countAssets } from './summary.js';

/** The way out where records or assets of a run have been removed. */
export const PUT_BACK = 'seed-database verify names them, seed-database verify --repair puts them back';

/** Counts under way side by side. */
const SIDE_BY_SIDE = 8;
const IDS_AT_ONCE = 1_000;

export interface CountInput {
  readonly db: Db;
  readonly job: Job;
  readonly life: Life | undefined;
  /** True where the collection may have held records before. */
  readonly mayHoldRecords: boolean;
  /** True for a few minutes more of a run: then those are counted, not all that is there. */
  readonly extending: boolean;
}

export class StoredCount {
  readonly #db: Db;
  #before: number | undefined;
  /** Of a run that was complete before this load. */
  #completeBefore = false;

  constructor(readonly input: CountInput) {
    const { client, databaseName } = input.db;
    this.#db = client.db(databaseName, { readPreference: 'primary', readConcern: new ReadConcern('local') });
  }

  /** Remembers how many records there are, before the first of these is written. */
  async start(): Promise<void> {
    const { mayHoldRecords } = this.input;
    if (!mayHoldRecords) this.#before = 0;
    else if (!this.#countsWindow) this.#before = await this.#collectionCount();
  }

  /**
   * The same as {@link confirm} for a run that was complete before.
   * @param beside records that others may have put there; infinite where nobody knows
   */
  async confirmComplete(beside: number): Promise<number | undefined> {
    this.#completeBefore = true;
    this.#before = this.input.job.plan.records + beside;
    return this.confirm(0);
  }

  /**
   * How many records `metrics` holds now, where that is known.
   * @param inserted records of this session that were not there before
   * @throws SeedError where records of the plan are missing
   */
  async confirm(inserted: number): Promise<number | undefined> {
    const { job, life } = this.input;
    await this.#confirmAssets();
    const total = this.#countsWindow ? undefined : await this.#collectionCount();
    if (total !== undefined && total >= Math.max(job.plan.records, (this.#before ?? 0) + inserted))
      return total;
    // What is expected now: records expire while others are loaded.
    const expected = unexpired(job, life, new Date());
    if (expected.records === 0) return total;
    const isTimeSeries = job.dataset.layout === 'timeseries';
    if (
      isTimeSeries &&
      // Others' records in the window would make up for those of a run that is looked at later.
      !this.#completeBefore &&
      (life || this.#countsWindow) &&
      (await this.#windowCount(expected)) >= expected.records
    ) {
      return total;
    }
    const missing = await this.#missing(expected);
    if (missing > 0) throw this.#vanished(missing, job.plan.records, 'records');
    return total;
  }

  get #countsWindow(): boolean {
    return this.input.extending && this.input.job.dataset.layout === 'timeseries';
  }

  async #collectionCount(): Promise<number> {
    if (this.input.job.dataset.layout === 'timeseries') return countMeasurements(this.#db, 'timeseries');
    return this.#db.collection(METRICS).estimatedDocumentCount();
  }

  async #windowCount({ window }: Plan): Promise<number> {
    const timestamp = { $gte: instantOf(window.start), $lt: instantOf(window.end) };
    return this.#db.collection(METRICS).countDocuments({ timestamp });
  }

  /** By asset and section, so that what somebody has added to one makes up for nothing in another. */
  async #missing(expected: Plan): Promise<number> {
    const { fleet, dataset } = this.input.job;
    const planned = new Map<string, Record<string, number>>();
    for (const { assetId, counts } of expected.shards) {
      const known = planned.get(assetId) ?? { metrics: 0, polling: 0, backup: 0 };
      for (const section of dataset.sections) known[section] += counts[section];
      planned.set(assetId, known);
    }
    const waiting = loadedAssets(fleet).filter(({ assetId }) => planned.has(assetId));
    let missing = 0;
    const work = async () => {
      for (let asset = waiting.pop(); asset; asset = waiting.pop()) {
        const found: Record<string, number> = { metrics: 0, polling: 0, backup: 0 };
        for (const { metricName, section } of seriesOf(asset, dataset)) {
          found[section] += await this.#seriesCount(asset.assetId, metricName, expected);
        }
        for (const [section, records] of Object.entries(planned.get(asset.assetId) ?? {})) {
          missing += Math.max(0, records - found[section]);
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    return missing;
  }

  async #seriesCount(assetId: string, metricName: string, { window: { start, end } }: Plan): Promise<number> {
    const { layout, seed } = this.input.job.dataset;
    const metrics = this.#db.collection(METRICS);
    if (layout === 'flat') {
      const series = { idPrefix: seriesIdPrefix(seed, assetId, metricName) };
      return metrics.countDocuments({ _id: { $gte: recordId(series, start), $lt: recordId(series, end) } });
    }
    const timestamp = { $gte: instantOf(start), $lt: instantOf(end) };
    return metrics.countDocuments({ 'meta.asset_id': assetId, 'meta.metric_name': metricName, timestamp });
  }

  async #confirmAssets(): Promise<void> {
    const { fleet } = this.input.job;
    const { total } = countAssets(fleet);
    const assets = this.#db.collection<{ _id: string }>(ASSETS);
    if ((await assets.estimatedDocumentCount()) >= total) return;
    const ids = [...fleet.machines, ...fleet.services, ...fleet.jobs].map(({ assetId }) => assetId);
    let found = 0;
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
      found += await assets.countDocuments({ _id: { $in: ids.slice(at, at + IDS_AT_ONCE) } });
    }
    if (found < total) throw this.#vanished(total - found, total, 'assets');
  }

  #vanished(missing: number, of: number, what: 'records' | 'assets'): SeedError {
    const [lost, all] = [missing, of].map((value) => value.toLocaleString('en'));
    const which = this.#completeBefore
      ? `of run ${this.input.job.runId} are not there any more: something else has removed them`
      : 'that the server has taken are not there any more: something else removes them';
    return new SeedError(ExitStatus.failure, `${lost} of ${all} ${what} ${which}`, PUT_BACK);
  }
}
