/** `workload` asks what dashboards ask, and tells right answers from wrong ones. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Document, Double } from 'mongodb';
import type { LoadOptions } from '../../src/index.js';
import { QUERY_NAMES } from '../../src/workload/queries.js';
import { type CliResult, runCli, startCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { assertEqualToPlan, loadWell } from '../support/dataset.js';
import { END, useServer } from '../support/loading.js';

const file = useServer();

async function loaded(options: LoadOptions): Promise<{ uri: string; database: string }> {
  const database = file.freshDatabase();
  await file.load(database, { days: 3, end: END, seed: 7, ...options });
  return { uri: file.server.uri, database };
}

function ask({ uri, database }: { uri: string; database: string }, ...flags: string[]): Promise<CliResult> {
  return runCli(['workload', '--uri', uri, '--database', database, ...flags]);
}

function reported({ stdout, stderr }: CliResult): Document {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}

const CASES: Readonly<Record<string, LoadOptions>> = {
  flat: { layout: 'flat' },
  'time-series in buckets': { layout: 'timeseries', writer: 'buckets' },
  'time-series by measurements, unit scale': {
    layout: 'timeseries',
    writer: 'sequence',
    availabilityScale: 'unit',
  },
  'another zone, a period within hours': {
    timezone: 'Europe/Rome',
    days: undefined,
    start: new Date(END.getTime() - 100_020_000),
    end: new Date(END.getTime() - 37 * 60_000),
  },
};

for (const [what, options] of Object.entries(CASES)) {
  test(`every answer is right: ${what}`, async () => {
    const place = await loaded(options);
    const result = await ask(place, '--requests', '600', '--clients', '5', '--json');
    assert.equal(result.status, 0, result.stdout + result.stderr);
    const { queries, broken, clients } = reported(result);
    assert.deepEqual([broken, clients], [[], 5]);
    const all = queries.at(-1);
    assert.deepEqual([all.query, all.requests, all.checked, all.errors, all.wrong], ['all', 600, 600, 0, 0]);
    assert.deepEqual(
      queries.slice(0, -1).map(({ query }: Document) => query),
      QUERY_NAMES,
    );
    for (const { p50Ms, p95Ms, p99Ms, maxMs } of queries) {
      assert.ok(p50Ms > 0 && p50Ms <= p95Ms && p95Ms <= p99Ms && p99Ms <= maxMs);
    }
  });
}

test('one value that is not right is found, and named; --max-wrong lets it pass', async () => {
  const place = await loaded({ layout: 'flat' });
  const metrics = file.client.db(place.database).collection('metrics');
  const minute = await metrics.findOne({ asset_id: 'vm-101', metric_name: 'cpu_usage' }, { skip: 2000 });
  await metrics.updateOne(
    { _id: minute?._id },
    { $set: { value: new Double(Number(minute?.value) + 0.01) } },
  );
  await withFolder({}, async (cwd) => {
    const mix = join(cwd, 'mix.yaml');
    writeFileSync(mix, 'week: 1\n');
    const result = await ask(place, '--requests', '300', '--mix', mix);
    assert.equal(result.status, 1, result.stdout);
    assert.match(result.stdout, /^❌ \d+ wrong answers, more than 0\n/);
    assert.match(result.stdout, /week: row \d+: \[\d+,[\d.]+\], not \[\d+,[\d.]+\]/);
    const allowed = await ask(place, '--requests', '100', '--mix', mix, '--max-wrong', '100', '--json');
    assert.equal(allowed.status, 0, allowed.stdout);
  });
});

test('beside inserts every answer is still right, and the run has grown by what was inserted', async () => {
  const place = await loaded({ layout: 'timeseries', days: 1 });
  const result = await ask(place, '--duration', '4s', '--with-inserts', '1000', '--json');
  assert.equal(result.status, 0, result.stdout + result.stderr);
  const { queries, inserted } = reported(result);
  assert.equal(queries.at(-1).wrong, 0);
  assert.ok(inserted > 2_000 && inserted <= 4_000, String(inserted));
  const { records } = await assertEqualToPlan(place);
  assert.equal(records.found, 135_370 + inserted);
});

test('a rate is kept, and latency counts from when a request was due', async () => {
  const place = await loaded({ days: 1 });
  const paced = reported(await ask(place, '--rate', '40', '--duration', '3s', '--json'));
  const { requests } = paced.queries.at(-1);
  assert.ok(requests >= 100 && requests <= 125, String(requests));
  // A rate that nobody can keep: what waits longer and longer is told.
  const much = reported(
    await ask(
      place,
      '--rate',
      '1000000',
      '--requests',
      '400',
      '--clients',
      '2',
      '--json',
      '--check-every',
      '0',
    ),
  );
  const all = much.queries.at(-1);
  assert.equal(all.checked, 0);
  assert.ok(all.p99Ms > 0.5 * much.elapsedMs, `${all.p99Ms} of ${much.elapsedMs}`);
});

test('a signal ends it with the figures so far; limits decide the exit status', async () => {
  const place = await loaded({ days: 1 });
  const where = ['--uri', place.uri, '--database', place.database];
  const { child, result } = startCli(['workload', ...where, '--duration', '60s', '--json']);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  child.kill('SIGINT');
  const ended = await result;
  assert.equal(ended.status, 130);
  assert.ok(reported(ended).queries.at(-1).requests > 0);
  const slow = await ask(place, '--requests', '50', '--max-p95', '0.001ms');
  assert.equal(slow.status, 1);
  assert.match(slow.stdout, /^❌ .*p95 [\d.]+ms, more than 0\.00ms/);
});

test('--explain: the plan of each query, and a warning where no index serves it', async () => {
  const place = await loaded({ days: 1 });
  const usual = await ask(place, '--explain');
  assert.equal(usual.status, 0, usual.stderr);
  assert.match(usual.stdout, /🔍 hour\n.*IXSCAN asset_id_1_metric_name_1_timestamp_1/);
  assert.doesNotMatch(usual.stdout, /COLLSCAN/);
  await file.client.db(place.database).collection('metrics').dropIndexes();
  const { queries } = reported(await ask(place, '--explain', '--json'));
  const scanning = queries.filter(({ scansCollection }: Document) => scansCollection);
  assert.ok(scanning.length >= 5, JSON.stringify(queries));
});

test('what cannot be asked is told in one line', async () => {
  const place = await loaded({ sections: ['backup'], days: 1 });
  await withFolder({}, async (cwd) => {
    const mix = join(cwd, 'mix.json');
    const refused = async (status: number, message: RegExp, ...flags: string[]) => {
      const result = await ask(place, ...flags);
      assert.equal(result.status, status, result.stderr);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /^ +at /m);
    };
    writeFileSync(mix, '{"hour": 1}');
    await refused(2, /no records for any query of the mix/, '--mix', mix);
    writeFileSync(mix, '{"hourr": 1}');
    await refused(2, /hourr is no query; did you mean hour\?/, '--mix', mix);
    writeFileSync(mix, '{"hour": -1}');
    await refused(2, /hour must be a number from 0/, '--mix', mix);
    await refused(2, /--mix .*ENOENT/, '--mix', join(cwd, 'nowhere'));
    await refused(2, /--duration soon: must be a time/, '--duration', 'soon');
    await refused(2, /--clients 0: must be a whole number from 1/, '--clients', '0');
    await refused(2, /--with-inserts needs --duration/, '--with-inserts', '5', '--requests', '5');
    await refused(5, /holds no run of this program/, '--database', file.freshDatabase());
  });
  const empty = { uri: file.server.uri, database: file.freshDatabase() };
  await loadWell(empty, '--assets-only');
  assert.equal((await ask(empty, '--requests', '20', '--json')).status, 0);
});

test('--html: latency over time and by size as a page, which holds what --json says', async () => {
  const place = await loaded({ layout: 'timeseries', days: 1 });
  await withFolder({}, async (folder) => {
    const path = join(folder, 'workload.html');
    const result = await ask(place, '--requests', '300', '--clients', '3', '--json', '--html', path);
    assert.equal(result.status, 0, result.stderr);
    const { overTime, histogram, queries } = reported(result);
    const all = queries.at(-1);
    assert.equal(
      histogram.reduce((sum: number, bar: Document) => sum + bar.requests, 0),
      300,
    );
    for (const { fromMs, toMs } of histogram) assert.ok(fromMs < toMs);
    assert.ok(histogram.at(-1).toMs >= all.maxMs * 0.99 && histogram.at(-1).fromMs <= all.maxMs * 1.01);
    assert.ok(overTime.length >= 1);
    for (const { p50Ms, p95Ms, p99Ms } of overTime) assert.ok(p50Ms <= p95Ms && p95Ms <= p99Ms);
    const page = readFileSync(path, 'utf8');
    assert.match(page, /<title>Workload on test_\d+<\/title>/);
    assert.match(page, /<strong>300<\/strong>/);
    assert.equal(page.match(/<svg class="plot"/g)?.length, 3);
    assert.doesNotMatch(page, /<script/);
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
    const refused = await ask(place, '--requests', '1', '--html', join(folder, 'none', 'w.html'));
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, /--html .* cannot be written/);
  });
});
