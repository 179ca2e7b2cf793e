/** The piscina entry: loads one shard, start to end. */

import { parentPort, threadId } from 'node:worker_threads';
import { makeClient } from '../src/connect/connect.js';
import { explainFailure, type RetryOptions, retryMessage, withRetry } from '../src/connect/retry.js';
import { explainServerError } from '../src/connect/server-errors.js';
import { SourcesAhead } from '../src/dataset/ahead.js';
import type { ShardResult, WorkerContext } from '../src/dataset/dataset.js';
import { SeriesMemory, Templates } from '../src/dataset/series.js';
import { ShardSource } from '../src/dataset/source.js';
import { BUCKET_RECORDS, BUCKETS_INSERT_RECORDS } from '../src/encode/bucket.js';
import { ExitStatus, SeedError } from '../src/errors.js';
import { buildFleet } from '../src/fleet/build.js';
import type { LoadTask, Prepared, ShardTask } from '../src/load/load.js';
import { BACKUP_SERIES, sampledSeries, TelemetryModel } from '../src/model/telemetry-model.js';
import { loadedAssets } from '../src/plan/plan.js';
import { serverIdentity } from '../src/store/server.js';
import {
  BATCHES_IN_FLIGHT,
  Counters,
  latencyHistogram,
  pacedRecords,
  recordMs,
  SHARDS_SIDE_BY_SIDE,
  unshare,
  untilHeld,
  untilTurn,
} from '../src/threads/counters.js';
import { SEQUENCE_HEADROOM } from '../src/write/driver/document-sequence.js';
import { gateWrites } from '../src/write/driver/held-connection.js';
import { SafeSink } from '../src/write/safe-sink.js';
import {
  BufferPool,
  type LoadedSequence,
  type LoopHooks,
  loadSequence,
  loadShard,
  nullSink,
  openSink,
} from '../src/write/sink.js';
import { WriterConnection } from '../src/write/writer-connection.js';

/** What this thread has generated before it had anything else to do. */
let ahead: SourcesAhead | undefined;
/** True from its first shard on. */
let isLoading = false;

/** What a thread keeps from one shard to the next. */
async function prepareThread(context: WorkerContext, shared: SharedArrayBuffer) {
  const counters = new Counters(shared);
  if (ahead && !ahead.areOf(context)) ahead = undefined;
  const { model, templates } = ahead ?? {
    model: new TelemetryModel(buildFleet(context.fleet), context.dataset.seed),
    templates: new Templates(),
  };
  gateWrites(() => counters.held);
  return {
    context,
    counters,
    /**
     * Of the server when it was last asked. An old answer is safe: only what it still names at a
     * commit is taken as durable.
     */
    identity: undefined as string | undefined,
    slot: counters.takeSlot(),
    latencies: latencyHistogram(),
    /** Whether the main thread has the latencies: see `LoadedShard`. */
    sharesLatencies: false,
    model,
    /** For the shards that are loaded side by side. */
    memories: Array.from({ length: SHARDS_SIDE_BY_SIDE }, () => new SeriesMemory(templates)),
    buffers: new BufferPool(BATCHES_IN_FLIGHT, SEQUENCE_HEADROOM),
    connection: context.writer === 'none' ? undefined : connect(context, counters, await sequence),
  };
}

type Thread = Awaited<ReturnType<typeof prepareThread>>;

/**
 * For another context, such as that of another writer. The earlier connection bears the same name:
 * left open, it would be taken for one whose writes are still under way.
 */
async function prepareAnew(
  earlier: Promise<Thread> | undefined,
  context: WorkerContext,
  shared: SharedArrayBuffer,
): Promise<Thread> {
  await earlier?.then(({ connection }) => connection?.close()).catch(() => undefined);
  return prepareThread(context, shared);
}

function connect(context: WorkerContext, counters: Counters, sequence: LoadedSequence): WriterConnection {
  const { connection, compressors, loader } = context;
  const holdable = typeof sequence === 'object' && typeof sequence.connectionType !== 'string';
  return new WriterConnection({
    name: { database: connection.database, loader, thread: threadId },
    makeClient: (appName) =>
      makeClient(connection, {
        appName,
        // Connections that insert are held; shards read over others.
        maxPoolSize: BATCHES_IN_FLIGHT + SHARDS_SIDE_BY_SIDE,
        minPoolSize: 0,
        compressors: [...compressors] as 'none'[],
        // An option that the driver takes and does not document.
        ...(holdable ? { connectionType: sequence.connectionType } : {}),
      }),
    openSink: (db) => openSink(db, context.writer, context.writeConcern, sequence),
    stopping: () => counters.stopping,
  });
}

// While the main thread prepares the target. Not awaited here: piscina would import an entry that
// waits a second time.
const sequence = loadSequence();

let thread: Promise<Thread> | undefined;
let prepared: WorkerContext | undefined;

/**
 * Answers for every failure of its own: what leaves it as an exception is the death of the thread.
 */
export default async function loadShardTask(task: LoadTask): Promise<ShardResult | Prepared> {
  if (task.kind === 'ahead') {
    const context = unshare(task.context);
    ahead = new SourcesAhead(context, recordsOfInsert(context, context.asBuckets), SEQUENCE_HEADROOM);
    await ahead.generate(() => isLoading);
    return { state: 'prepared' };
  }
  // Its shards may have come before it, with another context, and what they use must stay.
  if (task.kind === 'prepare' && isLoading) return { state: 'prepared' };
  isLoading = task.kind === 'shard';
  const context = unshare(task.context);
  if (!thread || prepared !== context) {
    thread = prepareAnew(thread, context, task.counters);
    prepared = context;
  }
  if (task.kind === 'prepare') {
    await thread.then(({ connection }) => connection?.open(BATCHES_IN_FLIGHT)).catch(() => undefined);
    return { state: 'prepared' };
  }
  const { shard } = task;
  try {
    return await load(task, await thread);
  } catch (error) {
    if (new Counters(task.counters).stopping) return { state: 'interrupted' };
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

function recordsOfInsert({ batchSize, rate }: Pick<WorkerContext, 'batchSize' | 'rate'>, asBuckets: boolean) {
  return asBuckets ? pacedRecords(BUCKETS_INSERT_RECORDS, rate, BUCKET_RECORDS) : batchSize;
}

async function load({ shard, mayHoldRecords }: ShardTask, thread: Thread): Promise<ShardResult> {
  const { context, counters, slot, connection, model, buffers, memories } = thread;
  const started = performance.now();
  const stopping = () => counters.stopping;
  const retry: RetryOptions = {
    limitMs: context.retryMs,
    stopping,
    onRetry: (error) => {
      thread.identity = undefined;
      parentPort?.postMessage(retryMessage(`shard ${shard.id}`, error));
    },
  };
  const asset = loadedAssets(model.fleet)[shard.assetIndex];
  const metrics = [...sampledSeries(asset), BACKUP_SERIES].map((series) => series.metricName as string);
  counters.set(slot, 'assetIndex', shard.assetIndex);

  // A shard that comes back may do so because the server is another one.
  if (mayHoldRecords) thread.identity = undefined;
  if (connection) thread.identity ??= await withRetry(() => connection.read(serverIdentity), retry);
  const identity = thread.identity ?? '';
  const sink = connection
    ? new SafeSink(connection, {
        shard,
        mayHoldRecords,
        keepsOthers: context.keepsOthers === true,
        retry,
        untilHeld: () => untilHeld(counters),
      })
    : nullSink;
  const asBuckets = context.writer === 'buckets';
  const batchSize = recordsOfInsert(context, asBuckets);
  const made = ahead?.take(shard, batchSize, asBuckets);
  const memory = made ? undefined : memories.pop();
  const source =
    made ?? new ShardSource(model, context.dataset, shard, batchSize, memory, { asBuckets, byArrival: true });
  const { rate } = context;
  const turn = (records: number) => (rate === undefined ? undefined : untilTurn(counters, records, rate));
  const acknowledged: LoopHooks['acknowledged'] = (records, sentMs, metric, minute) => {
    counters.add(slot, 'acknowledged', records);
    if (sentMs !== undefined) {
      recordMs(thread.latencies, sentMs);
      counters.add(slot, 'batches', 1);
      counters.add(slot, 'batchMicros', sentMs * 1000);
    }
    counters.set(slot, 'metricIndex', metrics.indexOf(metric));
    counters.set(slot, 'minute', minute);
  };
  const loading = loadShard(source, sink, buffers, { stopping, turn, acknowledged });
  const result = await loading.finally(() => memory && memories.push(memory));
  if (!result.complete) return { state: 'interrupted' };
  const latencies = thread.sharesLatencies ? {} : { latencies: thread.latencies };
  thread.sharesLatencies = true;
  return {
    state: 'loaded',
    inserted: result.inserted,
    alreadyThere: result.alreadyThere,
    ms: performance.now() - started,
    worker: slot,
    ...latencies,
    serverIdentity: identity,
    writer: connection?.writer ?? { kind: 'none' },
  };
}
