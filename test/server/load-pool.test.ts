/** Threads that connect before their first shard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaderConnections } from '../../src/connect/loader-connections.js';
import type { WorkerContext } from '../../src/dataset/dataset.js';
import { DEFAULT_FLEET } from '../../src/index.js';
import { LoadPool } from '../../src/load/load.js';
import { minuteOf, planLoad } from '../../src/plan/plan.js';
import { BATCHES_IN_FLIGHT, Counters, SHARDS_SIDE_BY_SIDE } from '../../src/threads/counters.js';
import { datasetOver, daysBefore, END, useServer } from '../support/loading.js';
import { until } from '../support/server.js';

const file = useServer();
const WINDOW = { start: minuteOf(daysBefore(0.5)), end: minuteOf(END) };
const LOADER = '0123456789abcdef';

function contextFor(uri: string, database: string): WorkerContext {
  return {
    runId: 'x',
    dataset: datasetOver(WINDOW),
    fleet: DEFAULT_FLEET.definition,
    connection: { origin: 'named', uri, database, options: { serverSelectionTimeoutMS: 500 } },
    writer: 'sequence',
    writeConcern: undefined,
    compressors: [],
    rate: undefined,
    batchSize: 100,
    loader: LOADER,
    retryMs: 0,
  };
}

/** How many connections each thread of the loader has that are not monitors. */
async function connectionsByThread(database: string): Promise<number[]> {
  const counts = new Map<number, number>();
  for (const { thread } of (await loaderConnections(file.client.db(database))) ?? []) {
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
  }
  return [...counts.values()];
}

test('every thread opens the connections that it will insert over, and loads over those', async () => {
  const database = file.freshDatabase();
  const context = contextFor(file.server.uri, database);
  const counters = Counters.forWorkers(2);
  const pool = new LoadPool(2, SHARDS_SIDE_BY_SIDE);
  const expected = [BATCHES_IN_FLIGHT, BATCHES_IN_FLIGHT];
  try {
    pool.prepare(context, counters);
    await until('every thread has its connections', async () => {
      return String(await connectionsByThread(database)) === String(expected);
    });
    const [shard] = planLoad(DEFAULT_FLEET, WINDOW, context.dataset.sections, 7).shards;
    const result = await pool.load(shard, false, context, counters);
    assert.deepEqual([result.state, counters.sum('acknowledged')], ['loaded', shard.records]);
    const open = await connectionsByThread(database);
    // One reads who the server is.
    assert.ok(Math.max(...open) <= BATCHES_IN_FLIGHT + 1, String(open));
  } finally {
    await pool.destroy();
  }
});

test('where there is no server that is for the first shard to say', async () => {
  const context = contextFor('mongodb://127.0.0.1:1', 'nowhere');
  const counters = Counters.forWorkers(1);
  const pool = new LoadPool(1);
  try {
    pool.prepare(context, counters);
    const [shard] = planLoad(DEFAULT_FLEET, WINDOW, context.dataset.sections, 7).shards;
    const result = await pool.load(shard, false, context, counters);
    assert.equal(result.state, 'failed');
  } finally {
    await pool.destroy();
  }
});
