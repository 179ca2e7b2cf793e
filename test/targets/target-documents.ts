/** Documents of others, and users who may not do everything. */
import { type Document, ObjectId } from 'mongodb';
import { flatOnly, indexed, KEEP, type TargetKind, TIME_SERIES } from './target-kind.js';

const rights = (actions: readonly string[], collection = ''): Document => ({ actions, collection });
const ALL = ['find', 'insert', 'update', 'remove', 'createCollection', 'createIndex', 'dbStats'];

export const DOCUMENT_KINDS: readonly TargetKind[] = [
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
    name: 'documents of others in seed_runs, kept',
    outcome: 5,
    flags: KEEP,
    prepare: (db) => db.collection<{ _id: number }>('seed_runs').insertOne({ _id: 7 }),
  },
  {
    name: 'documents of others in seed_runs that are active, kept',
    outcome: 5,
    flags: KEEP,
    prepare: (db) => db.collection('seed_runs').insertMany([{ active: true }, { active: true }]),
  },
  {
    name: 'documents of others in seed_shards and seed_parts, kept',
    outcome: 'loads',
    flags: KEEP,
    prepare: async (db) => {
      await db.collection('seed_shards').insertOne({ material: 'glass' });
      await db.collection('seed_parts').insertOne({ part: 'screw' });
    },
  },
  {
    name: 'documents of others with lists in the fields of our index, kept',
    outcome: 5,
    flags: KEEP,
    prepare: (db) => db.collection('metrics').insertOne({ asset_id: ['a', 'b'], metric_name: ['c', 'd'] }),
  },
  {
    name: 'an asset of others by the name of one of ours, kept',
    outcome: 5,
    flags: KEEP,
    prepare: (db) => db.collection<{ _id: string }>('assets').insertOne({ _id: 'vm-101' }),
  },
  {
    name: 'a measurement of others of one of our series and minutes, kept',
    since: '5.0',
    outcome: 5,
    flags: KEEP,
    prepare: async (db) => {
      const meta = { asset_id: 'vm-101', metric_name: 'cpu_usage' };
      const timestamp = new Date('2025-02-08T23:30Z');
      await db.createCollection('metrics', { timeseries: TIME_SERIES });
      await db.collection('metrics').insertOne({ timestamp, meta, value: 12.5 });
    },
  },
  {
    name: 'a database whose name differs by case only',
    outcome: 5,
    prepare: (db) =>
      db.client.db(db.databaseName.toUpperCase()).collection('orders').insertOne({ theirs: true }),
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
  {
    name: 'a user who may do all that, but not ask for sizes',
    role: rights(ALL.filter((action) => action !== 'dbStats')),
    outcome: 4,
    prepare: async () => undefined,
  },
];
