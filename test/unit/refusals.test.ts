/** What servers answer, by code and text: the exit status, the cause and the way out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { MongoServerError } from 'mongodb';
import { openConnection } from '../../src/connect/connect.js';
import { explainServerError } from '../../src/connect/server-errors.js';
import { SeedError } from '../../src/errors.js';
import { configure, withFolder } from '../support/config.js';

const COMMAND = `not authorized on x to execute command { insert: "metrics", ordered: false, lsid: { id: UUID("0") }, $db: "x", secret: "${'z'.repeat(600)}" }`;

const ANSWERS: readonly [number, string, number, RegExp, RegExp][] = [
  [
    8000,
    'you are over your space quota, using 514 MB of 512 MB',
    6,
    /^the quota .* using 514 MB/,
    /make room/,
  ],
  [
    8000,
    'user is not allowed to do action [insert] on [x.metrics]',
    4,
    /^not allowed on database x: /,
    /readWrite/,
  ],
  [8000, 'bad auth : Authentication failed.', 4, /^authentication failed at /, /MONGODB_PASSWORD/],
  [8000, 'something new', 1, /^the server refused: something new$/, /^$/],
  [13, COMMAND, 4, /^not allowed on database x: not authorized on x to execute command insert$/, /readWrite/],
  [
    13297,
    'db already exists with different case already have: [X] trying to create [x]',
    2,
    /\[X\]/,
    /--database/,
  ],
  [79, 'No write concern mode named "a" found', 2, /write concern/, /--write-concern/],
  [100, 'Not enough data-bearing nodes', 2, /write concern/, /--write-concern/],
  [10107, 'not primary', 3, /takes no writes or reads now/, /directConnection/],
];

for (const [code, errmsg, exitStatus, cause, remedy] of ANSWERS) {
  test(`${code}, ${errmsg.slice(0, 40)}: ${exitStatus}`, () => {
    const { connection } = configure({ flags: { uri: 'mongodb://u:secret@h/x' } }).settings;
    const explained = explainServerError(new MongoServerError({ code, errmsg }), connection);
    assert.ok(explained instanceof SeedError);
    assert.equal(explained.exitStatus, exitStatus);
    assert.match(explained.message, cause);
    assert.match(explained.remedy, remedy);
    assert.doesNotMatch(explained.message, /zzz|secret/);
  });
}

test('a key that is encrypted: 2, before anything is connected to; with its passphrase it is used', async () => {
  await withFolder({}, async (folder) => {
    const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
    const subject = ['-subj', '/CN=client', '-days', '2', '-passout', 'pass:of-the-key'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    });
    const opened = (options: string) => {
      const environment = { MONGODB_SSL_CERT_PATH: cert, MONGODB_SSL_KEY_PATH: key };
      const flags = { uri: `mongodb://127.0.0.1:1/?tls=true${options}` };
      return openConnection(configure({ flags, environment }).settings.connection);
    };
    await assert.rejects(opened(''), {
      exitStatus: 2,
      message: /^the key of the client certificate is encrypted$/,
    });
    await assert.rejects(opened('&tlsCertificateKeyFilePassword=wrong'), { exitStatus: 2 });
    await assert.rejects(opened('&tlsCertificateKeyFilePassword=of-the-key'), { exitStatus: 3 });
  });
});

const MECHANISMS: readonly (readonly [string, string, RegExp, RegExp])[] = [
  ['', 'authMechanism=MONGODB-X509', /needs TLS and a client certificate/, /MONGODB_SSL_CERT_PATH/],
  ['', 'authMechanism=MONGODB-X509&tls=true', /needs TLS and a client certificate/, /tlsCertificateKeyFile/],
  ['u:pw@', 'authMechanism=MONGODB-X509', /Password not allowed for mechanism MONGODB-X509/, /config/],
  [
    'u%40R@',
    'authMechanism=GSSAPI',
    /authMechanism=GSSAPI needs the package kerberos/,
    /npm install kerberos/,
  ],
  [
    '',
    'authMechanism=MONGODB-AWS',
    /needs the package @aws-sdk\/credential-providers/,
    /npm install @aws-sdk/,
  ],
  ['', 'authMechanism=MONGODB-OIDC', /ENVIRONMENT/, /config/],
];

for (const [user, query, cause, remedy] of MECHANISMS) {
  test(`${user}${query}: 2, before anything is connected to`, async () => {
    // Nothing listens there.
    const { connection } = configure({ flags: { uri: `mongodb://${user}127.0.0.1:1/?${query}` } }).settings;
    await assert.rejects(openConnection(connection), (error) => {
      assert.ok(error instanceof SeedError, String(error));
      assert.equal(error.exitStatus, 2, error.message);
      assert.match(error.message, cause);
      assert.match(error.remedy, remedy);
      return true;
    });
  });
}

test('authMechanism=PLAIN needs no TLS here: the server judges it', async () => {
  const uri = 'mongodb://u:pw@127.0.0.1:1/?authMechanism=PLAIN';
  const { connection } = configure({ flags: { uri } }).settings;
  await assert.rejects(openConnection(connection), ({ exitStatus }: SeedError) => exitStatus === 3);
});
