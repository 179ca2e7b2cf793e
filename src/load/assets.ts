/** Writes the fleet's assets. */
import type { Db } from 'mongodb';
import { assetDocument } from '../encode/index.js';
import type { Fleet } from '../fleet/types.js';
import type { Guard } from '../store/guard.js';
import { ASSETS } from '../store/names.js';

/** Replaces or inserts every asset: doing it twice changes nothing. */
export async function writeAssets(db: Db, fleet: Fleet, lastUpdated: Date, guard: Guard): Promise<void> {
  const assets = [...fleet.machines, ...fleet.services, ...fleet.jobs];
  const operations = assets.map((asset) => {
    const { _id, ...replacement } = assetDocument(asset, lastUpdated);
    return { replaceOne: { filter: { _id }, replacement, upsert: true } };
  });
  await guard((limit) => db.collection(ASSETS).bulkWrite(operations, { ordered: false, ...limit }));
}
