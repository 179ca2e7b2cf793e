/** Documents of others that an index of ours cannot hold. */
import type { Db } from 'mongodb';
import { ExitStatus } from '../errors.js';
import { hasSameKey, METRIC_INDEXES } from './indexes.js';
import type { TargetFacts } from './inspect.js';
import { METRICS } from './names.js';
import type { Obstacle, Wanted } from './obstacles.js';

/**
 * An index can hold one list a document, and the one of `metrics` is over several fields. Asked only where that index has to be made
 * over documents that stay, which reads all of them anyway.
 * @throws the driver's errors
 */
export async function unindexable(db: Db, facts: TargetFacts, wanted: Wanted): Promise<Obstacle | undefined> {
  const metrics = facts.collections[METRICS];
  if (wanted.layout !== 'flat' || wanted.cleaning) return undefined;
  if (metrics.kind !== 'collection' || metrics.empty) return undefined;
  const [ours] = METRIC_INDEXES.flat;
  if (metrics.indexes.some((index) => hasSameKey(index, ours))) return undefined;
  const fields = Object.keys(ours.key);
  const list = (field: string) => ({ [field]: { $type: 'array' } });
  const pairs = fields.flatMap((one, i) =>
    fields.slice(i + 1).map((other) => ({ ...list(one), ...list(other) })),
  );
  const found = await db.collection(METRICS).findOne({ $or: pairs }, { projection: { _id: 1 } });
  if (!found) return undefined;
  return {
    subject: 'collections',
    exitStatus: ExitStatus.targetNotReady,
    message: `collection ${METRICS} of database ${facts.database} holds a document with lists in several of the fields ${fields.join(', ')}, which its index cannot hold`,
    remedy: 'use another --database, or --clean --yes to replace it',
  };
}
