/**
 * Addresses, options of connection strings and variables that others have set: each works, or is
 * refused with its name and a way out.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTING_NAMES, type SettingName, settingEntry } from '../../src/config/catalog.js';
import { maskUris } from '../../src/config/uri.js';
import { SeedError } from '../../src/errors.js';
import { configure, refusal, withFolder } from '../support/config.js';

type Variables = Readonly<Record<string, string>>;
type Flags = Partial<Record<SettingName, string>>;

const settings = (environment: Variables, flags: Flags = {}, unused: readonly SettingName[] = []) =>
  configure({ environment, flags, unused }).settings;
const opening = (environment: Variables, flags: Flags = {}, unused: readonly SettingName[] = []) =>
  settings(environment, flags, unused).connection.opening;

/** The cause and the way out with which a connection string is refused. */
function refused(uri: string): readonly [string, string] {
  try {
    settings({}, { uri });
  } catch (error) {
    assert.ok(error instanceof SeedError && error.exitStatus === 2, String(error));
    return [error.message, error.remedy];
  }
  assert.fail(`accepted: ${uri}`);
}

for (const w of ['0', '00', '0x0', '0e3', '-1', '-0', '%20', '1.5', '51', '+0']) {
  test(`w=${w} in a connection string is refused by name`, () => {
    const [cause, remedy] = refused(`mongodb://a/?W=${w}&retryWrites=true`);
    assert.match(cause, /^w=\S.* in the connection string: must be majority, or a number of members/);
    assert.match(remedy, /leave it out/);
  });
}

test('w of a connection string counts as --write-concern, which wins', () => {
  assert.equal(settings({}, { uri: 'mongodb://a/?w=2' }).load.writeConcern, 2);
  assert.equal(settings({}, { uri: 'mongodb://a/?w=majority' }).load.writeConcern, 'majority');
  assert.equal(settings({}, { uri: 'mongodb://a/?w=eu%20west' }).load.writeConcern, 'eu west');
  assert.equal(settings({}, { uri: 'mongodb://a/?w=2', writeConcern: '3' }).load.writeConcern, 3);
  // A host that replaces the connection string replaces its options.
  assert.equal(settings({ MONGODB_URI: 'mongodb://a/?w=2' }, { host: 'b' }).load.writeConcern, undefined);
});

test('compressors of a connection string reach the loading threads, and those of the flag the first connection', () => {
  assert.deepEqual(settings({}, { uri: 'mongodb://a/?compressors=zlib,none' }).load.compressors, ['zlib']);
  assert.deepEqual(settings({}, { compressors: 'snappy' }).connection.options.compressors, ['snappy']);
});

const REFUSED_OPTIONS: readonly [string, RegExp][] = [
  ['readConcernLevel=snapshot', /^readConcernLevel=snapshot .* must be local, majority, available$/],
  ['readConcernLevel=linearizable', /^readConcernLevel=linearizable /],
  ['serverSelectionTimeoutMS=0', /^serverSelectionTimeoutMS=0 .* at least 1/],
  ['maxStalenessSeconds=5', /^maxStalenessSeconds=5 .* at least 90/],
];
for (const [option, cause] of REFUSED_OPTIONS) {
  test(`${option} in a connection string is refused by name`, () => {
    const [message, remedy] = refused(`mongodb://a/?${option}`);
    assert.match(message, cause);
    assert.match(remedy, /leave it out/);
  });
}

test('spellings that the driver warns of are written as it wants them', () => {
  const { uri } = settings({}, { uri: 'mongodb://a/?j=false&timeoutMS=5&wtimeout=9&appName=x' }).connection;
  assert.equal(uri, 'mongodb://a/?journal=false&wtimeoutMS=9&appName=x');
});

const MALFORMED: readonly [string, RegExp][] = [
  ['mongodb://u:p@ss@h/x', /^percent-encode .*@ as %40/],
  ['mongodb://u:p/ss@h/x', /^percent-encode .*\/ as %2F/],
  ['mongodb://u:p:ss@h/x', /^percent-encode .*: as %3A/],
  ['mongodb://u:100%@h/x', /^percent-encode .*% as %25/],
  ['mongodb://u:se#cret@h/x', /^percent-encode /],
  ['mongodb://u:secret', /^percent-encode /],
  ['http://h', /^begin it with mongodb:\/\//],
  ['h:27017', /^begin it with mongodb:\/\//],
  ['mongodb://h/x/y', /^write options behind a \?/],
];
for (const [uri, way] of MALFORMED) {
  test(`malformed: ${uri}: the way out fits, and nothing of a password is shown`, () => {
    const [cause] = refused(uri);
    assert.match(cause, /a connection string: mongodb:\/\/host:port or mongodb\+srv:\/\/host; /);
    assert.match(cause.split('; ')[1], way);
    assert.doesNotMatch(cause, /p@ss|p\/ss|p:ss|100%@|secret|se#cret/);
  });
}

test('the masking leaves what messages write in place of an address', () => {
  const help =
    'must be a connection string: mongodb://host:port or mongodb+srv://host; mongodb://host:port/?replicaSet=name';
  assert.equal(maskUris(help), help);
  assert.equal(
    maskUris('mongodb://host:hunter2, mongodb://hosts:port'),
    'mongodb://host:****, mongodb://hosts:****',
  );
});

const LINK = { MONGODB_PORT: 'tcp://10.96.12.7:27017', MONGODB_SERVICE_HOST: '10.96.12.7' };

test('a service link of Kubernetes in MONGODB_PORT is left out with a notice', () => {
  const alone = settings(LINK).connection;
  assert.equal(alone.origin, 'default');
  assert.equal(alone.uri, 'mongodb://localhost:27017/pmi_infrastructure_dev');
  assert.match(
    alone.opening?.notices.join() ?? '',
    /^MONGODB_PORT=tcp:\/\/10\.96\.12\.7:27017 is left out: .*name the server with --uri/,
  );
  const named = settings({ ...LINK, MONGODB_URI: 'mongodb://db:1/x' }).connection;
  assert.equal(named.uri, 'mongodb://db:1/x');
  assert.deepEqual(named.opening?.notices.length, 1);
  assert.equal(
    settings({ ...LINK, MONGODB_HOST: 'db' }).connection.uri,
    'mongodb://db:27017/pmi_infrastructure_dev',
  );
  // Written by a person, it is a mistake.
  assert.match(refusal({ flags: { port: LINK.MONGODB_PORT } }), /^--port tcp:/);
});

test('the port of a .env counts where the environment has a service link', async () => {
  await withFolder({ '.env': 'MONGODB_PORT=27018\n' }, (directory) => {
    const { uri } = configure({ directory, environment: LINK }).settings.connection;
    assert.equal(uri, 'mongodb://localhost:27018/pmi_infrastructure_dev');
  });
});

test('a host or port that cannot be read stops nobody who gives a connection string, and is told of', () => {
  const wrong = { MONGODB_HOST: 'two words', MONGODB_PORT: '27o17' };
  const { uri, opening } = settings(wrong, { uri: 'mongodb://db/x' }).connection;
  assert.equal(uri, 'mongodb://db/x');
  assert.deepEqual(
    opening?.notices.map((text) => text.split(' is left out')[0]),
    ['MONGODB_HOST="two words"', 'MONGODB_PORT=27o17'],
  );
  assert.match(refusal({ environment: wrong }), /^MONGODB_HOST="two words"/);
});

test('variables that a command has no use for cannot be wrong', () => {
  const variables: Record<string, string> = {};
  for (const name of SETTING_NAMES) {
    const { variable } = settingEntry(name);
    if (variable !== undefined && name !== 'color') variables[variable] = ' wrong ! ';
  }
  const { connection } = settings(variables, {}, SETTING_NAMES);
  assert.deepEqual(connection, configure().settings.connection);
});

test('secrets from files: the last line break is no part of them, and a stronger source wins', async () => {
  await withFolder(
    { password: 'hun\nter2 \r\n\n', uri: '\uFEFFmongodb://u@db/x\n', empty: '\n' },
    (folder) => {
      const file = (name: string) => join(folder, name);
      const both = { MONGODB_URI_FILE: file('uri'), MONGODB_PASSWORD_FILE: file('password') };
      assert.equal(settings(both).connection.uri, 'mongodb://u:hun%0Ater2%20@db/x');
      assert.equal(
        settings(both, { uri: 'mongodb://v@other' }).connection.uri,
        'mongodb://v:hun%0Ater2%20@other',
      );
      for (const [environment, words] of [
        [
          { ...both, MONGODB_PASSWORD: 'hunter3' },
          /^MONGODB_PASSWORD and MONGODB_PASSWORD_FILE are both set$/,
        ],
        [{ ...both, MONGODB_URI: 'mongodb://h' }, /^MONGODB_URI and MONGODB_URI_FILE are both set$/],
        [
          { MONGODB_PASSWORD_FILE: file('none') },
          /^MONGODB_PASSWORD_FILE=\S+none cannot be read: there is no such file$/,
        ],
        [{ MONGODB_URI_FILE: folder }, /^MONGODB_URI_FILE=\S+ cannot be read: it is a folder$/],
        [{ MONGODB_URI_FILE: file('empty') }, /^MONGODB_URI_FILE=\S+empty: the file is empty$/],
        [
          { MONGODB_URI_FILE: file('password') },
          /^MONGODB_URI_FILE=\S+password: must be a connection string/,
        ],
      ] as const) {
        const message = refusal({ environment });
        assert.match(message, words);
        assert.doesNotMatch(message, /hun|ter2/);
      }
    },
  );
});

test('a file in the environment wins over a password in .env, and the other way round', async () => {
  await withFolder({ secret: 'of-the-file' }, (folder) => {
    const path = join(folder, 'secret');
    const withEnv = (name: string, lines: string, environment: Variables) => {
      const directory = join(folder, name);
      mkdirSync(directory);
      writeFileSync(join(directory, '.env'), `MONGODB_USERNAME=u\n${lines}\n`);
      return configure({ directory, environment }).settings.connection.uri;
    };
    assert.match(withEnv('a', 'MONGODB_PASSWORD=of-env', { MONGODB_PASSWORD_FILE: path }), /u:of-the-file@/);
    assert.match(withEnv('b', `MONGODB_PASSWORD_FILE=${path}`, { MONGODB_PASSWORD: 'direct' }), /u:direct@/);
  });
});

test('database names: bytes count, not letters, and upper case does not make admin another database', () => {
  assert.equal(settings({}, { database: 'é'.repeat(31) }).connection.database, 'é'.repeat(31));
  assert.match(refusal({ flags: { database: 'é'.repeat(32) } }), /must be at most 63 bytes long; it has 64$/);
  assert.match(
    refusal({ flags: { uri: `mongodb://h/${'x'.repeat(64)}` } }),
    /must be at most 63 bytes long; it has 64$/,
  );
  for (const name of ['Admin', 'LOCAL', 'a.b', 'a b', 'a/b', 'a\\b', '$a', 'a"b']) {
    assert.match(refusal({ flags: { database: name } }), /^--database /, name);
  }
});

test('--wait means a server of the user, and a time-out that was set is kept', () => {
  assert.deepEqual(opening({}), { waitMs: 0, patient: false, passwordInUri: false, notices: [] });
  assert.equal(opening({}, { wait: '30' })?.waitMs, 30_000);
  assert.equal(settings({}, { wait: '30' }).connection.origin, 'named');
  assert.equal(opening({ MONGODB_SERVER_SELECTION_TIMEOUT_MS: '2000' })?.patient, true);
  assert.equal(opening({}, { uri: 'mongodb://a/?serverSelectionTimeoutMS=5' })?.patient, true);
  assert.match(refusal({ flags: { wait: 'long' } }), /^--wait long: must be a whole number/);
});
