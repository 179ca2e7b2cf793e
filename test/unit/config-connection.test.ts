/** One connection string from the single settings, and no secret of it anywhere. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SettingName } from '../../src/config/catalog.js';
import { maskSecrets, maskUri, maskUris } from '../../src/config/uri.js';
import { configure, refusal, withFolder } from '../support/config.js';

type Variables = Readonly<Record<string, string>>;
type Flags = Partial<Record<SettingName, string>>;

const connect = (environment: Variables, flags: Flags = {}) =>
  configure({ environment, flags }).settings.connection;

const URIS: readonly [string, Variables, Flags, string][] = [
  [
    'host and port',
    { MONGODB_HOST: 'db', MONGODB_PORT: '27018' },
    {},
    'mongodb://db:27018/pmi_infrastructure_dev',
  ],
  ['several hosts', { MONGODB_HOST: 'a,b:1, c' }, {}, 'mongodb://a:27017,b:1,c:27017/pmi_infrastructure_dev'],
  ['IPv6', { MONGODB_HOST: '::1' }, {}, 'mongodb://[::1]:27017/pmi_infrastructure_dev'],
  ['IPv6 with a port', { MONGODB_HOST: '[fe80::1]:1' }, {}, 'mongodb://[fe80::1]:1/pmi_infrastructure_dev'],
  ['a socket', { MONGODB_HOST: '/run/db.sock' }, {}, 'mongodb://%2Frun%2Fdb.sock/pmi_infrastructure_dev'],
  [
    'user and password, encoded',
    { MONGODB_HOST: 'db', MONGODB_USERNAME: 'a@b', MONGODB_PASSWORD: 'p:/?#[]@%é' },
    {},
    'mongodb://a%40b:p%3A%2F%3F%23%5B%5D%40%25%C3%A9@db:27017/pmi_infrastructure_dev?authSource=admin',
  ],
  [
    'another authentication database, replica set and TLS',
    {
      MONGODB_USERNAME: 'u',
      MONGODB_PASSWORD: 'p',
      MONGODB_AUTH_SOURCE: 'users',
      MONGODB_REPLICA_SET: 'rs 0',
      MONGODB_SSL_ENABLED: 'true',
    },
    {},
    'mongodb://u:p@localhost:27017/pmi_infrastructure_dev?authSource=users&replicaSet=rs%200&tls=true',
  ],
  ['a URI as it is', { MONGODB_URI: 'mongodb://a,b/x?w=2' }, {}, 'mongodb://a,b/x?w=2'],
  [
    'a URI over a host of the same source',
    { MONGODB_URI: 'mongodb://a', MONGODB_HOST: 'b' },
    {},
    'mongodb://a',
  ],
  [
    'a host flag over a URI variable',
    { MONGODB_URI: 'mongodb://a' },
    { host: 'b' },
    'mongodb://b:27017/pmi_infrastructure_dev',
  ],
  ['a URI flag over a host variable', { MONGODB_HOST: 'b' }, { uri: 'mongodb://a/' }, 'mongodb://a'],
  [
    'a password for the user of a URI',
    { MONGODB_PASSWORD: 's/t' },
    { uri: 'mongodb://u@a/x' },
    'mongodb://u:s%2Ft@a/x',
  ],
  [
    "a URI's own parts over variables",
    {
      MONGODB_URI: 'mongodb://u:p@a/x?replicaSet=r&authSource=s&tls=false',
      MONGODB_USERNAME: 'v',
      MONGODB_PASSWORD: 'q',
      MONGODB_REPLICA_SET: 't',
      MONGODB_AUTH_SOURCE: 'y',
      MONGODB_SSL_ENABLED: 'true',
    },
    {},
    'mongodb://u:p@a/x?replicaSet=r&authSource=s&tls=false',
  ],
  [
    'TLS for a CA path',
    { MONGODB_SSL_CA_PATH: '/dev/null' },
    {},
    'mongodb://localhost:27017/pmi_infrastructure_dev?tls=true',
  ],
  [
    'no TLS where it is switched off',
    { MONGODB_SSL_CA_PATH: '/dev/null', MONGODB_SSL_ENABLED: 'false' },
    {},
    'mongodb://localhost:27017/pmi_infrastructure_dev',
  ],
];

for (const [name, environment, flags, uri] of URIS) {
  test(`connection string: ${name}`, () => assert.equal(connect(environment, flags).uri, uri));
}

test('anything that names a server keeps the embedded one out', () => {
  assert.equal(connect({ MONGODB_DATABASE: 'x' }).origin, 'default');
  const naming: readonly Variables[] = [
    { MONGODB_URI: 'mongodb://localhost' },
    { MONGODB_HOST: 'localhost' },
    { MONGODB_PORT: '27017' },
    { MONGODB_REPLICA_SET: 'rs0' },
    { MONGODB_SSL_ENABLED: 'true' },
    { MONGODB_USERNAME: 'u', MONGODB_PASSWORD: 'p' },
  ];
  for (const environment of naming) {
    assert.equal(connect(environment).origin, 'named', JSON.stringify(environment));
  }
  assert.equal(connect({}, { host: 'localhost' }).origin, 'named');
});

test('the database: a flag over the one inside a URI variable, that one over the default', () => {
  const environment = { MONGODB_URI: 'mongodb://a/inside', MONGODB_DATABASE: 'variable' };
  assert.equal(connect({ MONGODB_URI: 'mongodb://a/inside' }).database, 'inside');
  assert.equal(connect(environment).database, 'variable');
  assert.equal(connect(environment, { database: 'flag' }).database, 'flag');
  assert.equal(connect(environment, { uri: 'mongodb://a/flag' }).database, 'flag');
});

test('driver options: given ones, and defaults where the connection string is silent', () => {
  assert.deepEqual(connect({ MONGODB_MAX_POOL_SIZE: '7', MONGODB_RETRY_WRITES: 'no' }).options, {
    maxPoolSize: 7,
    minPoolSize: 0,
    maxIdleTimeMS: 0,
    connectTimeoutMS: 10_000,
    serverSelectionTimeoutMS: 10_000,
    socketTimeoutMS: 60000,
    retryWrites: false,
    retryReads: true,
  });
  const { options } = connect({ MONGODB_URI: 'mongodb://a/?maxpoolsize=5', MONGODB_MAX_POOL_SIZE: '7' });
  assert.equal('maxPoolSize' in options, false);
});

test('TLS files: the paths, or the contents where certificate and key are two files', async () => {
  await withFolder({ 'ca.pem': 'ca', 'cert.pem': 'certificate', 'key.pem': 'key' }, (folder) => {
    const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => join(folder, name));
    const one = connect({ MONGODB_SSL_CA_PATH: ca, MONGODB_SSL_CERT_PATH: cert }).options;
    assert.deepEqual([one.tlsCAFile, one.tlsCertificateKeyFile], [ca, cert]);
    const two = connect({ MONGODB_SSL_CERT_PATH: cert, MONGODB_SSL_KEY_PATH: key }).options;
    assert.deepEqual([two.cert, two.key], ['certificate', 'key']);
    assert.match(refusal({ environment: { MONGODB_SSL_KEY_PATH: key } }), /MONGODB_SSL_CERT_PATH/);
    const missing = { MONGODB_SSL_CA_PATH: join(folder, 'none.pem') };
    assert.match(
      refusal({ environment: missing }),
      /^MONGODB_SSL_CA_PATH=\S+none\.pem: must be .+ \(ENOENT\)$/,
    );
  });
});

test('half of the credentials, and a pool smaller than its minimum, are refused', () => {
  assert.match(refusal({ environment: { MONGODB_USERNAME: 'u' } }), /MONGODB_PASSWORD/);
  assert.match(refusal({ environment: { MONGODB_PASSWORD: 'hunter2' } }), /^(?!.*hunter2).*MONGODB_USERNAME/);
  const pool = { MONGODB_MIN_POOL_SIZE: '5', MONGODB_MAX_POOL_SIZE: '4' };
  assert.match(refusal({ environment: pool }), /MONGODB_MIN_POOL_SIZE=5 .*MONGODB_MAX_POOL_SIZE=4/);
});

test('a certificate needs no password', () => {
  const { uri } = connect({ MONGODB_URI: 'mongodb://a/?authMechanism=MONGODB-X509&tls=true' });
  assert.equal(uri, 'mongodb://a/?authMechanism=MONGODB-X509&tls=true');
});

const MASKED: readonly [string, string][] = [
  ['mongodb://a:27017/x?w=1', 'mongodb://a:27017/x?w=1'],
  ['mongodb://u:hunter2@a,b:1/x?w=1', 'mongodb://u:****@a,b:1/x?w=1'],
  ['mongodb+srv://u:hunter2@a/', 'mongodb+srv://u:****@a'],
  ['mongodb://u@a', 'mongodb://u@a'],
  ['mongodb://u:hun@ter2@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hun/ter2@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hun?ter2@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hun#ter2@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hun:ter2@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hunter2%@a/x', 'mongodb://****@a/x'],
  ['mongodb://u:hunter2', 'mongodb://u:****'],
  ['u:hunter2@a', '****@a'],
  [
    'mongodb://a/?tlsCertificateKeyFilePassword=hunter2&w=1',
    'mongodb://a/?tlsCertificateKeyFilePassword=****&w=1',
  ],
  [
    'mongodb://a/?authMechanismProperties=AWS_SESSION_TOKEN:hunter2',
    'mongodb://a/?authMechanismProperties=****',
  ],
];

test('connection strings inside a sentence are masked, once and for all', () => {
  const once = maskUris('cannot reach mongodb://u:hunter2@h:1: refused (mongodb://v:hunter2@g), sorry.');
  assert.equal(once, 'cannot reach mongodb://u:****@h:1: refused (mongodb://v:****@g), sorry.');
  assert.equal(maskUris(once), once);
});

for (const [uri, masked] of MASKED) {
  test(`masked: ${uri}`, () => assert.equal(maskUri(uri), masked));
}

test('no spelling of the password survives maskSecrets, nor maskUri of a string that holds it raw', () => {
  const password = fc.string({ minLength: 4 }).filter((text) => /\w{3}/.test(text) && text.trim() !== '');
  fc.assert(
    fc.property(password, (secret) => {
      const { settings } = configure({
        environment: { MONGODB_USERNAME: 'u', MONGODB_PASSWORD: secret, MONGODB_HOST: 'q' },
      });
      const text = `a ${secret} b ${encodeURIComponent(secret)} c ${settings.connection.uri} ${JSON.stringify({ secret })}`;
      const masked = maskSecrets(text, settings);
      for (const spelling of [secret, encodeURIComponent(secret)]) {
        assert.ok(!masked.includes(spelling) || '****'.includes(spelling), `${spelling} in ${masked}`);
      }
      assert.ok(!maskUri(settings.connection.uri).includes(encodeURIComponent(secret)));
      assert.ok(!maskUri(`mongodb://u:${secret}@q/z`).includes(secret));
    }),
  );
});

for (const database of ['admin', 'local', 'config', '%24x', 'a.b']) {
  test(`a connection string cannot make ${database} the database to load`, () => {
    const uri = `mongodb://db/${database}`;
    assert.match(refusal({ flags: { uri } }), /^the database in the connection string.*must be/);
    assert.equal(connect({}, { uri, database: 'mine' }).database, 'mine');
  });
}

test('a password with an apostrophe is masked inside a sentence, and quotes around a string stay', () => {
  const uri = "mongodb://u:se'cr'et@h:1/x";
  assert.equal(
    maskUris(`at ${uri}, twice: '${uri}'.`),
    "at mongodb://u:****@h:1/x, twice: 'mongodb://u:****@h:1/x'.",
  );
  assert.equal(maskUris("'mongodb://a','mongodb://u:p@b'"), "'mongodb://a','mongodb://u:****@b'");
});
