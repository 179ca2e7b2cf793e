/** Making indexes without waiting for members of a set that are down. */
import type { Collection, Document, IndexDescription } from 'mongodb';

/**
 * Makes the indexes that are missing. On a collection with documents a set builds them with all of its members and waits for every one
 * that votes, for ever if one is down; here a majority is enough. Standalone servers know no such thing.
 */
export async function makeIndexes<T extends Document>(
  collection: Collection<T>,
  indexes: readonly IndexDescription[],
): Promise<void> {
  const { setName, msg } = await collection.db.admin().command({ hello: 1 }, { readPreference: 'primary' });
  const several = setName !== undefined || msg === 'isdbgrid';
  await collection.createIndexes([...indexes], several ? { commitQuorum: 'majority' } : {});
}
