/**
 * The piscina entry of `verify`: compares one shard with the database and, where it is told to,
 * puts right what differs.
 */
import { threadId } from 'node:worker_threads';
import type { ClientSession, Db, Document } from 'mongodb';
import { makeSteadyClient } from '../src/connect/connect.js';
import { formatLoaderName } from '../src/connect/loader-connections.js';
import { explainFailure, withRetry } from '../src/connect/retry.js';
import { explainServerError } from '../src/connect/server-errors.js';
import { SeriesMemory } from '../src/dataset/series.js';
import { ShardSource } from '../src/dataset/source.js';
import { BUCKETS_INSERT_RECORDS } from '../src/encode/bucket.js';
import { ExitStatus, SeedError } from '../src/errors.js';
import { buildFleet } from '../src/fleet/build.js';
import { TelemetryModel } from '../src/model/telemetry-model.js';
import { METRICS } from '../src/store/collections.js';
import { Counters, unshare, untilHeld } from '../src/threads/counters.js';
import { type BucketReading, compareShard } from '../src/verify/compare-shard.js';
import type { VerifyContext, VerifyResult, VerifyTask } from '../src/verify/verify.js';

interface Thread {
  readonly db: Db;
  readonly session: ClientSession;
  readonly model: TelemetryModel;
  readonly memory: SeriesMemory;
  readonly buckets: BucketReading;
}

let thread: Thread | undefined;

export default async function verifyShard({
  context: shared,
  shard,
  mending,
}: VerifyTask): Promise<VerifyResult> {
  const context = unshare(shared);
  const { connection, retryMs } = context;
  const counters = mending && new Counters(mending);
  try {
    const findings = await withRetry(
      async () => {
        thread ??= await prepareThread(context);
        const { db, session, model, memory, buckets } = thread;
        // As a load of buckets cuts it: a batch is a whole series, unless the shard is very long.
        const source = new ShardSource(model, context.dataset, shard, BUCKETS_INSERT_RECORDS, memory, {
          mergesDoubled: true,
        });
        const mend = counters && ((documents: readonly Document[]) => replace(db, documents, counters));
        return compareShard({ source, shard, db, session, mend, buckets });
      },
      { limitMs: retryMs, stopping: () => counters?.stopping === true },
    );
    return { state: 'compared', findings };
  } catch (error) {
    const explained = explainFailure(error, (cause) => explainServerError(cause, connection));
    if (explained instanceof SeedError) {
      const { exitStatus, message, remedy } = explained;
      return { state: 'failed', exitStatus, message, remedy };
    }
    const message = error instanceof Error ? error.message : String(error);
    return {
      state: 'failed',
      exitStatus: ExitStatus.failure,
      message: `shard ${shard.id}: ${message}`,
      remedy: '',
    };
  }
}

/** A client whose first attempt to connect fails is of no use afterwards, and is not kept. */
async function prepareThread({ connection, fleet, dataset, loader }: VerifyContext): Promise<Thread> {
  const { database } = connection;
  const name = loader !== undefined && { database, loader, thread: threadId, generation: 0 };
  const client = await makeSteadyClient(connection, name ? { appName: formatLoaderName(name) } : {});
  try {
    await client.connect();
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
  return {
    db: client.db(connection.database),
    session: client.startSession({ causalConsistency: false }),
    model: new TelemetryModel(buildFleet(fleet), dataset.seed),
    memory: new SeriesMemory(),
    buckets: { state: 'untried' },
  };
}

/**
 * Writes while the database is held, and gives the write up before another loader can take it over.
 */
async function replace(db: Db, documents: readonly Document[], counters: Counters): Promise<void> {
  const operations = documents.map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id }, replacement },
  }));
  const options = { ordered: false, writeConcern: { w: 'majority' } } as const;
  const held = untilHeld(counters);
  if (held) await held;
  await db.collection(METRICS).bulkWrite(operations, { ...options, timeoutMS: counters.heldMs });
}
