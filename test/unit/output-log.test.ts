/** The log: its format, its levels, its modes, and that it never stands in a load's way. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { localTime } from '../../src/output/format.js';
import { defaultLogFile, LogFile } from '../../src/output/log-file.js';
import { NOW, SUMMARY, tell } from '../support/reporting.js';

const folder = mkdtempSync(join(tmpdir(), 'seed-database-log-'));
after(() => rmSync(folder, { recursive: true }));

const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:DEBUG {4}|INFO {5}|WARNING {2}|ERROR {4})\S/;
let names = 0;
const newFile = () => join(folder, `${names++}.log`);
const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
const ignore = () => undefined;

test("the manual's line format, in local time, one line a message", async () => {
  const path = newFile();
  const log = new LogFile(path, 'debug', ignore, () => NOW);
  for (const level of ['debug', 'info', 'warning', 'error'] as const)
    log.write(level, `a "${level}"\nmessage`);
  log.close();
  const time = localTime(NOW);
  assert.deepEqual(lines(path), [
    `${time} DEBUG    a "debug" message`,
    `${time} INFO     a "info" message`,
    `${time} WARNING  a "warning" message`,
    `${time} ERROR    a "error" message`,
  ]);
});

test('levels below --log-level are left out', async () => {
  for (const [level, count] of [
    ['debug', 4],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
  ] as const) {
    const path = newFile();
    const log = new LogFile(path, level, ignore, () => NOW);
    for (const one of ['debug', 'info', 'warning', 'error'] as const) log.write(one, one);
    log.close();
    assert.equal(lines(path).length, count, level);
  }
});

test('a whole load: every line has the format, and the steps and figures are there', async () => {
  const path = newFile();
  await tell({ logFile: path, logLevel: 'debug', quiet: true }, (reporter) => reporter.finish(SUMMARY));
  const written = lines(path);
  for (const line of written) assert.match(line, LINE);
  const text = written.join('\n');
  for (const wanted of [
    /INFO {5}Connected to MongoDB 6\.0\.5 at mongodb:\/\/pmi:\*{4}@db\.example:27017\/, database pmi_/,
    /INFO {5}Run 67a8f2d0c0ffee0123456789: seed 2147483646 \(drawn\), layout timeseries, 14 days/,
    /INFO {5}Loaded 63\.3% \(1,200,000\/1,895,180\)/,
    /DEBUG {4}60 of 96 shards done, 4\.2ms a batch; svc-acronis-agent-physical-01 availability_status/,
    /WARNING {2}a warning of two lines/,
    /DEBUG {4}writer sequence/,
    /INFO {5}Complete after 4\.7s: 1,895,180 of 1,895,180 records, 96 of 96 shards, 402,113 records\/s/,
  ]) {
    assert.match(text, wanted);
  }
  assert.equal(text.match(/Loaded/g)?.length, 1, 'a line every few seconds, not one an event');
});

test('a failure is in the log with its way out, and with its trace at debug', async () => {
  const failure = {
    exitStatus: 1,
    message: 'it broke',
    remedy: 'mend it',
    trace: 'Error: it broke\n    at x',
  };
  const path = newFile();
  await tell({ logFile: path, logLevel: 'debug' }, (reporter) => reporter.fail(failure), { events: [] });
  assert.deepEqual(
    lines(path).map((line) => line.slice(20)),
    ['ERROR    it broke', 'ERROR    What to do: mend it', 'DEBUG    Error: it broke', 'DEBUG    at x'],
  );
});

test('file and folder are private, and missing folders are made', () => {
  const path = join(folder, 'made', 'deep', 'load.log');
  const log = new LogFile(path, 'info', ignore, () => NOW);
  log.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'made', 'deep')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'made')).mode & 0o777, 0o700);
});

test('the default name holds the local time of the start', () => {
  assert.match(defaultLogFile(new Date(2025, 1, 9, 10, 30, 15)), /^logs.seed_database_20250209_103015\.log$/);
});

test('an existing log is added to', () => {
  const path = newFile();
  writeFileSync(path, 'before\n');
  const log = new LogFile(path, 'info', ignore, () => NOW);
  log.write('info', 'after');
  log.close();
  assert.equal(lines(path)[0], 'before');
  assert.equal(lines(path).length, 2);
});

test('a log that cannot be written is told once and done without', async () => {
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  const file = newFile();
  writeFileSync(file, '');
  // A folder in the file's place, a file in a folder's place, and a disk without room.
  for (const path of [directory, join(file, 'x.log'), '/dev/full']) {
    const { stdout, stderr } = await tell({ logFile: path }, (reporter) => reporter.finish(SUMMARY));
    assert.match(stderr, /^⚠️ {2}the log \S+ cannot be written, and is done without: E[A-Z]+[^\n]*\n$/);
    assert.match(stdout, /🎯 Database ready to use!\n$/);
    assert.doesNotMatch(stdout, /Log:/);
  }
});
