/** How a run is found to be complete. */
import { type Db, type Document, ReadConcern } from 'mongodb';
import { explainFailure, withRetry } from '../connect/retry.js';
import { doubledSeries, seriesIn } from '../dataset/series.js';
import { recordId } from '../encode/document.js';
import { ExitStatus, SeedError } from '../errors.js';
import { countAssets } from '../fleet/build.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Machine, Service } from '../fleet/types.js';
import type { TargetFacts } from '../inspect/inspect.js';
import { tickOfMinute } from '../model/sampling.js';
import { MODEL_VERSION, type SeriesDefinition } from '../model/telemetry-model.js';
import type { PartState } from '../output/types.js';
import { instantOf, loadedAssets, type Plan } from '../plan/plan.js';
import { seriesOf } from '../runs/beside.js';
import { durably, type Lease } from '../runs/lease.js';
import { type RunDocument, runDocument } from '../runs/run-document.js';
import { ASSETS, METRICS } from '../store/collections.js';
import { ensureCollections, existingLayout } from '../store/schema.js';
import { countMeasurements, hasBuckets } from '../store/statistics.js';
import { schemaOf } from './collections.js';
import { type Life, lifeOf, unexpired } from './expiry.js';
import { type Begun, type HeldWork, type Job, mayHold, type Work } from './job.js';
import type { SessionResult } from './session.js';

// "Complete" is counted: what the server has taken is there at the end, whoever else deletes or
// lets expire in the meantime. Cheap where nothing is amiss: a collection knows how many documents
// it has, and buckets how many records. That number may be off, after a crash for one; only where
// it is too small are the dataset's own records counted, series by series.

/** The way out where records or assets of a run have been removed. */
const PUT_BACK = 'seed-database verify names them, seed-database verify --repair puts them back';

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

class StoredCount {
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
    await this.#confirmLayout();
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

  /** An insert into a collection that somebody has dropped makes an ordinary one. */
  async #confirmLayout(): Promise<void> {
    if (this.input.job.dataset.layout === 'flat') return;
    const layout = await existingLayout(this.#db);
    if (layout === 'timeseries') return;
    // Buckets without their collection are read by nobody.
    if (layout === undefined && !(await hasBuckets(this.#db))) return;
    throw new SeedError(
      ExitStatus.targetNotReady,
      `${METRICS} is no time-series collection any more: somebody dropped it`,
      'load again with --clean --yes',
    );
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

  /**
   * By asset and section, so that what somebody has added to one makes up for nothing in another.
   */
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
        for (const definition of seriesOf(asset, dataset)) {
          found[definition.section] += await this.#seriesCount(asset, definition, expected);
        }
        for (const [section, records] of Object.entries(planned.get(asset.assetId) ?? {})) {
          missing += Math.max(0, records - found[section]);
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
    return missing;
  }

  async #seriesCount(
    asset: Machine | Service,
    definition: SeriesDefinition,
    { window: { start, end } }: Plan,
  ): Promise<number> {
    const { dataset, fleet } = this.input.job;
    const { layout } = dataset;
    const metrics = this.#db.collection(METRICS);
    if (layout === 'flat') {
      const series = seriesIn(dataset, fleet, asset, definition);
      const ranges = [series, doubledSeries(series, dataset)].map((one) => {
        const [first, last] = [start, end].map((minute) => recordId(one, tickOfMinute(one.sampling, minute)));
        return { _id: { $gte: first, $lt: last } };
      });
      return metrics.countDocuments(asset.disturbances ? { $or: ranges } : ranges[0]);
    }
    const timestamp = { $gte: instantOf(start), $lt: instantOf(end) };
    const [assetId, metricName] = [asset.assetId, definition.metricName];
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

/** What the summary says besides a session's work. */
export interface Ending {
  readonly skipped: number;
  /** True where parts of the run are missing. */
  readonly others?: boolean;
  /** Of a shared run that has not been interrupted. */
  readonly parts?: readonly PartState[];
  /** Records in `metrics`, where they have been counted. */
  readonly stored?: number;
}

/** Counts what is there: to be started before the first record is written. */
export function countOf({ target, settings, expiry }: HeldWork, job: Job, start: Begun): StoredCount {
  return new StoredCount({
    db: target.db,
    job,
    life: expiry.life,
    mayHoldRecords: mayHold(start),
    extending: settings.load.extending !== undefined,
  });
}

/**
 * Counts a run that was found complete: its document says what was there once. Resolves with the
 * number of records in `metrics`.
 * @throws SeedError where records or assets are missing
 */
export async function confirmComplete(
  { target, store, retry }: Pick<Work, 'target' | 'store' | 'retry'>,
  job: Job,
  run: RunDocument,
  facts: TargetFacts,
): Promise<number | undefined> {
  // Of a version that makes other records nothing can be said.
  if (run.modelVersion !== MODEL_VERSION || run.fleetFingerprint !== fleetFingerprint(job.fleet))
    return undefined;
  const life = lifeOf(facts.collections[METRICS]);
  const count = new StoredCount({ db: target.db, job, life, mayHoldRecords: true, extending: false });
  const beside = recordsBeside(job, await store.documents());
  return withRetry(() => count.confirmComplete(beside), retry);
}

/** How many records there may be beside a job's own. */
function recordsBeside({ runId, plan, whole = plan }: Job, stored: readonly Document[]): number {
  let records = whole.records - plan.records;
  for (const document of stored) {
    const run = runDocument.safeParse(document).data;
    if (!run || run.beside?.includes(METRICS)) return Number.POSITIVE_INFINITY;
    if (run._id !== runId) records += run.planned.metrics + run.planned.polling + run.planned.backup;
  }
  return records;
}

/**
 * Counts what is there; then the last step of a run, taken by whoever completes it: of several
 * loaders, the one whose part is the last. It bears repetition, since after a crash in it whoever
 * comes next takes it again, and since two parts may end at once.
 * @throws SeedError where records are missing
 */
export async function finishRun(
  { parts, target, retry, ...work }: HeldWork,
  job: Job,
  lease: Lease,
  count: StoredCount,
  { inserted }: SessionResult,
): Promise<Omit<Ending, 'skipped'>> {
  const stored = await withRetry(() => count.confirm(inserted), retry).catch((error) => {
    throw explainFailure(error, (cause) => target.explain(cause));
  });
  if (!parts) return { stored };
  const isLast = await parts.complete(job.runId, lease.guard);
  if (isLast) {
    const schema = schemaOf(work, job);
    await durably(target.db, lease, () => ensureCollections(target.db, schema, work.warn, lease.guard));
    await parts.completeRun(job.runId, lease.guard);
  }
  const states = await parts.states(job.runId);
  // Another one may have been the last since.
  return { stored, others: !isLast && states.some(({ state }) => state !== 'complete'), parts: states };
}
