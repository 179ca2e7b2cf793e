/** The package as a library: records without a server, and the examples as users run them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BSON } from 'mongodb';
import { generate, generateBatches, plan, SeedError } from '../../src/index.js';
import { startTestServer } from '../support/server.js';

const run = promisify(execFile);
const EXAMPLES = fileURLToPath(new URL('../../../examples/library', import.meta.url));
const DAY = { days: 1, seed: 42, end: new Date('2025-02-09') } as const;

test('generate yields as many records as planned, each series in time order, the same as the batches hold', async () => {
  for (const layout of ['flat', 'timeseries'] as const) {
    const records = [];
    for await (const record of generate({ ...DAY, layout, sections: ['metrics', 'backup'] }))
      records.push(record);
    const { counts } = plan(DAY);
    assert.equal(records.length, counts.metrics + counts.backup);
    const encoded: unknown[] = [];
    for await (const { bytes, records: count, series } of generateBatches({
      ...DAY,
      layout,
      sections: ['metrics', 'backup'],
    })) {
      const before = encoded.length;
      for (let at = 0; at < bytes.length; ) {
        const size = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getInt32(0, true);
        encoded.push(BSON.deserialize(bytes.slice(at, at + size)));
        at += size;
      }
      assert.equal(encoded.length - before, count, series.metricName);
    }
    assert.deepEqual(
      encoded,
      records.map((record) => BSON.deserialize(BSON.serialize(record))),
    );
    const last = new Map<string, number>();
    for (const { asset_id, metric_name, meta, timestamp } of records) {
      const series = JSON.stringify([asset_id ?? meta.asset_id, metric_name ?? meta.metric_name]);
      assert.ok(timestamp.getTime() > (last.get(series) ?? 0), series);
      last.set(series, timestamp.getTime());
    }
  }
});

test('generate is lazy: a reader that stops early has made no more than it read', async () => {
  const started = performance.now();
  for await (const { timestamp } of generate({ days: 3650, seed: 42 })) {
    assert.ok(timestamp instanceof Date);
    break;
  }
  assert.ok(performance.now() - started < 2_000);
  assert.throws(() => plan({ days: 0 }), SeedError);
});

test('the examples run', async () => {
  const server = await startTestServer();
  try {
    const uri = `mongodb://127.0.0.1:${server.port}/examples`;
    const example = async (name: string, ...args: string[]) =>
      (await run(process.execPath, [`${EXAMPLES}/${name}`, ...args])).stdout;
    assert.equal(await example('seed-a-test-database.mjs', uri), '135370 records\n');
    assert.match(
      await example('check-a-database.mjs', uri),
      /^equal: 135370 of 135370 records, fingerprint [0-9a-f]+$/m,
    );
    const highest = await example('records.mjs');
    assert.match(highest, /pve-node-01/);
    assert.equal(highest.trim().split('\n').length, 14, highest);
    // Vitest is not among this project's dependencies: what it calls is called here.
    const setup = `import setup from '${EXAMPLES}/vitest-global-setup.mjs'; await setup();`;
    const env = { ...process.env, TEST_MONGODB_URI: uri };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', setup], { env });
    assert.equal(stdout, 'already complete\n');
  } finally {
    await server.stop();
  }
});
