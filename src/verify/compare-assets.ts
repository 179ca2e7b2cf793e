/** The `assets` collection beside the fleet. */
import { BSON, type Db } from 'mongodb';
import { assetDocument } from '../encode/index.js';
import { instantOf } from '../plan/index.js';
import { ASSETS } from '../store/names.js';
import type { VerifyInput } from './verify.js';

/** Ids of defective assets. */
export interface AssetFindings {
  readonly expected: number;
  readonly found: number;
  readonly missing: string[];
  readonly different: string[];
  readonly foreign: string[];
}

/** Compares the collection document by document. The run that wrote it last has left its window's end in it. */
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
