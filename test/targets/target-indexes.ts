/** Indexes of others over collections that are like ours. */
import { flatOnly, indexed, KEEP, type Key, type TargetKind } from './target-kind.js';

export const INDEX_KINDS: readonly TargetKind[] = [
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
    name: 'metrics: about to be made unique over the metric',
    since: '6.0',
    outcome: 5,
    prepare: async (db) => {
      await indexed({ metric_name: 1 })(db);
      const index = { keyPattern: { metric_name: 1 }, prepareUnique: true };
      await db.command({ collMod: 'metrics', index });
    },
  },
  {
    name: 'metrics: unique over _id and value',
    outcome: flatOnly('loads'),
    prepare: indexed({ _id: 1, value: 1 }, { unique: true }),
  },
  {
    name: 'metrics: clustered under another name, with documents of others, kept',
    since: '5.3',
    outcome: flatOnly('loads'),
    flags: KEEP,
    prepare: async (db) => {
      const clusteredIndex = { key: { _id: 1 }, unique: true, name: 'theirs' };
      await db.createCollection('metrics', { clusteredIndex });
      await db.collection('metrics').insertOne({ cpu: 1 });
    },
  },
  {
    name: 'assets: unique over asset_id, of a collation',
    outcome: 5,
    prepare: indexed({ asset_id: 1 }, { unique: true, collation: { locale: 'en', strength: 1 } }, 'assets'),
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
    name: 'seed_runs: the index of the lock, not unique',
    outcome: 5,
    prepare: indexed({ active: 1 }, { partialFilterExpression: { active: true } }, 'seed_runs'),
  },
  {
    name: 'seed_runs: the index of the lock, over other documents',
    outcome: 5,
    prepare: indexed(
      { active: 1 },
      { unique: true, partialFilterExpression: { active: { $exists: true } } },
      'seed_runs',
    ),
  },
  {
    name: 'seed_runs: the index of the lock under another name',
    outcome: 'loads',
    prepare: indexed(
      { active: 1 },
      { unique: true, partialFilterExpression: { active: true }, name: 'theirs' },
      'seed_runs',
    ),
  },
  {
    name: 'seed_runs: over two lists',
    outcome: 5,
    prepare: indexed({ sections: 1, 'fleet.file.machines.id': 1 } as Key, {}, 'seed_runs'),
  },
  {
    name: 'seed_runs: geometric over the fleet',
    outcome: 5,
    prepare: indexed({ fleet: '2dsphere' }, {}, 'seed_runs'),
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
  {
    name: 'metrics: text over everything, with the environment as its language',
    outcome: 5,
    prepare: indexed({ '$**': 'text' }, { language_override: 'environment' }),
  },
  {
    name: 'metrics: text over everything',
    outcome: flatOnly('loads'),
    prepare: indexed({ '$**': 'text' }),
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
];
