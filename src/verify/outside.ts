/** What a comparison shard by shard cannot see: records outside all planned series and the window, and the assets. */
import type { Db } from 'mongodb';
import { BSON } from 'mongodb';
import { assetDocument } from '../encode/index.js';
import type { Fleet } from '../fleet/types.js';
import type { Dataset } from '../load/run.js';
import { BACKUP_SERIES, minuteSeries } from '../model/index.js';
import { instantOf, loadedAssets } from '../plan/index.js';
import { ASSETS, METRICS } from '../store/names.js';
import { type Findings, note } from './findings.js';

/** Notes records outside the planned series and the window. Groups all records: only worth it where counting found too many. */
export async function findForeignRecords(db: Db, dataset: Dataset, fleet: Fleet, findings: Findings): Promise<void> {
  const prefix = dataset.layout === 'flat' ? '' : 'meta.';
  const start = instantOf(dataset.window.start);
  const end = instantOf(dataset.window.end);
  const groups = await db
    .collection(METRICS)
    .aggregate<{ _id: { asset: string; metric: string; inside: boolean }; count: number; first: Date }>(
      [
        {
          $group: {
            _id: {
              asset: `$${prefix}asset_id`,
              metric: `$${prefix}metric_name`,
              inside: { $and: [{ $gte: ['$timestamp', start] }, { $lt: ['$timestamp', end] }] },
            },
            count: { $sum: 1 },
            first: { $min: '$timestamp' },
          },
        },
      ],
      { allowDiskUse: true },
    )
    .toArray();
  const planned = plannedSeries(dataset, fleet);
  for (const { _id, count, first } of groups) {
    if (_id.inside && planned.has(`${_id.asset}\n${_id.metric}`)) continue;
    findings.found += count;
    const minute = Math.floor(Number(first) / 60_000);
    for (let i = 0; i < count; i++) {
      note(findings, {
        defect: 'foreign',
        assetId: String(_id.asset),
        metricName: String(_id.metric),
        minute,
      });
    }
  }
}

function plannedSeries(dataset: Dataset, fleet: Fleet): Set<string> {
  const planned = new Set<string>();
  for (const asset of loadedAssets(fleet)) {
    const series = asset.assetType === 'service' ? minuteSeries(asset) : [...minuteSeries(asset), BACKUP_SERIES];
    for (const { section, metricName } of series) {
      if (dataset.sections.includes(section)) planned.add(`${asset.assetId}\n${metricName}`);
    }
  }
  return planned;
}

/** Compares the `assets` collection, document by document. Resolves with the number of repaired ones. */
export async function compareAssets(
  db: Db,
  fleet: Fleet,
  dataset: Dataset,
  findings: Findings,
  repair: boolean,
): Promise<void> {
  const collection = db.collection<{ _id: string }>(ASSETS);
  const stored = new Map((await collection.find().toArray()).map((document) => [document._id, document]));
  const minute = dataset.window.end;
  for (const asset of [...fleet.machines, ...fleet.services, ...fleet.jobs]) {
    const expected = assetDocument(asset, instantOf(minute));
    const found = stored.get(asset.assetId);
    stored.delete(asset.assetId);
    if (found && Buffer.compare(BSON.serialize(found), BSON.serialize(expected)) === 0) continue;
    note(findings, { defect: found ? 'different' : 'missing', assetId: asset.assetId, metricName: 'asset', minute });
    if (!repair) continue;
    const { _id, ...replacement } = expected;
    await collection.replaceOne({ _id }, replacement, { upsert: true });
    findings.repaired++;
  }
  for (const assetId of stored.keys()) {
    note(findings, { defect: 'foreign', assetId: String(assetId), metricName: 'asset', minute });
  }
}
