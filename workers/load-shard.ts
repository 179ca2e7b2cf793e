/** The piscina entry: loads one shard, start to end. */
import { parentPort, threadId } from 'node:worker_threads';
import { ExitStatus, SeedError } from '../src/errors.js';
import { Counters } from '../src/load/counters.js';
import { SEQUENCE_HEADROOM } from '../src/load/document-sequence.js';
import { explainFailure } from '../src/load/explain.js';
import { openSink } from '../src/load/open-sink.js';
import type { ShardTask } from '../src/load/pool.js';
import { type RetryOptions, withRetry } from '../src/load/retry.js';
import { retryMessage } from '../src/load/retry-log.js';
import type { ShardResult, WorkerContext } from '../src/load/run.js';
import { SafeSink } from '../src/load/safe-sink.js';
import { BATCHES_IN_FLIGHT, BufferPool, loadShard } from '../src/load/shard-loader.js';
import { nullSink } from '../src/load/sink.js';
import { ShardSource } from '../src/load/source.js';
import { untilHeld } from '../src/load/until-held.js';
import { WriterConnection } from '../src/load/writer-connection.js';
import { BACKUP_SERIES, minuteSeries, TelemetryModel } from '../src/model/index.js';
import { loadedAssets } from '../src/plan/index.js';
import { makeClient } from '../src/store/connect.js';
import { serverIdentity } from '../src/store/identity.js';
import { explainServerError } from '../src/store/server-errors.js';

/** What a thread keeps from one shard to the next. */
function prepareThread(context: WorkerContext) {
  const counters = new Counters(context.counters);
  return {
    counters,
    slot: counters.takeSlot(),
    model: new TelemetryModel(context.fleet, context.dataset.seed),
    buffers: new BufferPool(BATCHES_IN_FLIGHT, SEQUENCE_HEADROOM),
    connection: context.writer === 'none' ? undefined : connect(context, counters),
  };
}

function connect(context: WorkerContext, counters: Counters): WriterConnection {
  const { connection, compressors, loader } = context;
  return new WriterConnection({
    name: { database: connection.database, loader, thread: threadId },
    makeClient: (appName) =>
      makeClient(connection, {
        appName,
        maxPoolSize: BATCHES_IN_FLIGHT,
        minPoolSize: 0,
        compressors: [...compressors] as 'none'[],
      }),
    openSink: (db) => openSink(db, context.writer, context.writeConcern),
    stopping: () => counters.stopping,
  });
}

let runId: string | undefined;
let thread: ReturnType<typeof prepareThread> | undefined;

/** Answers for every failure of its own: what leaves it as an exception is the death of the thread. */
export default async function loadShardTask(task: ShardTask): Promise<ShardResult> {
  const { context, shard } = task;
  try {
    if (!thread || runId !== context.runId) {
      thread = prepareThread(context);
      runId = context.runId;
    }
    return await load(task, thread);
  } catch (error) {
    if (thread?.counters.stopping) return { state: 'interrupted' };
    const explained = explainFailure(error, (cause) => explainServerError(cause, context.connection));
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

async function load(
  { context, shard, mayHoldRecords }: ShardTask,
  { counters, slot, connection, model, buffers }: ReturnType<typeof prepareThread>,
): Promise<ShardResult> {
  const started = performance.now();
  const stopping = () => counters.stopping;
  const retry: RetryOptions = {
    limitMs: context.retryMs,
    stopping,
    onRetry: (error) => parentPort?.postMessage(retryMessage(`shard ${shard.id}`, error)),
  };
  const asset = loadedAssets(context.fleet)[shard.assetIndex];
  const metrics = [...minuteSeries(asset), BACKUP_SERIES].map((series) => series.metricName as string);
  counters.set(slot, 'assetIndex', shard.assetIndex);

  const identity = connection ? await withRetry(() => connection.read(serverIdentity), retry) : '';
  const sink = connection
    ? new SafeSink(connection, { shard, mayHoldRecords, retry, untilHeld: () => untilHeld(counters) })
    : nullSink;
  const source = new ShardSource(model, context.dataset, shard, context.batchSize);
  const result = await loadShard(source, sink, buffers, stopping, (records, micros, metric, minute) => {
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
    writer: connection?.writer ?? 'none',
  };
}
