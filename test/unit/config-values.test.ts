/** What each flag and variable may be, and what a wrong one is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SETTING_NAMES, type SettingName, settingEntry } from '../../src/config/catalog.js';
import type { Settings } from '../../src/config/settings.js';
import { configure, refusal } from '../support/config.js';

test('defaults are those of the manual', () => {
  const { connection, load, output } = configure().settings;
  assert.equal(connection.origin, 'default');
  assert.equal(connection.uri, 'mongodb://localhost:27017/pmi_infrastructure_dev');
  assert.equal(connection.database, 'pmi_infrastructure_dev');
  assert.deepEqual(load, {
    window: { days: 14, start: undefined, end: undefined },
    seed: undefined,
    sections: ['metrics', 'polling', 'backup'],
    layout: 'flat',
    availabilityScale: 'percent',
    environment: 'development',
    events: false,
    existing: 'refuse',
    fleet: { source: undefined, scale: 1, timezone: undefined, interval: undefined, jitterMs: undefined },
    workers: undefined,
    batchSize: 1000,
    rate: undefined,
    shardDays: undefined,
    writer: 'auto',
    retrySeconds: 120,
    writeConcern: undefined,
    clustered: true,
    ttlDays: undefined,
    compressors: [],
    extending: undefined,
    part: undefined,
    shard: false,
    confirmed: false,
    dryRun: false,
    given: [],
  });
  assert.deepEqual(output, { json: false, quiet: false, color: true, logLevel: 'info', logFile: undefined });
});

type Flags = Partial<Record<SettingName, string>>;

/** Flag texts, and what a part of the settings becomes. */
const ACCEPTED: readonly [Flags, (settings: Settings) => unknown, unknown][] = [
  [{ days: '1' }, (s) => s.load.window.days, 1],
  [{ days: '20000' }, (s) => s.load.window.days, 20_000],
  [{ days: '36500', start: '2000-01-01' }, (s) => s.load.window.days, 36_500],
  [{ seed: '0' }, (s) => s.load.seed, 0],
  [{ seed: '9007199254740991' }, (s) => s.load.seed, Number.MAX_SAFE_INTEGER],
  [{ rate: '20000' }, (s) => s.load.rate, 20_000],
  [{ batchSize: '1' }, (s) => s.load.batchSize, 1],
  [{ batchSize: '100000' }, (s) => s.load.batchSize, 100_000],
  [{ end: '2025-02-09' }, (s) => s.load.window.end?.toISOString(), '2025-02-09T00:00:00.000Z'],
  [{ end: '2025-02-09T00:00:00Z' }, (s) => s.load.window.end?.toISOString(), '2025-02-09T00:00:00.000Z'],
  [{ end: '2025-02-09T10:30+02:00' }, (s) => s.load.window.end?.toISOString(), '2025-02-09T08:30:00.000Z'],
  [
    { end: '2024-02-29T23:59:00.000-0130' },
    (s) => s.load.window.end?.toISOString(),
    '2024-03-01T01:29:00.000Z',
  ],
  [{ start: '2025-02-01', end: '2025-02-08' }, (s) => s.load.window.days, 7],
  [{ start: '2025-02-01', end: '2025-02-08', days: '7' }, (s) => s.load.window.days, 7],
  [{ start: '2025-02-01T06:00Z', end: '2025-02-01T18:00Z' }, (s) => s.load.window.days, 0.5],
  [{ assetsOnly: 'true' }, (s) => s.load.sections, []],
  [{ metricsOnly: 'true', backupOnly: 'true' }, (s) => s.load.sections, ['metrics', 'backup']],
  [{ pollingOnly: 'true' }, (s) => s.load.sections, ['polling']],
  [{ clean: 'true' }, (s) => s.load.existing, 'clean'],
  [{ resume: 'true', seed: '7' }, (s) => s.load.existing, 'resume'],
  [{ skipCleanup: 'true' }, (s) => s.load.existing, 'keep'],
  [{ yes: 'true' }, (s) => s.load.confirmed, true],
  [{ dryRun: 'true' }, (s) => s.load.dryRun, true],
  [{ layout: 'timeseries', ttlDays: '30' }, (s) => [s.load.layout, s.load.ttlDays], ['timeseries', 30]],
  [{ availabilityScale: 'Unit' }, (s) => s.load.availabilityScale, 'unit'],
  [{ environment: 'PRODUCTION' }, (s) => s.load.environment, 'production'],
  [{ environment: 'Staging-2' }, (s) => s.load.environment, 'Staging-2'],
  [{ workers: '16' }, (s) => s.load.workers, 16],
  [{ shardDays: '3' }, (s) => s.load.shardDays, 3],
  [{ writer: 'none' }, (s) => s.load.writer, 'none'],
  [{ writeConcern: 'Majority' }, (s) => s.load.writeConcern, 'majority'],
  [{ writeConcern: '2' }, (s) => s.load.writeConcern, 2],
  [{ compressors: 'zstd, zlib' }, (s) => s.load.compressors, ['zstd', 'zlib']],
  [{ clustered: 'false' }, (s) => s.load.clustered, false],
  [{ logLevel: 'DEBUG' }, (s) => s.output.logLevel, 'debug'],
  [{ logFile: 'run.log' }, (s) => s.output.logFile, 'run.log'],
  [{ quiet: 'true', json: 'true' }, (s) => [s.output.quiet, s.output.json], [true, true]],
  [{ color: 'false' }, (s) => s.output.color, false],
  [
    { days: '7', metricsOnly: 'true', color: 'false' },
    (s) => s.load.given,
    ['--days', '--metrics-only', '--no-color'],
  ],
];

for (const [flags, read, expected] of ACCEPTED) {
  test(`accepts ${JSON.stringify(flags)}`, () => {
    assert.deepEqual(read(configure({ flags }).settings), expected);
  });
}

/** Flag texts, and words of the refusal that name the flag, the value and what is allowed. */
const REFUSED: readonly [Flags, readonly string[]][] = [
  ...['0', '-1', '1e9', '1000000000', 'abc', '1.5', '', '0x10', '٣'].map((days): [Flags, string[]] => [
    { days },
    ['--days', days, 'a whole number from 1 to 36500'],
  ]),
  [{ days: '36500' }, ['--days 36500', '1970']],
  [{ days: '10000', start: '9990-01-01' }, ['--days 10000', '9999']],
  [{ rate: '0' }, ['--rate 0', '1 to 1000000000']],
  [{ rate: '1.5' }, ['--rate 1.5']],
  [{ batchSize: '0' }, ['--batch-size 0', '1 to 100000']],
  [{ batchSize: '100001' }, ['--batch-size 100001', '1 to 100000']],
  [{ seed: '-3' }, ['--seed -3', '0 to 9007199254740991']],
  [{ seed: '9007199254740992' }, ['--seed 9007199254740992']],
  [{ seed: '99999999999999999999' }, ['--seed', 'a whole number']],
  ...[
    '2025-02-30',
    '2025-13-01',
    '2023-02-29',
    '2025-2-3',
    '2025-02-09T24:00Z',
    '2025-02-09T10:30',
    '2025-02-09T10:30:15Z',
    '2025-02-09T10:30:00.5Z',
    '2025-02-09T10:30+15:00',
    '1969-12-31',
    '0050-01-01',
    'yesterday',
  ].flatMap((text): [Flags, string[]][] => [
    [{ end: text }, [`--end ${text}`, 'such as 2025-02-09']],
    [{ start: text }, [`--start ${text}`, 'such as 2025-02-09']],
  ]),
  [{ clean: 'true', resume: 'true' }, ['--clean', '--resume']],
  [{ clean: 'true', skipCleanup: 'true' }, ['--clean', '--skip-cleanup']],
  [{ resume: 'true', skipCleanup: 'true' }, ['--resume', '--skip-cleanup']],
  [{ assetsOnly: 'true', metricsOnly: 'true' }, ['--assets-only', '--metrics-only']],
  [{ assetsOnly: 'true', pollingOnly: 'true' }, ['--assets-only', '--polling-only']],
  [{ assetsOnly: 'true', backupOnly: 'true' }, ['--assets-only', '--backup-only']],
  [{ start: '2025-02-01', end: '2025-02-08', days: '14' }, ['--days 14', '7 days apart']],
  [{ start: '2025-02-08', end: '2025-02-01' }, ['--start', '--end', 'before']],
  [{ start: '2025-02-08', end: '2025-02-08' }, ['--start', '--end', 'before']],
  [{ ttlDays: '30' }, ['--ttl-days', '--layout timeseries']],
  [{ ttlDays: '0', layout: 'timeseries' }, ['--ttl-days 0', '1 to 24855']],
  [{ ttlDays: '24856', layout: 'timeseries' }, ['--ttl-days 24856', '1 to 24855']],
  [{ layout: 'wide' }, ['--layout wide', 'flat, timeseries']],
  [{ availabilityScale: 'ratio' }, ['--availability-scale ratio', 'percent, unit']],
  [{ writer: 'fast' }, ['--writer fast', 'auto, buckets, sequence, bulkwrite, none']],
  [{ logLevel: 'verbose' }, ['--log-level verbose', 'debug, info, warning, error']],
  [{ workers: '0' }, ['--workers 0', '1 to 256']],
  [{ shardDays: '0' }, ['--shard-days 0', '1 to 36500']],
  [{ writeConcern: '0' }, ['--write-concern 0', 'majority']],
  [{ compressors: 'zip' }, ['--compressors zip', 'zlib, zstd, snappy']],
  [{ compressors: 'zlib,zlib' }, ['--compressors zlib,zlib']],
  [{ environment: 'my env' }, ['--environment "my env"', 'letters']],
  [{ uri: 'mongodb://localhost', host: 'localhost' }, ['--uri', '--host']],
  [{ uri: 'mongodb://localhost', port: '27017' }, ['--uri', '--port']],
  [{ uri: 'http://localhost' }, ['--uri http://localhost', 'mongodb://']],
  [{ host: 'two words' }, ['--host "two words"', 'host name']],
  [{ host: 'db1,,db2' }, ['--host db1,,db2']],
  [{ port: '65536' }, ['--port 65536', '1 to 65535']],
  [{ database: 'admin' }, ['--database admin', 'not admin, local or config']],
  [{ database: 'a/b' }, ['--database a/b']],
  [{ logFile: '' }, ['--log-file ""', 'a path']],
];

for (const [flags, words] of REFUSED) {
  test(`refuses ${JSON.stringify(flags)} in one line`, () => {
    const message = refusal({ flags });
    for (const word of words) assert.ok(message.includes(word), `"${message}" lacks "${word}"`);
  });
}

test('a value of control characters is shown escaped, a long one cut', () => {
  assert.match(refusal({ flags: { days: '\u001b[31m1\n2' } }), /^--days "\\u001b\[31m1\\n2": must be/);
  assert.ok(refusal({ flags: { host: '!'.repeat(5000) } }).length < 250);
});

test('any text in any setting is accepted or refused in one line without secrets, never a crash', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.stringMatching(/^mongodb(\+srv)?:\/\/[a-z:@/?&=%.0-9\][-]*$/),
    fc.stringMatching(/^[0-9TZ:.+-]{0,25}$/),
  );
  const anySettings = fc.dictionary(
    fc.constantFrom(...SETTING_NAMES.filter((name) => name !== 'envFile')),
    text,
    {
      maxKeys: 4,
    },
  );
  fc.assert(
    fc.property(anySettings, fc.boolean(), (texts, asVariables) => {
      const environment: Record<string, string> = {};
      const flags: Flags = {};
      for (const [name, value] of Object.entries(texts) as [SettingName, string][]) {
        const { flag, variable } = settingEntry(name);
        if (variable !== undefined && (asVariables || flag === undefined)) environment[variable] = value;
        else if (flag !== undefined) flags[name] = value;
      }
      const sources = { flags, environment };
      try {
        configure(sources);
      } catch {
        const message = refusal(sources);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
        assert.doesNotMatch(message, /[\u0000-\u001f\u007f]/);
      }
    }),
    { numRuns: 2000 },
  );
});
