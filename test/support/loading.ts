/**
 * What tests that load share: one server a file, databases of their own, and figures of what was
 * loaded.
 */
import { after, before } from 'node:test';
import { type Db, type Document, MongoClient } from 'mongodb';
import type { Dataset } from '../../src/dataset/dataset.js';
import { type Layout, type LoadOptions, type LoadSummary, load, SECTIONS } from '../../src/index.js';
import { MODEL_VERSION } from '../../src/model/telemetry-model.js';
import { startTestServer, type TestServer, type TestServerOptions } from './server.js';

/** The end of most datasets in tests: a Sunday, 00:00 UTC. */
export const END = new Date('2025-02-09T00:00:00Z');

/** An instant some days, or parts of days, before {@link END}. */
export function daysBefore(days: number): Date {
  return new Date(END.getTime() - days * 86_400_000);
}

/**
 * What a load of the default choices makes over a window of minutes, for tests that generate by
 * themselves.
 */
export function datasetOver(window: Dataset['window'], choices: Partial<Dataset> = {}): Dataset {
  return {
    seed: 42,
    window,
    sections: SECTIONS,
    layout: 'flat',
    availabilityScale: 'percent',
    environment: 'test',
    modelVersion: MODEL_VERSION,
    ...choices,
  };
}

/** A file's server and a client to look into it. Ready once tests run. */
export interface FileServer {
  readonly server: TestServer;
  readonly client: MongoClient;
  /** A name that no other test of the file uses. */
  freshDatabase(): string;
  /** Loads into a database, seed 42 unless said otherwise, and returns how that ended. */
  load(database: string, options?: LoadOptions): Promise<LoadSummary>;
}

/**
 * Starts a server for the file's tests, and ends it after them. Other hooks of the file begin with
 * a `load`, which waits for it.
 */
export function useServer(options: TestServerOptions = {}): FileServer {
  let server: TestServer | undefined;
  let client: MongoClient | undefined;
  let databases = 0;
  const started = startTestServer(options).then((ready) => {
    server = ready;
    client = new MongoClient(ready.uri);
  });
  before(() => started);
  after(async () => {
    await client?.close();
    await server?.stop();
  });
  const ready = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the server is not up yet');
    return value;
  };
  return {
    get server() {
      return ready(server);
    },
    get client() {
      return ready(client);
    },
    freshDatabase: () => `test_${databases++}`,
    load: async (database, choices = {}) => {
      await started;
      return load({ uri: ready(server).uri, database, seed: 42, end: END, ...choices });
    },
  };
}

/** The hashes that the server makes of all bytes of collections. */
export async function hashes(db: Db, ...collections: string[]): Promise<Record<string, string>> {
  const reply = await db.command({ dbHash: 1, collections });
  return reply.collections as Record<string, string>;
}

/** What a database holds of one asset and metric. */
export interface SeriesFigures {
  readonly asset: string;
  readonly metric: string;
  readonly records: number;
  /** Different timestamps: fewer than `records` where a minute is doubled. */
  readonly minutes: number;
  /** Timestamps that are no whole minute. */
  readonly uneven: number;
  readonly first: Date;
  readonly last: Date;
  /** Of all values, in millionths: whole numbers add up to the same in any order. */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Figures of every asset and metric, in the order of their names, by grouping all records on the
 * server.
 */
export async function seriesFigures(db: Db, layout: Layout, filter: Document = {}): Promise<SeriesFigures[]> {
  const prefix = layout === 'flat' ? '$' : '$meta.';
  const series = { asset: `${prefix}asset_id`, metric: `${prefix}metric_name` };
  const value = '$value';
  const pipeline = [
    { $match: filter },
    // One group a minute first, so that a doubled one is seen.
    {
      $group: {
        _id: { ...series, minute: '$timestamp' },
        records: { $sum: 1 },
        sum: { $sum: { $toLong: { $round: { $multiply: [value, 1_000_000] } } } },
        min: { $min: value },
        max: { $max: value },
      },
    },
    {
      $group: {
        _id: { asset: '$_id.asset', metric: '$_id.metric' },
        records: { $sum: '$records' },
        minutes: { $sum: 1 },
        uneven: { $sum: { $cond: [{ $eq: [{ $mod: [{ $toLong: '$_id.minute' }, 60_000] }, 0] }, 0, 1] } },
        first: { $min: '$_id.minute' },
        last: { $max: '$_id.minute' },
        sum: { $sum: '$sum' },
        min: { $min: '$min' },
        max: { $max: '$max' },
      },
    },
    { $sort: { _id: 1 } },
    { $replaceRoot: { newRoot: { $mergeObjects: ['$_id', '$$ROOT'] } } },
    { $unset: '_id' },
  ];
  return db.collection('metrics').aggregate<SeriesFigures>(pipeline, { allowDiskUse: true }).toArray();
}
