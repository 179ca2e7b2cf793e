/** The collections that a dataset lies in: their names and their indexes. Reads no driver. */
import type { Collection, Document, IndexDescription } from 'mongodb';
import type { Layout } from '../config/settings.js';

// Names.

export const ASSETS = 'assets';
export const METRICS = 'metrics';

/** Where the server keeps a time-series `metrics`. */
export const METRIC_BUCKETS = `system.buckets.${METRICS}`;
/** Written with `--events`, of a load and of an export. */
export const EVENTS = 'events';

// Indexes: which this program needs, and making those of them that are missing.

const NAMESPACE_NOT_FOUND = 26;

export const ASSET_INDEXES: IndexDescription[] = [
  { key: { asset_type: 1 } },
  { key: { hostname: 1 } },
  { key: { 'data.parent_asset_id': 1 } },
  { key: { last_updated: 1 } },
];

export const EVENT_INDEXES: IndexDescription[] = [{ key: { asset_id: 1, start: 1 } }];

/** Of `metrics`: the manual's for the flat layout; those of existing dashboards for time-series. */
export const METRIC_INDEXES: Readonly<Record<Layout, IndexDescription[]>> = {
  flat: [{ key: { asset_id: 1, metric_name: 1, timestamp: 1 } }],
  timeseries: [
    { key: { 'meta.asset_id': 1, timestamp: 1 } },
    { key: { 'meta.metric_name': 1, timestamp: 1 } },
  ],
};

/** As the server names an index that is given no name. */
export function indexName(key: IndexDescription['key']): string {
  return entriesOf(key)
    .map(([field, direction]) => `${field}_${direction}`)
    .join('_');
}

export function hasSameKey(
  index: { readonly key: readonly (readonly [string, unknown])[] },
  wanted: IndexDescription,
): boolean {
  return JSON.stringify(index.key) === JSON.stringify(entriesOf(wanted.key));
}

function entriesOf(key: IndexDescription['key']): [string, unknown][] {
  return Object.entries(key as Record<string, unknown>);
}

/**
 * Makes the indexes that no index of the same key serves for, under whatever name that is. On a
 * collection with documents a set builds them with all of its members and waits for every one that
 * votes, for ever if one is down; here a majority is enough. Standalone servers know no such thing.
 */
export async function makeIndexes<T extends Document>(
  collection: Collection<T>,
  wanted: readonly IndexDescription[],
): Promise<void> {
  const keys = (await indexesOf(collection)).map(({ key }) => ({ key: Object.entries(key) }));
  const missing = wanted.filter((one) => !keys.some((index) => hasSameKey(index, one)));
  if (missing.length === 0) return;
  const { setName, msg } = await collection.db.admin().command({ hello: 1 }, { readPreference: 'primary' });
  const several = setName !== undefined || msg === 'isdbgrid';
  await collection.createIndexes(missing, several ? { commitQuorum: 'majority' } : {});
}

async function indexesOf<T extends Document>(collection: Collection<T>): Promise<Document[]> {
  return collection
    .listIndexes({ readPreference: 'primary' })
    .toArray()
    .catch((error) => {
      if ((error as { readonly code?: unknown }).code === NAMESPACE_NOT_FOUND) return [];
      throw error;
    });
}
