/**
 * What a database holds that is in the way of a dataset, and that no stored run has put there. Reads
 * only.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Db, Document } from 'mongodb';
import { plannedSeries, seriesKey } from '../dataset/series.js';
import { ShardSource } from '../dataset/source.js';
import {
  assetDocument,
  BatchBuffer,
  recordId,
  SERIES_ID_BYTES,
  type Series,
  seriesIdKey,
} from '../encode/document.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { tickOfMinute } from '../model/sampling.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { instantOf, loadedAssets, type Window } from '../plan/plan.js';
import { type Candidate, periodOf, seriesOf } from '../runs/beside.js';
import { fleetOf, type RunDocument } from '../runs/run-document.js';
import { ASSETS, METRICS } from '../store/collections.js';

/** Ids in one query. */
const IDS_AT_ONCE = 1_000;
/** The same of ranges of ids. */
const RANGES_AT_ONCE = 500;
const COMPARED_AT_MOST = 1_000;
const MS_PER_MINUTE = 60_000;
const ON_PRIMARY = { readPreference: 'primary', readConcern: { level: 'local' } } as const;

/** @throws SeedError for what is there and would be overwritten, or taken for this dataset's */
export async function refuseUnexplained(
  db: Db,
  wanted: Candidate,
  runs: readonly RunDocument[],
  holding: readonly string[],
): Promise<void> {
  if (holding.includes(ASSETS)) await refuseOtherAssets(db, wanted.fleet);
  if (holding.includes(METRICS)) await refuseOtherRecords(db, wanted, runs);
}

/**
 * In the time-series layout a record has nothing that tells whose it is, so one of these series and
 * minutes that no run explains cannot be kept beside them. In the flat layout ids tell.
 * @param runs all that are stored; none of them is in the way itself
 * @throws SeedError that names such a record
 */
async function refuseOtherRecords(db: Db, wanted: Candidate, runs: readonly RunDocument[]): Promise<void> {
  const unexplainedHere = unexplainedSeries(wanted, runs);
  if (wanted.dataset.layout === 'flat') return refuseOtherDocuments(db, wanted, unexplainedHere);
  for (const { metricNames, assetIds, gaps } of unexplainedHere) {
    for (const { start, end } of gaps) {
      const timestamp = { $gte: instantOf(start), $lt: instantOf(end) };
      for (let at = 0; at < assetIds.length; at += IDS_AT_ONCE) {
        const filter = {
          'meta.asset_id': { $in: assetIds.slice(at, at + IDS_AT_ONCE) },
          'meta.metric_name': { $in: metricNames },
          timestamp,
        };
        const found = await db.collection(METRICS).findOne(filter, ON_PRIMARY);
        if (found) throw unexplained(found);
      }
    }
  }
}

/**
 * Documents that bear the `_id` of a planned record and are not that record. A restored dump of the
 * same dataset is in nobody's way, so each has to be compared; of so many that this would take long,
 * the rest is compared while records are written.
 */
async function refuseOtherDocuments(
  db: Db,
  { dataset, fleet }: Candidate,
  unexplainedHere: readonly UnexplainedSeries[],
): Promise<void> {
  const planned = plannedSeries(dataset, fleet);
  const ranges = unexplainedHere.flatMap(({ metricNames, assetIds, gaps }) =>
    assetIds.flatMap((assetId) =>
      metricNames.flatMap((metricName) => {
        const key = seriesKey(assetId, metricName);
        return [planned.get(key), planned.get(`${key}\ntwice`)].flatMap((one) =>
          one ? gaps.map((gap) => ({ series: one.series, ...gap })) : [],
        );
      }),
    ),
  );
  const model = new TelemetryModel(fleet, dataset.seed);
  let left = COMPARED_AT_MOST;
  for (let at = 0; at < ranges.length && left > 0; at += RANGES_AT_ONCE) {
    const asked = ranges.slice(at, at + RANGES_AT_ONCE);
    const owners = new Map(asked.map(({ series }) => [seriesIdKey(series.idPrefix), series]));
    const $or = asked.map(({ series, start, end }) => {
      const [first, last] = [start, end].map((minute) => tickOfMinute(series.sampling, minute));
      return { _id: { $gte: recordId(series, first), $lt: recordId(series, last) } };
    });
    const found = await db
      .collection(METRICS)
      .find({ $or }, { ...ON_PRIMARY, limit: left })
      .toArray();
    left -= found.length;
    for (const document of found) {
      const { id } = document._id;
      const series = owners.get(seriesIdKey(id));
      if (!series) continue;
      const tick = Buffer.from(id).readUInt32BE(SERIES_ID_BYTES);
      const record = plannedDocument(model, dataset, series, tick);
      if (!record) continue;
      const field = Object.keys(record).find((name) => !isDeepStrictEqual(record[name], document[name]));
      if (field !== undefined) throw otherRecord(record, field);
    }
  }
}

/** A record of the flat layout as it is read; undefined where the series has none then. */
function plannedDocument(
  model: TelemetryModel,
  dataset: Candidate['dataset'],
  { assetId, idPrefix, sampling }: Series,
  tick: number,
): Document | undefined {
  const assetIndex = loadedAssets(model.fleet).findIndex((asset) => asset.assetId === assetId);
  const minute = Math.floor((tick * sampling.tickMs) / MS_PER_MINUTE);
  const source = new ShardSource(model, dataset, { assetIndex, from: minute, to: minute + 1 }, 1);
  for (const batch of source.batches(new BatchBuffer(0))) {
    if (Buffer.compare(batch.series.idPrefix, idPrefix) !== 0 || !batch.ticks.includes(tick)) continue;
    const document = batch.documents()[batch.ticks.indexOf(tick)];
    return { ...document, value: Number(document.value) };
  }
  return undefined;
}

function otherRecord({ asset_id, metric_name, timestamp }: Document, field: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds another record of ${asset_id} ${metric_name} at ${timestamp.toISOString()}, with another ${field}, that no stored run has put there`,
    'use another --database, or --clean --yes to replace what is there',
  );
}

interface UnexplainedSeries {
  readonly metricNames: readonly string[];
  readonly assetIds: string[];
  /** Parts of the window that no run covers. */
  readonly gaps: readonly Window[];
}

/** Assets alike are asked for together. */
function unexplainedSeries({ dataset, fleet }: Candidate, runs: readonly RunDocument[]): UnexplainedSeries[] {
  // In the flat layout records of another seed have other ids, and explain none of these.
  const sameLayout = runs.filter(
    ({ layout, seed }) => layout === dataset.layout && (layout === 'timeseries' || seed === dataset.seed),
  );
  const covering = sameLayout.map((run) => ({
    run,
    assets: new Set(loadedAssets(fleetOf(run)).map(({ assetId }) => assetId)),
  }));
  const groups = new Map<string, UnexplainedSeries>();
  for (const asset of loadedAssets(fleet)) {
    for (const section of dataset.sections) {
      const metricNames = seriesOf(asset, { sections: [section] }).map(({ metricName }) => metricName);
      if (metricNames.length === 0) continue;
      const explaining = covering.map(
        ({ run, assets }) => run.sections.includes(section) && assets.has(asset.assetId),
      );
      const key = JSON.stringify([metricNames, explaining]);
      const group = groups.get(key);
      if (group) {
        group.assetIds.push(asset.assetId);
        continue;
      }
      const periods = sameLayout.filter((_, i) => explaining[i]).map(periodOf);
      groups.set(key, { metricNames, assetIds: [asset.assetId], gaps: gapsIn(dataset.window, periods) });
    }
  }
  return [...groups.values()];
}

/** What is left of a window without some periods. */
function gapsIn(window: Window, periods: readonly Window[]): Window[] {
  const gaps: Window[] = [];
  let from = window.start;
  for (const { start, end } of [...periods].sort((a, b) => a.start - b.start)) {
    if (start > from) gaps.push({ start: from, end: Math.min(start, window.end) });
    from = Math.max(from, end);
    if (from >= window.end) break;
  }
  if (from < window.end) gaps.push({ start: from, end: window.end });
  return gaps.filter(({ start, end }) => start < end);
}

function unexplained({ timestamp, meta }: Document): SeedError {
  const when = timestamp instanceof Date ? timestamp.toISOString() : String(timestamp);
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds a record of ${meta.asset_id} ${meta.metric_name} at ${when} that no stored run has put there`,
    'load another period (--start, --end), use another --database, or --clean --yes to replace what is there',
  );
}

/**
 * @throws SeedError for an asset of this fleet that is there with other properties: it would be
 * overwritten
 */
async function refuseOtherAssets(db: Db, fleet: Fleet): Promise<void> {
  const own = new Map(
    [...fleet.machines, ...fleet.services, ...fleet.jobs].map((asset) => [asset.assetId, asset]),
  );
  const ids = [...own.keys()];
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const filter = { _id: { $in: ids.slice(at, at + IDS_AT_ONCE) } };
    const stored = await db.collection<{ _id: string }>(ASSETS).find(filter, ON_PRIMARY).toArray();
    for (const { _id, ...found } of stored as Document[]) {
      const asset = own.get(_id);
      if (!asset) continue;
      const { _id: _, last_updated: __, ...planned } = assetDocument(asset, new Date(0));
      const { last_updated: ___, ...there } = found;
      const field = fieldsOf(planned, there).find((name) => !isDeepStrictEqual(planned[name], there[name]));
      if (field !== undefined) throw otherAsset(_id, field);
    }
  }
}

function fieldsOf(...documents: readonly Document[]): string[] {
  return [...new Set(documents.flatMap((document) => Object.keys(document)))];
}

function otherAsset(assetId: string, field: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `${ASSETS} holds another ${assetId} than this fleet's, with another ${field}: it would be overwritten`,
    'use another --database, or --clean --yes to replace what is there',
  );
}
