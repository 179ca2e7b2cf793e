/** Writes the fleet's assets. */
import type { Db, Document } from 'mongodb';
import { assetDocument } from '../encode/index.js';
import type { Fleet } from '../fleet/types.js';
import type { Guard } from '../store/guard.js';
import { ASSETS } from '../store/names.js';

/** The documents of a fleet's assets. */
export function assetDocuments({ machines, services, jobs }: Fleet, lastUpdated: Date): Document[] {
  return [...machines, ...services, ...jobs].map((asset) => assetDocument(asset, lastUpdated));
}

/** Replaces or inserts every asset: doing it twice changes nothing. */
export async function writeAssets(db: Db, fleet: Fleet, lastUpdated: Date, guard: Guard): Promise<void> {
  const operations = assetDocuments(fleet, lastUpdated).map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id }, replacement, upsert: true },
  }));
  await guard((limit) => db.collection(ASSETS).bulkWrite(operations, { ordered: false, ...limit }));
}
