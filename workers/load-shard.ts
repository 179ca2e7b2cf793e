/** The piscina entry: loads one shard, start to end. */
import type { MongoClient } from 'mongodb';
import { SeedError } from '../src/errors.js';
import { BATCHES_IN_FLIGHT, BufferPool, loadShard } from '../src/load/shard-loader.js';
import { Counters } from '../src/load/counters.js';
import { SEQUENCE_HEADROOM } from '../src/load/document-sequence.js';
import { openSink } from '../src/load/open-sink.js';
import type { ShardTask } from '../src/load/pool.js';
import type { ShardResult, WorkerContext } from '../src/load/run.js';
import { withRetry } from '../src/load/retry.js';
import { SafeSink } from '../src/load/safe-sink.js';
import { ShardSource } from '../src/load/source.js';
import { BACKUP_SERIES, minuteSeries, TelemetryModel } from '../src/model/index.js';
import { loadedAssets } from '../src/plan/index.js';
import { makeClient } from '../src/store/connect.js';
import { serverIdentity } from '../src/store/identity.js';
import { explainServerError } from '../src/store/server-errors.js';

/** What a thread keeps from one shard to the next. */
function prepareThread(context: WorkerContext) {
  const counters = new Counters(context.counters);
  const client: MongoClient | undefined =
    context.writer === 'none'
      ? undefined
      : makeClient(context.connection, {
          maxPoolSize: BATCHES_IN_FLIGHT,
          minPoolSize: 0,
          compressors: [...context.compressors] as 'none'[],
        });
  const db = client?.db(context.connection.database);
  return {
    counters,
    slot: counters.takeSlot(),
    model: new TelemetryModel(context.fleet, context.dataset.seed),
    buffers: new BufferPool(BATCHES_IN_FLIGHT, SEQUENCE_HEADROOM),
    db,
    ...openSink(db, context.writer, context.writeConcern),
  };
}

let runId: string | undefined;
let thread: ReturnType<typeof prepareThread> | undefined;

export default async function loadShardTask(task: ShardTask): Promise<ShardResult> {
  const { context } = task;
  if (!thread || runId !== context.runId) {
    thread = prepareThread(context);
    runId = context.runId;
  }
  try {
    return await load(task, thread);
  } catch (error) {
    if (thread.counters.stopping) return { state: 'interrupted' };
    const explained = explainServerError(error, context.connection);
    if (!(explained instanceof SeedError)) throw error;
    const { exitStatus, message, remedy } = explained;
    return { state: 'failed', exitStatus, message, remedy };
  }
}

async function load(
  { context, shard, mayHoldRecords }: ShardTask,
  { counters, slot, db, model, buffers, sink, writer }: ReturnType<typeof prepareThread>,
): Promise<ShardResult> {
  const started = performance.now();
  const stopping = () => counters.stopping;
  const onRetry = () => counters.add(slot, 'retries', 1);
  const asset = loadedAssets(context.fleet)[shard.assetIndex];
  const metrics = [...minuteSeries(asset), BACKUP_SERIES].map((series) => series.metricName as string);
  counters.set(slot, 'assetIndex', shard.assetIndex);

  const identity = db ? await withRetry(() => serverIdentity(db), onRetry, stopping) : '';
  const safeSink = db ? new SafeSink(sink, db, { shard, mayHoldRecords, stopping, onRetry }) : sink;
  const source = new ShardSource(model, context.dataset, shard, context.batchSize);
  const result = await loadShard(source, safeSink, buffers, stopping, (records, micros, metric, minute) => {
    counters.add(slot, 'acknowledged', records);
    counters.add(slot, 'batches', 1);
    counters.add(slot, 'batchMicros', micros);
    counters.set(slot, 'metricIndex', metrics.indexOf(metric));
    counters.set(slot, 'minute', minute);
  });
  if (!result.complete) return { state: 'interrupted' };
  return {
    state: 'loaded',
    inserted: result.inserted,
    alreadyThere: result.alreadyThere,
    ms: performance.now() - started,
    worker: slot,
    serverIdentity: identity,
    writer,
  };
}
