/**
 * The library takes what it is given for nothing else: options that are not known, and values of
 * another kind, are refused by name.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import * as library from '../../src/index.js';
import { ExitStatus, type LoadOptions, SeedError } from '../../src/index.js';
import { useServer } from '../support/loading.js';

const file = useServer();

/** What a caller without types may do. */
type Call = (...given: unknown[]) => unknown;
const { load, plan, generate, generateBatches, verify, refresh, connectReader } = library;
const FUNCTIONS = { load, plan, generate, generateBatches, verify, refresh, connectReader };
const call = (name: keyof typeof FUNCTIONS) => FUNCTIONS[name] as unknown as Call;

/** Calls, and fails unless that is refused as a mistake of usage, in one line. */
async function refused(given: () => unknown, message: RegExp): Promise<void> {
  await assert.rejects(
    async () => given(),
    (error) => {
      assert.ok(error instanceof SeedError, String(error));
      assert.equal(error.exitStatus, ExitStatus.usage);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    },
  );
}

/** An address where nothing answers: what is not refused beforehand fails in another way. */
const NOWHERE = { uri: 'mongodb://127.0.0.1:1/options' };

const WRONG_VALUES: readonly (readonly [options: object, message: RegExp])[] = [
  [{ existing: 'zap' }, /^existing "zap": must be one of refuse, clean, keep, resume$/],
  [{ existing: 'cleen' }, /^existing "cleen": must be .+; did you mean clean\?$/],
  [{ existing: true }, /^existing true: must be one of/],
  [{ sections: [] }, /^sections \[\]: must be a list of at least one of .+assetsOnly: true/],
  [{ sections: 'metrics' }, /^sections "metrics": must be a list of metrics, polling, backup$/],
  [{ sections: ['metrics', 'poling'] }, /^sections .+: must be one of .+; did you mean polling\?$/],
  [{ sections: ['metrics'], assetsOnly: true }, /^assetsOnly and sections exclude each other/],
  [{ days: '7' }, /^days "7": must be a number$/],
  [{ days: Number.NaN }, /^days NaN: must be a number$/],
  [{ days: 0 }, /^days 0: must be a whole number from 1 to 36500$/],
  [{ seed: 1.5 }, /^seed 1\.5: must be a whole number/],
  [{ seed: null }, /^seed null: must be a number$/],
  [{ end: '2025-02-09' }, /^end "2025-02-09": must be a Date/],
  [{ end: new Date('never') }, /^end Invalid Date: must be a Date/],
  [{ layout: 'flt' }, /^layout "flt": must be one of flat, timeseries; did you mean flat\?$/],
  [{ fleet: 7 }, /^fleet 7: must be the path of a fleet file/],
  [{ dayz: 7 }, /^dayz is no option of \w+; did you mean days\?$/],
  [{ Days: 7 }, /^Days is no option of \w+; did you mean days\?$/],
  [{ skipCleanup: true }, /^skipCleanup is no option of \w+/],
  [{ toString: 1 }, /^toString is no option of \w+/],
];

for (const [options, message] of WRONG_VALUES) {
  test(`refused by load, plan, generate, generateBatches and verify: ${Object.keys(options)} ${message}`, async () => {
    for (const name of ['load', 'verify'] as const) {
      if (name === 'verify' && 'existing' in options) continue;
      await refused(() => call(name)({ ...NOWHERE, ...options }), message);
    }
    for (const name of ['plan', 'generate', 'generateBatches'] as const) {
      if ('existing' in options) continue;
      await refused(() => call(name)(options), message);
    }
  });
}

test('what load alone takes, what is no object, and who watches', async () => {
  await refused(() => call('load')({ ...NOWHERE, batchsize: 5 }), /^batchsize .+did you mean batchSize\?$/);
  await refused(() => call('load')({ ...NOWHERE, batchSize: 0 }), /^batchSize 0: must be a whole number/);
  for (const [options, message] of [
    [{ start: new Date(1) }, /^start "1970.+": must be a Date of a whole minute from 1970 to 9999$/],
    [{ end: new Date(-60_000) }, /^end "1969.+": must be a Date of a whole minute/],
    [{ start: new Date(60_000), end: new Date(0) }, /^start 1970\S+ must be before end 1970\S+$/],
    [{ days: 40_000 }, /^days 40000: must be a whole number from 1 to 36500$/],
    [{ days: 36_500, end: new Date(0) }, /^days 36500 would begin before 1970-01-01/],
    [{ days: 3, start: new Date(0), end: new Date(86_400_000) }, /^days 3 does not fit: start and end are 1/],
    [{ timezone: 'Mars' }, /^timezone "Mars": must be an IANA time zone/],
    [{ environment: 'a b' }, /^environment "a b": must be at most 64 letters/],
    [{ writeConcern: 51 }, /^writeConcern 51: must be majority, or a number of members from 1 to 50$/],
    [{ writeConcern: true }, /^writeConcern true: must be "majority" or a number of members$/],
    [{ compressors: ['zlib', 'zlib'] }, /^compressors .+: must be a list of .+, each once$/],
    [{ retrySeconds: -1 }, /^retrySeconds -1: must be a whole number from 0 to 86400$/],
    [{ database: 'admin' }, /^database "admin": must be a name without any of/],
    [{ fleet: '' }, /^fleet "": must be a path$/],
    [{ uri: 'localhost' }, /^uri: must be a connection string/],
    [{ interval: '7s' }, /^interval "7s": must be one of 1s, 5s/],
    [{ jitter: 60_000 }, /^jitter 60000: must be a whole number from 0 to 59999$/],
  ] as const)
    await refused(() => call('load')({ ...NOWHERE, ...options }), message);
  await refused(() => call('refresh')({ ...NOWHERE, keepDays: 0 }), /^keepDays 0: must be a whole number/);
  await refused(() => call('load')({ ...NOWHERE, ttlDays: 3 }), /^ttlDays needs layout timeseries/);
  await refused(
    () => call('load')({ ...NOWHERE, clustered: 'no' }),
    /^clustered "no": must be true or false/,
  );
  await refused(
    () => call('load')({ ...NOWHERE, compressors: 'zlib' }),
    /^compressors "zlib": must be a list/,
  );
  await refused(() => call('load')({ ...NOWHERE, writer: 'none ' }), /^writer "none ": must be one of/);
  await refused(
    () => call('load')({ ...NOWHERE, dayz: 7, seeed: 1 }),
    /dayz .+ days\?; seeed .+ mean seed\?$/,
  );
  for (const options of [null, 'mongodb://127.0.0.1:1', 7, []])
    await refused(() => call('load')(options), /^load takes an object with options, not /);
  await refused(() => call('load')(NOWHERE, { onevent: () => 0 }), /^onevent .+did you mean onEvent\?$/);
  await refused(() => call('load')(NOWHERE, { onEvent: 'log' }), /^onEvent "log": must be a function$/);
  await refused(() => call('load')(NOWHERE, { signal: {} }), /^signal \{\}: must be an AbortSignal$/);
  await refused(() => call('plan')({ existing: 'clean' }), /^existing is no option of plan$/);
  await refused(() => call('verify')({ ...NOWHERE, batchSize: 5 }), /^batchSize is no option of verify/);
});

test('a password of a connection string that is no text, or no connection string, is not told', async () => {
  for (const uri of [['mongodb://me:s3cret@h'], { uri: 's3cret' }])
    await assert.rejects(
      async () => call('load')({ uri }),
      (error: Error) => !error.message.includes('s3cret') && error instanceof SeedError,
    );
});

test('a reader is asked for what there is', async () => {
  await refused(() => call('connectReader')(), /^uri: must be a connection string$/);
  await refused(() => call('connectReader')(file.server.uri, 7), /^database 7: must be a text$/);
  const database = file.freshDatabase();
  await file.load(database, { assetsOnly: true });
  const { reader, close } = await library.connectReader(file.server.uri, database);
  try {
    const records = reader.records.bind(reader) as Call;
    await refused(() => records('vm-101', { metric: 'cpu_usage' }), /^metric is no field of a query/);
    await refused(() => records('vm-101', { metricname: 'x' }), /did you mean metricName\?$/);
    await refused(() => records('vm-101', { from: '2025-02-08' }), /^from: must be a Date/);
    await refused(() => records('vm-101', { limit: 0 }), /^limit: must be a whole number from 1$/);
    await refused(() => records({ $ne: null }), /^assetId: must be a text$/);
    await refused(() => (reader.assetById as Call).call(reader, { $ne: null }), /^assetId: must be a text$/);
    assert.deepEqual(await reader.records('vm-101', { metricName: 'cpu_usage', limit: 1 }), []);
  } finally {
    await close();
  }
});

test('a plan is made of what makes one', async () => {
  const planLoad = library.planLoad as Call;
  const window = { start: 0, end: 1440 };
  const fleet = library.DEFAULT_FLEET;
  await refused(() => planLoad(undefined, window, ['metrics'], 7), /^fleet: must be a fleet$/);
  await refused(() => planLoad(fleet, { start: 0 }, ['metrics'], 7), /^window\.end: must be whole minutes/);
  await refused(() => planLoad(fleet, window, 'metrics', 7), /^sections: must be a list of metrics/);
  await refused(() => planLoad(fleet, window, ['metric'], 7), /^sections\.0: must be one of metrics/);
  await refused(() => planLoad(fleet, window, ['metrics'], 0), /^shardDays: must be a whole number from 1$/);
  assert.equal((planLoad(fleet, window, ['metrics'], 7) as library.Plan).records, 43_200);
});

/** A load that its watcher brings down; afterwards nobody holds the run, and it can be resumed. */
async function broughtDown(onEvent: (event: library.LoadEvent) => unknown, more: LoadOptions): Promise<void> {
  const database = file.freshDatabase();
  const options = { uri: file.server.uri, database, days: 3, seed: 42, workers: 1, batchSize: 20, ...more };
  await assert.rejects(
    library.load(options, { onEvent: onEvent as (event: library.LoadEvent) => void }),
    /^Error: the watcher/,
  );
  const runs = file.client.db(database).collection('seed_runs');
  assert.equal(await runs.countDocuments({ active: true }), 0);
  const { status } = await library.load({ uri: file.server.uri, database, existing: 'resume' });
  assert.match(status, /^(?:complete|nothing to resume)$/);
}

test('what onEvent throws is what load rejects with, and the run is let go', async () => {
  await broughtDown(({ type }) => {
    if (type === 'progress') throw new Error('the watcher of progress');
  }, {});
  await broughtDown(({ type }) => {
    if (type === 'connected') throw new Error('the watcher of the connection');
  }, {});
  await broughtDown(async ({ type }) => {
    await sleep(1);
    if (type === 'started') throw new Error('the watcher that promised');
  }, {});
});

test("a watcher's error is no uncaught one of the caller's process", async () => {
  const script = `
    import { load } from ${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)};
    process.on('exit', (code) => console.log('exit', code));
    const watch = { onEvent: ({ type }) => { if (type === 'progress') throw new Error('mine'); } };
    const options = { uri: ${JSON.stringify(file.server.uri)}, database: 'uncaught', days: 3, seed: 42, batchSize: 20 };
    await load(options, watch).catch((error) => console.log('caught', error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(stdout, 'caught mine\nexit 0\n');
});

test('the signal of the caller stops a load as before', async () => {
  const stop = new AbortController();
  const database = file.freshDatabase();
  const aborted = once(stop.signal, 'abort');
  const { status } = await library.load(
    { uri: file.server.uri, database, days: 3, seed: 42, workers: 1, batchSize: 20 },
    {
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'progress') stop.abort();
      },
    },
  );
  await aborted;
  assert.equal(status, 'interrupted');
});
