/**
 * Documents of others inside the collections that runs of ours have made: counted by what no run
 * can have written. Reads only.
 */
import type { Db, Document } from 'mongodb';

import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { TargetFacts } from '../inspect/inspect.js';
import { MODEL_VERSION } from '../model/telemetry-model.js';
import { loadedAssets } from '../plan/plan.js';
import { seriesOf } from '../runs/beside.js';
import { fleetOf, runDocument } from '../runs/run-document.js';
import { ASSETS, METRICS } from '../store/names.js';
import type { Foreign } from './foreign.js';

/** More ids than this make a query that a server hardly takes. */
const MOST_IDS = 100_000;

/**
 * Counts documents of an asset, or of a metric, that none of the stored runs has. Where the runs do
 * not say which they have (they cannot be used, their version makes other assets, there are too
 * many), nothing is counted.
 * @param runs the documents of `seed_runs` as they are
 * @param foreign what is named as a whole
 */
export async function foreignDocuments(
  db: Db,
  runs: readonly Document[],
  { collections }: Pick<TargetFacts, 'collections'>,
  foreign: readonly Foreign[],
): Promise<Foreign[]> {
  const isOwn = (collection: typeof METRICS | typeof ASSETS) =>
    collections[collection].kind !== 'absent' && !foreign.some(({ name }) => name === collection);
  const known = namesIn(runs);
  if (!known) return [];
  const { assetIds, assetsWithRecords, metricNames } = known;
  const counts = new Map<string, Promise<number>>();
  if (isOwn(METRICS)) {
    const prefix = collections[METRICS].kind === 'timeseries' ? 'meta.' : '';
    const [asset, metric] = [`${prefix}asset_id`, `${prefix}metric_name`];
    // Each by an index: what is between the series that are known costs little to find.
    const others = [
      { [asset]: { $nin: assetsWithRecords } },
      { [asset]: { $in: assetsWithRecords }, [metric]: { $nin: metricNames } },
    ];
    counts.set(METRICS, db.collection(METRICS).countDocuments({ $or: others }));
  }
  if (isOwn(ASSETS)) {
    const assets = db.collection<{ _id: string }>(ASSETS);
    counts.set(ASSETS, assets.countDocuments({ _id: { $nin: assetIds } }));
  }
  const found: Foreign[] = [];
  for (const [name, counting] of counts) {
    const documents = await counting;
    if (documents > 0) found.push({ name, documents });
  }
  return found;
}

interface Names {
  readonly assetIds: string[];
  readonly assetsWithRecords: string[];
  readonly metricNames: string[];
}

/** Everything that the runs have made; undefined where that is not known. */
function namesIn(stored: readonly Document[]): Names | undefined {
  const runs = stored.map((document) => runDocument.safeParse(document).data);
  if (!runs.every((run) => run !== undefined)) return undefined;
  const assetIds = new Set<string>();
  const assetsWithRecords = new Set<string>();
  const metricNames = new Set<string>();
  for (const run of runs) {
    const fleet = fleetOf(run);
    if (run.modelVersion !== MODEL_VERSION || run.fleetFingerprint !== fleetFingerprint(fleet))
      return undefined;
    for (const { assetId } of fleet.jobs) assetIds.add(assetId);
    for (const asset of loadedAssets(fleet)) {
      assetIds.add(asset.assetId);
      assetsWithRecords.add(asset.assetId);
      for (const { metricName } of seriesOf(asset, run)) metricNames.add(metricName);
    }
    if (assetIds.size > MOST_IDS) return undefined;
  }
  return {
    assetIds: [...assetIds],
    assetsWithRecords: [...assetsWithRecords],
    metricNames: [...metricNames],
  };
}
