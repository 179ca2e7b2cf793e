/**
 * Flag over environment over `.env` over default, for every setting, with where each value came
 * from.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { SETTING_NAMES, type SettingName, settingEntry } from '../../src/config/catalog.js';
import { parseEnvFile } from '../../src/config/sources.js';
import { SeedError } from '../../src/errors.js';
import { configure, refusal, withFolder } from '../support/config.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'seed-database-files-'));
after(() => rmSync(FOLDER, { recursive: true }));

/** Three files that hold what a variable could. */
function threeFiles(kind: string, text: string): readonly [string, string, string] {
  const file = (name: string) => {
    const path = join(FOLDER, `${kind}-${name}`);
    writeFileSync(path, text);
    return path;
  };
  return [file('one'), file('two'), file('three')];
}

/** Three different values for each setting that a variable can give. */
const THREE_VALUES: Readonly<Partial<Record<SettingName, readonly [string, string, string]>>> = {
  environment: ['one', 'two', 'three'],
  uri: ['mongodb://one', 'mongodb://two', 'mongodb://three'],
  uriFile: threeFiles('uri', 'mongodb://one\n'),
  host: ['one', 'two', 'three'],
  port: ['1001', '1002', '1003'],
  database: ['one', 'two', 'three'],
  username: ['one', 'two', 'three'],
  password: ['secret-one', 'secret-two', 'secret-three'],
  passwordFile: threeFiles('password', 'secret\n'),
  authSource: ['one', 'two', 'three'],
  replicaSet: ['one', 'two', 'three'],
  sslEnabled: ['true', 'false', 'yes'],
  sslCertPath: ['/dev/null', '/dev/null', '/dev/null'],
  sslKeyPath: ['/dev/null', '/dev/null', '/dev/null'],
  sslCaPath: ['/dev/null', '/dev/null', '/dev/null'],
  maxPoolSize: ['101', '102', '103'],
  minPoolSize: ['1', '2', '3'],
  maxIdleTimeMs: ['1', '2', '3'],
  connectTimeoutMs: ['1', '2', '3'],
  serverSelectionTimeoutMs: ['1', '2', '3'],
  socketTimeoutMs: ['1', '2', '3'],
  retryWrites: ['true', 'false', 'no'],
  retryReads: ['true', 'false', 'no'],
  color: ['1', '1', '1'],
};

/** What must be given beside a setting to make sense. */
const COMPANIONS: Readonly<Partial<Record<SettingName, Readonly<Record<string, string>>>>> = {
  username: { MONGODB_PASSWORD: 'secret' },
  password: { MONGODB_USERNAME: 'someone' },
  passwordFile: { MONGODB_USERNAME: 'someone' },
  sslKeyPath: { MONGODB_SSL_CERT_PATH: '/dev/null' },
};

for (const name of SETTING_NAMES) {
  const { flag, variable, default: byDefault, secret } = settingEntry(name);
  if (variable === undefined) continue;
  test(`${variable}: flag over environment over .env over default`, async () => {
    const values = THREE_VALUES[name];
    assert.ok(values, `no values to try ${name} with`);
    const [inFile, inEnvironment, asFlag] = values;
    const companions = COMPANIONS[name] ?? {};
    const shown = (text: string | undefined) =>
      secret ? '****' : name === 'color' ? 'false' : (text ?? null);
    await withFolder({ '.env': `# ours\n${variable}=${inFile}\n` }, (directory) => {
      const effective = (
        environment: Record<string, string>,
        flags: Partial<Record<SettingName, string>>,
      ) => {
        const all = configure({ directory, environment: { ...companions, ...environment }, flags }).effective;
        const found = all.find((setting) => setting.name === name);
        return [found?.value, found?.source];
      };
      assert.deepEqual(effective({}, {}), [shown(inFile), '.env, line 2']);
      assert.deepEqual(effective({ [variable]: '' }, {}), [shown(inFile), '.env, line 2']);
      assert.deepEqual(effective({ [variable]: inEnvironment }, {}), [
        shown(inEnvironment),
        `environment ${variable}`,
      ]);
      if (flag === undefined) return;
      const text = name === 'color' ? 'false' : asFlag;
      assert.deepEqual(effective({ [variable]: inEnvironment }, { [name]: text }), [
        shown(text),
        `flag ${flag}`,
      ]);
    });
    const nothing = configure().effective.find((setting) => setting.name === name);
    assert.equal(nothing?.value, byDefault ?? null);
    assert.equal(nothing?.source, byDefault === undefined ? 'unset' : 'default');
  });
}

test('a wrong variable is named with its value and, from a file, its line', async () => {
  assert.match(
    refusal({ environment: { MONGODB_PORT: 'abc' } }),
    /^MONGODB_PORT=abc: must be a whole number/,
  );
  await withFolder({ '.env': 'ENVIRONMENT=test\nMONGODB_RETRY_READS=maybe\n' }, (directory) => {
    assert.match(
      refusal({ directory }),
      /^MONGODB_RETRY_READS=maybe \(\.env, line 2\): must be true or false/,
    );
  });
});

test('--env-file names another file, which must exist', async () => {
  await withFolder({ 'ci.env': 'MONGODB_DATABASE=ci\n', '.env': 'MONGODB_DATABASE=dev\n' }, (directory) => {
    const envFile = join(directory, 'ci.env');
    assert.equal(configure({ directory, flags: { envFile } }).settings.connection.database, 'ci');
    const missing = join(directory, 'nothing.env');
    assert.match(refusal({ flags: { envFile: missing } }), /nothing\.env: there is no such file$/);
    assert.match(refusal({ flags: { envFile: directory } }), /it is a folder$/);
  });
});

test('a file of variables: comments, export, quotes, values over several lines, # inside a word', () => {
  const text = [
    '\uFEFF# comment',
    '',
    'PLAIN = a value  # and a comment',
    'export EXPORTED=1',
    "SINGLE='a # b \\n'",
    'DOUBLE="a \\"b\\"\\nc" # comment',
    'LONG="first',
    'second"',
    'HASH=pass#word',
    'EMPTY=',
    'ONLY_COMMENT= # nothing',
    'PLAIN=again',
  ].join('\r\n');
  const values = Object.fromEntries([...parseEnvFile(text, '.env')].map(([key, { value }]) => [key, value]));
  assert.deepEqual(values, {
    PLAIN: 'again',
    EXPORTED: '1',
    SINGLE: 'a # b \\n',
    DOUBLE: 'a "b"\nc',
    LONG: 'first\nsecond',
    HASH: 'pass#word',
    EMPTY: '',
    ONLY_COMMENT: '',
  });
});

const CORRUPT: readonly [string, number][] = [
  ['MONGODB_HOST=ok\nMONGODB_PASSWORD hunter2\n', 2],
  ['hunter2', 1],
  ['A=1\n\n=hunter2', 3],
  ['A=1\n2B=hunter2', 2],
  ['A: hunter2', 1],
  ['A="hunter2\nB=1\n', 1],
  ["A='x'hunter2", 1],
  ['A="one\ntwo" hunter2', 2],
  ['export hunter2', 1],
];

for (const [text, line] of CORRUPT) {
  test(`a corrupt line is refused by its number and never shown: ${JSON.stringify(text)}`, async () => {
    await withFolder({ '.env': text }, (directory) => {
      const message = refusal({ directory });
      assert.match(message, new RegExp(`\\.env, line ${line}: `));
      assert.doesNotMatch(message, /hunter2/);
    });
  });
}

test('any text as a file of variables is read or refused by line, never a crash', () => {
  const line = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^(export )?[A-Z_]+=["'`]?.*$/),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parseEnvFile(lines.join('\n'), '.env');
      } catch (error) {
        assert.ok(error instanceof SeedError);
        assert.match(error.message, /^\.env, line \d+: [^\r\n]+$/);
      }
    }),
    { numRuns: 2000 },
  );
});

test('.env.example names every variable with its default, and changes nothing when it is filled in', async () => {
  const example = readFileSync(fileURLToPath(new URL('../../../.env.example', import.meta.url)), 'utf8');
  const uncommented = example.replace(/^# ([A-Z_]+=)/gm, '$1');
  const assigned = parseEnvFile(uncommented, '.env.example');
  for (const name of SETTING_NAMES) {
    const { variable, default: byDefault } = settingEntry(name);
    if (variable === undefined || variable === 'NO_COLOR') continue;
    assert.equal(assigned.get(variable)?.value, byDefault ?? '', variable);
  }
  await withFolder({ '.env': example }, (directory) => {
    assert.deepEqual(configure({ directory }).settings, configure().settings);
  });
  await withFolder({ '.env': uncommented }, (directory) => {
    const { connection, ...others } = configure({ directory }).settings;
    const { connection: untouched, ...same } = configure().settings;
    assert.deepEqual(others, same);
    // A time-out that was set is waited for, whatever it is.
    const opening = { ...untouched.opening, patient: true };
    assert.deepEqual(connection, { ...untouched, origin: 'named', opening });
  });
});
