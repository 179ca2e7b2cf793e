/**
 * `export`: the files hold what a load would write, whoever writes them, and nothing is left of
 * what was not finished.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { BSON, type Document, MongoClient } from 'mongodb';
import { generate } from '../../src/index.js';
import { CLI_ENTRY, type CliResult, RUNTIME, runCli } from '../support/cli.js';
import { assertEqualToPlan, END, loadWell, verify } from '../support/dataset.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer } from '../support/server.js';

const SCRATCH = mkdtempSync(join(tmpdir(), 'seed-database-export-'));
after(() => rmSync(SCRATCH, { recursive: true, force: true }));
const MONGORESTORE = fileURLToPath(new URL('../../../bench/.cache/bin/mongorestore', import.meta.url));

const DAY = ['--seed', '7', '--days', '1', '--end', END];
let folders = 0;

async function exported(...flags: string[]): Promise<{ folder: string; result: Document }> {
  const out = join(SCRATCH, `out-${++folders}`);
  const { status, stdout, stderr } = await exportTo(out, '--json', ...flags);
  assert.equal(status, 0, stderr);
  return { folder: join(out, 'there'), result: JSON.parse(stdout) };
}

function exportTo(out: string, ...flags: string[]): Promise<CliResult> {
  return runCli(['export', ...DAY, '--out', out, '--database', 'there', ...flags]);
}

async function generated(layout: 'flat' | 'timeseries' = 'flat'): Promise<Document[]> {
  const documents = [];
  const options = { seed: 7, days: 1, end: new Date(END), layout, sections: ['metrics', 'backup'] } as const;
  for await (const document of generate(options)) documents.push(document);
  return documents;
}

const SECTIONS = ['--metrics-only', '--backup-only'];

function bsonDocuments(bytes: Buffer): Document[] {
  const documents = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    documents.push(BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
  }
  return documents;
}

/** What two sets of records have in common with each other, whatever their order. */
function comparable(documents: readonly Document[]): string[] {
  return documents
    .map(({ asset_id, metric_name, timestamp, value, unit }) =>
      [asset_id, metric_name, new Date(timestamp).toISOString(), Number(value), unit].join(' '),
    )
    .sort();
}

test('bson: the documents of a load, the same bytes whoever writes them, compressed or not', async () => {
  const one = await exported(...SECTIONS, '--workers', '1');
  const two = await exported(...SECTIONS, '--workers', '3', '--batch-size', '77');
  const zipped = await exported(...SECTIONS, '--gzip');
  const bytes = readFileSync(join(one.folder, 'metrics.bson'));
  const expected = (await generated()).map((document) => BSON.deserialize(BSON.serialize(document)));
  const byId = (documents: Document[]) => documents.sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1));
  assert.deepEqual(byId(bsonDocuments(bytes)), byId(expected));
  // The order within a shard follows from the size of its batches.
  assert.deepEqual(byId(bsonDocuments(readFileSync(join(two.folder, 'metrics.bson')))), byId(expected));
  const again = await exported(...SECTIONS, '--workers', '2');
  assert.ok(readFileSync(join(again.folder, 'metrics.bson')).equals(bytes));
  const unzipped = gunzipSync(readFileSync(join(zipped.folder, 'metrics.bson.gz')));
  assert.deepEqual(byId(bsonDocuments(unzipped)), byId(expected));
  assert.deepEqual(
    [one.result.status, one.result.records, one.result.seed, one.result.layout],
    ['complete', expected.length, 7, 'flat'],
  );
  assert.equal(statSync(join(one.folder, 'metrics.bson')).mode & 0o077, 0, 'others may read it');
});

test('ndjson, csv and parquet hold the same records', async () => {
  const expected = comparable(await generated());
  const read = async (format: string, parse: (path: string) => Promise<Document[]> | Document[]) => {
    const { folder } = await exported(...SECTIONS, '--format', format);
    const names = readdirSync(join(folder, 'metrics'));
    const documents = await Promise.all(names.map((name) => parse(join(folder, 'metrics', name))));
    assert.deepEqual(comparable(documents.flat()), expected, format);
    assert.equal(readFileSync(join(folder, 'assets.ndjson'), 'utf8').trim().split('\n').length, 34);
  };
  const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
  await read('ndjson', (path) => lines(path).map((line) => BSON.EJSON.parse(line)));
  await read('csv', (path) => {
    const [header, ...rows] = lines(path).map((line) => line.split(','));
    return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])));
  });
  await read('parquet', async (path) => {
    const { buffer, byteOffset, length } = readFileSync(path);
    return parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer });
  });
});

test('a stream has the records as lines, each once, in an order that workers do not change', async () => {
  const expected = comparable(await generated());
  const stream = (...flags: string[]) => runCli(['export', ...DAY, ...SECTIONS, '--out', '-', ...flags]);
  const one = await stream('--format', 'ndjson', '--workers', '1');
  assert.equal(one.status, 0, one.stderr);
  const lines = one.stdout.trimEnd().split('\n');
  assert.deepEqual(comparable(lines.map((line) => BSON.EJSON.parse(line))), expected);
  const three = await stream('--format', 'ndjson', '--workers', '3', '--shard-days', '1');
  assert.ok(three.stdout === one.stdout);
  const csv = await stream('--format', 'csv', '--workers', '2', '--quiet');
  assert.equal(csv.stderr, '');
  const [header, ...rows] = csv.stdout.trimEnd().split('\n');
  assert.equal(header, 'asset_id,asset_type,metric_name,timestamp,value,unit,environment');
  assert.equal(rows.length, expected.length);
  assert.ok(!rows.includes(header));
});

test('a stream compressed is one gzip file; whoever has read enough ends it well', async () => {
  const command = [RUNTIME, CLI_ENTRY, 'export', ...DAY, '--out', '-', '--format', 'csv', '--quiet'];
  const shell = (rest: string) =>
    execFileSync('bash', ['-c', `set -o pipefail; ${command.join(' ')} ${rest}`], { encoding: 'utf8' });
  assert.equal(shell('--gzip | gunzip | wc -l').trim(), '135371');
  // Head ends after two lines, and the program with it, status 0.
  assert.equal(shell('| head -2').trimEnd().split('\n').length, 2);
});

test('Parquet: an instant in UTC, one file where it is asked for, compressed as it is asked for', async () => {
  const asked = (path: string) => {
    const { buffer, byteOffset, length } = readFileSync(path);
    return buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;
  };
  const { folder } = await exported(
    ...SECTIONS,
    '--format',
    'parquet',
    '--one-file',
    '--compression',
    'gzip',
  );
  assert.deepEqual(readdirSync(folder).sort(), ['assets.ndjson', 'metrics.parquet']);
  const file = asked(join(folder, 'metrics.parquet'));
  const compressors = { GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };
  const rows = await parquetReadObjects({ file, compressors });
  assert.deepEqual(comparable(rows), comparable(await generated()));
  const { schema, row_groups } = parquetMetadata(file);
  const timestamp = schema.find(({ name }) => name === 'timestamp');
  assert.deepEqual(timestamp?.logical_type, { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' });
  assert.equal(row_groups.length, 10);
  assert.ok(row_groups.every(({ columns }) => columns.every(({ meta_data }) => meta_data?.codec === 'GZIP')));
});

test('--events: what answers says, in the format of the records', async () => {
  const dataset = ['--seed', '7', '--days', '3', '--end', END];
  const { stdout } = await runCli(['answers', ...dataset]);
  const told = JSON.parse(stdout).events.map(({ assetId, ...rest }: Document) => ({
    asset_id: assetId,
    ...rest,
  }));
  assert.ok(told.length > 10);
  const key = ({ asset_id, kind, cause, start, end }: Document) =>
    [asset_id, kind, cause ?? '', new Date(start).toISOString(), new Date(end).toISOString()].join();
  const expected = told.map(key);
  const bson = await exported(...dataset, '--events');
  const documents = bsonDocuments(readFileSync(join(bson.folder, 'events.bson')));
  assert.deepEqual(documents.map(key), expected);
  assert.equal(new Set(documents.map(({ _id }) => String(_id))).size, expected.length);
  assert.ok(existsSync(join(bson.folder, 'events.metadata.json')));
  const ndjson = await exported(...dataset, '--events', '--format', 'ndjson');
  const lines = readFileSync(join(ndjson.folder, 'events.ndjson'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => key(BSON.EJSON.parse(line))),
    expected,
  );
  const parquet = await exported(...dataset, '--events', '--format', 'parquet', '--backup-only');
  const [header, ...rows] = readFileSync(join(parquet.folder, 'events.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(header, 'asset_id,kind,cause,start,end,metrics');
  assert.ok(rows.length > 0 && rows.every((row) => row.includes(',failed backup,,')));
});

test('ndjson: doubles stay doubles, ids are those of a load', async () => {
  const { folder } = await exported('--backup-only', '--format', 'ndjson', '--gzip');
  const [name] = readdirSync(join(folder, 'metrics')).filter((file) => file.startsWith('vm-101'));
  const line = gunzipSync(readFileSync(join(folder, 'metrics', name)))
    .toString()
    .trimEnd();
  assert.match(line, /^\{"_id":\{"\$oid":"[0-9a-f]{24}"\},.*"value":[01]\.0,/);
  const [own] = (await generated()).filter(
    ({ asset_id, metric_name }) => asset_id === 'vm-101' && metric_name === 'backup_status',
  );
  assert.equal(BSON.EJSON.parse(line)._id.toHexString(), own._id.toHexString());
});

test('a folder with something in it is refused; --clean replaces it', async () => {
  const { folder } = await exported('--assets-only');
  const out = join(folder, '..');
  const refused = await exportTo(out, '--assets-only');
  assert.equal(refused.status, 5);
  assert.match(refused.stderr, /is not empty\n.*--clean/);
  assert.equal((await exportTo(out, '--backup-only', '--format', 'csv', '--clean')).status, 0);
  assert.deepEqual(readdirSync(join(out, 'there')).sort(), ['assets.ndjson', 'metrics']);
  assert.equal(JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')).records, 10);
});

test('a folder that no export has made is not replaced, even with --clean', async () => {
  const { folder } = await exported('--assets-only');
  const out = join(folder, '..');
  rmSync(join(out, 'export.json'));
  for (const place of [out, join(SCRATCH, 'beside')]) {
    // Beside it lies a folder with the name that an unfinished export has.
    const foreign = place === out ? place : `${place}.part`;
    mkdirSync(foreign, { recursive: true });
    writeFileSync(join(foreign, 'mine.txt'), 'mine');
    const refused = await exportTo(place, '--assets-only', '--clean');
    assert.equal(refused.status, 5, refused.stderr);
    assert.match(refused.stderr, /is not empty\n.*remove it yourself/);
    assert.equal(readFileSync(join(foreign, 'mine.txt'), 'utf8'), 'mine');
  }
});

test('what cannot be done is told in one line', async () => {
  for (const [flags, status, message] of [
    [['--format', 'xml'], 2, /--format xml: must be bson, ndjson, csv, parquet/],
    [['--format', 'parquet', '--gzip'], 2, /exclude each other/],
    [['--out', '-'], 2, /--out - cannot take bson\n.*--format ndjson/],
    [['--out', '-', '--format', 'parquet'], 2, /--out - cannot take parquet/],
    [['--out', '-', '--format', 'csv', '--json'], 2, /--json and --out - exclude each other/],
    [['--out', '-', '--format', 'csv', '--clean'], 2, /--clean and --out - exclude each other/],
    [['--format', 'csv', '--one-file'], 2, /--one-file needs --format parquet/],
    [['--compression', 'gzip'], 2, /--compression needs --format parquet/],
    [['--out', '/dev/null/folder'], 1, /cannot write \/dev\/null\/folder/],
    [['--out', ''], 2, /needs --out/],
  ] as const) {
    const result = await exportTo(join(SCRATCH, 'never'), ...flags);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
    assert.doesNotMatch(result.stderr, /^ +at /m);
  }
  assert.ok(!existsSync(join(SCRATCH, 'never')));
});

/** An export that takes its time, once it writes. */
async function longExport(out: string): Promise<RunningLoad> {
  const flags = ['--seed', '1', '--days', '365', '--format', 'csv', '--out', out];
  const running = new RunningLoad(['export', ...flags]);
  while (!existsSync(`${out}.part`) && !running.hasEnded) await new Promise((done) => setTimeout(done, 20));
  return running;
}

test('a second export into the folder is refused and names the first; a killed one holds nobody up', async () => {
  const out = join(SCRATCH, 'shared');
  const first = await longExport(out);
  const refused = await exportTo(out, '--assets-only', '--clean');
  assert.equal(refused.status, 5, refused.stderr);
  assert.match(refused.stderr, new RegExp(`process ${first.child.pid} is exporting into ${out}\\n`));
  assert.ok(!first.hasEnded && existsSync(`${out}.part`), 'the first goes on');
  first.kill('SIGKILL');
  await first.ended;
  assert.ok(!existsSync(out), 'nothing that is unfinished has the name of an export');
  const { status, stderr } = await exportTo(out, '--assets-only');
  assert.equal(status, 0, stderr);
  const beside = readdirSync(SCRATCH).filter((name) => name.startsWith('shared'));
  assert.deepEqual(beside, ['shared']);
});

test('Ctrl-C leaves nothing behind', async () => {
  const out = join(SCRATCH, 'interrupted');
  const running = await longExport(out);
  running.kill('SIGINT');
  const { status, stdout } = await running.ended;
  assert.equal(status, 130, stdout);
  assert.deepEqual(
    readdirSync(SCRATCH).filter((name) => name.startsWith('interrupted')),
    [],
  );
});

test('time-series buckets span no more than the server looks at, backups included', async () => {
  const { folder } = await exported(
    '--layout',
    'timeseries',
    '--days',
    '3',
    '--metrics-only',
    '--backup-only',
  );
  const buckets = bsonDocuments(readFileSync(join(folder, 'system.buckets.metrics.bson')));
  let records = 0;
  for (const { control, _id } of buckets) {
    const span = control.max.timestamp - control.min.timestamp;
    assert.ok(span >= 0 && span < 86_400_000, `${span} ms`);
    assert.equal(_id.getTimestamp().getTime(), control.min.timestamp.getTime());
    records += control.count;
  }
  assert.equal(records, 3 * (43_200 + 10));
  assert.equal(new Set(buckets.map(({ _id }) => String(_id))).size, buckets.length);
});

// Built by `npm run bench:peers`, which takes minutes; where it is not there, these files are only
// read by the tests above.
if (existsSync(MONGORESTORE)) {
  test('the stock mongorestore makes of it what a load makes', async () => {
    const server = await startTestServer();
    const client = new MongoClient(server.uri);
    try {
      const uri = `mongodb://127.0.0.1:${server.port}`;
      for (const layout of ['flat', 'timeseries'] as const) {
        const out = join(SCRATCH, `restore-${layout}`);
        assert.equal((await exportTo(out, '--layout', layout)).status, 0);
        await promisify(execFile)(MONGORESTORE, ['--quiet', `--uri=${uri}`, out]);
        const direct = { uri, database: `direct_${layout}` };
        await loadWell(direct, '--layout', layout);
        const restored = { uri, database: 'there' };
        const described = ['--seed', '7', '--days', '1', '--end', END, '--layout', layout];
        assert.equal((await verify(restored, ...described)).status, 'equal');
        assert.equal(
          (await verify(restored, ...described)).fingerprint,
          (await assertEqualToPlan(direct)).fingerprint,
        );
        const storedAs = async ({ database }: { database: string }) => {
          const db = client.db(database);
          const [{ options }] = (await db.listCollections({ name: 'metrics' }).toArray()) as Document[];
          const indexes = (await db.collection('metrics').indexes()).map(({ name }) => name).sort();
          const collections = layout === 'flat' ? ['assets', 'metrics'] : ['assets'];
          return { options, indexes, hashes: (await db.command({ dbHash: 1, collections })).collections };
        };
        assert.deepEqual(await storedAs(restored), await storedAs(direct));
        await client.db('there').dropDatabase();
      }
    } finally {
      await client.close();
      await server.stop();
    }
  });
}
