/** Databases that somebody else made, for loads to meet: what is there before, and what a load has to do about it. */
import { type Db, type Document, ObjectId } from 'mongodb';
import type { Layout } from '../../src/config/settings.js';

/** `loads`: exit 0, every record there. Otherwise the exit status of a refusal that has changed nothing. */
export type Outcome = 'loads' | 4 | 5;

export interface TargetKind {
  readonly name: string;
  /** In both layouts, or by layout. */
  readonly outcome: Outcome | Readonly<Record<Layout, Outcome>>;
  readonly prepare: (db: Db) => Promise<unknown>;
  /** Cannot be made on a server that has no time-series collections. */
  readonly isTimeSeries?: true;
  /** Flags of the load. */
  readonly flags?: readonly string[];
  /** A role of the user that loads, on its database; undefined: the administrator. */
  readonly role?: Document;
}

const TIME_SERIES = { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' } as const;
const KEEP = ['--skip-cleanup'];
const flatOnly = (outcome: Outcome) => ({ flat: outcome, timeseries: 5 }) as const;
const seriesOnly = (outcome: Outcome) => ({ flat: 5, timeseries: outcome }) as const;

type Key = Readonly<Record<string, 1 | -1 | 'text' | '2d' | '2dsphere' | 'hashed'>>;

/** An empty `metrics`, or another collection, with one index. */
function indexed(key: Key, options: Document = {}, collection = 'metrics'): TargetKind['prepare'] {
  return (db) => db.collection(collection).createIndex(key as Record<string, 1>, options);
}

const created =
  (name: string, options: Document = {}): TargetKind['prepare'] =>
  (db) =>
    db.createCollection(name, options);

const rights = (actions: readonly string[], collection = ''): Document => ({ actions, collection });
const ALL = ['find', 'insert', 'update', 'remove', 'createCollection', 'createIndex'];

export const TARGET_KINDS: readonly TargetKind[] = [
  // What is no plain collection.
  {
    name: 'metrics is a view',
    outcome: 5,
    prepare: (db) => db.createCollection('metrics', { viewOn: 'other', pipeline: [] }),
  },
  {
    name: 'assets is a view',
    outcome: 5,
    prepare: (db) => db.createCollection('assets', { viewOn: 'other', pipeline: [] }),
  },
  {
    name: 'seed_runs is a view',
    outcome: 5,
    prepare: (db) => db.createCollection('seed_runs', { viewOn: 'other', pipeline: [] }),
  },
  { name: 'metrics is capped', outcome: 5, prepare: created('metrics', { capped: true, size: 100_000 }) },
  { name: 'assets is capped', outcome: 5, prepare: created('assets', { capped: true, size: 100_000 }) },
  {
    name: 'seed_shards is capped',
    outcome: 5,
    prepare: created('seed_shards', { capped: true, size: 4096, max: 3 }),
  },
  {
    name: 'assets is a time-series collection',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('assets', { timeseries: TIME_SERIES }),
  },

  // Validators.
  {
    name: 'metrics has a validator',
    outcome: 5,
    prepare: created('metrics', { validator: { value: { $lt: 10 } } }),
  },
  {
    name: 'assets has a JSON schema',
    outcome: 5,
    prepare: created('assets', { validator: { $jsonSchema: { required: ['owner'] } } }),
  },
  {
    name: 'seed_runs has a validator',
    outcome: 5,
    prepare: created('seed_runs', { validator: { seed: { $type: 'string' } } }),
  },
  {
    name: 'metrics has a validator that only warns',
    outcome: flatOnly('loads'),
    prepare: created('metrics', { validator: { value: { $lt: 10 } }, validationAction: 'warn' }),
  },
  {
    name: 'metrics has a validator that is off',
    outcome: flatOnly('loads'),
    prepare: created('metrics', { validator: { value: { $lt: 10 } }, validationLevel: 'off' }),
  },

  // Collations.
  {
    name: 'metrics has a collation',
    outcome: 5,
    prepare: created('metrics', { collation: { locale: 'en', strength: 1 } }),
  },
  {
    name: 'assets has a collation',
    outcome: 5,
    prepare: created('assets', { collation: { locale: 'de' } }),
  },

  // Unique indexes.
  { name: 'metrics: unique over asset', outcome: 5, prepare: indexed({ asset_id: 1 }, { unique: true }) },
  { name: 'metrics: unique over time', outcome: 5, prepare: indexed({ timestamp: 1 }, { unique: true }) },
  {
    name: 'metrics: unique over asset and time',
    outcome: 5,
    prepare: indexed({ asset_id: 1, timestamp: 1 }, { unique: true }),
  },
  {
    name: 'metrics: unique over a field that no record has',
    outcome: 5,
    prepare: indexed({ serial: 1 }, { unique: true }),
  },
  {
    name: 'metrics: unique and partial',
    outcome: 5,
    prepare: indexed({ value: 1 }, { unique: true, partialFilterExpression: { value: { $gt: 50 } } }),
  },
  {
    name: 'metrics: unique over asset, metric and time, empty',
    outcome: flatOnly('loads'),
    prepare: indexed({ asset_id: 1, metric_name: 1, timestamp: 1 }, { unique: true, name: 'theirs' }),
  },
  {
    name: 'assets: unique over type',
    outcome: 5,
    prepare: indexed({ asset_type: 1 }, { unique: true }, 'assets'),
  },
  {
    name: 'assets: unique over asset_id, empty',
    outcome: 'loads',
    prepare: indexed({ asset_id: 1 }, { unique: true }, 'assets'),
  },
  {
    name: 'seed_shards: unique over run',
    outcome: 5,
    prepare: indexed({ run: 1 }, { unique: true }, 'seed_shards'),
  },
  {
    name: 'seed_runs: unique over seed',
    outcome: 5,
    prepare: indexed({ seed: 1 }, { unique: true }, 'seed_runs'),
  },

  // Other indexes.
  {
    name: 'metrics: the same key under another name',
    outcome: flatOnly('loads'),
    prepare: indexed({ asset_id: 1, metric_name: 1, timestamp: 1 }, { name: 'by_series' }),
  },
  {
    name: 'assets: the same key under another name',
    outcome: 'loads',
    prepare: indexed({ hostname: 1 }, { name: 'by_host' }, 'assets'),
  },
  {
    name: 'metrics: another key under the name of ours',
    outcome: 5,
    prepare: indexed({ value: 1 }, { name: 'asset_id_1_metric_name_1_timestamp_1' }),
  },
  {
    name: 'metrics: the same key, partial',
    outcome: 5,
    prepare: indexed(
      { asset_id: 1, metric_name: 1, timestamp: 1 },
      { partialFilterExpression: { value: { $gt: 1 } } },
    ),
  },
  {
    name: 'metrics: the same key, sparse',
    outcome: 5,
    prepare: indexed({ asset_id: 1, metric_name: 1, timestamp: 1 }, { sparse: true }),
  },
  {
    name: 'metrics: the same key, hidden',
    outcome: 5,
    prepare: indexed({ asset_id: 1, metric_name: 1, timestamp: 1 }, { hidden: true }),
  },
  {
    name: 'metrics: the same key, of another collation',
    outcome: 5,
    prepare: indexed({ asset_id: 1, metric_name: 1, timestamp: 1 }, { collation: { locale: 'fr' } }),
  },
  {
    name: 'assets: the same key, sparse',
    outcome: 5,
    prepare: indexed({ hostname: 1 }, { sparse: true }, 'assets'),
  },
  {
    name: 'seed_runs: an ordinary index over active',
    outcome: 5,
    prepare: indexed({ active: 1 }, {}, 'seed_runs'),
  },
  {
    name: 'metrics: partial, sparse and descending indexes of other keys',
    outcome: flatOnly('loads'),
    prepare: async (db) => {
      await indexed({ value: -1 }, { partialFilterExpression: { value: { $gt: 1 } } })(db);
      await indexed({ serial: 1 }, { sparse: true })(db);
      await indexed({ asset_id: -1, timestamp: 1 })(db);
    },
  },
  { name: 'metrics: hashed', outcome: flatOnly('loads'), prepare: indexed({ asset_id: 'hashed' }) },
  {
    name: 'assets: hashed over a list',
    outcome: 5,
    prepare: indexed({ 'data.target_assets': 'hashed' }, {}, 'assets'),
  },
  { name: 'metrics: wildcard', outcome: flatOnly('loads'), prepare: indexed({ '$**': 1 }) },
  { name: 'assets: text', outcome: 'loads', prepare: indexed({ hostname: 'text' }, {}, 'assets') },
  {
    name: 'metrics: text, with the unit as its language',
    outcome: 5,
    prepare: indexed({ metric_name: 'text' }, { language_override: 'unit' }),
  },
  { name: 'metrics: geometric over the tags', outcome: 5, prepare: indexed({ tags: '2dsphere' }) },
  {
    name: 'assets: geometric over a field that no asset has',
    outcome: 'loads',
    prepare: indexed({ place: '2dsphere' }, {}, 'assets'),
  },
  {
    name: 'assets: as many indexes as there may be',
    outcome: 5,
    prepare: (db) =>
      db
        .collection('assets')
        .createIndexes(Array.from({ length: 63 }, (_, i) => ({ key: { [`field_${i}`]: 1 } }) as const)),
  },

  // Expiry.
  {
    name: 'metrics: records would expire at once',
    outcome: 5,
    prepare: indexed({ timestamp: 1 }, { expireAfterSeconds: 3600 }),
  },
  {
    name: 'metrics: records expire in fifty years',
    outcome: flatOnly('loads'),
    // Older servers take no time that begins before 1970.
    prepare: indexed({ timestamp: 1 }, { expireAfterSeconds: 50 * 365 * 86_400 }),
  },
  {
    name: 'metrics: expiry by a field that no record has',
    outcome: flatOnly('loads'),
    prepare: indexed({ created: 1 }, { expireAfterSeconds: 60 }),
  },
  {
    name: 'assets: expire by last_updated',
    outcome: 5,
    prepare: indexed({ last_updated: 1 }, { expireAfterSeconds: 60 }, 'assets'),
  },
  {
    name: 'seed_shards: checkpoints expire',
    outcome: 5,
    prepare: indexed({ from: 1 }, { expireAfterSeconds: 60 }, 'seed_shards'),
  },

  // Time-series options.
  {
    name: 'time-series with another time field',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('metrics', { timeseries: { timeField: 'time', metaField: 'meta' } }),
  },
  {
    name: 'time-series with another meta field',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, metaField: 'labels' } }),
  },
  {
    name: 'time-series without a meta field',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('metrics', { timeseries: { timeField: 'timestamp' } }),
  },
  {
    name: 'time-series of seconds',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, granularity: 'seconds' } }),
  },
  {
    name: 'time-series of hours',
    isTimeSeries: true,
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, granularity: 'hours' } }),
  },
  {
    name: 'time-series as ours',
    isTimeSeries: true,
    outcome: seriesOnly('loads'),
    prepare: created('metrics', { timeseries: TIME_SERIES }),
  },
  {
    name: 'time-series with an index of the same key under another name',
    isTimeSeries: true,
    outcome: seriesOnly('loads'),
    prepare: async (db) => {
      await created('metrics', { timeseries: TIME_SERIES })(db);
      await indexed({ 'meta.asset_id': 1, timestamp: 1 } as Key, { name: 'theirs' })(db);
    },
  },

  // Documents of others.
  {
    name: 'documents of others in metrics',
    outcome: 5,
    prepare: (db) => db.collection('metrics').insertOne({ cpu: 1 }),
  },
  {
    name: 'documents of others in metrics, kept',
    outcome: flatOnly('loads'),
    flags: KEEP,
    prepare: (db) => db.collection('metrics').insertOne({ cpu: 1 }),
  },
  {
    name: 'documents of others in assets, kept',
    outcome: 'loads',
    flags: KEEP,
    prepare: (db) => db.collection('assets').insertOne({ name: 'theirs' }),
  },
  {
    name: 'documents of others and a unique index over asset_id, kept',
    outcome: 5,
    flags: KEEP,
    prepare: async (db) => {
      await db.collection('assets').insertOne({ asset_id: 'vm-101' });
      await indexed({ asset_id: 1 }, { unique: true }, 'assets')(db);
    },
  },
  {
    name: 'documents of others in seed_runs',
    outcome: 'loads',
    flags: ['--clean', '--yes'],
    prepare: (db) => db.collection('seed_runs').insertOne({ _id: new ObjectId(), theirs: true }),
  },
  {
    name: 'other collections beside',
    outcome: 'loads',
    prepare: (db) => db.collection('metrics_old').insertOne({ theirs: true }),
  },

  // Rights.
  {
    name: 'a user who may read',
    role: rights(['find', 'listCollections']),
    outcome: 4,
    prepare: async () => undefined,
  },
  {
    name: 'a user who may insert and make nothing',
    role: rights(['find', 'insert', 'update', 'remove']),
    outcome: 4,
    prepare: async () => undefined,
  },
  {
    name: 'a user who may make no indexes',
    role: rights(ALL.filter((action) => action !== 'createIndex')),
    outcome: 4,
    prepare: async () => undefined,
  },
  {
    name: 'a user who may write metrics alone',
    role: rights([...ALL, 'listCollections', 'listIndexes'], 'metrics'),
    outcome: 4,
    prepare: async () => undefined,
  },
  {
    name: 'a user who may do what a load does, and no more',
    role: rights([...ALL, 'listCollections', 'listIndexes']),
    outcome: 'loads',
    prepare: async () => undefined,
  },
  {
    name: 'a user who may not drop, with --clean',
    role: rights([...ALL, 'listCollections', 'listIndexes']),
    flags: ['--clean', '--yes'],
    outcome: 4,
    prepare: (db) => db.collection('metrics').insertOne({ theirs: true }),
  },
];
