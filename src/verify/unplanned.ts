/**
 * What a comparison shard by shard cannot see: records outside all planned series and the window.
 */
import { isDeepStrictEqual } from 'node:util';
import { BSON, type Db, type Document, ObjectId } from 'mongodb';
import type { Dataset } from '../dataset/dataset.js';
import { eventDocuments } from '../dataset/generate.js';
import { type PlannedSeries, plannedSeries, seriesKey } from '../dataset/series.js';
import { assetDocument, recordId, seriesIdKey } from '../encode/document.js';
import type { Fleet } from '../fleet/types.js';
import { msOfTick, tickOfMinute, tickOfMs } from '../model/sampling.js';
import { instantOf } from '../plan/plan.js';
import { ASSETS, EVENTS, METRICS } from '../store/collections.js';
import { countMeasurements } from '../store/statistics.js';
import { timestampMs } from './comparison.js';
import { type Findings, noFindings, note } from './findings.js';
import type { OtherDataset, VerifyInput } from './verify.js';

/**
 * Records in a series below which counting all of them by their index is quicker than a query for
 * the gap beside it.
 */
const SHORT_SERIES = 500;

/** A dataset and its series. */
interface Planned {
  readonly dataset: Dataset;
  readonly series: ReadonlyMap<string, PlannedSeries>;
}

class Outside {
  readonly findings: Findings = noFindings();
  /** Records that other runs have planned. */
  ofOtherRuns = 0;
  readonly #planned: Planned;
  readonly #others: readonly Planned[];
  /**
   * All series of the others, by {@link seriesIdKey}; that of one seed in several windows is there
   * several times.
   */
  readonly #ofOthers = new Map<string, PlannedSeries[]>();

  constructor(dataset: Dataset, others: readonly OtherDataset[], fleet: Fleet) {
    this.#planned = { dataset, series: plannedSeries(dataset, fleet) };
    this.#others = others
      .filter((other) => other.dataset.layout === dataset.layout)
      .map((other) => ({ dataset: other.dataset, series: plannedSeries(other.dataset, other.fleet) }));
    for (const one of this.#others.flatMap(({ series }) => [...series.values()])) {
      const key = seriesIdKey(one.series.idPrefix);
      const alike = this.#ofOthers.get(key);
      if (alike) alike.push(one);
      else this.#ofOthers.set(key, [one]);
    }
  }

  get seriesCount(): number {
    return this.#planned.series.size;
  }

  /**
   * Reads the ranges of `_id` between those that were compared. Where nothing is, that costs
   * nothing; counting the collection instead would read all of it, and its fast count is wrong
   * after a crash.
   */
  async readGaps(db: Db): Promise<void> {
    const { dataset, series } = this.#planned;
    const { start, end } = dataset.window;
    const compared = [...series.values()]
      .map(({ series: one }) => ({
        from: recordId(one, tickOfMinute(one.sampling, start)),
        to: recordId(one, tickOfMinute(one.sampling, end)),
      }))
      .sort((a, b) => Buffer.compare(a.from.id, b.from.id));
    let from: ObjectId | undefined;
    for (const range of [...compared, { from: undefined, to: undefined }]) {
      await readGap(db, from, range.from, (document) => this.#noteDocument(document));
      from = range.to;
    }
  }

  #noteDocument(document: Document): void {
    const [assetId, metricName] = [String(document.asset_id), String(document.metric_name)];
    const ms = timestampMs(document);
    if (this.#isOfOthers(document, ms)) {
      this.ofOtherRuns++;
      return;
    }
    // A second document of a planned record, under another `_id`.
    const one = this.#planned.series.get(seriesKey(assetId, metricName));
    const doubled = one !== undefined && one.series.section !== 'backup' && isSampled(one, ms);
    const found = typeof document.value === 'number' ? document.value : undefined;
    this.findings.found++;
    note(this.findings, { defect: doubled ? 'doubled' : 'foreign', assetId, metricName, ms, found });
  }

  #isOfOthers({ _id, asset_id, metric_name }: Document, ms: number): boolean {
    if (!(_id instanceof ObjectId)) return false;
    const alike = this.#ofOthers.get(seriesIdKey(_id.id));
    const one = alike?.find((series) => isSampled(series, ms));
    if (!one) return false;
    const { assetId, metricName, sampling } = one.series;
    const isNamed = assetId === asset_id && metricName === metric_name;
    return isNamed && recordId(one.series, tickOfMs(sampling, ms)).equals(_id);
  }

  /**
   * Groups all measurements of a time-series collection, by series and by the stretches of time
   * between the bounds of all windows: the same datasets cover all of a stretch.
   */
  async groupMeasurements(db: Db): Promise<void> {
    const all = [this.#planned, ...this.#others];
    const bounds = [...new Set(all.flatMap(({ dataset: { window } }) => [window.start, window.end]))];
    bounds.sort((a, b) => a - b);
    const branches = bounds.map((bound, i) => ({
      case: { $lt: ['$timestamp', instantOf(bound)] },
      // biome-ignore lint/suspicious/noThenProperty: the name that the aggregation language has for it
      then: i - 1,
    }));
    const id = {
      asset: '$meta.asset_id',
      metric: '$meta.metric_name',
      stretch: { $switch: { branches, default: -1 } },
    };
    const groups = await db
      .collection(METRICS)
      .aggregate<Group>([{ $group: { _id: id, count: { $sum: 1 }, first: { $min: '$timestamp' } } }], {
        allowDiskUse: true,
      })
      .toArray();
    for (const { _id, count, first } of groups) {
      const [assetId, metricName] = [String(_id.asset), String(_id.metric)];
      const key = seriesKey(assetId, metricName);
      const start = bounds[_id.stretch];
      const covers = ({ dataset: { window }, series }: Planned) =>
        start !== undefined && start >= window.start && start < window.end && series.has(key);
      // What lies in the planned window of a planned series has been compared.
      if (covers(this.#planned)) continue;
      if (this.#others.some(covers)) {
        this.ofOtherRuns += count;
        continue;
      }
      this.findings.found += count;
      const ms = timestampMs({ timestamp: first });
      note(this.findings, { defect: 'foreign', assetId, metricName, ms }, count);
    }
  }
}

interface Group {
  /** `stretch`: the position of the bound that it begins with; -1 before and after all windows. */
  readonly _id: { readonly asset: unknown; readonly metric: unknown; readonly stretch: number };
  readonly count: number;
  readonly first: Date;
}

/**
 * Finds what `metrics` holds besides the planned series in their window, where `compared` records
 * were found.
 */
export async function compareOutside(
  db: Db,
  { dataset, others, fleet }: VerifyInput,
  compared: number,
): Promise<Outside> {
  const outside = new Outside(dataset, others, fleet);
  // Worth it only where there is more than was compared; of long series the gaps are read sooner
  // than all is counted.
  const { layout } = dataset;
  const countFirst = layout === 'timeseries' || compared / outside.seriesCount < SHORT_SERIES;
  if (countFirst && (await countMeasurements(db, layout)) === compared) return outside;
  if (layout === 'flat') await outside.readGaps(db);
  else await outside.groupMeasurements(db);
  return outside;
}

/** Whether a series has a sample at an instant. */
function isSampled({ series: { sampling }, spans }: PlannedSeries, ms: number): boolean {
  const tick = tickOfMs(sampling, ms);
  if (tick % sampling.step !== 0 || msOfTick(sampling, tick) !== ms) return false;
  return spans.some(
    ({ start, end }) => tick >= tickOfMinute(sampling, start) && tick < tickOfMinute(sampling, end),
  );
}

/**
 * All documents from one `_id` on to before another; bounds of an index, so that `_id`s of every
 * type are among them.
 */
async function readGap(
  db: Db,
  from: ObjectId | undefined,
  to: ObjectId | undefined,
  use: (document: Document) => void,
): Promise<void> {
  const options = { projection: { asset_id: 1, metric_name: 1, timestamp: 1, value: 1 }, batchSize: 10_000 };
  let cursor = db.collection(METRICS).find({}, options);
  if (from ?? to) cursor = cursor.hint({ _id: 1 });
  if (from) cursor = cursor.min({ _id: from });
  if (to) cursor = cursor.max({ _id: to });
  for await (const document of cursor) use(document);
}

// The `assets` collection beside the fleet.

/** Ids of defective assets. */
export interface AssetFindings {
  readonly expected: number;
  readonly found: number;
  readonly missing: string[];
  readonly different: string[];
  readonly foreign: string[];
}

/** The collection of events beside those of all runs that have written them. */
export async function compareEvents(db: Db, { fleet, dataset, others }: VerifyInput): Promise<AssetFindings> {
  const found: AssetFindings = { expected: 0, found: 0, missing: [], different: [], foreign: [] };
  const planned = new Map<string, Document>();
  for (const document of eventDocuments(fleet, dataset)) planned.set(String(document._id), document);
  const ofOthers = new Set<string>();
  for (const other of others.filter(({ events }) => events)) {
    for (const { _id } of eventDocuments(other.fleet, other.dataset)) ofOthers.add(String(_id));
  }
  const stored = db.collection(EVENTS).find({});
  const seen = new Set<string>();
  for await (const document of stored) {
    const id = String(document._id);
    const expected = planned.get(id);
    if (!expected && ofOthers.has(id)) continue;
    seen.add(id);
    if (!expected) found.foreign.push(id);
    else if (!isDeepStrictEqual(document, expected)) found.different.push(id);
  }
  found.missing.push(...[...planned.keys()].filter((id) => !seen.has(id)));
  return { ...found, expected: planned.size, found: seen.size };
}

/**
 * Compares the collection document by document. The run that wrote it last has left its window's
 * end in it.
 */
export async function compareAssets(db: Db, { fleet, dataset, others }: VerifyInput): Promise<AssetFindings> {
  const documents = await db.collection<{ _id: string }>(ASSETS).find({}, { promoteValues: false }).toArray();
  const stored = new Map(documents.map((document) => [String(document._id), BSON.serialize(document)]));
  const assets = [...fleet.machines, ...fleet.services, ...fleet.jobs];
  const found: AssetFindings = {
    expected: assets.length,
    found: stored.size,
    missing: [],
    different: [],
    foreign: [],
  };
  const ends = [dataset, ...others.map((other) => other.dataset)].map(({ window }) => instantOf(window.end));
  for (const asset of assets) {
    const document = stored.get(asset.assetId);
    stored.delete(asset.assetId);
    if (document === undefined) {
      found.missing.push(asset.assetId);
      continue;
    }
    const isExpected = ends.some(
      (end) => Buffer.compare(document, BSON.serialize(assetDocument(asset, end))) === 0,
    );
    if (!isExpected) found.different.push(asset.assetId);
  }
  for (const other of others) {
    for (const asset of [...other.fleet.machines, ...other.fleet.services, ...other.fleet.jobs]) {
      stored.delete(asset.assetId);
    }
  }
  found.foreign.push(...stored.keys());
  return found;
}
