/**
 * What a worker meets at the server comes out of the load as one failure with its cause, and the
 * run stays resumable.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaderConnections } from '../../src/connect/loader-connections.js';
import type { WorkerContext } from '../../src/dataset/dataset.js';
import {
  DEFAULT_FLEET,
  type LoadEvent,
  load,
  minuteOf,
  planLoad,
  SECTIONS,
  SeedError,
} from '../../src/index.js';
import type { Shared } from '../../src/threads/counters.js';
import { LAYOUTS_HERE, SERIES_WRITERS } from '../support/features.js';
import { datasetOver, END, useServer } from '../support/loading.js';
import { until } from '../support/server.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });
const HOUR = { start: new Date(END.getTime() - 3_600_000) } as const;
const RECORDS = 94 * 60;
/** Long enough for a command that is given when the load begins. */
const WAITING = { blockConnection: true, blockTimeMS: 1_500 };

/** Inserts into `metrics`, from some attempt on, end as a fail point says. */
async function failInserts(data: object, mode: object | 'alwaysOn' | 'off'): Promise<void> {
  const failCommands = ['insert'];
  await file.client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode,
    ...(mode === 'off' ? {} : { data: { failCommands, namespace: undefined, ...data } }),
  });
}

/** How a load fails. `begun` is called when its first inserts are about to be sent. */
async function failureOf(database: string, begun: () => void = () => undefined): Promise<SeedError> {
  const { uri } = file.server;
  const onEvent = (event: LoadEvent) => {
    if (event.type === 'assetsWritten') begun();
  };
  try {
    await load({ uri, database, seed: 42, end: END, ...HOUR }, { onEvent });
  } catch (error) {
    assert.ok(error instanceof SeedError, String(error));
    assert.doesNotMatch(error.message + error.remedy, /\n|\bat \w+.*:\d+:\d+/);
    return error;
  }
  assert.fail('the load succeeded');
}

/** The run is marked failed and nobody holds it; with the obstacle gone `--resume` completes it. */
async function resumesAfter(database: string): Promise<void> {
  const db = file.client.db(database);
  const [run] = await db.collection('seed_runs').find().toArray();
  assert.deepEqual([run.state, run.active], ['failed', undefined]);
  const { uri } = file.server;
  const { status, records } = await load({ uri, database, existing: 'resume' });
  assert.deepEqual([status, records.inserted], ['complete', RECORDS]);
  assert.equal(await db.collection('metrics').countDocuments(), RECORDS);
}

for (const [code, exitStatus, message, remedy] of [
  [14031, 6, /no disk space/, /--resume/],
  // Whoever gave no user learns that first.
  [13, 4, /requires a user, and none was given/, /user/],
  [121, 1, /^the server refused: /, /^$/],
] as const) {
  test(`error ${code} of an insert, after some have succeeded, ends with exit status ${exitStatus}`, async () => {
    const database = file.freshDatabase();
    await failInserts({ errorCode: code, namespace: `${database}.metrics` }, { skip: 20 });
    try {
      const error = await failureOf(database);
      assert.equal(error.exitStatus, exitStatus);
      assert.match(error.message, message);
      assert.match(error.remedy, remedy);
    } finally {
      await failInserts({}, 'off');
    }
    await resumesAfter(database);
  });
}

test('a single record that the server refuses fails the load with the server’s own words', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  // A validator that is there before is refused before anything is written: this one comes while
  // the first inserts wait.
  await failInserts({ ...WAITING, namespace: `${database}.metrics` }, { times: 5 });
  const validator = { asset_id: { $ne: 'svc-nginx-102' } };
  const error = await failureOf(database, () => void db.command({ collMod: 'metrics', validator }));
  assert.equal(error.exitStatus, 1);
  assert.match(error.message, /^the server refused: Document failed validation/);
  await db.command({ collMod: 'metrics', validator: {} });
  await resumesAfter(database);
});

test('a cut connection is no failure: it is said once, counted, and no record is lost or doubled', async () => {
  const ways = [
    ['flat', 'sequence', 'metrics'],
    ['timeseries', 'sequence', 'metrics'],
    ['timeseries', 'buckets', 'system.buckets.metrics'],
  ] as const;
  const here = ways.filter(([one, writer]) => LAYOUTS_HERE.includes(one) && SERIES_WRITERS.includes(writer));
  for (const [layout, writer, collection] of here) {
    const database = file.freshDatabase();
    await failInserts({ closeConnection: true, namespace: `${database}.${collection}` }, { times: 3 });
    const events: LoadEvent[] = [];
    const { uri } = file.server;
    const summary = await load(
      { uri, database, seed: 42, end: END, ...HOUR, layout, writer },
      { onEvent: (event) => void events.push(event) },
    );
    assert.deepEqual([summary.status, summary.records.inserted], ['complete', RECORDS]);
    assert.ok(summary.retries >= 1, `${layout}, ${writer}: ${summary.retries} retries`);
    const warnings = events.filter((event) => event.type === 'notice' && event.level === 'warning');
    assert.ok(warnings.length >= 1, 'nothing was said');
    assert.equal(await file.client.db(database).collection('metrics').countDocuments(), RECORDS);
  }
});

/** Of an hour of the default fleet. */
function contextOf(database: string, writer: WorkerContext['writer']): WorkerContext {
  return {
    runId: 'x',
    dataset: datasetOver({ start: minuteOf(HOUR.start), end: minuteOf(END) }),
    fleet: DEFAULT_FLEET.definition,
    connection: { origin: 'named', uri: file.server.uri, database, options: {} },
    writer,
    writeConcern: undefined,
    compressors: [],
    rate: undefined,
    batchSize: 100,
    loader: 'abc',
    retryMs: 1000,
  };
}

/** A loading thread's entry, called in this one; and a shard for it. */
async function loaderThread() {
  const { default: loadShardTask } = await import('../../workers/load-shard.js');
  const { Counters, share } = await import('../../src/threads/counters.js');
  const window = { start: minuteOf(HOUR.start), end: minuteOf(END) };
  const [shard] = planLoad(DEFAULT_FLEET, window, SECTIONS, 7).shards;
  return { loadShardTask, share, counters: Counters.forWorkers(1).shared, shard };
}

test('a thread that is asked for another writer closes what it had opened', async () => {
  const { loadShardTask, share, counters } = await loaderThread();
  const database = file.freshDatabase();
  const context = contextOf(database, 'sequence');
  const prepare = (one: WorkerContext) => loadShardTask({ kind: 'prepare', context: share(one), counters });
  const open = async () => ((await loaderConnections(file.client.db(database))) ?? []).length;
  await prepare(context);
  await until('connections are held', async () => (await open()) >= 5);
  // Its driver holds none.
  await prepare({ ...context, writer: 'bulkwrite' });
  await until('they are closed', async () => (await open()) <= 2);
  await prepare({ ...context, writer: 'none' });
  await until('none is left', async () => (await open()) === 0);
});

test('a thread that loads is not prepared for another writer, however late it is asked to', async () => {
  const { loadShardTask, share, counters, shard } = await loaderThread();
  const database = file.freshDatabase();
  const context = contextOf(database, 'sequence');
  const other = share({ ...context, writer: 'none' as const });
  const loadBy = (one: Shared<WorkerContext>) =>
    loadShardTask({ kind: 'shard', shard, mayHoldRecords: false, context: one, counters });
  const loading = loadBy(share(context));
  const late = await loadShardTask({ kind: 'prepare', context: other, counters });
  assert.equal(late.state, 'prepared');
  const result = await loading;
  assert.ok(result.state === 'loaded', JSON.stringify(result));
  // The connections that it has loaded over are still there, until it loads otherwise.
  const open = async () => ((await loaderConnections(file.client.db(database))) ?? []).length;
  assert.ok((await open()) > 0);
  await loadBy(other);
  await until('they are closed', async () => (await open()) === 0);
});

test('a failure that no server caused names the shard, and is no unexplained exception', async () => {
  // A metric that no model knows would be a mistake of the program; a fleet whose shard has gone
  // stands in for it.
  const { loadShardTask, share, counters, shard } = await loaderThread();
  const result = await loadShardTask({
    kind: 'shard',
    shard: { ...shard, assetIndex: 999 },
    mayHoldRecords: false,
    counters,
    context: share(contextOf(file.freshDatabase(), 'none')),
  });
  assert.ok(result.state === 'failed');
  assert.equal(result.exitStatus, 1);
  assert.ok(result.message.startsWith(`shard ${shard.id}: `), result.message);
});
