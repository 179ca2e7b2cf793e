/** What a database holds that is in the way of a dataset, and that no stored run has put there. Reads only. */
import { isDeepStrictEqual } from 'node:util';
import type { Db, Document } from 'mongodb';
import { assetDocument } from '../encode/index.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { instantOf, loadedAssets, type Window } from '../plan/index.js';
import { ASSETS, METRICS } from '../store/names.js';
import { type Candidate, periodOf, seriesOf } from './beside.js';
import { fleetOf } from './fleet.js';
import type { RunDocument } from './run-document.js';

/** Ids in one query. */
const IDS_AT_ONCE = 1_000;
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
 * In the time-series layout a record has nothing that tells whose it is, so one of these series and minutes that no run explains cannot
 * be kept beside them. In the flat layout ids tell, record by record, while they are written.
 * @param runs all that are stored; none of them is in the way itself
 * @throws SeedError that names such a record
 */
async function refuseOtherRecords(db: Db, wanted: Candidate, runs: readonly RunDocument[]): Promise<void> {
  if (wanted.dataset.layout !== 'timeseries') return;
  for (const { metricNames, assetIds, gaps } of unexplainedSeries(wanted, runs)) {
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

interface UnexplainedSeries {
  readonly metricNames: readonly string[];
  readonly assetIds: string[];
  /** Parts of the window that no run covers. */
  readonly gaps: readonly Window[];
}

/** Assets alike are asked for together. */
function unexplainedSeries({ dataset, fleet }: Candidate, runs: readonly RunDocument[]): UnexplainedSeries[] {
  const sameLayout = runs.filter(({ layout }) => layout === dataset.layout);
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
export function gapsIn(window: Window, periods: readonly Window[]): Window[] {
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

/** @throws SeedError for an asset of this fleet that is there with other properties: it would be overwritten */
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
