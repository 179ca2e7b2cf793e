/** Collections of other kinds or options than ours. */
import {
  created,
  flatOnly,
  indexed,
  KEEP,
  type Key,
  seriesOnly,
  type TargetKind,
  TIME_SERIES,
} from './target-kind.js';

export const COLLECTION_KINDS: readonly TargetKind[] = [
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
  {
    name: 'seed_shards is a view',
    outcome: 5,
    prepare: (db) => db.createCollection('seed_shards', { viewOn: 'other', pipeline: [] }),
  },
  {
    name: 'seed_parts is a view',
    outcome: 5,
    prepare: (db) => db.createCollection('seed_parts', { viewOn: 'other', pipeline: [] }),
  },
  {
    name: 'seed_runs is a view of documents of others',
    outcome: 5,
    flags: KEEP,
    prepare: async (db) => {
      await db.collection('other').insertOne({ title: 'marathon' });
      await db.createCollection('seed_runs', { viewOn: 'other', pipeline: [] });
    },
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
    since: '5.0',
    outcome: 5,
    prepare: created('assets', { timeseries: TIME_SERIES }),
  },
  {
    name: 'seed_runs is a time-series collection',
    since: '5.0',
    outcome: 5,
    prepare: created('seed_runs', { timeseries: TIME_SERIES }),
  },
  { name: 'seed_runs is capped', outcome: 5, prepare: created('seed_runs', { capped: true, size: 100_000 }) },

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
    name: 'seed_shards has a validator',
    outcome: 5,
    prepare: created('seed_shards', { validator: { records: { $lt: 10 } } }),
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
  {
    name: 'time-series with a collation',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: TIME_SERIES, collation: { locale: 'en', strength: 1 } }),
  },

  // Time-series options.
  {
    name: 'time-series with another time field',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: { timeField: 'time', metaField: 'meta' } }),
  },
  {
    name: 'time-series with another meta field',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, metaField: 'labels' } }),
  },
  {
    name: 'time-series without a meta field',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: { timeField: 'timestamp' } }),
  },
  {
    name: 'time-series of seconds',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, granularity: 'seconds' } }),
  },
  {
    name: 'time-series of hours',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: { ...TIME_SERIES, granularity: 'hours' } }),
  },
  {
    name: 'time-series whose records would expire at once',
    since: '5.0',
    outcome: 5,
    prepare: created('metrics', { timeseries: TIME_SERIES, expireAfterSeconds: 86_400 }),
  },
  {
    name: 'time-series whose records expire in fifty years',
    since: '5.0',
    outcome: seriesOnly('loads'),
    prepare: created('metrics', { timeseries: TIME_SERIES, expireAfterSeconds: 1_576_800_000 }),
  },
  {
    name: 'time-series as ours',
    since: '5.0',
    outcome: seriesOnly('loads'),
    prepare: created('metrics', { timeseries: TIME_SERIES }),
  },
  {
    name: 'time-series with an index of the same key under another name',
    since: '5.0',
    outcome: seriesOnly('loads'),
    prepare: async (db) => {
      await created('metrics', { timeseries: TIME_SERIES })(db);
      await indexed({ 'meta.asset_id': 1, timestamp: 1 } as Key, { name: 'theirs' })(db);
    },
  },
];
