/**
 * What keeps a target from holding a dataset, and what would help. Pure: the rules, over the facts
 * of {@link inspectTarget}.
 */
import type { Db } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { PARTS, RUNS, SHARDS } from '../runs/run-document.js';
import { ASSETS, EVENTS, hasSameKey, METRIC_INDEXES, METRICS } from '../store/collections.js';
import { indexProblem, type Problem, type WantedDocuments, wantedIndexes } from './index-rules.js';
import {
  type CollectionFacts,
  OWN_COLLECTIONS,
  type OwnCollection,
  type ServerFacts,
  type StrayBuckets,
  type TargetFacts,
} from './inspect.js';
import { serverObstacle } from './server.js';

/** What is going to be written. */
export interface Wanted extends WantedDocuments {
  /** True where the data collections are dropped first: then they may be anything. */
  readonly cleaning: boolean;
  /** Days after which records of a time-series collection that has to be made expire. */
  readonly ttlDays: number | undefined;
  /** Whether the collection of events is written. */
  readonly events: boolean;
}

const SECONDS_PER_DAY = 86_400;

export interface Obstacle {
  readonly subject: 'server' | 'rights' | 'collections';
  readonly exitStatus: ExitStatus;
  /** One line, with the name of what is in the way. */
  readonly message: string;
  readonly remedy: string;
}

/**
 * What `--clean` drops, in this order: checkpoints first; parts last, since whoever takes a part
 * again must learn that it was begun before for as long as records are there.
 */
export const DROPPED: readonly OwnCollection[] = [SHARDS, METRICS, ASSETS, PARTS];

/**
 * Everything that is in the way, worst first: the server, the user's rights, then collection by
 * collection.
 */
export function obstaclesTo(wanted: Wanted, facts: TargetFacts): readonly Obstacle[] {
  const server = serverObstacle(facts.server, wanted.layout);
  if (server) return [server];
  const found: Obstacle[] = [];
  const right = missingRight(wanted, facts);
  if (right) found.push(right);
  if (facts.sameName !== undefined) {
    found.push({
      subject: 'collections',
      exitStatus: ExitStatus.targetNotReady,
      message: `database ${facts.database} cannot be made beside ${facts.sameName}: their names differ by case only`,
      remedy: `use --database ${facts.sameName}, or another name`,
    });
  }
  for (const name of OWN_COLLECTIONS) {
    if (wanted.cleaning && DROPPED.includes(name)) continue;
    const problem = problemOf(name, facts.collections[name], wanted);
    if (problem) found.push(obstacleIn(facts, name, problem));
  }
  const events = wanted.events && !wanted.cleaning ? eventsProblem(facts) : undefined;
  if (events) found.push(obstacleIn(facts, EVENTS, events));
  const runs = unreadableRuns(facts, wanted);
  if (runs) found.push(runs);
  if (facts.strayBuckets && !wanted.cleaning && !canAdopt(facts.strayBuckets, wanted)) {
    found.push({
      subject: 'collections',
      exitStatus: ExitStatus.targetNotReady,
      message: `database ${facts.database} holds buckets of a time-series collection ${METRICS} that is not there`,
      remedy: 'use another --database, or --clean --yes to remove them',
    });
  }
  return found;
}

/**
 * A server makes the collection over empty buckets of the same options: this is what it leaves where
 * it dies in the middle of making one.
 */
function canAdopt(buckets: StrayBuckets, { layout, ttlDays }: Wanted): boolean {
  const expiry = ttlDays === undefined ? undefined : ttlDays * SECONDS_PER_DAY;
  return (
    layout === 'timeseries' &&
    buckets.empty &&
    buckets.expireAfterSeconds === expiry &&
    timeSeriesProblem(buckets) === undefined
  );
}

/** A collection of that name may be anybody's. */
function eventsProblem({ events, ownsEvents }: TargetFacts): Problem | undefined {
  if (events.kind !== 'collection') return shapeProblem(EVENTS, events);
  if (!events.empty && !ownsEvents) return { what: 'holds documents that no run of this program has made' };
  const unique = events.indexes.find(({ unique, key }) => unique && key.every(([field]) => field !== '_id'));
  if (unique) return { what: `has the index ${unique.name}, which is unique, and would refuse documents` };
  return collectionProblem(EVENTS, events);
}

function obstacleIn(
  { database }: TargetFacts,
  name: OwnCollection | typeof EVENTS,
  { what, instead }: Problem,
): Obstacle {
  const others =
    name === EVENTS
      ? 'omit --events, use another --database, or --clean --yes to replace it'
      : DROPPED.includes(name)
        ? 'use another --database, or --clean --yes to replace it'
        : 'use another --database';
  return {
    subject: 'collections',
    exitStatus: ExitStatus.targetNotReady,
    message: `collection ${name} of database ${database} ${what}`,
    remedy: instead === undefined ? others : `${instead}, ${others}`,
  };
}

/**
 * A `seed_runs` of somebody else's: nothing that is read from it says what this program has loaded.
 */
function unreadableRuns(facts: TargetFacts, { cleaning }: Pick<Wanted, 'cleaning'>): Obstacle | undefined {
  if (!facts.foreignRuns || cleaning) return undefined;
  const found = obstacleIn(facts, RUNS, { what: 'holds documents that are no runs of this program' });
  return { ...found, remedy: 'use another --database, or --clean --yes to remove them' };
}

/**
 * To be asked before anything is read from `seed_runs`, let alone lifted.
 * @throws SeedError where that collection is somebody else's
 */
export function refuseForeignRuns(facts: TargetFacts, cleaning: boolean): void {
  const shape = shapeProblem(RUNS, facts.collections[RUNS]);
  refuse(shape ? obstacleIn(facts, RUNS, shape) : unreadableRuns(facts, { cleaning }));
}

/** @throws SeedError where there is one */
export function refuse(obstacle: Obstacle | undefined): void {
  if (obstacle) throw new SeedError(obstacle.exitStatus, obstacle.message, obstacle.remedy);
}

/** @throws SeedError for the first obstacle */
export function refuseObstacles(wanted: Wanted, facts: TargetFacts): void {
  refuse(obstaclesTo(wanted, facts)[0]);
}

/** @throws SeedError for a server that cannot hold any dataset */
export function refuseServer(server: ServerFacts): void {
  refuse(serverObstacle(server, 'flat'));
}

const ACTIONS = [
  'find',
  'insert',
  'update',
  'remove',
  'createCollection',
  'createIndex',
  'dropCollection',
  'dbStats',
] as const;

function missingRight(wanted: Wanted, { rights, collections, database }: TargetFacts): Obstacle | undefined {
  const missing = new Set<(typeof ACTIONS)[number]>();
  const need = (action: (typeof ACTIONS)[number], name: OwnCollection) => {
    if (!rights.allows(action, name)) missing.add(action);
  };
  for (const name of OWN_COLLECTIONS) {
    const { kind } = collections[name];
    const anew = kind === 'absent' || (wanted.cleaning && DROPPED.includes(name));
    for (const action of ['find', 'insert'] as const) need(action, name);
    if (name !== METRICS) need('update', name);
    if (name === RUNS) need('remove', name);
    if (anew && name === METRICS) need('createCollection', name);
    if (anew || missingIndexes(name, collections[name], wanted.layout)) need('createIndex', name);
    if (wanted.cleaning && kind !== 'absent' && DROPPED.includes(name)) need('dropCollection', name);
  }
  // For the sizes that a load ends with.
  if (!rights.allows('dbStats', '')) missing.add('dbStats');
  if (missing.size === 0) return undefined;
  return {
    subject: 'rights',
    exitStatus: ExitStatus.authentication,
    message: `not allowed on database ${database}: user ${rights.user} may not ${ACTIONS.filter((action) => missing.has(action)).join(', ')}`,
    remedy: 'the user needs the readWrite role on this database',
  };
}

function missingIndexes(name: OwnCollection, facts: CollectionFacts, layout: Layout): boolean {
  if (facts.kind !== 'collection' && facts.kind !== 'timeseries') return false;
  return wantedIndexes(name, layout).some((one) => !facts.indexes.some((index) => hasSameKey(index, one)));
}

function problemOf(name: OwnCollection, facts: CollectionFacts, wanted: Wanted): Problem | undefined {
  switch (facts.kind) {
    case 'absent':
      return undefined;
    case 'view':
      return shapeProblem(name, facts);
    case 'timeseries':
      if (name !== METRICS) return shapeProblem(name, facts);
      if (wanted.layout !== 'timeseries') {
        return { what: 'has the timeseries layout, not flat', instead: 'use --layout timeseries' };
      }
      return timeSeriesProblem(facts) ?? indexProblem(name, facts, wanted);
    case 'collection':
      if (name === METRICS && wanted.layout === 'timeseries') {
        return { what: 'has the flat layout, not timeseries', instead: 'use --layout flat' };
      }
      return collectionProblem(name, facts) ?? indexProblem(name, facts, wanted);
  }
}

/** What cannot be written to as to an ordinary collection. */
function shapeProblem(name: OwnCollection | typeof EVENTS, facts: CollectionFacts): Problem | undefined {
  if (facts.kind === 'view') return { what: `is a view of ${facts.of}` };
  return facts.kind === 'timeseries' && name !== METRICS
    ? { what: 'is a time-series collection' }
    : undefined;
}

function timeSeriesProblem(facts: StrayBuckets): Problem | undefined {
  const { timeField, metaField, granularity, collation } = facts;
  if (timeField !== 'timestamp') return { what: `has the time field ${timeField}, not timestamp` };
  if (metaField !== 'meta')
    return {
      what: `has ${metaField === undefined ? 'no meta field' : `the meta field ${metaField}`}, not meta`,
    };
  if (granularity !== 'minutes') {
    return {
      what: `has ${granularity === undefined ? 'buckets of a span in seconds' : `the granularity ${granularity}`}, not minutes`,
    };
  }
  if (collation !== undefined) return { what: `has the collation ${collation}` };
  return undefined;
}

function collectionProblem(
  name: OwnCollection | typeof EVENTS,
  facts: Extract<CollectionFacts, { kind: 'collection' }>,
): Problem | undefined {
  if (facts.capped) return { what: 'is capped, and drops its oldest documents' };
  if (facts.validates) {
    return {
      what: 'has a validator, which may refuse documents',
      instead: `switch it off (db.runCommand({ collMod: "${name}", validationLevel: "off" }))`,
    };
  }
  if (facts.collation !== undefined) return { what: `has the collation ${facts.collation}` };
  if (facts.encrypted) return { what: 'has encrypted fields' };
  return undefined;
}

// Documents of others that an index of ours cannot hold.

/**
 * An index can hold one list a document, and the one of `metrics` is over several fields. Asked
 * only where that index has to be made over documents that stay, which reads all of them anyway.
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
