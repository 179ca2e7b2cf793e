/** The piscina entry of `verify`: compares one shard with the database, and mends it where asked to. */
import type { Db } from 'mongodb';
import type { ConnectionSettings } from '../src/config/settings.js';
import { SEQUENCE_HEADROOM } from '../src/load/document-sequence.js';
import { openSink } from '../src/load/open-sink.js';
import { withRetry } from '../src/load/retry.js';
import type { Dataset } from '../src/load/run.js';
import { ShardSource } from '../src/load/source.js';
import { BatchBuffer } from '../src/encode/index.js';
import type { Fleet } from '../src/fleet/types.js';
import { TelemetryModel } from '../src/model/index.js';
import type { Shard } from '../src/plan/index.js';
import { makeClient } from '../src/store/connect.js';
import { METRICS } from '../src/store/names.js';
import { compareShard, type Repair, type Search } from '../src/verify/compare-shard.js';
import type { Findings } from '../src/verify/findings.js';

export interface VerifyContext {
  readonly dataset: Dataset;
  readonly fleet: Fleet;
  readonly connection: ConnectionSettings;
  readonly repair: boolean;
}

export interface VerifyTask {
  readonly context: VerifyContext;
  readonly shard: Shard;
  readonly search: Search;
}

/** More than a shard's minutes: a batch is a whole series. */
const WHOLE_SERIES = Number.MAX_SAFE_INTEGER;

let thread: { db: Db; model: TelemetryModel } | undefined;

export default async function verifyShard({ context, shard, search }: VerifyTask): Promise<Findings> {
  const { connection, fleet, dataset } = context;
  thread ??= {
    db: makeClient(connection).db(connection.database),
    model: new TelemetryModel(fleet, dataset.seed),
  };
  const { db, model } = thread;
  const repair = context.repair ? repairOf(db) : undefined;
  return withRetry(
    () => compareShard(new ShardSource(model, dataset, shard, WHOLE_SERIES), shard, db, { search, repair }),
    () => undefined,
  );
}

function repairOf(db: Db): Repair {
  const { sink } = openSink(db, 'sequence', 'majority');
  return {
    async insert(batch) {
      return (await sink.write(batch.using(new BatchBuffer(SEQUENCE_HEADROOM)))).inserted;
    },
    async put(documents) {
      if (documents.length === 0) return 0;
      const operations = documents.map(({ _id, ...replacement }) => ({
        replaceOne: { filter: { _id }, replacement, upsert: true },
      }));
      const result = await db
        .collection(METRICS)
        .bulkWrite(operations, { ordered: false, writeConcern: { w: 'majority' } });
      return result.modifiedCount + result.upsertedCount;
    },
  };
}
