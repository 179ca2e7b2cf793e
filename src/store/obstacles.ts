/** What keeps a target from holding a dataset, and what would help. Pure: the rules, over the facts of {@link inspectTarget}. */
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { hasSameKey, indexName, wantedIndexes } from './indexes.js';
import type { CollectionFacts, IndexFacts, OwnCollection, ServerFacts, TargetFacts } from './inspect.js';
import { ASSETS, METRICS, OWN_COLLECTIONS, PARTS, RUNS, SHARDS } from './names.js';
import { isAtLeast } from './versions.js';

/** The oldest servers that are known to work. */
export const OLDEST_SERVER = '4.4';
export const OLDEST_TIME_SERIES = '5.0';
/** The most indexes that a collection may have. */
const MOST_INDEXES = 64;

/** What is going to be written. */
export interface Wanted {
  readonly layout: Layout;
  /** True where the data collections are dropped first: then they may be anything. */
  readonly cleaning: boolean;
  /** True where what is there are records of the very run that goes on. */
  readonly resuming: boolean;
  /** The first record's instant and `last_updated` of the assets; undefined where nothing new is going to be written. */
  readonly oldest: Date | undefined;
  readonly lastUpdated: Date | undefined;
  readonly now: Date;
}

export interface Obstacle {
  readonly subject: 'server' | 'rights' | 'collections';
  readonly exitStatus: ExitStatus;
  /** One line, with the name of what is in the way. */
  readonly message: string;
  readonly remedy: string;
}

/** What `--clean` drops. */
export const DROPPED: readonly OwnCollection[] = [ASSETS, METRICS, SHARDS, PARTS];

/** Fields by which no two documents of ours are equal. */
const IDENTITY: Readonly<Record<OwnCollection, readonly (readonly string[])[]>> = {
  [ASSETS]: [['_id'], ['asset_id']],
  [METRICS]: [['_id'], ['asset_id', 'metric_name', 'timestamp']],
  [RUNS]: [['_id'], ['active']],
  [SHARDS]: [['_id'], ['run', 'asset', 'from']],
  [PARTS]: [['_id'], ['run', 'part']],
};

/** First parts of the fields that our documents have, for indexes that refuse some values. */
const FIELDS: Readonly<Record<OwnCollection, readonly string[]>> = {
  [ASSETS]: ['_id', 'asset_id', 'asset_type', 'hostname', 'service_name', 'data', 'last_updated'],
  [METRICS]: ['_id', 'asset_id', 'metric_name', 'timestamp', 'value', 'unit', 'tags', 'meta'],
  [RUNS]: ['fleet', 'window', 'planned', 'parts', 'host', 'environment', 'seed', 'layout', 'version'],
  [SHARDS]: ['run', 'asset', 'from', 'to', 'records', 'worker', 'ms'],
  [PARTS]: ['run', 'part', 'host', 'pid', 'holder', 'state'],
};

const GEOMETRIC = new Set<unknown>(['2d', '2dsphere', 'geoHaystack']);

/** Everything that is in the way, worst first: the server, the user's rights, then collection by collection. */
export function obstaclesTo(wanted: Wanted, facts: TargetFacts): readonly Obstacle[] {
  const server = serverObstacle(facts.server, wanted.layout);
  if (server) return [server];
  const found: Obstacle[] = [];
  const right = missingRight(wanted, facts);
  if (right) found.push(right);
  for (const name of OWN_COLLECTIONS) {
    if (wanted.cleaning && DROPPED.includes(name)) continue;
    const problem = problemOf(name, facts.collections[name], wanted);
    if (!problem) continue;
    const { what, instead } = problem;
    const others = DROPPED.includes(name)
      ? 'use another --database, or --clean --yes to replace it'
      : 'use another --database';
    found.push({
      subject: 'collections',
      exitStatus: ExitStatus.targetNotReady,
      message: `collection ${name} of database ${facts.database} ${what}`,
      remedy: instead === undefined ? others : `${instead}, ${others}`,
    });
  }
  if (facts.strayBuckets && !wanted.cleaning) {
    found.push({
      subject: 'collections',
      exitStatus: ExitStatus.targetNotReady,
      message: `database ${facts.database} holds buckets of a time-series collection ${METRICS} that is not there`,
      remedy: 'use another --database, or --clean --yes to remove them',
    });
  }
  return found;
}

/** @throws SeedError for the first obstacle */
export function refuseObstacles(wanted: Wanted, facts: TargetFacts): void {
  const [obstacle] = obstaclesTo(wanted, facts);
  if (obstacle) throw new SeedError(obstacle.exitStatus, obstacle.message, obstacle.remedy);
}

/** @throws SeedError for a server that cannot hold any dataset */
export function refuseServer(server: ServerFacts): void {
  const obstacle = serverObstacle(server, 'flat');
  if (obstacle) throw new SeedError(obstacle.exitStatus, obstacle.message, obstacle.remedy);
}

export interface Abilities {
  readonly timeSeries: boolean;
  readonly clustered: boolean;
  /** Deletes by time from a time-series collection, which trimming needs. */
  readonly trimsTimeSeries: boolean;
  /** Compresses the buckets of time-series. */
  readonly compresses: boolean;
}

/** What a server can do, by its version and by the older one that it may have been told to stay compatible with. */
export function canHold(server: ServerFacts): Abilities {
  const can = (major: number, minor: number) =>
    isAtLeast(server.version, major, minor) &&
    (server.featureVersion === undefined || isAtLeast(server.featureVersion, major, minor));
  return { timeSeries: can(5, 0), clustered: can(5, 3), trimsTimeSeries: can(7, 0), compresses: can(5, 2) };
}

function serverObstacle(server: ServerFacts, layout: Layout): Obstacle | undefined {
  const { version, featureVersion, otherProduct } = server;
  const notReady = (message: string, remedy: string): Obstacle => ({
    subject: 'server',
    exitStatus: ExitStatus.targetNotReady,
    message,
    remedy,
  });
  if (otherProduct !== undefined) {
    return notReady(
      `the server is ${otherProduct}, which lacks what a load needs of MongoDB`,
      `use MongoDB ${OLDEST_SERVER} or newer`,
    );
  }
  if (!isAtLeast(version, 4, 4)) {
    return notReady(
      `MongoDB ${version} is too old: ${OLDEST_SERVER} or newer is needed`,
      'use a newer server',
    );
  }
  if (layout !== 'timeseries' || canHold(server).timeSeries) return undefined;
  if (!isAtLeast(version, 5, 0)) {
    return notReady(
      `MongoDB ${version} has no time-series collections (${OLDEST_TIME_SERIES} and later have)`,
      'use --layout flat, or a newer server',
    );
  }
  return notReady(
    `MongoDB ${version} has no time-series collections while its feature compatibility version is ${featureVersion}`,
    `use --layout flat, or have an administrator run setFeatureCompatibilityVersion: "${version.split('.').slice(0, 2).join('.')}"`,
  );
}

const ACTIONS = [
  'find',
  'insert',
  'update',
  'remove',
  'createCollection',
  'createIndex',
  'dropCollection',
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

/** `instead`: what would make the collection fit. */
interface Problem {
  readonly what: string;
  readonly instead?: string;
}

function problemOf(name: OwnCollection, facts: CollectionFacts, wanted: Wanted): Problem | undefined {
  switch (facts.kind) {
    case 'absent':
      return undefined;
    case 'view':
      return { what: `is a view of ${facts.of}` };
    case 'timeseries':
      if (name !== METRICS) return { what: 'is a time-series collection' };
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

function timeSeriesProblem(facts: Extract<CollectionFacts, { kind: 'timeseries' }>): Problem | undefined {
  const { timeField, metaField, granularity } = facts;
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
  return undefined;
}

function collectionProblem(
  name: OwnCollection,
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

function indexProblem(
  name: OwnCollection,
  facts: Extract<CollectionFacts, { readonly indexes: readonly IndexFacts[] }>,
  wanted: Wanted,
): Problem | undefined {
  const wantedHere = wantedIndexes(name, wanted.layout);
  for (const index of facts.indexes) {
    if (index.name === '_id_') continue;
    const what = harmOf(name, index, facts.empty, wanted);
    const drop = `drop it (db.${name}.dropIndex(${JSON.stringify(index.name)}))`;
    if (what) return { what: `has the index ${index.name}, which ${what}`, instead: drop };
    const equal = wantedHere.find((one) => hasSameKey(index, one));
    const unlike = equal && unlikeOptions(index, equal.partialFilterExpression !== undefined);
    if (unlike) return { what: `has the index ${index.name}, which is ${unlike}`, instead: drop };
    if (!equal && wantedHere.some(({ key }) => indexName(key) === index.name)) {
      return { what: `has the index ${index.name}, which has another key than its name says`, instead: drop };
    }
  }
  const more = wantedHere.filter((one) => !facts.indexes.some((index) => hasSameKey(index, one)));
  if (facts.indexes.length + more.length > MOST_INDEXES) {
    return { what: `has ${facts.indexes.length} indexes, and no room for ${more.length} more` };
  }
  return undefined;
}

/** Why an index refuses or removes documents of ours. */
function harmOf(name: OwnCollection, index: IndexFacts, empty: boolean, wanted: Wanted): string | undefined {
  const fields = index.key.map(([field]) => field);
  if (index.unique && name !== RUNS) {
    const holds = IDENTITY[name].some((identity) => identity.every((field) => fields.includes(field)));
    if (!holds) return 'is unique, and would refuse documents';
    if (!empty && !wanted.resuming && !isBookkeeping(name)) {
      return 'is unique, and may refuse documents beside those that are there';
    }
  }
  if (index.unique && name === RUNS && !isActiveIndex(index)) return 'is unique, and would refuse documents';
  const expiry = expiryOf(name, index, wanted);
  if (expiry) return expiry;
  const ours = (field: string) => FIELDS[name].includes(field.split('.')[0]);
  const geometric = index.key.find(([field, kind]) => GEOMETRIC.has(kind) && ours(field));
  if (geometric) return `takes ${geometric[0]} for a place, and would refuse documents`;
  if (index.languageField !== undefined && ours(index.languageField)) {
    return `takes ${index.languageField} for a language, and would refuse documents`;
  }
  const array = index.key.find(([field, kind]) => kind === 'hashed' && field === 'data.target_assets');
  if (array) return 'is hashed over a list, and would refuse documents';
  return undefined;
}

/** An index by which documents expire that are about to be written. */
function expiryOf(name: OwnCollection, index: IndexFacts, wanted: Wanted): string | undefined {
  const { expireAfterSeconds } = index;
  if (expireAfterSeconds === undefined) return undefined;
  const [[field]] = index.key;
  if (isBookkeeping(name)) return 'lets documents expire';
  const oldest = name === METRICS ? wanted.oldest : wanted.lastUpdated;
  const dated = name === METRICS ? 'timestamp' : 'last_updated';
  if (field !== dated || oldest === undefined) return undefined;
  if (oldest.getTime() + expireAfterSeconds * 1000 > wanted.now.getTime()) return undefined;
  return `lets documents expire after ${expireAfterSeconds} s, and some would at once`;
}

function isBookkeeping(name: OwnCollection): boolean {
  return name !== ASSETS && name !== METRICS;
}

function isActiveIndex({ key, partial }: IndexFacts): boolean {
  return partial && key.length === 1 && key[0][0] === 'active';
}

/** In what an index of a wanted key differs from the plain one that is wanted. */
function unlikeOptions(index: IndexFacts, wantsPartial: boolean): string | undefined {
  if (index.partial && !wantsPartial) return 'partial, and cannot serve for reads';
  if (!index.partial && wantsPartial) return 'not the partial one that a load needs';
  if (index.sparse) return 'sparse, and cannot serve for reads';
  if (index.hidden) return 'hidden, and cannot serve for reads';
  if (index.collated) return 'of another collation, and cannot serve for reads';
  return undefined;
}
